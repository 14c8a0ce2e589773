"""The settings of an organisation, one value per name. Pure.

A setting that was never made has its default; one that has no effect does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from chalicelib.kernel.errors import forbidden, invalid
from chalicelib.kernel.magnitudes import about
from chalicelib.kernel.money import CostRounding, Money, check_currency


@dataclass(frozen=True)
class Brand:
    """How an organisation shows itself to drivers: in the app, and as the sender of its mails. What is None falls back
    to the organisation's own name and address. `primary_color` is `#rrggbb`."""

    display_name: str | None = None
    primary_color: str | None = None
    support_email: str | None = None
    support_phone: str | None = None
    website: str | None = None


@dataclass(frozen=True)
class Regional:
    """The languages that the organisation offers (BCP 47); none named means all that there are."""

    languages: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TopUpLimit:
    """Minor units of one currency, both included."""

    currency: str
    min_amount: int
    max_amount: int


@dataclass(frozen=True)
class Payments:
    """What may be put into a wallet at once, at most one limit per currency. The platform's bounds what drivers pay
    in by themselves: a wallet is good at every operator. An operator's bounds what its people take in cash.

    `min_balance_until_full`: minor units of the operator's currency that a wallet must have for a charge until full
    from the phone; None: about MIN_BALANCE_UNTIL_FULL."""

    topup_limits: list[TopUpLimit] = field(default_factory=list)
    min_balance_until_full: int | None = None


@dataclass(frozen=True)
class Invoicing:
    """Who issues an organisation's invoices, as the law wants it said: what is None falls back to the organisation's
    own name, address and country, or is left out. `tax_number` is the VAT identifier, `registration` the number in a
    register of companies. `prefix` begins the numbers of its series."""

    legal_name: str | None = None
    tax_number: str | None = None
    registration: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None
    prefix: str = ""
    note: str | None = None


@dataclass(frozen=True)
class Credit:
    """How far the platform trusts an operator: minor units of its currency that it may owe, for cash that it took, for
    bonuses, for what it gives back. None: about DEFAULT_CREDIT. In another currency it may owe nothing."""

    limit: int | None = None


GUEST_LEAST: Final = 1
GUEST_HOLD: Final = 30
GUEST_MOST: Final = 200
"""Of a currency like the euro (`about`). Reserved where a guest names no amount: more than most cars take, less than
many cards refuse."""
GUEST_KEEP_DAYS: Final = 90
"""How long a card's owner may take to ask the bank what it was about, mostly."""


@dataclass(frozen=True)
class Guests:
    """Who charges by card without an account: what is reserved on the card (`hold`) where nobody names an amount, and
    the least and the most that may be named. Minor units of the operator's currency; None: about GUEST_LEAST,
    GUEST_HOLD, GUEST_MOST. After `keep_days` what tells who it was is forgotten."""

    least: int | None = None
    hold: int | None = None
    most: int | None = None
    keep_days: int = GUEST_KEEP_DAYS


@dataclass(frozen=True)
class GuestAmounts:
    """What may be reserved on a guest's card, all of one currency: least <= hold <= most."""

    least: Money
    hold: Money
    most: Money


MIN_BALANCE_UNTIL_FULL: Final = 5
DEFAULT_CREDIT: Final = 10_000
"""Of a currency like the euro (`about`): what a small operator takes at its counters before the night settles it."""

Setting = Brand | Regional | CostRounding | Payments | Invoicing | Credit | Guests

DEFAULTS: Final[dict[str, Any]] = {
    "brand": Brand(),
    "regional": Regional(),
    "rounding": CostRounding(),
    "payments": Payments(),
    "invoicing": Invoicing(),
    "credit": Credit(),
    "guests": Guests(),
}
"""By name; the value of a setting has the type of its default."""

KINDS_OF: Final[dict[str, tuple[str, ...]]] = {
    "rounding": ("operator",),
    "payments": ("platform", "operator"),
    "invoicing": ("platform", "manufacturer", "dealer", "operator", "agency"),
    "credit": ("operator",),
    "guests": ("operator",),
}
"""Whom a setting is for, where it has no effect for the others."""


