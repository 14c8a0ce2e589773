"""DataTransfer: a vendor's own message (OCPP 1.6 4.3). We speak no vendor's dialect and say so; what was said is
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
        summary=" ".join(payload[name] for name in ("vendorId", "messageId") if payload.get(name)),
        data=payload,
    )
    return {"status": "UnknownVendorId"}
