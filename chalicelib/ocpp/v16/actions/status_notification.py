"""StatusNotification: the state of a connector, or of the charger (OCPP 1.6 4.9)."""

from __future__ import annotations

from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.charging import service as charging
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import read_moment
from chalicelib.ocpp.v16.connectors import evse_no_of
from chalicelib.ocpp.version import Inbound

_MATTERS_TO_CHARGING: Final = frozenset({"Available", "Preparing", "Finishing", "Faulted"})


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    evse_no = evse_no_of(payload)
    chargers.record_status(
        uow,
        call.charger.charger_id,
        evse_no,
        payload["status"],
        payload["errorCode"],
        payload.get("info"),
        read_moment(payload.get("timestamp"), call.received_at),
        payload.get("vendorErrorCode"),
    )
    if evse_no > 0 and payload["status"] in _MATTERS_TO_CHARGING:
        charging.handle_status(uow, charger=call.charger, evse_no=evse_no, status=payload["status"])
    return {}


def refuse(_call: Inbound, _error: DomainError) -> Payload:
    return {}
