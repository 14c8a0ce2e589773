"""NotifyDERAlarm: a control of the distributed energy resource tripped, or its alarm ended (OCPP 2.1 R)."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    ended = payload.get("alarmEnded", False)
    fault = f": {payload['gridEventFault']}" if "gridEventFault" in payload else ""
    maintenance.record_event(
        uow,
        call.charger,
        kind="device",
        at=moment_or_receipt(payload["timestamp"], call.received_at),
        summary=f"alarm of {payload['controlType']}{' ended' if ended else ''}{fault}",
        data=payload,
        severity="info" if ended else "warning",
    )
    return {}
