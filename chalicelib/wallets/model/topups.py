"""Top-ups: a driver's wish to pay money in, what a package adds to it, and how it is paid back. Pure.

Invariants: a package is frozen into the top-up when it is chosen; its bonus enters the wallet in the same entry as the
money, and leaves it in the same entry as a refund, in proportion, so that no bonus outlives the money it was given for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from chalicelib.kernel import ids
from chalicelib.kernel.errors import conflict, invalid
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money, check_currency, currency_exponent
from chalicelib.ledger import model as ledger
from chalicelib.ledger.model import Entry, Posting
from chalicelib.wallets.model.packages import TopUpPackage

MAX_TOPUP = 1_000_000
"""Minor units of one top-up or adjustment: a slip of the finger shall not move a house."""
MAX_REFUNDS = 20
"""Of one top-up."""

TopUpSource = Literal["online", "manual", "voucher"]

TOPUP_LIFECYCLE = Lifecycle(
    noun="topup",
    initial="pending",
    transitions={
        ("pending", "paid"): "credited",
        ("pending", "failed"): "failed",
        # The provider took the money after all: what came in is the driver's.
        ("failed", "paid"): "credited",
        ("failed", "failed"): "failed",
    },
)


@dataclass(frozen=True)
class TopUp:
    """A driver's wish to pay money in, and what became of it; or cash and vouchers that came in at a counter
    (`source`): these have no payment (`payment_id` empty), but the `operator_id` that took the money and a `note`.

    `amount` is what is paid, `bonus` what the owner of the chosen package adds. `bonus_back` says, by refund, how many
    minor units of the bonus went back with it; a refund that failed is not in it.
    """

    topup_id: str
    driver_id: str
    payment_id: str
    amount: Money
    state: str
    created_at: datetime
    credited_at: datetime | None = None
    failure: str | None = None
    package_id: str | None = None
    package_name: str | None = None
    package_owner_id: str | None = None
    bonus: Money | None = None
    bonus_back: dict[str, int] | None = None
    source: TopUpSource = "online"
    operator_id: str | None = None
    voucher_id: str | None = None
    note: str | None = None

    @property
    def bonus_amount(self) -> int:
        return 0 if self.bonus is None else self.bonus.amount

    @property
    def shares_back(self) -> dict[str, int]:
        return self.bonus_back or {}


@dataclass(frozen=True)
class TopUpRecord:
    """Money that came into a wallet (or, by hand, went out of it), as it is listed for `listed_for`: the platform sees
    all, an operator what its people entered and what came in by its packages and vouchers. A fact: it never changes."""

    record_id: str
    listed_for: str
    source: TopUpSource
    driver_id: str
    amount: Money
    occurred_at: datetime
    transaction_id: str
    operator_id: str | None = None
    topup_id: str | None = None
    payment_id: str | None = None
    package_id: str | None = None
    package_name: str | None = None
    bonus: Money | None = None
    voucher_id: str | None = None
    reason: str | None = None
    entered_by: str | None = None


def check_amount(amount: Money) -> Money:
    """Returns an amount that may be topped up or adjusted. Raises wallet.amount_invalid, currency.invalid."""
    check_currency(amount.currency)
    if not 0 < amount.amount <= MAX_TOPUP:
        least, most = Money(1, amount.currency), Money(MAX_TOPUP, amount.currency)
        raise invalid("wallet.amount_invalid", f"The amount must be {least} to {most}.", "/amount/amount")
    return amount


def check_topup_amount(amount: Money, pointer: str = "/amount/amount") -> Money:
    """Returns an amount that a card may be asked for: providers take nothing below half a unit of money (of currencies
    without a minor unit 50). Raises as `check_amount`."""
    least = Money(10 ** (currency_exponent(check_amount(amount).currency) or 2) // 2, amount.currency)
    if amount < least:
        raise invalid("wallet.amount_invalid", f"A top-up is of {least} or more.", pointer)
    return amount


def with_package(topup: TopUp, package: TopUpPackage) -> TopUp:
    """Freezes a package into a top-up: what becomes of the package later does not matter any more."""
    return replace(
        topup,
        package_id=package.package_id,
        package_name=package.name,
        package_owner_id=package.owner_id,
        bonus=package.bonus,
    )


def topup_entry(topup: TopUp, *, provider: str, business_day: str | None = None, now: datetime) -> Entry:
    """The provider owes us what the driver may now spend, and the owner of the package what it adds as a bonus.
    `business_day`: that of the owner, where there is a bonus."""
    currency, amount, bonus = topup.amount.currency, topup.amount.amount, topup.bonus_amount
    wallet = ledger.wallet_account(topup.driver_id, currency)
    postings = [Posting(wallet, amount + bonus), Posting(ledger.clearing_account(provider, currency), -amount)]
    if bonus:
        postings.append(Posting(ledger.promotion_account(topup.package_owner_id or "", currency), -bonus))
    return Entry(
        entry_id=ids.derived_id("ent", now, topup.topup_id),
        home_account_id=wallet,
        kind="top_up",
        currency=currency,
        postings=postings,
        occurred_at=now,
        source_id=topup.topup_id,
        business_day=business_day if bonus else None,
        note=topup.package_name,
    )


def topup_records(topup: TopUp, entry: Entry, platform_id: str) -> list[TopUpRecord]:
    """The lines of a credited top-up in the lists of the platform and of the package's owner."""
    record = TopUpRecord(
        record_id=ids.derived_id("tur", entry.occurred_at, topup.topup_id),
        listed_for=platform_id,
        source="online",
        driver_id=topup.driver_id,
        amount=topup.amount,
        occurred_at=entry.occurred_at,
        transaction_id=entry.entry_id,
        operator_id=topup.package_owner_id,
        topup_id=topup.topup_id,
        payment_id=topup.payment_id,
        package_id=topup.package_id,
        package_name=topup.package_name,
        bonus=topup.bonus,
    )
    owners = [platform_id, *([topup.package_owner_id] if topup.package_owner_id else [])]
    return [replace(record, listed_for=owner) for owner in dict.fromkeys(owners)]


