"""Entries, postings, holds: the rules of double entry. Pure.

Sign: + is value that comes into the account. An entry sums to zero or does not exist; it is never edited afterwards
(a hold's state and the mark of a reversal are beside what was posted). An entry touches at most one account that keeps
a balance and is stored under it, so that one account's entries are one list and its balance can be proved from them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from chalicelib.kernel import ids
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.money import Money, check_currency
from chalicelib.ledger.model.accounts import (
    PERIODIC,
    account_class,
    account_currency,
    account_owner,
    check_account_id,
    cleared_of,
    keeps_balance,
    period_of,
)

EntryKind = Literal[
    "top_up",
    "consumption",
    "refund",
    "manual_entry",
    "settlement",
    "payout",
    "reversal",
    "credit_line",
    "invoice_payment",
    "write_off",
    "capture",
    "correction",
    "fee",
    "payment_refund",
    "withdrawal",
    "debt_payment",
    "voucher",
    "dispute",
]
HoldState = Literal["open", "captured", "released"]

MAX_POSTINGS = 8
MAX_AMOUNT = 10**15
"""Minor units. Far above any business, far below where a store or a client loses digits."""


@dataclass(frozen=True, slots=True)
class Posting:
    """`amount` in minor units of the entry's currency."""

    account_id: str
    amount: int


@dataclass(frozen=True)
class Entry:
    """One fact of money. `source_id` is the business fact behind it (charging session, top-up, statement).

    `business_day` (YYYY-MM-DD, the operator's zone) files it under its income, cash or promotion account; it is the day
    of the posting, so that a closed day stays closed. Only a settlement, which empties a day, is of none. `hold_*` only
    where the entry is a hold.
    """

    entry_id: str
    home_account_id: str
    kind: EntryKind
    currency: str
    postings: list[Posting]
    occurred_at: datetime
    source_id: str
    business_day: str | None = None
    note: str | None = None
    hold_state: str | None = None
    hold_amount: int | None = None
    hold_expires_at: datetime | None = None
    hold_reason: str | None = None
    reversed_by: str | None = None

    def amount_on(self, account_id: str) -> int:
        return sum(posting.amount for posting in self.postings if posting.account_id == account_id)

    @property
    def home_amount(self) -> int:
        return self.amount_on(self.home_account_id)

    @property
    def period(self) -> str | None:
        """`<account>#<business day>` of the first account that is summed per day; None without one."""
        if self.business_day is None:
            return None
        account_id = next((p.account_id for p in self.postings if account_class(p.account_id) in PERIODIC), None)
        return None if account_id is None else period_of(account_id, self.business_day)

    @property
    def cleared(self) -> str | None:
        """`<provider>#<UTC day>` of the first clearing account: what a reconciliation reads. None without one."""
        account_id = next((p.account_id for p in self.postings if account_class(p.account_id) == "clearing"), None)
        return None if account_id is None else cleared_of(account_owner(account_id), self.occurred_at)


@dataclass(frozen=True)
class Balance:
    """What an account that keeps one (`BALANCED`) holds, and how many postings made it so. `blocks`: reasons for which
    nothing of it may be reserved; None is none."""

    account_id: str
    balance: int = 0
    postings: int = 0
    blocks: int | None = None


@dataclass(frozen=True)
class PeriodicAccount:
    """A cash or promotion account, or one of income, that was ever posted to: in which currencies an organisation has
    any. Of income only what no session's end has posted: of that, CDRs tell."""

    account_id: str


@dataclass(frozen=True)
class Hold:
    """Names an open hold and what is in it: as much as is needed to close it without reading it."""

    entry_id: str
    home_account_id: str
    account_id: str
    amount: Money


@dataclass(frozen=True)
class Fault:
    """Something that the nightly proof found wrong. `source_id`: the charging session of a hold that is forgotten."""

    code: str
    account_id: str
    detail: str
    source_id: str | None = None


