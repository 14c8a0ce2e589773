"""StatusNotification: the state of a connector, or of the charger (OCPP 1.6 4.9)."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import read_moment
from chalicelib.ocpp.v16.connectors import evse_no_of
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    if "status" not in payload:
        return {}
    chargers.record_status(
        uow,
        call.charger.charger_id,
        evse_no_of(payload, call.charger),
        payload["status"],
        payload["errorCode"],
        payload.get("info"),
        read_moment(payload.get("timestamp"), call.received_at),
        payload.get("vendorErrorCode"),
    )
    return {}


def refuse(_call: Inbound, _error: DomainError) -> Payload:
    return {}
