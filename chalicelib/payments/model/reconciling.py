"""Comparing a provider's list with the books: what is one thing on both sides, and what differs. Pure.

Both sides are cut into items (a payment, its fee, a refund, a payout ...), and an item is right when the sum of what
the books cleared and the sum of what the provider moved are the same, per currency. Only what does not match is kept,
by hours, so that the sums over all hours are exact: an item whose two sides fall into different hours, or days, closes
itself. Sign: + is what came to us at the provider; in the books that is a minus on `clearing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from chalicelib.kernel.ids import derived_id
from chalicelib.ledger.model import (
    Entry,
    EntryKind,
    Posting,
    account_class,
    account_currency,
    account_owner,
    clearing_account,
    fees_account,
)
from chalicelib.payments.model.payments import Payment
from chalicelib.payments.model.refunds import refund_of_attempt
from chalicelib.payments.providers.port import Movement

ItemKind = Literal["payment", "fee", "refund", "payout", "dispute", "other"]
ReconciliationState = Literal["running", "done"]

BANK = "bank"
HOURS = 24
START_AFTER = timedelta(hours=1)
"""So long after its end a day is compared."""
_LEDGER_ENTRY = "ent_"
_ITEM_KINDS: dict[str, ItemKind] = {
    "top_up": "payment",
    "capture": "payment",
    "fee": "fee",
    "payment_refund": "refund",
    "payout": "payout",
    "dispute": "dispute",
    "reversal": "payout",  # of a payout that came back; others are reversals of an entry, see `is_reversal_of_entry`
}


@dataclass(frozen=True, slots=True)
class Sums:
    """In minor units of one currency."""

    ours: int = 0
    theirs: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.ours + other.ours, self.theirs + other.theirs)

    @property
    def difference(self) -> int:
        return self.ours - self.theirs


ByCurrency = dict[str, Sums]


@dataclass(frozen=True, slots=True)
class Line:
    """One posting of ours, or one movement (or its fee) of theirs, of an item."""

    kind: ItemKind
    item_id: str
    currency: str
    sums: Sums
    at: datetime
    payment_id: str | None = None
    refund_id: str | None = None
    source_ref: str | None = None


@dataclass(slots=True)
class Item:
    """What an hour says of one thing. `payment_id`, `refund_id`: ours, where the provider names them."""

    kind: ItemKind
    item_id: str
    first_at: datetime
    latest_at: datetime
    sums: ByCurrency = field(default_factory=dict)
    payment_id: str | None = None
    refund_id: str | None = None
    source_ref: str | None = None

    @property
    def is_matched(self) -> bool:
        return all(sums.difference == 0 for sums in self.sums.values())


@dataclass(slots=True)
class Tally:
    """Both sides of an hour, added up. `own`: movements that only the reconciliation books, see `booked_entry`."""

    items: dict[tuple[str, str], Item] = field(default_factory=dict)
    totals: ByCurrency = field(default_factory=dict)
    own: list[Movement] = field(default_factory=list)
    movements: int = 0
    entries: int = 0

    def add(self, line: Line) -> None:
        item = self.items.setdefault((line.kind, line.item_id), Item(line.kind, line.item_id, line.at, line.at))
        item.sums[line.currency] = item.sums.get(line.currency, Sums()) + line.sums
        item.first_at, item.latest_at = min(item.first_at, line.at), max(item.latest_at, line.at)
        item.payment_id = item.payment_id or line.payment_id
        item.refund_id = item.refund_id or line.refund_id
        item.source_ref = item.source_ref or line.source_ref
        self.totals[line.currency] = self.totals.get(line.currency, Sums()) + line.sums

    def unmatched(self) -> Iterator[Item]:
        return (item for item in self.items.values() if not item.is_matched)


@dataclass(frozen=True)
class HourSums:
    """`booked`: movements that are nobody's but the provider's and ours, which the reconciliation booked itself."""

    movements: int = 0
    entries: int = 0
    booked: int = 0
    totals: ByCurrency = field(default_factory=dict)


@dataclass(frozen=True)
class Reconciliation:
    """One UTC day of one provider. `hours` (00 to 23) are those that are compared. Once it is done: `opened` of the
    differences there were are new and wake somebody, `settling` have time until the next day, `healed` were made good
    by asking the provider again."""

    day: str
    provider: str
    state: ReconciliationState
    started_at: datetime
    requested_by: str | None = None
    finished_at: datetime | None = None
    hours: dict[str, HourSums] = field(default_factory=dict)
    opened: int = 0
    settling: int = 0
    healed: int = 0
    revision: int = 1

    @property
    def totals(self) -> ByCurrency:
        totals: ByCurrency = {}
        for hour in self.hours.values():
            for currency, sums in hour.totals.items():
                totals[currency] = totals.get(currency, Sums()) + sums
        return dict(sorted(totals.items()))

    def missing_hours(self) -> list[int]:
        return [hour for hour in range(HOURS) if f"{hour:02d}" not in self.hours]


def hour_span(day: str, hour: int) -> tuple[datetime, datetime]:
    begin = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + timedelta(hours=hour)
    return begin, begin + timedelta(hours=1)


def due_days(newest: str | None, now: datetime, most: int) -> list[str]:
    """The UTC days that are over and not compared yet, oldest first: from the one after `newest` (None: the latest),
    at most `most` at once."""
    last = (now - START_AFTER).astimezone(UTC).date() - timedelta(days=1)
    first = last - timedelta(days=most - 1) if newest is None else date.fromisoformat(newest) + timedelta(days=1)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [day.isoformat() for day in days[:most]]


def lines_of_movement(movement: Movement, payment: Payment | None) -> Iterator[Line]:
    """What a line of the provider's is about. `payment`: ours, of the id it names. The books name a top-up's money by
    the top-up."""
    source = movement.source_ref or movement.movement_ref
    kind, item_id = _item_of(movement, payment, source)
    names = {"payment_id": movement.payment_id, "refund_id": movement.refund_id, "source_ref": source}
    amount = movement.amount
    if amount.amount:
        yield Line(kind, item_id, amount.currency, Sums(theirs=amount.amount), movement.created_at, **names)
    fee = movement.fee
    if fee is not None and fee.amount:
        of_payment = movement.payment_id if movement.kind == "payment" else None
        whose = of_payment or item_id
        yield Line("fee", whose, fee.currency, Sums(theirs=-fee.amount), movement.created_at, **names)


def _item_of(movement: Movement, payment: Payment | None, source: str) -> tuple[ItemKind, str]:
    if movement.kind == "payment":
        if payment is not None and payment.purpose == "topup":
            return "payment", payment.purpose_id
        return "payment", movement.payment_id or source
    if movement.kind == "refund":
        return "refund", refund_of_attempt(movement.refund_id)[0] if movement.refund_id else source
    if movement.kind == "transfer" or movement.kind == "payout":
        return "payout", movement.payout_id or source
    if movement.kind == "dispute" or movement.kind == "fee":
        return movement.kind, source
    return "other", movement.movement_ref


def is_reversal_of_entry(entry: Entry) -> bool:
    """Then it is about what the entry was about, which `source_id` names."""
    return entry.kind == "reversal" and entry.source_id.startswith(_LEDGER_ENTRY)


def lines_of_entry(entry: Entry, provider: str, about: Entry | None = None) -> Iterator[Line]:
    """What an entry cleared with the provider. `about`: the entry that this one reverses."""
    named = about or entry
    kind = _ITEM_KINDS.get(named.kind, "other")
    for posting in entry.postings:
        account_id = posting.account_id
        if account_class(account_id) == "clearing" and account_owner(account_id) == provider:
            currency = account_currency(account_id) or entry.currency
            yield Line(kind, named.source_id, currency, Sums(ours=-posting.amount), entry.occurred_at)


def booked_entry(movement: Movement, provider: str) -> Entry | None:
    """The entry of a movement that is about nobody but the provider and us, and that nobody else books: our own money
    to our own bank, and what the provider charges for the account. None for all others."""
    currency, amount = movement.amount.currency, movement.amount.amount
    clearing = clearing_account(provider, currency)
    kind: EntryKind
    if movement.kind == "payout" and movement.payout_id is None:
        kind, other = "payout", clearing_account(BANK, currency)
    elif movement.kind == "fee":
        kind, other = "fee", fees_account(provider, currency)
    else:
        return None
    if amount == 0:
        return None
    return Entry(
        entry_id=derived_id("ent", movement.created_at, movement.movement_ref, "booked"),
        home_account_id=clearing,
        kind=kind,
        currency=currency,
        postings=[Posting(clearing, -amount), Posting(other, amount)],
        occurred_at=movement.created_at,
        source_id=movement.source_ref or movement.movement_ref,
    )
