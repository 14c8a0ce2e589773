"""What the platform asks of chargers, whatever version they speak: what becomes of each answer.

A command whose action is an intent is worded by the charger's version when it is sent (`Version.wordings`), and its
outcome comes here, in the commit that finishes it. Every intent of `chargers.model.INTENTS` has one line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chalicelib.chargers.model import Command
from chalicelib.charging import service as charging
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.version import Answer, IsWanted, OnAnswer


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
    if command.session_id is not None:
        charging.handle_remote_stop_answer(
            uow, session_id=command.session_id, accepted=answer.accepted, detail=answer.detail
        )


INTENTS: Final[Mapping[str, Intent]] = {
    "start_session": Intent(_start_answered, _start_is_wanted),
    "stop_session": Intent(_stop_answered),
}
