"""Get15118EVCertificate: a car wants its contract certificate (OCPP 2.0.1 M01, M02)."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    done, exi_response = maintenance.ev_certificate(
        uow.ctx,
        action=payload["action"],
        exi_request=payload["exiRequest"],
        schema_version=payload["iso15118SchemaVersion"],
    )
    return {"status": "Accepted" if done else "Failed", "exiResponse": exi_response}
