"""What provider and books disagree about: one row per item, until both say the same. Pure.

`parts` are the hours that do not match on their own; their sum says whether the item does. A difference settles (the
other side may still come), is open (somebody was woken), or closed: by itself when the sums agree, or by a person, who
accepts what is left: if that changes it opens again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from chalicelib.kernel.clock import from_epoch_ms
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.ids import derived_id
from chalicelib.payments.model.disputes import Dispute
from chalicelib.payments.model.lifecycle import TAKEN
from chalicelib.payments.model.payments import Payment
from chalicelib.payments.model.payouts import Payout
from chalicelib.payments.model.reconciling import ByCurrency, Item, ItemKind, Sums
from chalicelib.payments.model.refunds import Refund

DifferenceState = Literal["settling", "open", "closed"]
DifferenceCode = Literal[
    "missing_here", "missing_there", "amount", "currency", "fee", "state", "dispute", "unknown_kind"
]
SETTLES_WITHIN = timedelta(minutes=30)
"""What moved so shortly before the end of a day may have its other side on the next one."""
UNDER_WAY_WITHIN = timedelta(days=14)
"""So long a refund or a payout that has left the provider's balance may take to arrive; the books show it then."""
ITSELF = "itself"
_EPOCH = from_epoch_ms(0)


@dataclass(frozen=True)
class Difference:
    """`parts`: by hour (YYYY-MM-DDThh), by currency. `accepted`: what a person closed it with, by currency.
    `healed_at`: when asking the provider again changed something of ours about it."""

    difference_id: str
    provider: str
    kind: ItemKind
    item_id: str
    state: DifferenceState
    parts: dict[str, ByCurrency]
    first_at: datetime
    latest_at: datetime
    found_at: datetime
    changed_at: datetime
    code: DifferenceCode | None = None
    payment_id: str | None = None
    refund_id: str | None = None
    source_ref: str | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    note: str | None = None
    accepted: dict[str, int] | None = None
    healed_at: datetime | None = None
    revision: int = 1

    @property
    def sums(self) -> ByCurrency:
        total: ByCurrency = {}
        for part in self.parts.values():
            for currency, sums in part.items():
                total[currency] = total.get(currency, Sums()) + sums
        return dict(sorted(total.items()))

    @property
    def remaining(self) -> dict[str, int]:
        """What ours are more than theirs, by currency; empty when they agree."""
        return {currency: sums.difference for currency, sums in self.sums.items() if sums.difference}

    @property
    def is_closed(self) -> bool:
        return self.state == "closed"

    @property
    def detail(self) -> str:
        ours = " and ".join(f"{sums.ours} {currency}" for currency, sums in self.sums.items())
        theirs = " and ".join(f"{sums.theirs} {currency}" for currency, sums in self.sums.items())
        return f"{self.kind} {self.item_id}: the books say {ours}, the provider {theirs} (minor units)."


@dataclass(frozen=True)
class DayDifference:
    """A day's list names the difference; its own row has the rest."""

    provider: str
    hour: str
    difference_id: str


@dataclass(frozen=True)
class OpenDifference:
    """What is not closed, of all days: as long as it is not."""

    provider: str
    difference_id: str


@dataclass(frozen=True)
class Facts:
    """What our own rows say of an item, for its code."""

    payment: Payment | None = None
    refund: Refund | None = None
    payout: Payout | None = None
    dispute: Dispute | None = None

    @property
    def changed_at(self) -> datetime | None:
        """When we last learned something about it."""
        known = self.dispute or self.payment or self.refund or self.payout
        return known.changed_at if known is not None else None


def difference_id_of(provider: str, kind: str, item_id: str) -> str:
    return derived_id("dif", _EPOCH, provider, kind, item_id)


def new_difference(provider: str, hour: str, item: Item, now: datetime) -> Difference:
    return Difference(
        difference_id=difference_id_of(provider, item.kind, item.item_id),
        provider=provider,
        kind=item.kind,
        item_id=item.item_id,
        state="settling",
        parts={hour: dict(item.sums)},
        first_at=item.first_at,
        latest_at=item.latest_at,
        found_at=now,
        changed_at=now,
        payment_id=item.payment_id,
        refund_id=item.refund_id,
        source_ref=item.source_ref,
    )


