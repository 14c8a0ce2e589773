"""Keys, signing requests and hashes, as a station or a car makes them: with `cryptography`, not with our own code."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.octt201.station import Station


@cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def signing_request(common_name: str) -> str:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Wattfare"),
        ]
    )
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(_key(), hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()


def signed(station: Station, common_name: str, certificate_type: str | None = None) -> Asked:
    """The station asks for a certificate and is told that it will come; gives the command that brings it."""
    payload: dict[str, Any] = {"csr": signing_request(common_name)}
    if certificate_type is not None:
        payload["certificateType"] = certificate_type
    assert station.call("SignCertificate", payload) == {"status": "Accepted"}
    [asked] = station.received()
    assert asked.action == "CertificateSigned"
    return asked


def contract(station: Station, emaid: str) -> str:
    """A contract certificate below the root that the platform trusts. A mobility operator would have signed it; here
    the root's own key does."""
    bundle = station.world.ctx.secret("certificate-authority").encode()
    key, root = load_pem_private_key(bundle, None), x509.load_pem_x509_certificate(bundle)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    now = station.world.ctx.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, emaid)]))
        .issuer_name(root.subject)
        .public_key(_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(Encoding.PEM).decode()


def root_pem(station: Station, kind: str) -> str:
    """Of the authority behind the platform."""
    [pem] = station.read(f"/v1/certificate-authority?kind={kind}")["roots"]
    return str(pem)


def hash_data(pem: str, issuer_pem: str) -> dict[str, str]:
    """CertificateHashDataType of a certificate."""
    certificate, issuer = (x509.load_pem_x509_certificate(text.encode()) for text in (pem, issuer_pem))
    request = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256()).build()
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": request.issuer_name_hash.hex(),
        "issuerKeyHash": request.issuer_key_hash.hex(),
        "serialNumber": f"{request.serial_number:x}",
    }


def ocsp_request(pem: str, issuer_pem: str) -> dict[str, str]:
    """OCSPRequestDataType of a certificate."""
    return {**hash_data(pem, issuer_pem), "responderURL": "https://ocsp.example"}
