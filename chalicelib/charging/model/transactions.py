"""OCPP transactions: the charger's own record of a delivery, told whole (1.6) or in pieces (2.x). Pure.

Of a 2.x transaction the pieces come in any order, twice, late, or never: one row gathers what they say, and each
piece may only add to it. Which pieces are missing is computed from the sequence numbers when somebody looks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal, TypeVar

from chalicelib.charging.model.metering import MeterSample, first_register_wh, latest_sample
from chalicelib.kernel.money import Money

TransactionId = int | str
"""OCPP 1.6: an int32 that we gave. OCPP 2.x: at most 36 characters, given by the charger."""

AuthorizationStatus = Literal["accepted", "blocked", "expired", "invalid", "concurrent", "no_credit"]
EventKind = Literal["started", "updated", "ended"]

NO_AUTHORIZATION = "NoAuthorization"
"""The kind of the id token of a charger that was set up to ask for none (OCPP 2.0.1 IdTokenEnumType)."""
MAX_MISSING = 100
"""Missing sequence numbers that are listed one by one; a charger may leap by two billion."""
_TRANSACTION_ID_BITS = 31

Value = TypeVar("Value")


@dataclass(frozen=True)
class Authorization:
    """What to tell a charger about an id token; `driver_id` is None for tokens nobody owns. `enterprise_id` stands for
    the driver's wallet where it is named, also where it has nothing left to pay with. `driver_groups`: those of the
    operator's that the driver is in, for the price. `available`: what the wallet has, if that was read with certainty
    (a commit that goes by it is on the condition that it is there)."""

    status: AuthorizationStatus
    driver_id: str | None = None
    expires_at: datetime | None = None
    parent: str | None = None
    enterprise_id: str | None = None
    driver_groups: tuple[str, ...] = ()
    available: Money | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Limits:
    """Where a delivery must end: by its cost, its energy, its time, the battery's state of charge."""

    cost: Money | None = None
    energy_wh: int | None = None
    duration_s: int | None = None
    soc_percent: int | None = None


@dataclass(frozen=True)
class TransactionEvent:
    """One piece, normalised by the OCPP edge (2.0.1 E01 to E15). Registers by context: Transaction.Begin and .End.

    `id_token` None: none was given; empty with the kind NoAuthorization: nobody need be asked.
    """

    kind: EventKind
    transaction_id: str
    seq_no: int
    at: datetime
    message_id: str
    evse_no: int | None = None
    id_token: str | None = None
    id_token_kind: str | None = None
    trigger: str = ""
    charging_state: str | None = None
    stop_reason: str | None = None
    samples: list[MeterSample] = field(default_factory=list)
    begin_wh: int | None = None
    end_wh: int | None = None
    offline: bool = False
    remote_start_id: int | None = None
    reservation_number: int | None = None


@dataclass(frozen=True)
class EventOutcome:
    """`authorization` only when an id token was given; `total_cost` so far, at the end the final one."""

    authorization: Authorization | None = None
    total_cost: Money | None = None
    limits: Limits | None = None


