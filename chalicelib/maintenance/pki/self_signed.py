"""An authority of our own: its key and certificates are one secret, `certificate-authority`.

For the local stack and for operators who run their own root; called through `pki.authority` only. Its memory is the
platform's (`find_standing`): it knows what it issued and what was revoked. There is no mobility operator behind it, so
it has no contract certificates to give to vehicles.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chalicelib.maintenance.model.certificates import CertificateKind, ContractVerdict
from chalicelib.maintenance.model.inventories import serial_key
from chalicelib.maintenance.pki import documents
from chalicelib.maintenance.pki.port import FindStanding, OcspRequest, PkiUnavailable, SignedCertificate, Standing

AuthorityKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

VALIDITY: Final[dict[CertificateKind, timedelta]] = {
    "charger": timedelta(days=365),
    # ISO 15118-2, annex F: certificates of supply equipment live for two or three months.
    "v2g": timedelta(days=90),
    "v2g20": timedelta(days=90),
}
ROOT_VALIDITY: Final = timedelta(days=3650)
BACKDATED: Final = timedelta(hours=1)
"""For chargers whose clock is behind."""
OCSP_VALIDITY: Final = timedelta(days=7)

_CONTRACT: Final = "contract"
_AUTHORITY: Final = "authority"

_USAGES: Final[dict[CertificateKind, list[x509.ObjectIdentifier]]] = {
    "charger": [ExtendedKeyUsageOID.CLIENT_AUTH],
    "v2g": [ExtendedKeyUsageOID.SERVER_AUTH],
    "v2g20": [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}


class SelfSignedAuthority:
    """Raises PkiUnavailable at once for a secret that is not a key with its certificates."""

    name = "self_signed"

    def __init__(self, bundle_pem: str, *, now: Callable[[], datetime], find_standing: FindStanding) -> None:
        self._key, self._chain = _open(bundle_pem)
        self._issuer = self._chain[0]
        self._now = now
        self._find_standing = find_standing

    def sign(self, csr_pem: str, kind: CertificateKind, charger_id: str) -> SignedCertificate:
        request = documents.check_request(csr_pem, kind, charger_id)
        valid_from = self._now().replace(microsecond=0) - BACKDATED
        # Nothing lives longer than who vouches for it.
        valid_until = min(valid_from + BACKDATED + VALIDITY[kind], self._issuer.not_valid_after_utc)
        serial_number = x509.random_serial_number()
        leaf = (
            x509.CertificateBuilder()
            .subject_name(_charger_subject(request.subject, charger_id) if kind == "charger" else request.subject)
            .issuer_name(self._issuer.subject)
            .public_key(request.public_key())
            .serial_number(serial_number)
            .not_valid_before(valid_from)
            .not_valid_after(valid_until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(is_authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_USAGES[kind]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(request.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        between = [certificate for certificate in self._chain if certificate.subject != certificate.issuer]
        return SignedCertificate(
            chain_pem="".join(_pem(certificate) for certificate in [leaf, *between]),
            serial_number=f"{serial_number:x}",
            valid_from=valid_from,
            valid_until=valid_until,
        )

    def roots(self, kind: CertificateKind) -> list[str]:
        return [_pem(self._chain[-1])]

    def ocsp(self, request: OcspRequest) -> bytes | None:
        algorithm = documents.algorithm_of(request.hash_algorithm)
        serial_number = _integer(request.serial_number)
        if algorithm is None or serial_number is None or not self._has_issued(request, algorithm):
            return None
        standing = self._standing_of(request.serial_number)
        revoked_at = None if standing is None else standing.revoked_at
        status = ocsp.OCSPCertStatus.UNKNOWN if standing is None else ocsp.OCSPCertStatus.GOOD
        now = self._now().replace(microsecond=0)
        response = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                issuer_name_hash=bytes.fromhex(request.issuer_name_hash),
                issuer_key_hash=bytes.fromhex(request.issuer_key_hash),
                serial_number=serial_number,
                algorithm=algorithm,
                cert_status=status if revoked_at is None else ocsp.OCSPCertStatus.REVOKED,
                this_update=now,
                next_update=now + OCSP_VALIDITY,
                revocation_time=revoked_at,
                revocation_reason=None if revoked_at is None else x509.ReasonFlags.unspecified,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self._issuer)
            .sign(self._key, hashes.SHA256())
        )
        return response.public_bytes(Encoding.DER)

    def verify_chain(self, chain_pem: str) -> ContractVerdict:
        path = self._path(documents.read_chain(chain_pem))
        if isinstance(path, str):
            return path
        now = self._now()
        if any(not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc for certificate in path):
            return "CertificateExpired"
        # One that another authority below our root signed is not in our books: its signature vouches for it.
        standings = [self._standing_of(documents.serial_of(certificate)) for certificate in path]
        if any(standing is not None and standing.revoked_at is not None for standing in standings):
            return "CertificateRevoked"
        leaf = standings[0]
        return "Accepted" if leaf is None or leaf.kind == _CONTRACT else "CertChainError"

    def verify_hashes(self, requests: Sequence[OcspRequest]) -> ContractVerdict:
        if not requests:
            return "NoCertificateAvailable"
        for wanted, request in zip(_kinds_upwards(), requests, strict=False):
            algorithm = documents.algorithm_of(request.hash_algorithm)
            if algorithm is None or not self._has_issued(request, algorithm):
                return "NoCertificateAvailable"
            standing = self._standing_of(request.serial_number)
            if standing is None or standing.kind != wanted:
                return "NoCertificateAvailable"
            if standing.revoked_at is not None:
                return "CertificateRevoked"
            if standing.valid_until <= self._now():
                return "CertificateExpired"
        return "Accepted"

    def ev_certificate(self, action: str, exi_request: str, schema_version: str) -> str | None:
        return None

    def _has_issued(self, request: OcspRequest, algorithm: hashes.HashAlgorithm) -> bool:
        """By its hashes: the issuer is one of ours."""
        said = (request.issuer_name_hash.lower(), request.issuer_key_hash.lower())
        return any(documents.hashes_of_issuer(issuer, algorithm) == said for issuer in self._chain)

    def _standing_of(self, serial_number: str) -> Standing | None:
        """Of what is in the platform's books, and of the authority's own certificates."""
        key = serial_key(serial_number)
        own = next((certificate for certificate in self._chain if documents.serial_of(certificate) == key), None)
        return self._find_standing(key) if own is None else Standing(_AUTHORITY, own.not_valid_after_utc)

    def _path(self, chain: list[x509.Certificate]) -> list[x509.Certificate] | ContractVerdict:
        """From the leaf to our root, by signatures. Each step above the leaf must be a certificate authority."""
        if not chain:
            return "CertChainError"
        path = chain[:1]
        candidates = [*chain[1:], *self._chain]
        while path[-1] != self._chain[-1]:
            named = [other for other in candidates if other.subject == path[-1].issuer and _is_authority(other)]
            above = next((other for other in named if documents.is_issued_by(path[-1], other)), None)
            if above is None:
                return "SignatureError" if named else "CertChainError"
            if len(path) == documents.MAX_CHAIN:
                return "CertChainError"
            path.append(above)
        return path


def make_bundle(now: datetime, *, name: str = "Wattfare test root", key: AuthorityKey | None = None) -> str:
    """A new self-signed root as the secret has it. Kept, it is what chargers will trust: make it once."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    valid_from = now.replace(microsecond=0) - BACKDATED
    root = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid_from)
        .not_valid_after(valid_from + ROOT_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_key_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return private + _pem(root)


def _open(bundle_pem: str) -> tuple[AuthorityKey, list[x509.Certificate]]:
    chain = documents.read_chain(bundle_pem)
    try:
        key = load_pem_private_key(bundle_pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise PkiUnavailable("The certificate authority's key cannot be read.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise PkiUnavailable("The certificate authority's key is neither RSA nor on an elliptic curve.")
    if not chain or chain[0].public_key() != key.public_key():
        raise PkiUnavailable("The certificate authority's certificate is not there, or not of its key.")
    above = [*chain[1:], chain[-1]]
    if not all(documents.is_issued_by(one, other) for one, other in zip(chain, above, strict=True)):
        raise PkiUnavailable("The certificate authority's certificates do not lead to a root.")
    return key, chain


def _kinds_upwards() -> Iterator[str]:
    """What the certificates of a contract's chain are, leaf first."""
    return itertools.chain([_CONTRACT], itertools.repeat(_AUTHORITY))


def _charger_subject(said: x509.Name, charger_id: str) -> x509.Name:
    """The identity as it is registered, and the organisation that the request names."""
    organizations = said.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, charger_id), *organizations[:1]])


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_agreement=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        encipher_only=False,
        decipher_only=False,
    )


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _integer(hexadecimal: str) -> int | None:
    try:
        return int(hexadecimal, 16)
    except ValueError:
        return None
