"""StatusNotification: the state of one connector (OCPP 2.0.1 G01). It carries no error; faults come by NotifyEvent."""

from __future__ import annotations

from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import read_moment
from chalicelib.ocpp.v201.evses import evse_no_of
from chalicelib.ocpp.version import Inbound

_NO_ERROR: Final = "NoError"


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    if "connectorStatus" not in payload:
        return {}
    chargers.record_status(
        uow,
        call.charger.charger_id,
        evse_no_of(payload, call.charger),
        payload["connectorStatus"],
        _NO_ERROR,
        None,
        read_moment(payload.get("timestamp"), call.received_at),
        connector_no=payload.get("connectorId"),
    )
    return {}


def refuse(_call: Inbound, _error: DomainError) -> Payload:
    return {}