@dataclass(frozen=True)
class OcppTransaction:
    """What the pieces have told so far. `revision` counts writes: who changes the row names the one that was read.

    `begin_wh` is the register at the start as the charger told it, not one that was merely seen later.
    """

    charger_key: str
    transaction_id: str
    first_event_at: datetime
    first_message_id: str
    revision: int = 0
    session_id: str | None = None
    evse_no: int | None = None
    id_token: str | None = None
    id_token_kind: str | None = None
    remote_start_id: int | None = None
    reservation_number: int | None = None
    started_at: datetime | None = None
    start_seq_no: int | None = None
    begin_wh: int | None = None
    ended_at: datetime | None = None
    end_seq_no: int | None = None
    end_wh: int | None = None
    stop_reason: str | None = None

    def learning(self, event: TransactionEvent) -> OcppTransaction:
        """With what `event` adds. What is known already stays: the first word about who, where and when stands."""
        token, kind = self.id_token, self.id_token_kind
        if not token and event.id_token is not None:
            token, kind = event.id_token, event.id_token_kind
        learned = replace(
            self,
            id_token=token,
            id_token_kind=kind,
            evse_no=_first(self.evse_no, event.evse_no),
            remote_start_id=_first(self.remote_start_id, event.remote_start_id),
            reservation_number=_first(self.reservation_number, event.reservation_number),
            begin_wh=_first(self.begin_wh, event.begin_wh),
            end_wh=_first(self.end_wh, event.end_wh),
            first_event_at=min(self.first_event_at, event.at),
        )
        if event.kind == "started" and self.started_at is None:
            begin_wh = _first(learned.begin_wh, first_register_wh(event.samples))
            return replace(learned, started_at=event.at, start_seq_no=event.seq_no, begin_wh=begin_wh)
        if event.kind == "ended" and self.ended_at is None:
            return replace(
                learned,
                ended_at=event.at,
                end_seq_no=event.seq_no,
                end_wh=_first(learned.end_wh, _last_register_wh(event)),
                stop_reason=event.stop_reason,
            )
        return learned

    def is_reused_by(self, event: TransactionEvent) -> bool:
        """A charger that lost its memory counts its transactions from the beginning: a start behind the end of the
        known one, with a meter that has not gone back, is another delivery and no repetition. So is one behind the
        start of a known one without an end, when the meter has moved on since. Clocks jump: the start that is still
        missing is known by its meter, a repeated one by its time. Meters of two EVSEs cannot be compared."""
        begin_wh = _first(event.begin_wh, first_register_wh(event.samples))
        if event.kind != "started" or event.message_id == self.first_message_id or begin_wh is None:
            return False
        if self.started_at is None:
            moved_on = self._is_elsewhere(event) or begin_wh > (self.end_wh or begin_wh)
            return moved_on and self._is_over_before(event, begin_wh)
        if self.ended_at is not None:
            return event.at != self.started_at and self._is_over_before(event, begin_wh)
        if self.begin_wh is None or event.seq_no > (self.start_seq_no or 0):
            return False
        return event.at > self.started_at and (self._is_elsewhere(event) or begin_wh > self.begin_wh)

    def _is_over_before(self, event: TransactionEvent, begin_wh: int) -> bool:
        not_gone_back = self._is_elsewhere(event) or begin_wh >= (self.end_wh or 0)
        return self.ended_at is not None and event.at > self.ended_at and not_gone_back

    def _is_elsewhere(self, event: TransactionEvent) -> bool:
        return None not in (self.evse_no, event.evse_no) and self.evse_no != event.evse_no


def _last_register_wh(event: TransactionEvent) -> int | None:
    """The register of an end that does not say which of its values is the end: not the one that is the begin."""
    registers = [sample.energy_wh for sample in event.samples if sample.energy_wh is not None]
    latest = latest_sample(event.samples) if registers != [event.begin_wh] else None
    return None if latest is None else latest.energy_wh


def _first(known: Value | None, told: Value | None) -> Value | None:
    return told if known is None else known


def start_key(id_token: str, started_at: datetime, meter_start_wh: int | None) -> str:
    """Names one physical start: chargers send StartTransaction again under a new message id (quirk, steve#1294)."""
    return f"{id_token.upper()}|{started_at.isoformat()}|{meter_start_wh}"


def derive_transaction_id(charger_key: str, evse_no: int, key: str, salt: str = "") -> int:
    """A positive int32 that is the same for the same start and practically never for two (1 in 2^31)."""
    digest = hashlib.sha256(f"{charger_key}|{evse_no}|{key}|{salt}".encode()).digest()
    return (int.from_bytes(digest[:8], "big") % (2**_TRANSACTION_ID_BITS - 1)) + 1


def missing_seq_nos(seen: Iterable[int], start_seq_no: int | None, end_seq_no: int | None) -> list[int]:
    """The sequence numbers between the start (else the lowest seen) and the end (else the highest) that never came;
    the first MAX_MISSING of them."""
    told = set(seen) | {number for number in (start_seq_no, end_seq_no) if number is not None}
    if not told:
        return []
    low = min(told) if start_seq_no is None else start_seq_no
    high = max(told) if end_seq_no is None else end_seq_no
    missing: list[int] = []
    inside = sorted(number for number in told if low <= number <= high)
    for before, after in pairwise(inside):
        missing.extend(range(before + 1, min(after, before + 1 + MAX_MISSING - len(missing))))
    return missing
