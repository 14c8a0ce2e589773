"""SecurityEventNotification: something that matters for security happened in the charger (security whitepaper 1.6).
Chargers queue these while they are offline, so their own time counts where it can be read."""

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
