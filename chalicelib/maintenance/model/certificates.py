"""Certificates that chargers ask us for: from the signing request to the charger's word about it. Pure.

A request is known by its kind and the hash of its text: a charger that asks again, because the answer was lost, gets
the same certificate again. Only the issuer's words (serial number, chain) are trusted, never the charger's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.maintenance.model.journal import fingerprint

CertificateKind = Literal["charger", "v2g", "v2g20"]
CertificateState = Literal["requested", "issued", "installed", "rejected", "failed", "refused", "superseded", "revoked"]
ContractVerdict = Literal[
    "Accepted",
    "SignatureError",
    "CertificateExpired",
    "CertificateRevoked",
    "NoCertificateAvailable",
    "CertChainError",
    "ContractCancelled",
]

RETRY_PAUSE: Final = timedelta(seconds=60)
"""What a charger asks again within this time after an end is a repeated frame, not a new wish."""
MAX_DELIVERIES: Final = 20
MAX_REQUESTS: Final = 200
"""Rows per charger: who asks for more is broken, or up to something."""
_RETENTION: Final = timedelta(days=30)
_RECORD_RETENTION: Final = timedelta(days=400)
MAX_REASON: Final = 500
RENEWAL_DAYS: Final = (30, 14, 7, 3, 1)
"""Before the end: a charger renews by itself within its last month (OCPP 2.0.1 A03), if it does."""

CERTIFICATE_LIFECYCLE: Final[Lifecycle[CertificateState]] = Lifecycle(
    noun="certificate",
    initial="requested",
    transitions={
        ("requested", "issue"): "issued",
        ("requested", "refuse"): "refused",
        ("refused", "ask_again"): "requested",
        ("issued", "accept"): "installed",
        ("issued", "reject"): "rejected",
        ("issued", "fail"): "failed",
        ("installed", "ask_again"): "issued",
        ("rejected", "ask_again"): "issued",
        ("failed", "ask_again"): "issued",
        ("installed", "supersede"): "superseded",
        ("issued", "revoke"): "revoked",
        ("installed", "revoke"): "revoked",
        ("rejected", "revoke"): "revoked",
        ("failed", "revoke"): "revoked",
        ("superseded", "revoke"): "revoked",
    },
)


@dataclass(frozen=True)
class CertificateRequest:
    """A charger's signing request and what became of it.

    `serial_number` (hexadecimal) to `valid_until` are there once it is issued; `reason` says why it was refused,
    rejected or failed. `command_id` is the delivery under way or the last one; `revision` counts changes.
    """

    certificate_id: str
    charger_id: str
    operator_id: str
    kind: CertificateKind
    csr_pem: str
    state: CertificateState
    requested_at: datetime
    changed_at: datetime
    revision: int = 1
    request_id: int | None = None
    reason: str = ""
    chain_pem: str | None = None
    serial_number: str | None = None
    issued_at: datetime | None = None
    valid_until: datetime | None = None
    command_id: str | None = None
    deliveries: int = 0

    @property
    def kept_until(self) -> datetime:
        return max(self.changed_at, self.valid_until or self.changed_at) + _RETENTION

    @property
    def may_be_asked_again(self) -> bool:
        return CERTIFICATE_LIFECYCLE.allows(self.state, "ask_again") and self.deliveries < MAX_DELIVERIES


@dataclass(frozen=True)
class IssuedCertificate:
    """What our authority has signed, by serial number: what OCSP and contract checks ask for."""

    serial_number: str
    charger_id: str
    operator_id: str
    certificate_id: str
    kind: str
    issued_at: datetime
    valid_until: datetime
    revoked_at: datetime | None = None

    @property
    def kept_until(self) -> datetime:
        return self.valid_until + _RECORD_RETENTION


@dataclass(frozen=True)
class Renewal:
    """On `due_on` (ISO date) the charger is asked for a new request."""

    due_on: str
    serial_number: str
    charger_id: str
    certificate_id: str


def next_renewal_on(ends_on: date, after: date) -> date | None:
    """The next day of RENEWAL_DAYS before the end."""
    days = (ends_on - timedelta(days=days) for days in RENEWAL_DAYS)
    return next((day for day in days if day > after), None)


def certificate_id_of(kind: str, csr_pem: str) -> str:
    """The same request has the same id, however its lines end."""
    return fingerprint([kind, "".join(csr_pem.split())])


def hash_data_of(entry: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """`(hash algorithm, issuer name hash, issuer key hash, serial number)` of a neutral entry or an OCPP
    CertificateHashDataType / OCSPRequestDataType. Empty where it says nothing."""

    def said(neutral: str, ocpp: str) -> str:
        return str(entry.get(neutral) or entry.get(ocpp) or "")

    return (
        said("hash_algorithm", "hashAlgorithm").upper(),
        said("issuer_name_hash", "issuerNameHash").lower(),
        said("issuer_key_hash", "issuerKeyHash").lower(),
        said("serial_number", "serialNumber").lower(),
    )
