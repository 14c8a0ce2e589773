"""X.509 documents: signing requests, certificates and their hashes. Pure; loads `cryptography`.

Called by the authorities and through `pki` only. What cannot be read is an answer here, never an exception of the
library: chargers and people send anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from chalicelib.chargers.model import charger_key
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.maintenance.model.certificates import CertificateKind
from chalicelib.maintenance.pki.port import OcspRequest, PkiRefused

LEAST_RSA_BITS: Final = 2048
LEAST_EC_BITS: Final = 224
"""OCPP 1.6 security whitepaper 3.2, OCPP 2.0.1 A00.FR.507 to 509."""
MAX_CHAIN: Final = 6
_ALGORITHMS: Final[Mapping[str, Callable[[], hashes.HashAlgorithm]]] = {
    "SHA256": hashes.SHA256,
    "SHA384": hashes.SHA384,
    "SHA512": hashes.SHA512,
}


def algorithm_of(name: str) -> hashes.HashAlgorithm | None:
    """SHA256, SHA384, SHA512 (OCPP HashAlgorithmEnumType); None for any other."""
    known = _ALGORITHMS.get(name)
    return None if known is None else known()


def read_request(csr_pem: str) -> x509.CertificateSigningRequest:
    """Raises PkiRefused for what is not a signing request, is not signed by its own key, or has a weak key."""
    try:
        request = x509.load_pem_x509_csr(csr_pem.strip().encode())
        is_signed = request.is_signature_valid
        key = request.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.InvalidVersion) as error:
        raise PkiRefused("The signing request cannot be read.") from error
    if not is_signed:
        raise PkiRefused("The signing request is not signed by its own key.")
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < LEAST_RSA_BITS:
            raise PkiRefused(f"The RSA key has {key.key_size} bits; it needs {LEAST_RSA_BITS}.")
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if key.key_size < LEAST_EC_BITS:
            raise PkiRefused(f"The key's curve has {key.key_size} bits; it needs {LEAST_EC_BITS}.")
    elif not isinstance(key, ed25519.Ed25519PublicKey):
        raise PkiRefused("The key is neither RSA nor on an elliptic curve.")
    return request


def check_request(csr_pem: str, kind: CertificateKind, charger_id: str) -> x509.CertificateSigningRequest:
    """Raises PkiRefused unless it may be granted: a charger's own certificate names the charger's identity as CN
    (OCPP 1.6 security whitepaper A02, 2.0.1 A02), another one names somebody, and an O is not empty."""
    request = read_request(csr_pem)
    names = common_names(request.subject)
    if len(names) != 1:
        raise PkiRefused("The signing request must name one common name (CN).")
    if kind == "charger" and charger_key(names[0]) != charger_key(charger_id):
        raise PkiRefused(f"The common name is {names[0][:64]!r}, not the charger's identity.")
    if any(not organization.strip() for organization in _texts(request.subject, NameOID.ORGANIZATION_NAME)):
        raise PkiRefused("The organisation (O) is empty.")
    return request


def objection_to(csr_pem: str, kind: CertificateKind, charger_id: str) -> str:
    try:
        check_request(csr_pem, kind, charger_id)
    except PkiRefused as refusal:
        return refusal.detail
    return ""


def common_names(name: x509.Name) -> list[str]:
    return _texts(name, NameOID.COMMON_NAME)


def _texts(name: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    return [str(attribute.value) for attribute in name.get_attributes_for_oid(oid)]


def read_chain(pem: str) -> list[x509.Certificate]:
    """The certificates of a PEM text in their order; none where one of them cannot be read, or they are too many."""
    try:
        chain = x509.load_pem_x509_certificates(pem.strip().encode())
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion):
        return []
    return chain if len(chain) <= MAX_CHAIN else []


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key has signed it, and the names agree."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def serial_of(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:x}"


def hashes_of_issuer(issuer: x509.Certificate, algorithm: hashes.HashAlgorithm) -> tuple[str, str]:
    """`(name hash, key hash)` that certificates of this issuer are known by (RFC 6960 4.1.1)."""
    return (
        _digest(issuer.subject.public_bytes(), algorithm),
        _digest(_key_bits(issuer.public_key()), algorithm),
    )


def hash_data(certificate: x509.Certificate, issuer: x509.Certificate, algorithm_name: str = "SHA256") -> OcspRequest:
    """How OCPP and OCSP name the certificate. Raises ValueError for an unknown algorithm."""
    algorithm = algorithm_of(algorithm_name)
    if algorithm is None:
        raise ValueError(f"no hash algorithm is called {algorithm_name!r}")
    return OcspRequest(algorithm_name, *hashes_of_issuer(issuer, algorithm), serial_of(certificate))


def status_in(response_der: bytes) -> str:
    """`good`, `revoked` or `unknown`, as an OCSP response says (RFC 6960 CertStatus)."""
    return ocsp.load_der_ocsp_response(response_der).certificate_status.name.lower()


def describe(pem: str) -> dict[str, Any] | None:
    """See `pki.describe`. The issuer is the next one of the chain, or itself; where it is neither, its key is unknown
    and the hash of it empty."""
    chain = read_chain(pem)
    if not chain:
        return None
    certificate = chain[0]
    issuer = next((other for other in [*chain[1:], certificate] if is_issued_by(certificate, other)), None)
    key_hash = "" if issuer is None else hashes_of_issuer(issuer, hashes.SHA256())[1]
    return {
        "hash_algorithm": "SHA256",
        "issuer_name_hash": _digest(certificate.issuer.public_bytes(), hashes.SHA256()),
        "issuer_key_hash": key_hash,
        "serial_number": serial_of(certificate),
        "subject": certificate.subject.rfc4514_string(),
        "valid_until": to_rfc3339(certificate.not_valid_after_utc),
    }


def _digest(data: bytes, algorithm: hashes.HashAlgorithm) -> str:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize().hex()


def _key_bits(key: CertificatePublicKeyTypes) -> bytes:
    """The subject's public key without its tag, length and unused bits."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)
