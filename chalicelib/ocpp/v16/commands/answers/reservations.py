"""Reservations that the charger gave up because an operator asked by hand (OCPP 1.6 5.1)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger
from chalicelib.charging import service as charging
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload


def keep_cancelled(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """If the number is that of one of our reservations, it is over."""
    if answer["status"] == "Accepted":
        charging.handle_reservation_update(uow, charger, asked["reservationId"], "Removed")
