"""SignCertificate: the charger asks for a certificate of its own (security whitepaper 1.6). Accepted means that
it will be signed; it then goes out as CertificateSigned."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    accepted = maintenance.request_signature(
        uow, call.charger, csr_pem=call.payload["csr"], kind="charger", request_id=None
    )
    return {"status": "Accepted" if accepted else "Rejected"}
