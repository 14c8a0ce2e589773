"""Enterprises: organisations that pay for their drivers, on the credit of one operator. Pure.

How the money goes (each entry sums to zero, `ledger.model`):

    the limit is set or changed   enterprise +d                credit_line -d
    a member's charge begins      enterprise -held             hold +held
    it ends                       hold -held  income +cost     enterprise +(held - cost)
    the day is settled            income -cost                 receivable +cost   (nothing is payable: see settlement)
    an invoice is paid            enterprise +paid             receivable -paid   (the operator has collected it)

So the balance of `enterprise:<id>:<CUR>` is the credit that is still free, guarded like a wallet, and what is used of
the limit is what is held, not yet invoiced, or invoiced and not paid. A member's own limit is a counter per month
(`Usage`), changed in the same commit as the enterprise's account.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.drivers.model.id_tokens import id_token_key
from chalicelib.kernel import ids
from chalicelib.kernel.errors import DomainError, conflict, invalid
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import Entry, Posting, credit_line_account, enterprise_account

EnterpriseState = Literal["active", "inactive"]
Refusal = Literal["inactive", "currency", "limit_reached"]

MAX_CREDIT = 10**12
"""Minor units: far above any credit, and far below what an entry of the ledger takes."""
MAX_MEMBER_CARDS = 40


@dataclass(frozen=True)
class Enterprise:
    """`credit_limit` is the most that may be open at once: held, used, or invoiced and not paid. Minor units of
    `currency`. `payment_days`: from the date of an invoice until it is due.

    `revision` counts changes: whoever changes the row names the one that was read.
    """

    enterprise_id: str
    operator_id: str
    name: str
    email: str
    currency: str
    credit_limit: int
    created_at: datetime
    state: EnterpriseState = "active"
    revision: int = 1
    language: str = "en"
    payment_days: int = 14
    tax_number: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None

    @property
    def account_id(self) -> str:
        return enterprise_account(self.enterprise_id, self.currency)


@dataclass(frozen=True)
class EnterpriseEntry:
    """An operator's list names the enterprise; its own row has the rest."""

    operator_id: str
    enterprise_id: str


@dataclass(frozen=True)
class Member:
    """A driver for whom an enterprise pays, within limits in minor units of its currency (None: no own limit).

    `id_tokens` are keys of cards: the enterprise pays for these alone, and not for the app. `wallet_fallback`: a card
    that the enterprise does not pay (any more) charges on the driver's own money.
    """

    enterprise_id: str
    driver_id: str
    joined_at: datetime
    monthly_limit: int | None = None
    per_session_limit: int | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    id_tokens: list[str] | None = None
    wallet_fallback: bool = False

    def in_force(self, now: datetime) -> bool:
        begun = self.valid_from is None or self.valid_from <= now
        return begun and (self.valid_until is None or now < self.valid_until)

    def covers(self, id_token: str | None, now: datetime) -> bool:
        """Is this charge the enterprise's at all? `id_token` None: one from the app."""
        named = self.id_tokens is None or (id_token is not None and id_token_key(id_token) in self.id_tokens)
        return named and self.in_force(now)

    def left(self, used: int) -> int | None:
        """What the month has left after `used`; None without a monthly limit."""
        return None if self.monthly_limit is None else max(0, self.monthly_limit - used)

    def room(self, free: int, used: int) -> int:
        """The most that the next charge may cost, of what is `free` of the credit and of the member's month."""
        limits = (free, self.left(used), self.per_session_limit)
        return max(0, min(limit for limit in limits if limit is not None))

    def room_beyond(self, free: int, used: int, held: int) -> int:
        """What a running charge may take besides what is `held` for it; `used` has the latter in it."""
        per_session = None if self.per_session_limit is None else self.per_session_limit - held
        limits = (free, self.left(used), per_session)
        return max(0, min(limit for limit in limits if limit is not None))


@dataclass(frozen=True)
class Usage:
    """What a member's charges of a month (YYYY-MM, the operator's zone) took, holds included. Minor units."""

    enterprise_id: str
    driver_id: str
    month: str
    used: int = 0


@dataclass(frozen=True)
class Coverage:
    """An enterprise that stands for a member's next charge, and the most that it pays for it. `refusal` says why it
    pays nothing."""

    enterprise_id: str
    room: Money
    refusal: Refusal | None = None
    wallet_fallback: bool = False


def check_credit_limit(limit: Money, currency: str, pointer: str = "/credit_limit") -> int:
    """The amount of a limit in the enterprise's currency. Raises enterprise.currency, enterprise.limit_invalid."""
    if limit.currency != currency:
        raise invalid("enterprise.currency", f"The limit is in {currency}.", f"{pointer}/currency")
    if not 0 <= limit.amount <= MAX_CREDIT:
        detail = f"A limit is {Money(0, currency)} to {Money(MAX_CREDIT, currency)}."
        raise invalid("enterprise.limit_invalid", detail, f"{pointer}/amount")
    return limit.amount


def check_member(member: Member) -> Member:
    """Raises enterprise_member.period for a membership that ends before it begins."""
    if member.valid_from and member.valid_until and member.valid_until <= member.valid_from:
        raise invalid("enterprise_member.period", "The membership ends before it begins.", "/valid_until")
    return member


def refused(coverage: Coverage) -> DomainError:
    """What a driver is told who wants the enterprise to pay."""
    if coverage.refusal == "inactive":
        return conflict("enterprise.inactive", "Your enterprise pays for no charges at the moment.")
    if coverage.refusal == "currency":
        return conflict("enterprise.currency", "Your enterprise does not pay in the currency of this charger.")
    return conflict("enterprise.limit_reached", "This is more than your enterprise still pays for.")


def credit_line_entry(enterprise: Enterprise, *, by: int, now: datetime) -> Entry:
    """The entry that raises (or, below zero, lowers) what an enterprise may use."""
    account_id = enterprise.account_id
    return Entry(
        entry_id=ids.derived_id("ent", now, enterprise.enterprise_id, "credit_line", str(enterprise.revision)),
        home_account_id=account_id,
        kind="credit_line",
        currency=enterprise.currency,
        postings=[
            Posting(account_id, by),
            Posting(credit_line_account(enterprise.enterprise_id, enterprise.currency), -by),
        ],
        occurred_at=now,
        source_id=enterprise.enterprise_id,
    )
