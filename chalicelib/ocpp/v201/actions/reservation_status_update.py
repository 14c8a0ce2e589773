"""ReservationStatusUpdate: the charger gave a reservation up (OCPP 2.0.1 H01, H04)."""

from __future__ import annotations

from chalicelib.charging import service as charging
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    """2.1 adds NoTransaction: whoever had reserved came, and did not charge. The place is free again either way."""
    expired = call.payload["reservationUpdateStatus"] == "Expired"
    charging.handle_reservation_update(
        uow, call.charger, call.payload["reservationId"], "Expired" if expired else "Removed"
    )
    return {}
