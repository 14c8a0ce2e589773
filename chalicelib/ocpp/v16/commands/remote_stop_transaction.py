"""RemoteStopTransaction: the session that is to end learns whether the charger will end it (OCPP 1.6 5.12)."""

from __future__ import annotations

from chalicelib.chargers.model import Command
from chalicelib.charging import service as charging
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.version import Answer


def on_answer(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    if command.session_id is not None:
        charging.handle_remote_stop_answer(
            uow, session_id=command.session_id, accepted=answer.accepted, detail=answer.detail
        )
