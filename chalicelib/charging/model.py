"""Charging sessions, meter readings, CDRs: shapes, the lifecycle table, and the decisions that need no I/O.

A charging session is *our* episode; an OCPP transaction is the charger's record of the delivery. Energy is Wh,
money minor units. The tariff version is frozen into the session when it is made.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money

START_TIMEOUT = timedelta(seconds=120)
"""From the driver's request until the charger must have started (plug-in takes 60 to 120 s)."""
MAX_DURATION = timedelta(hours=24)
"""A session that lasts longer is stopped."""
STOP_TIMEOUT = timedelta(minutes=5)
"""From a stop request of ours until the session is given up as lost."""
LONGEST_DELIVERY = MAX_DURATION + STOP_TIMEOUT
"""After this no hold of a session may be open: the nightly proof reports one that is."""
METER_RETENTION = timedelta(days=90)
"""Raw readings expire; begin, end and the CDR stay."""
MAX_ENERGY_WH = 10_000_000
"""More than 400 kW deliver in a day: a register that says so leapt (lost its memory, overflowed)."""
DEFAULT_CARD_HOLD = 2000
"""Minor units reserved when nobody named an amount (card, or charge until full)."""
MIN_AVAILABLE = 1
"""Minor units a wallet must hold for a card to be accepted."""
HISTORY_LENGTH = 8
_TRANSACTION_ID_BITS = 31

Origin = Literal["app", "card", "unknown"]
Target = Literal["amount", "full"]
AuthorizationStatus = Literal["accepted", "blocked", "expired", "invalid", "concurrent"]

SESSION_LIFECYCLE = Lifecycle(
    noun="charging_session",
    initial="requested",
    transitions={
        ("requested", "accepted_by_charger"): "awaiting_plug",
        ("requested", "refused_by_charger"): "refused",
        ("requested", "start_timed_out"): "expired",
        ("requested", "cancelled"): "expired",
        ("requested", "started"): "charging",
        ("awaiting_plug", "start_timed_out"): "expired",
        ("awaiting_plug", "cancelled"): "expired",
        ("awaiting_plug", "started"): "charging",
        ("charging", "stop_requested"): "stopping",
        ("charging", "stopped"): "settled",
        ("charging", "lost"): "abnormal",
        ("stopping", "stop_requested"): "stopping",
        ("stopping", "stop_refused"): "charging",
        ("stopping", "stopped"): "settled",
        ("stopping", "lost"): "abnormal",
    },
)
PENDING_STATES = frozenset({"requested", "awaiting_plug"})
DELIVERING_STATES = frozenset({"charging", "stopping"})
OPEN_STATES = PENDING_STATES | DELIVERING_STATES


@dataclass(frozen=True)
class Authorization:
    """What to tell a charger about an id token; `driver_id` is None for tokens nobody owns."""

    status: AuthorizationStatus
    driver_id: str | None = None
    expires_at: datetime | None = None
    parent: str | None = None


@dataclass(frozen=True)
class MeterSample:
    """One reading, normalised by the OCPP edge. `values` are the raw sampled values, kept as they came."""

    taken_at: datetime
    energy_wh: int | None = None
    power_w: int | None = None
    soc_percent: int | None = None
    values: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class MeterReading:
    """The stored form of one MeterValues frame: the latest reading by value, all samples beside it."""

    owner: str  # "session#<id>", or "charger#<key>" when no session could be found
    taken_at: datetime
    received_at: datetime
    fingerprint: str
    energy_wh: int | None = None
    power_w: int | None = None
    soc_percent: int | None = None
    samples: list[MeterSample] = field(default_factory=list)


@dataclass(frozen=True)
class ChargingSession:
    """`held` is what is reserved in the driver's wallet; costs are known after the end."""

    session_id: str
    state: str
    origin: Origin
    target: Target
    operator_id: str
    location_id: str | None
    charger_id: str
    evse_no: int
    id_token: str
    authorization: AuthorizationStatus
    currency: str
    time_zone: str
    business_zone: str
    created_at: datetime
    driver_id: str | None = None
    held: int = 0
    tariff_id: str | None = None
    tariff_version: int | None = None
    transaction_id: int | None = None
    meter_start_wh: int | None = None
    started_at: datetime | None = None
    meter_stop_wh: int | None = None
    stopped_at: datetime | None = None
    stop_reason: str | None = None
    ended_at: datetime | None = None
    energy_wh: int | None = None
    cost: int | None = None
    captured: int | None = None
    abnormal_cause: str | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def was_called_off(self) -> bool:
        """A request of the app that is over and from which nothing was delivered."""
        return self.origin == "app" and self.started_at is None and not self.is_open

    @property
    def order_no(self) -> str:
        """The number people use: day of the request and the tail of the id."""
        return f"{self.created_at:%y%m%d}-{self.session_id[-6:]}"

    @property
    def hold(self) -> Money:
        return Money(self.held, self.currency)


