"""GetCertificateStatus: is this certificate of a car revoked? (OCPP 2.0.1 M06) We ask its issuer for the charger."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    """`ocspResult` is the DER of an OCSP response (RFC 6960) in base64."""
    response = maintenance.certificate_status(uow.ctx, call.payload["ocspRequestData"])
    return {"status": "Failed"} if response is None else {"status": "Accepted", "ocspResult": response}
