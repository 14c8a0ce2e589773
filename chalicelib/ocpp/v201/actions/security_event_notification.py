"""SecurityEventNotification: something that touches the charger's security (OCPP 2.0.1 A04)."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    maintenance.report_security_event(
        uow,
        call.charger,
        event_type=call.payload["type"],
        at=moment_or_receipt(call.payload["timestamp"], call.received_at),
        tech_info=call.payload.get("techInfo"),
    )
    return {}
