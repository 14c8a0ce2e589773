"""NotifySettlement: the charger's payment terminal settled with its own provider (OCPP 2.1 C). No money of the
platform moved, so the ledger is not touched; it is kept for whoever reconciles the terminal."""

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
        kind="payment",
        at=moment_or_receipt(payload["settlementTime"], call.received_at),
        summary=f"{payload['status']}: {payload['settlementAmount']}, {payload['pspRef']}",
        data=payload,
        severity="warning" if payload["status"] in ("Rejected", "Failed") else None,
    )
    return {}