def record_id_of(entry: Entry) -> str:
    """Of the record of an entry that was made at a counter."""
    return ids.derived_id("tur", entry.occurred_at, entry.entry_id)


def topup_of_record(record: TopUpRecord) -> TopUp:
    """Cash or a voucher in the driver's own list. It has the time and the digits of its record: made again, it is the
    same."""
    return TopUp(
        topup_id=f"top_{record.record_id.partition('_')[2]}",
        driver_id=record.driver_id,
        payment_id="",
        amount=record.amount,
        state="credited",
        created_at=record.occurred_at,
        credited_at=record.occurred_at,
        source=record.source,
        operator_id=record.operator_id,
        voucher_id=record.voucher_id,
        note=record.reason,
    )


# -- paying back ------------------------------------------------------------------------------------------------------


def bonus_due_back(topup: TopUp, refunded: int) -> int:
    """How much of the bonus has to be back in all once `refunded` minor units of the money are: in proportion, rounded
    up, so that with the last cent of the money the last cent of the bonus is back."""
    return -(-topup.bonus_amount * refunded // topup.amount.amount)


def bonus_share(topup: TopUp, refunded: int, amount: int) -> int:
    """What a refund of `amount` takes back of the bonus, where `refunded` was paid back (or asked for) before."""
    return max(0, bonus_due_back(topup, refunded + amount) - sum(topup.shares_back.values()))


def bonus_of_dispute(topup: TopUp, disputed: int, refunded: int) -> int:
    """What of the bonus has to go with disputed money, where `refunded` went back before."""
    most = min(topup.amount.amount, refunded + disputed)
    return max(0, bonus_due_back(topup, most) - sum(topup.shares_back.values()))


def most_refundable(topup: TopUp, *, refunded: int, available: int) -> int:
    """The most that may be paid back: no more than is left of the payment, and than the wallet has together with the
    share of the bonus. What was spent stays spent."""
    least, most = 0, max(0, topup.amount.amount - refunded)
    while least < most:
        middle = (least + most + 1) // 2
        if middle + bonus_share(topup, refunded, middle) <= available:
            least = middle
        else:
            most = middle - 1
    return least


def check_refund(topup: TopUp, amount: Money, *, refunded: int, available: int) -> int:
    """Returns the share of the bonus that a refund takes back. Raises topup.not_credited, topup.too_many_refunds,
    topup.refund_amount, wallet.refund_exceeds_balance."""
    if topup.state != "credited":
        raise conflict("topup.not_credited", "Nothing was paid in by this top-up.")
    if len(topup.shares_back) >= MAX_REFUNDS:
        raise conflict("topup.too_many_refunds", f"A top-up is paid back in at most {MAX_REFUNDS} parts.")
    if amount.currency != topup.amount.currency or amount.amount <= 0:
        detail = f"The refund must be a positive amount in {topup.amount.currency}."
        raise invalid("topup.refund_amount", detail, "/amount")
    share = bonus_share(topup, refunded, amount.amount)
    if amount.amount + share > available:
        most = Money(most_refundable(topup, refunded=refunded, available=available), amount.currency)
        detail = f"The wallet has not so much left: at most {most} can be paid back."
        raise conflict("wallet.refund_exceeds_balance", detail, "/amount/amount")
    return share
