"""DataTransfer: a vendor's own message (OCPP 2.0.1 P02). We speak no vendor's dialect and say so; what was said is
kept for people who do."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    maintenance.record_event(
        uow,
        call.charger,
        kind="data_transfer",
        at=call.received_at,
        summary=" ".join(str(payload[name]) for name in ("vendorId", "messageId") if payload.get(name)),
        data=payload,
    )
    return {"status": "UnknownVendorId"}
