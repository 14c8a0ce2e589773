"""Charging sessions: their lifecycle table, who has an EVSE, and the workflow that waits. Pure.

A charging session is *our* episode; an OCPP transaction is the charger's record of the delivery. Energy is Wh,
money minor units. The tariff version is frozen into the session when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from chalicelib.charging.model.transactions import AuthorizationStatus, Limits, TransactionId
from chalicelib.kernel.ids import number_of
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.magnitudes import about
from chalicelib.kernel.money import Money

START_TIMEOUT = timedelta(seconds=120)
"""From the driver's request until the charger must have started (plug-in takes 60 to 120 s)."""
MAX_DURATION = timedelta(hours=24)
"""A session that lasts longer is stopped."""
STOP_TIMEOUT = timedelta(minutes=5)
"""From a stop request of ours until the charger is asked again, or the session given up as lost (`deadlines`)."""
BEGIN_TIMEOUT = timedelta(minutes=30)
"""How long pieces of a 2.x transaction may overtake the one that says how it began, and by whom."""
LONGEST_DELIVERY = MAX_DURATION + 2 * STOP_TIMEOUT
"""After this no hold of a session may be open: the nightly proof reports one that is."""
CLOCK_SLACK = timedelta(minutes=1)
"""How far an end may lie before its begin: one of them perhaps by our clock, or without its seconds."""
_USUAL_HOLD = 20
MIN_AVAILABLE = 1
"""Minor units a wallet must hold for a card to be accepted."""
HISTORY_LENGTH = 8
_ORDER_NO_LENGTH = 13
"""YYMMDD-XXXXXX."""

Origin = Literal["app", "card", "guest", "unknown"]
Target = Literal["amount", "full"]
SessionState = Literal[
    "requested", "awaiting_plug", "charging", "stopping", "settled", "abnormal", "refused", "expired"
]

SESSION_LIFECYCLE: Lifecycle[SessionState] = Lifecycle(
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
        ("charging", "end_told"): "stopping",
        ("charging", "lost"): "abnormal",
        ("stopping", "stop_requested"): "stopping",
        ("stopping", "stop_refused"): "charging",
        ("stopping", "stopped"): "settled",
        ("stopping", "end_told"): "stopping",
        ("stopping", "lost"): "abnormal",
    },
)
PENDING_STATES = frozenset({"requested", "awaiting_plug"})
DELIVERING_STATES = frozenset({"charging", "stopping"})
OPEN_STATES = PENDING_STATES | DELIVERING_STATES


@cache
def usual_hold(currency: str) -> Money:
    """What is reserved when nobody named an amount (card, or charge until full), and again whenever it is nearly used
    up: 20.00 EUR, or about as much."""
    return about(_USUAL_HOLD, currency)


def order_no_of(text: str) -> str:
    """An order's number as people type it: in whatever case, or that of a receipt, which the order's begins."""
    folded = text.strip().upper()
    order_no, rest = folded[:_ORDER_NO_LENGTH], folded[_ORDER_NO_LENGTH:]
    return order_no if rest.startswith("-") and rest[1:].isdecimal() else folded


@dataclass(frozen=True)
class ChargingSession:
    """`held` is what is reserved in the driver's wallet; costs are known after the end. Where `enterprise_id` is named,
    it is that enterprise's credit instead, counted in the member's `usage_month` (YYYY-MM); where `payment_id` is, a
    guest's card, on which as much is authorised. `agency_id`: whose location it was when the session was made.

    `captured` is what is left of what was taken, `given_back` what of it went back to who had paid.

    `evse_no` 0: the charger has not said which. `id_token` empty: nobody presented one. `limits` are the driver's
    wishes; `stop_asked_at` is when we last told the charger to stop, for the `stop_asks`th time (what is said again
    at once does not count), `fresh_after` when it may be asked for a reading, `silent_since` from when on a charger
    that is there has told no meter values.
    `revision` counts writes: who changes the session names the one that was read.
    """

    session_id: str
    state: SessionState
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
    transaction_id: TransactionId | None = None
    meter_start_wh: int | None = None
    started_at: datetime | None = None
    meter_stop_wh: int | None = None
    stopped_at: datetime | None = None
    stop_reason: str | None = None
    ended_at: datetime | None = None
    energy_wh: int | None = None
    cost: int | None = None
    captured: int | None = None
    given_back: int | None = None
    abnormal_cause: str | None = None
    limits: Limits | None = None
    reservation_id: str | None = None
    stop_asked_at: datetime | None = None
    stop_asks: int = 0
    silent_since: datetime | None = None
    fresh_after: datetime | None = None
    enterprise_id: str | None = None
    usage_month: str | None = None
    payment_id: str | None = None
    agency_id: str | None = None
    revision: int = 0

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_pending(self) -> bool:
        """Asked for, and not begun."""
        return self.state in PENDING_STATES

    @property
    def awaits_begin(self) -> bool:
        """The charger has told its end (`stopped_at`), but not yet how, or by whom, it was begun (OCPP 2.x)."""
        return self.state in DELIVERING_STATES and self.stopped_at is not None

    @property
    def has_evse(self) -> bool:
        """Nobody else can charge where this session is."""
        return self.is_open and not self.awaits_begin

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

    @property
    def remote_start_id(self) -> int:
        """The number under which a charger is asked to start this session, and under which it then reports."""
        return number_of(self.session_id)


@dataclass(frozen=True)
class Occupancy:
    """Who has an EVSE: the latest charging session there, and the ones before it (a late stop still finds them).

    `start_key` recognises a StartTransaction that is sent again.
    """

    charger_key: str
    evse_no: int
    session_id: str
    id_token: str
    transaction_id: TransactionId | None = None
    start_key: str | None = None
    message_id: str | None = None
    history: list[tuple[TransactionId, str]] = field(default_factory=list)

    def session_of(self, transaction_id: TransactionId) -> str | None:
        if self.transaction_id == transaction_id:
            return self.session_id
        return next((session for known, session in self.history if known == transaction_id), None)

    def history_for_successor(self) -> list[tuple[TransactionId, str]]:
        if self.transaction_id is None:
            return self.history
        return self.remembering(self.transaction_id, self.session_id).history

    def remembering(self, transaction_id: TransactionId, session_id: str) -> Occupancy:
        """With one more transaction that is not (any more) the present one."""
        return replace(self, history=[(transaction_id, session_id), *self.history][:HISTORY_LENGTH])


@dataclass(frozen=True)
class Place:
    """An EVSE as it was read: its occupancy, and the session that is `present`. A session that was asked for here and
    began at another EVSE is not."""

    occupancy: Occupancy | None = None
    present: ChargingSession | None = None


@dataclass(frozen=True)
class SessionKey:
    """An entry of a session index."""

    session_id: str


@dataclass(frozen=True)
class WorkflowWait:
    """The task token with which the session's workflow waits for `awaited` ("start" or "end"); `stage` is what it does
    so in: "start", "end" (while the charge runs), "stop" (the charger was asked), "begin" (of an end without one)."""

    session_id: str
    awaited: str
    task_token: str
    stage: str = ""


def clock_fault(started_at: datetime | None, stopped_at: datetime) -> str | None:
    """Why two moments of a charger's clock cannot be the begin and the end of one delivery; None when they can.

    The clock was set on the way. What of the time is billed all the same, `lookup.consumption` says.
    """
    if started_at is None:
        return None
    if stopped_at < started_at - CLOCK_SLACK:
        return "clock_backwards"
    return "clock_implausible" if stopped_at - started_at > LONGEST_DELIVERY else None
