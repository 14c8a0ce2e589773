"""MeterValues: readings during a charge, or of the charger's main meter (OCPP 1.6 4.7)."""

from __future__ import annotations

from chalicelib.charging import service as charging
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v16.connectors import evse_no_of
from chalicelib.ocpp.v16.meter_values import read_samples
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    charging.record_meter_values(
        uow,
        charger=call.charger,
        evse_no=evse_no_of(call.payload, call.charger),
        transaction_id=call.payload.get("transactionId"),
        samples=read_samples(call.payload.get("meterValue", []), call.received_at),
    )
    return {}


def refuse(_call: Inbound, _error: DomainError) -> Payload:
    return {}
