"""FirmwareStatusNotification: how far a firmware update is (OCPP 2.0.1 L01 to L03)."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.words import reason_text
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    maintenance.report_firmware_status(
        uow,
        call.charger,
        status=call.payload["status"],
        request_id=call.payload.get("requestId"),
        at=call.received_at,
        detail=reason_text(call.payload),
    )
    return {}