@dataclass(frozen=True)
class Proof:
    """The nightly proof of one day. `totals` are per account class and currency, e.g. `wallet:EUR`; all
    faults are counted, the first ones kept."""

    day: str
    proved_at: datetime
    entries: int = 0
    balances: int = 0
    fault_count: int = 0
    faults: list[Fault] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """Any row of the ledger, as the proof reads them all in one pass."""

    pk: str
    sk: str
    entry_id: str = ""
    currency: str = ""
    postings: list[Posting] = field(default_factory=list)
    hold_state: str | None = None
    hold_amount: int | None = None
    hold_expires_at: datetime | None = None
    balance: int | None = None
    posting_count: int = 0
    kind: str = ""
    business_day: str | None = None

    @property
    def is_filed(self) -> bool:
        """Under a day where it should be, see `Entry`."""
        return self.business_day is not None or self.kind == "settlement" or not _is_of_a_day(self.postings)


class EntryConflict(StaleRead):
    """The entry's id is taken. Deciding again finds out whether by the same fact."""

    def __init__(self, entry_id: str) -> None:
        super().__init__("The ledger entry")
        self.code = "ledger.entry_conflict"
        self.detail = f"The ledger has another entry {entry_id!r}."


class HoldNotOpen(StaleRead):
    """The hold was captured or released by somebody else, or holds another amount; deciding again shows it."""

    def __init__(self, entry_id: str) -> None:
        super().__init__("The hold")
        self.code = "ledger.hold_not_open"
        self.detail = f"The hold {entry_id!r} is not open with this amount."


def insufficient_funds(shortfall: Money | None = None) -> DomainError:
    """`shortfall`: what is missing, where it is for those who hear this to bring it."""
    detail = "There is not enough money for this."
    if shortfall is not None:
        detail = f"There is not enough money for this: {shortfall} are missing."
    return DomainError("ledger.insufficient_funds", detail, Kind.CONFLICT, shortfall=shortfall)


def account_blocked() -> DomainError:
    return DomainError("ledger.account_blocked", "Nothing of this account may be reserved now.", Kind.CONFLICT)


def business_day(moment: datetime, zone: str) -> str:
    """The calendar day (YYYY-MM-DD) of a moment in an IANA zone."""
    return moment.astimezone(ZoneInfo(zone)).date().isoformat()


def check_entry(entry: Entry) -> Entry:
    """Returns an entry that keeps the rules of this module; raises DomainError ledger.entry_invalid or
    ledger.unbalanced for one that does not."""
    postings = entry.postings
    if not 2 <= len(postings) <= MAX_POSTINGS:
        raise _invalid(f"an entry has 2 to {MAX_POSTINGS} postings")
    if any(type(p.amount) is not int or p.amount == 0 or abs(p.amount) > MAX_AMOUNT for p in postings):
        raise _invalid("a posting is a whole number of minor units, not zero and not beyond reason")
    if max(Counter(posting.account_id for posting in postings).values()) > 1:
        raise _invalid("an entry posts to each account once")
    check_currency(entry.currency)
    for posting in postings:
        if account_currency(check_account_id(posting.account_id)) not in (None, entry.currency):
            raise _invalid(f"{posting.account_id} does not take {entry.currency}")
    balanced = {posting.account_id for posting in postings if keeps_balance(posting.account_id)}
    if not balanced <= {entry.home_account_id}:
        raise _invalid("an entry touches one account that keeps a balance, and is stored under it")
    if entry.business_day is None and entry.kind != "settlement" and _is_of_a_day(postings):
        raise _invalid("what no day is said of, no settlement would ever find")
    if sum(posting.amount for posting in postings) != 0:
        raise DomainError("ledger.unbalanced", "The entry's postings do not sum to zero.", Kind.INTERNAL)
    return entry


def _is_of_a_day(postings: Iterable[Posting]) -> bool:
    return any(account_class(posting.account_id) in PERIODIC for posting in postings)


def same_fact(entry: Entry, other: Entry) -> bool:
    """Whether two entries of one id say the same. When it was said, and what became of a hold, does not count."""
    return _body(entry) == _body(other)


def _body(entry: Entry) -> tuple[object, ...]:
    return (
        entry.home_account_id,
        entry.kind,
        entry.currency,
        entry.source_id,
        entry.note,
        sorted((posting.account_id, posting.amount) for posting in entry.postings),
    )


def hold_id(home_account_id: str, source_id: str) -> str:
    """The id of the hold of a charging session in a wallet: one session, one hold.

    It carries the session's own moment, so that deciding again after a crash derives the same id."""
    return ids.derived_id("ent", ids.moment_of(source_id), home_account_id, source_id, "hold")