@dataclass(frozen=True)
class Occupancy:
    """Who has an EVSE: the latest charging session there, and the ones before it (a late stop still finds them).

    `start_key` recognises a StartTransaction that is sent again.
    """

    charger_key: str
    evse_no: int
    session_id: str
    id_token: str
    transaction_id: int | None = None
    start_key: str | None = None
    message_id: str | None = None
    history: list[tuple[int, str]] = field(default_factory=list)

    def session_of(self, transaction_id: int) -> str | None:
        if self.transaction_id == transaction_id:
            return self.session_id
        return next((session for known, session in self.history if known == transaction_id), None)

    def history_for_successor(self) -> list[tuple[int, str]]:
        if self.transaction_id is None:
            return self.history
        return self.remembering(self.transaction_id, self.session_id).history

    def remembering(self, transaction_id: int, session_id: str) -> Occupancy:
        """With one more transaction that is not (any more) the present one."""
        return replace(self, history=[(transaction_id, session_id), *self.history][:HISTORY_LENGTH])


@dataclass(frozen=True)
class Cdr:
    """The sealed billing record of one charging session. `captured + uncollected = total_cost`."""

    cdr_id: str
    session_id: str
    operator_id: str
    charger_id: str
    evse_no: int
    id_token: str
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    total_cost: Money
    captured: Money
    uncollected: Money
    business_day: str
    lines: list[dict[str, Any]]
    location_id: str | None = None
    driver_id: str | None = None
    tariff_id: str | None = None
    tariff_version: int | None = None
    stop_reason: str | None = None
    abnormal_cause: str | None = None


@dataclass(frozen=True)
class SessionKey:
    """An entry of a session index."""

    session_id: str


@dataclass(frozen=True)
class CdrTotals:
    """What the index of a day's CDRs carries."""

    cdr_id: str
    session_id: str
    energy_wh: int
    total_cost: Money
    captured: Money
    uncollected: Money
    driver_id: str | None = None
    location_id: str | None = None


@dataclass(frozen=True)
class OrphanStop:
    """A StopTransaction for which no session could be found: kept, so that the energy is not lost."""

    charger_key: str
    transaction_id: int
    meter_stop_wh: int
    stopped_at: datetime
    received_at: datetime
    id_token: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class WorkflowWait:
    """The task token with which the session's workflow waits for `awaited` ("start" or "end")."""

    session_id: str
    awaited: str
    task_token: str


def start_key(id_token: str, started_at: datetime, meter_start_wh: int) -> str:
    """Names one physical start: chargers send StartTransaction again under a new message id (quirk, steve#1294)."""
    return f"{id_token.upper()}|{started_at.isoformat()}|{meter_start_wh}"


def derive_transaction_id(charger_key: str, evse_no: int, key: str, salt: str = "") -> int:
    """A positive int32 that is the same for the same start and practically never for two (1 in 2^31)."""
    digest = hashlib.sha256(f"{charger_key}|{evse_no}|{key}|{salt}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") % (2**_TRANSACTION_ID_BITS - 1)) + 1


def meter_fault(meter_start_wh: int | None, meter_now_wh: int | None) -> str | None:
    """Why two registers cannot be the begin and the end of one delivery; None when they can."""
    if meter_start_wh is None or meter_now_wh is None:
        return None
    if meter_now_wh < meter_start_wh:
        return "meter_backwards"
    return "meter_implausible" if meter_now_wh - meter_start_wh > MAX_ENERGY_WH else None


def delivered_energy_wh(meter_start_wh: int | None, meter_now_wh: int | None) -> int:
    """Wh since the start. A reading that cannot be right costs nobody anything (and is an abnormal cause)."""
    if meter_start_wh is None or meter_now_wh is None or meter_fault(meter_start_wh, meter_now_wh):
        return 0
    return meter_now_wh - meter_start_wh


def latest_sample(samples: list[MeterSample]) -> MeterSample | None:
    """What a frame says now: of each quantity the newest value (some firmware gives each a sample of its own)."""
    if not samples:
        return None
    ordered = sorted(samples, key=lambda sample: sample.taken_at, reverse=True)
    return MeterSample(
        taken_at=ordered[0].taken_at,
        energy_wh=next((s.energy_wh for s in ordered if s.energy_wh is not None), None),
        power_w=next((s.power_w for s in ordered if s.power_w is not None), None),
        soc_percent=next((s.soc_percent for s in ordered if s.soc_percent is not None), None),
    )
