"""What we ask of a certificate authority, in our words.

Called by `maintenance/service` and `maintenance/jobs.py`; signing stands between two commits, never inside one. Whoever
adds an authority implements `CertificateAuthority` and passes tests/contract/pki. Invariants: what an authority signs
has the public key of the request and the identity that we name, never one that the request claims; a refusal is
`PkiRefused`, and whatever may be better later is `PkiUnavailable`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.maintenance.model.certificates import CertificateKind, ContractVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCertificate:
    """`chain_pem` is the leaf and what stands between it and the root, the root left out; `serial_number` is the
    leaf's, in lower-case hexadecimal."""

    chain_pem: str
    serial_number: str
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class OcspRequest:
    """One certificate by its hashes (RFC 6960 CertID): algorithm SHA256, SHA384 or SHA512, the rest hexadecimal."""

    hash_algorithm: str
    issuer_name_hash: str
    issuer_key_hash: str
    serial_number: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of an issued certificate besides itself. Only one of kind `contract` lets a vehicle charge: the
    name in a certificate of supply equipment is what its charger asked for."""

    kind: str
    valid_until: datetime
    revoked_at: datetime | None = None


FindStanding = Callable[[str], Standing | None]
"""By serial number in lower-case hexadecimal; None for one that was never issued."""


class PkiUnavailable(DomainError):
    """There is no authority, or it cannot work now."""

    def __init__(self, detail: str) -> None:
        super().__init__("pki.unavailable", detail, Kind.UNAVAILABLE, retry_after_s=60)


class PkiRefused(DomainError):
    """The authority does not sign this request, however often it is asked."""

    def __init__(self, detail: str) -> None:
        super().__init__("pki.refused", detail, Kind.UNPROCESSABLE)


class CertificateAuthority(Protocol):
    """Every call may raise PkiUnavailable."""

    @property
    def name(self) -> str: ...

    def sign(self, csr_pem: str, kind: CertificateKind, charger_id: str) -> SignedCertificate:
        """A certificate for the request's key: of kind `charger` for the identity `charger_id` (a TLS client), of
        `v2g` and `v2g20` for the subject that the request names (ISO 15118-2 and -20). Raises PkiRefused."""
        ...

    def roots(self, kind: CertificateKind) -> list[str]:
        """PEMs of the roots that whoever meets such a certificate must trust."""
        ...

    def ocsp(self, request: OcspRequest) -> bytes | None:
        """A signed OCSP response in DER (RFC 6960); None for a certificate of another issuer."""
        ...

    def verify_chain(self, chain_pem: str) -> ContractVerdict:
        """A contract certificate with the certificates above it: does it lead to a root, now, unrevoked?"""
        ...

    def verify_hashes(self, requests: Sequence[OcspRequest]) -> ContractVerdict:
        """The same for a contract certificate of which only the hashes are known, leaf first."""
        ...

    def ev_certificate(self, action: str, exi_request: str, schema_version: str) -> str | None:
        """Passes an EV's request (`Install` or `Update`, base64 EXI) to the mobility operator and gives its answer;
        None where there is none (ISO 15118-2 [V2G2-CertificateInstallation])."""
        ...
