"""MeterValues: readings outside of transactions, aligned to the clock or asked for (OCPP 2.0.1 J01)."""

from __future__ import annotations

from chalicelib.charging import service as charging
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.evses import evse_no_of
from chalicelib.ocpp.v201.meter_values import read_samples
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    charging.record_meter_values(
        uow,
        charger=call.charger,
        evse_no=evse_no_of(call.payload, call.charger),
        transaction_id=None,
        samples=read_samples(call.payload.get("meterValue", []), call.received_at),
    )
    return {}


def refuse(_call: Inbound, _error: DomainError) -> Payload:
    return {}
