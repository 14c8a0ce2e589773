"""Messages on the charger's display that it took or dropped (OCPP 2.0.1 O01, O02, O05, O06)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload


def keep_set(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    if answer["status"] == "Accepted":
        maintenance.record_display_message(uow, charger, asked["message"])


def keep_cleared(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """Unknown: the charger has none such, so neither have we."""
    if answer["status"] in ("Accepted", "Unknown"):
        maintenance.forget_display_message(uow, charger, asked["id"])