def check_kind(name: str, organization_kind: str) -> None:
    """Raises setting.not_for_kind (422)."""
    kinds = KINDS_OF.get(name)
    if kinds is not None and organization_kind not in kinds:
        raise invalid("setting.not_for_kind", f"The setting {name} is for {' and '.join(kinds)}.")


def check_setter(name: str, organization_kind: str, by_kind: str | None) -> None:
    """What bears on an operator's prices, cash and invoices is set by its own people and the platform's: a dealer sets
    neither (`permissions.py`), so not this way either. Raises forbidden (403)."""
    kinds = KINDS_OF.get(name, ())
    if name == "credit" and by_kind != "platform":
        raise forbidden("How much an operator may owe is set by the platform.")
    if organization_kind in kinds and by_kind not in (organization_kind, "platform"):
        raise forbidden(f"The setting {name} is set by the {organization_kind} itself.")


def check_limits(limits: list[TopUpLimit]) -> None:
    """Raises currency.invalid, setting.limit_twice, setting.limit_empty (422)."""
    for position, limit in enumerate(limits):
        pointer = f"/topup_limits/{position}"
        check_currency(limit.currency, f"{pointer}/currency")
        if any(other.currency == limit.currency for other in limits[:position]):
            raise invalid("setting.limit_twice", f"There are two limits for {limit.currency}.", f"{pointer}/currency")
        if limit.min_amount > limit.max_amount:
            raise invalid("setting.limit_empty", "The most is less than the least.", f"{pointer}/max_amount")


def check_topup(payments: Payments, amount: Money, pointer: str = "/amount/amount") -> None:
    """Raises wallet.amount_out_of_bounds (422)."""
    for limit in payments.topup_limits:
        if limit.currency == amount.currency and not limit.min_amount <= amount.amount <= limit.max_amount:
            least, most = Money(limit.min_amount, limit.currency), Money(limit.max_amount, limit.currency)
            raise invalid("wallet.amount_out_of_bounds", f"The amount must be {least} to {most}.", pointer)


def credit_of(credit: Credit, own_currency: str, currency: str) -> Money:
    """What an operator with `own_currency` may owe in a currency: in another one nothing, or it would have its limit as
    often as there are currencies."""
    if currency != own_currency:
        return Money.zero(currency)
    return about(DEFAULT_CREDIT, currency) if credit.limit is None else Money(credit.limit, currency)


def guest_amounts(guests: Guests, own_currency: str, currency: str) -> GuestAmounts:
    """What may be reserved for a charge that is paid in `currency` at an operator with `own_currency`."""
    own = guests if currency == own_currency else Guests()
    return GuestAmounts(
        least=about(GUEST_LEAST, currency) if own.least is None else Money(own.least, currency),
        hold=about(GUEST_HOLD, currency) if own.hold is None else Money(own.hold, currency),
        most=about(GUEST_MOST, currency) if own.most is None else Money(own.most, currency),
    )


def check_guests(guests: Guests, own_currency: str) -> None:
    """Raises setting.amounts_disordered (422), also for what is left to the defaults."""
    amounts = guest_amounts(guests, own_currency, own_currency)
    if not amounts.least <= amounts.hold <= amounts.most:
        detail = f"The least ({amounts.least}), what is reserved ({amounts.hold}), the most ({amounts.most}): in order."
        raise invalid("setting.amounts_disordered", detail, "/hold")


def check_least_until_full(payments: Payments, organization_kind: str) -> None:
    """Raises setting.not_for_kind (422) where nobody charges."""
    if payments.min_balance_until_full is not None and organization_kind != "operator":
        pointer = "/min_balance_until_full"
        raise invalid("setting.not_for_kind", "What a charge until full needs is set by operators.", pointer)


def least_until_full(payments: Payments, own_currency: str, currency: str) -> Money:
    """What a wallet of this currency must have for a charge until full at an operator with `own_currency`."""
    if payments.min_balance_until_full is not None and currency == own_currency:
        return Money(payments.min_balance_until_full, currency)
    return about(MIN_BALANCE_UNTIL_FULL, currency)


@dataclass(frozen=True)
class StoredSetting:
    """`value` are the members of a Setting. `revision` counts changes: who changes it names the one that was read."""

    organization_id: str
    name: str
    value: dict[str, Any]
    revision: int
