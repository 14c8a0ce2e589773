"""NotifyPriorityCharging: a car charges with priority, or no longer does (OCPP 2.1 K)."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    state = "on" if call.payload["activated"] else "off"
    maintenance.record_event(
        uow,
        call.charger,
        kind="charging_schedule",
        at=call.received_at,
        summary=f"priority charging {state}, transaction {call.payload['transactionId']}",
        data=call.payload,
    )
    return {}