def closing_id(hold: Hold, now: datetime) -> str:
    """The id of the entry that closes a hold; it sorts after the hold also where the clock stood still."""
    moment = max(now, ids.moment_of(hold.entry_id) + timedelta(milliseconds=1))
    return ids.derived_id("ent", moment, hold.entry_id, "close")


def place_hold_entry(hold: Hold, *, source_id: str, expires_at: datetime, now: datetime) -> Entry:
    """The entry that moves `hold.amount` out of its home account into the hold's own."""
    amount = hold.amount.amount
    return check_entry(
        Entry(
            entry_id=hold.entry_id,
            home_account_id=hold.home_account_id,
            kind="consumption",
            currency=hold.amount.currency,
            postings=[Posting(hold.home_account_id, -amount), Posting(hold.account_id, amount)],
            occurred_at=now,
            source_id=source_id,
            hold_state="open",
            hold_amount=amount,
            hold_expires_at=expires_at,
        )
    )


def extend_hold_entry(hold: Hold, by: Money, *, source_id: str, now: datetime) -> Entry:
    """The entry that moves `by` more out of the home account into the hold's own. Its id comes from what was held
    before: an extension that is decided again is the same one."""
    moment = max(now, ids.moment_of(hold.entry_id) + timedelta(milliseconds=1))
    return check_entry(
        Entry(
            entry_id=ids.derived_id("ent", moment, hold.entry_id, "extend", str(hold.amount.amount)),
            home_account_id=hold.home_account_id,
            kind="consumption",
            currency=hold.amount.currency,
            postings=[Posting(hold.home_account_id, -by.amount), Posting(hold.account_id, by.amount)],
            occurred_at=now,
            source_id=source_id,
        )
    )


def close_hold_entry(
    hold: Hold, *, taken: Money, to_account_id: str, source_id: str, business_day: str | None, now: datetime
) -> Entry:
    """The entry that ends a hold: `taken` goes to `to_account_id`, the rest back home.

    More than was held draws the difference from the home account.
    """
    back = hold.amount - taken
    moves = [
        Posting(hold.account_id, -hold.amount.amount),
        Posting(to_account_id, taken.amount),
        Posting(hold.home_account_id, back.amount),
    ]
    return check_entry(
        Entry(
            entry_id=closing_id(hold, now),
            home_account_id=hold.home_account_id,
            kind="consumption" if back.amount < 0 else "refund",
            currency=hold.amount.currency,
            postings=[posting for posting in moves if posting.amount],
            occurred_at=now,
            source_id=source_id,
            business_day=business_day if taken.amount else None,
        )
    )


def reversal_of(original: Entry, *, now: datetime, business_day: str | None = None, note: str | None = None) -> Entry:
    """The mirror image of an entry; of one that is filed under a day, under the day of the reversal.

    DomainError ledger.not_reversible for holds and what closes them: those are corrected by entries of their own.
    ledger.day_missing for a filed one without a day."""
    if any(account_class(posting.account_id) == "hold" for posting in original.postings):
        raise DomainError("ledger.not_reversible", "A hold is released, not reversed.", Kind.CONFLICT)
    if original.reversed_by is not None:
        raise already_reversed(original.entry_id)
    if original.business_day is not None and business_day is None:
        raise DomainError("ledger.day_missing", "What is filed under a day is reversed on a day.", Kind.INTERNAL)
    return replace(
        original,
        entry_id=ids.derived_id("ent", now, original.entry_id, "reversal"),
        kind="reversal",
        postings=[Posting(posting.account_id, -posting.amount) for posting in original.postings],
        occurred_at=now,
        source_id=original.entry_id,
        business_day=business_day,
        note=note,
    )


def already_reversed(entry_id: str) -> DomainError:
    return DomainError("ledger.already_reversed", f"The entry {entry_id!r} was reversed before.", Kind.CONFLICT)


def sum_of(entries: Iterable[Entry], account_id: str) -> int:
    return sum(entry.amount_on(account_id) for entry in entries)


def _invalid(rule: str) -> DomainError:
    return DomainError("ledger.entry_invalid", f"The ledger refuses this entry: {rule}.", Kind.UNPROCESSABLE)
