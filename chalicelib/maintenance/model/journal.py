"""The journal of a charger: what it reported of itself, and what was done to it, in the order of its own clock.

Pure. An event is known by what it says, not by the message that brought it: told twice, it is one.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

import msgspec

EventKind = Literal[
    "boot",
    "security",
    "firmware",
    "log",
    "device",
    "charging_limit",
    "charging_needs",
    "charging_schedule",
    "data_transfer",
    "certificate",
    "display_message",
    "customer_information",
    "reservation",
    "network",
    "payment",
]
Severity = Literal["info", "warning", "critical"]
KINDS: Final = frozenset(get_args(EventKind))
SEVERITIES: Final = frozenset(get_args(Severity))

MAX_DATA_BYTES: Final = 8 * 1024
MAX_SUMMARY: Final = 500

_RETENTION: Final = timedelta(days=90)
_LONG_RETENTION: Final = timedelta(days=400)
_KEPT_LONG: Final = frozenset({"security", "firmware", "certificate"})

CRITICAL_SECURITY_EVENTS: Final = frozenset(
    {
        "FirmwareUpdated",
        "MaintenanceLoginAccepted",
        "MaintenanceLoginFailed",
        "MemoryExhaustion",
        "ResetOrReboot",
        "SecurityLogWasCleared",
        "SettingSystemTime",
        "StartupOfTheDevice",
        "TamperDetectionActivated",
    }
)
"""OCPP 1.6 security whitepaper, list of security events; OCPP 2.0.1 part 2 appendix 1 adds the maintenance logins."""


@dataclass(frozen=True)
class ChargerEvent:
    """One entry. `at` is the charger's clock where it gave a time, `received_at` ours; `identity` tells apart what
    happened at the same moment."""

    charger_id: str
    operator_id: str
    kind: EventKind
    severity: Severity
    at: datetime
    received_at: datetime
    summary: str
    data: dict[str, Any]
    identity: str

    @property
    def kept_until(self) -> datetime:
        return self.received_at + (_LONG_RETENTION if self.kind in _KEPT_LONG else _RETENTION)


@dataclass(frozen=True)
class Step:
    """One word of the charger about a procedure."""

    status: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True)
class Procedure:
    """A firmware update or a log upload: how it stands by the charger's last word, and how it came there.

    `request_id` None: the charger gave none (OCPP 1.6), and its latest procedure of that kind is meant.
    """

    charger_id: str
    kind: Literal["firmware", "log"]
    status: str
    detail: str
    began_at: datetime
    changed_at: datetime
    request_id: int | None = None
    steps: list[Step] = field(default_factory=list)


MAX_STEPS: Final = 50
_OVER: Final = frozenset(
    {
        "AcceptedCanceled",
        "BadMessage",
        "DownloadFailed",
        "Idle",
        "InstallVerificationFailed",
        "InstallationFailed",
        "Installed",
        "InvalidChecksum",
        "InvalidSignature",
        "NotSupportedOperation",
        "PermissionDenied",
        "PublishFailed",
        "Published",
        "UploadFailed",
        "UploadFailure",
        "Uploaded",
    }
)
_TROUBLE: Final = ("fail", "invalid", "denied", "error", "bad", "notsupported")


def make_event(
    *,
    charger_id: str,
    operator_id: str,
    kind: EventKind,
    at: datetime,
    received_at: datetime,
    summary: str,
    data: dict[str, Any],
    severity: Severity | None = None,
    identity: str | None = None,
) -> ChargerEvent:
    """An entry within its bounds. `identity` None: what it says is what it is. Raises ValueError for a kind or a
    severity that nobody could look for."""
    severity = severity or "info"
    if kind not in KINDS or severity not in SEVERITIES:
        raise ValueError(f"no event is of kind {kind!r} and severity {severity!r}")
    summary = summary[:MAX_SUMMARY]
    return ChargerEvent(
        charger_id=charger_id,
        operator_id=operator_id,
        kind=kind,
        severity=severity,
        at=at,
        received_at=received_at,
        summary=summary,
        data=within_bounds(data),
        identity=fingerprint(identity if identity is not None else [summary, data]),
    )


def within_bounds(data: dict[str, Any]) -> dict[str, Any]:
    """The same data, or the beginning of its text with a note where it is larger than MAX_DATA_BYTES."""
    text = msgspec.json.encode(data)
    if len(text) <= MAX_DATA_BYTES:
        return data
    # Escaped once more when stored: half the room is enough for the worst text that people can read.
    beginning = text[: MAX_DATA_BYTES // 2].decode(errors="ignore")
    return {"note": f"cut: {len(text)} bytes were sent", "beginning": beginning}


def fingerprint(said: object) -> str:
    """32 hexadecimal digits that tell apart what was said, whatever the order of its members."""
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:32]


def security_severity(event_type: str) -> Severity:
    return "critical" if event_type in CRITICAL_SECURITY_EVENTS else "warning"


def procedure_severity(status: str) -> Severity:
    return "warning" if any(word in status.lower() for word in _TROUBLE) else "info"


def advance(known: Procedure | None, told: Procedure, at: datetime) -> Procedure | None:
    """The procedure after the charger's word; None when it says nothing new (a repeat).

    Without a number, whatever begins after an end is the next procedure: its steps begin anew.
    """
    step = Step(told.status, at, told.detail)
    if known is None:
        return _with(told, [step])
    if (known.status, known.detail) == (told.status, told.detail):
        return None
    if told.request_id is None and is_over(known.status):
        return _with(told, [step])
    return _with(told, [*known.steps, step][-MAX_STEPS:], known.began_at)


def is_over(status: str) -> bool:
    """Whether a procedure with this status has come to its end, in the words of any version."""
    return status in _OVER


def _with(told: Procedure, steps: list[Step], began_at: datetime | None = None) -> Procedure:
    return Procedure(
        charger_id=told.charger_id,
        kind=told.kind,
        request_id=told.request_id,
        status=told.status,
        detail=told.detail,
        began_at=began_at or told.changed_at,
        changed_at=told.changed_at,
        steps=steps,
    )
