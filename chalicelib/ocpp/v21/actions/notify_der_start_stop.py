"""NotifyDERStartStop: a control of the distributed energy resource began or ended (OCPP 2.1 R)."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    maintenance.record_event(
        uow,
        call.charger,
        kind="device",
        at=moment_or_receipt(payload["timestamp"], call.received_at),
        summary=f"DER control {payload['controlId']} {'started' if payload['started'] else 'stopped'}",
        data=payload,
    )
    return {}