def with_part(difference: Difference, hour: str, item: Item | None, now: datetime) -> Difference:
    """The difference after an hour was compared (again): `item` is what does not match in it, None when it does. The
    same object when that is known."""
    parts = {key: part for key, part in difference.parts.items() if key != hour}
    if item is not None:
        parts[hour] = dict(item.sums)
    if parts == difference.parts:
        return difference
    changed = replace(difference, parts=dict(sorted(parts.items())), changed_at=now)
    if item is not None:
        changed = replace(
            changed,
            first_at=min(changed.first_at, item.first_at),
            latest_at=max(changed.latest_at, item.latest_at),
            payment_id=changed.payment_id or item.payment_id,
            refund_id=changed.refund_id or item.refund_id,
            source_ref=changed.source_ref or item.source_ref,
        )
    if not changed.remaining:
        return _closed_by_itself(changed, now)
    if changed.is_closed and changed.remaining != changed.accepted:
        return replace(changed, state="settling", closed_at=None, closed_by=None, accepted=None)
    return changed


def judged(difference: Difference, day: str, facts: Facts, now: datetime) -> Difference:
    """The difference at the end of a day's reconciliation. The same object when nothing has changed."""
    if difference.is_closed:
        return difference
    if not difference.remaining:
        return _closed_by_itself(difference, now)
    code = code_of(difference, facts)
    if difference.state == "open" or is_expected(difference, day, facts, now):
        return difference if difference.code == code else replace(difference, code=code, changed_at=now)
    return replace(difference, state="open", code=code, opened_at=now, changed_at=now)


def is_expected(difference: Difference, day: str, facts: Facts, now: datetime) -> bool:
    """At the end of a day: is there time until the next one?"""
    return _may_settle(difference, day, facts) or _is_under_way(difference, facts, now)


def _may_settle(difference: Difference, day: str, facts: Facts) -> bool:
    """It moved, or we learned of it, so late that the other side is on a later day."""
    end = datetime.combine(date.fromisoformat(day) + timedelta(days=1), datetime.min.time(), UTC)
    moments = (difference.latest_at, difference.healed_at, facts.changed_at)
    return any(moment is not None and moment >= end - SETTLES_WITHIN for moment in moments)


def _is_under_way(difference: Difference, facts: Facts, now: datetime) -> bool:
    """It has left the provider's balance, all of it, and has not arrived."""
    sent = facts.refund or facts.payout
    if sent is None or not sent.is_unfinished or now - difference.first_at > UNDER_WAY_WITHIN:
        return False
    return difference.sums == {sent.amount.currency: Sums(theirs=-sent.amount.amount)}


def is_of_dispute(difference: Difference) -> bool:
    """The money of one, or what the provider charges for it: then it is named as the dispute is."""
    is_fee = difference.kind == "fee" and difference.item_id == difference.source_ref
    return difference.kind == "dispute" or (is_fee and difference.payment_id is not None)


def code_of(difference: Difference, facts: Facts) -> DifferenceCode:
    sums = difference.sums
    ours = {currency for currency, sum_ in sums.items() if sum_.ours}
    theirs = {currency for currency, sum_ in sums.items() if sum_.theirs}
    if difference.kind == "dispute":
        return "dispute"
    if difference.kind == "other" and theirs:
        return "unknown_kind"
    if ours and theirs and not ours & theirs:
        return "currency"
    if difference.kind == "fee":
        return "fee"
    if not theirs:
        return "missing_there"
    if not ours:
        return "state" if _knows_better(difference, facts) else "missing_here"
    return "amount"


def _knows_better(difference: Difference, facts: Facts) -> bool:
    """We have the thing, in a state in which no money moves."""
    if difference.kind == "payment":
        return facts.payment is not None and facts.payment.state not in TAKEN
    if difference.kind == "refund":
        return facts.refund is not None
    return difference.kind == "payout" and facts.payout is not None and facts.payout.state != "paid"


def closed_by_person(difference: Difference, by: str, note: str, now: datetime) -> Difference:
    """Raises difference.closed (409)."""
    if difference.is_closed:
        raise conflict("difference.closed", "This difference is closed.")
    return replace(
        difference,
        state="closed",
        closed_at=now,
        changed_at=now,
        closed_by=by,
        note=note,
        accepted=difference.remaining,
        opened_at=difference.opened_at or now,
    )


def _closed_by_itself(difference: Difference, now: datetime) -> Difference:
    if difference.is_closed and difference.accepted is None:
        return difference
    return replace(difference, state="closed", closed_at=now, changed_at=now, closed_by=ITSELF, accepted=None)
