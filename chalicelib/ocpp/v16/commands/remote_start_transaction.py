"""RemoteStartTransaction: the session that asked for it learns whether the charger will (OCPP 1.6 5.11)."""

from __future__ import annotations

from chalicelib.chargers.model import Command
from chalicelib.charging import service as charging
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.version import Answer


def is_wanted(ctx: Context, command: Command) -> bool:
    """Not when the driver called it off while it waited for the charger: nobody would pay for what it begins."""
    return command.session_id is None or charging.is_start_awaited(ctx, command.session_id)


def on_answer(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    if command.session_id is not None:
        charging.handle_remote_start_answer(
            uow, session_id=command.session_id, accepted=answer.accepted, detail=answer.detail
        )
