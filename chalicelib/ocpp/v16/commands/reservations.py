"""What answers about reservations tell, where an operator asked by hand (OCPP 1.6 5.1)."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Command
from chalicelib.charging import service as charging
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.version import Answer


def record_cancelled(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    """CancelReservation: if the number is that of one of our reservations, it is over."""
    charger = chargers.get_charger(uow.ctx, command.charger_id) if answer.accepted else None
    if charger is not None:
        charging.handle_reservation_update(uow, charger, command.payload["reservationId"], "Removed")
