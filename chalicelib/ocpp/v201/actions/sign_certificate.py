"""SignCertificate: the charger asks for a certificate (OCPP 2.0.1 A02, A03). It comes later, by CertificateSigned."""

from __future__ import annotations

from typing import Final

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.maintenance.model import CertificateKind
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound

KINDS: Final[dict[str, CertificateKind]] = {
    "ChargingStationCertificate": "charger",
    "V2GCertificate": "v2g",
    "V2G20Certificate": "v2g20",
}


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    """Without a type it is the charger's own certificate (SignCertificateRequest)."""
    accepted = maintenance.request_signature(
        uow,
        call.charger,
        csr_pem=call.payload["csr"],
        kind=KINDS[call.payload.get("certificateType", "ChargingStationCertificate")],
        request_id=call.payload.get("requestId"),
    )
    return {"status": "Accepted" if accepted else "Rejected"}
