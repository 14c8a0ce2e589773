"""What the platform asks of chargers, whatever version they speak: what becomes of each answer.

A command whose action is an intent is worded by the charger's version when it is sent (`Version.wordings`), and its
outcome comes here, in the commit that finishes it. Every intent of `chargers.model.INTENTS` has one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Command
from chalicelib.charging import service as charging
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.version import TIMED_OUT, Answer, IsWanted, OnAnswer

_SECURITY_PROFILE: Final = "securityprofile"


@dataclass(frozen=True, slots=True)
class Intent:
    """`is_wanted` is asked just before sending, where what it was queued for may be called off meanwhile."""

    on_answer: OnAnswer | None = None
    is_wanted: IsWanted | None = None


def _start_is_wanted(ctx: Context, command: Command) -> bool:
    """Not when the driver called it off while it waited for the charger: nobody would pay for what it begins."""
    return command.session_id is None or charging.is_start_awaited(ctx, command.session_id)


def _start_answered(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    if command.session_id is not None:
        charging.handle_remote_start_answer(
            uow, session_id=command.session_id, accepted=answer.accepted, detail=answer.detail
        )


def _stop_answered(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    # Silence refuses nothing: the session still waits to be stopped, and asks again (decision 0045).
    if command.session_id is not None and answer.detail != TIMED_OUT:
        charging.handle_remote_stop_answer(
            uow, session_id=command.session_id, accepted=answer.accepted, detail=answer.detail
        )


def _password_answered(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    # A charger that was silent may have either: both stay.
    if not answer.accepted and answer.detail != TIMED_OUT:
        chargers.forget_new_password(uow, command.charger_id)


def _configuration_read(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    chargers.handle_configuration_read(
        uow, command, accepted=answer.accepted, timed_out=answer.detail == TIMED_OUT, answer=answer.payload
    )


def _configuration_written(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    chargers.handle_configuration_write(uow, command, timed_out=answer.detail == TIMED_OUT, answer=answer.payload)
    if answer.accepted:
        note_taken(uow, command.charger_id, command.payload["name"], command.payload["value"])


def note_taken(uow: UnitOfWork, charger_id: str, name: str, value: str) -> None:
    """What a variable that the charger took means beyond its value: a higher SecurityProfile counts from the first
    handshake that proves it (1.6 whitepaper, A05; in 2.x the variable is read-only, and network profiles carry it)."""
    if name.lower() == _SECURITY_PROFILE and value.isdecimal():
        chargers.expect_security_profile(uow, charger_id, int(value))


def _certificate_answered(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    maintenance.record_certificate_answer(
        uow,
        command.charger_id,
        command.payload["certificate_id"],
        command.command_id,
        accepted=answer.accepted,
        detail=answer.detail,
    )


def _local_list_answered(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    status = "Accepted" if answer.accepted else str(answer.payload.get("status", answer.detail))
    maintenance.record_local_list_answer(uow, command.charger_id, command.payload["version"], status)


def _reservation_is_wanted(ctx: Context, command: Command) -> bool:
    return charging.is_reservation_wanted(ctx, charger_id=command.charger_id, number=command.payload["number"])


def _reservation_answered(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    charging.handle_reservation_answer(
        uow,
        charger_id=command.charger_id,
        number=command.payload["number"],
        accepted=answer.accepted,
        detail=answer.detail,
    )


def _cancellation_answered(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    charging.handle_cancellation_answer(
        uow,
        charger_id=command.charger_id,
        number=command.payload["number"],
        accepted=answer.accepted,
        detail=answer.detail,
    )


def _trigger_answered(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    if command.session_id is not None:
        charging.handle_trigger_answer(uow, session_id=command.session_id, accepted=answer.accepted)


INTENTS: Final[Mapping[str, Intent]] = {
    "cancel_reservation": Intent(_cancellation_answered),
    "install_signed_certificate": Intent(_certificate_answered),
    "read_configuration": Intent(_configuration_read),
    "reserve": Intent(_reservation_answered, _reservation_is_wanted),
    "renew_certificate": Intent(),
    "send_local_list": Intent(_local_list_answered),
    "set_password": Intent(_password_answered),
    "set_web_payments": Intent(),
    "start_session": Intent(_start_answered, _start_is_wanted),
    "stop_session": Intent(_stop_answered),
    "trigger_boot": Intent(is_wanted=chargers.is_boot_wanted),
    "trigger_meter_values": Intent(_trigger_answered),
    "web_payment_started": Intent(),
    "write_configuration": Intent(_configuration_written, chargers.is_write_wanted),
}
