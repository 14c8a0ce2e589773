"""LogStatusNotification: how the upload of a log goes on (security whitepaper 1.6). Idle comes without an id."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    maintenance.report_log_status(
        uow,
        call.charger,
        status=call.payload["status"],
        request_id=call.payload.get("requestId"),
        at=call.received_at,
    )
    return {}
