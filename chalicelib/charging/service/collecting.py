"""Money of a session after its end: more is taken from who paid it, or something is given back. Called by `correcting`.

The same account pays as before (`paying`): the driver's wallet, the enterprise's credit, or a guest's card, of which
nothing can be taken any more, since the rest of the authorisation is gone. One entry, one change of that account.
What wallets and cards get back the operator owes until a run has settled it (decision 0057), whoever's word it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, income_account
from chalicelib.payments import service as payments
from chalicelib.wallets import service as wallets
from chalicelib.wallets.model import paying_account


@dataclass(frozen=True)
class Moved:
    """What was taken, below zero given back; `refund_id` is the refund to a guest's card."""

    amount: Money
    refund_id: str | None = None


def move(
    uow: UnitOfWork,
    session: ChargingSession,
    by: Money,
    *,
    key: str,
    business_day: str,
    reason: str,
    requested_by: str,
    is_certain: bool = False,
) -> Moved:
    """Takes `by` from who pays for the session, as far as it goes; below zero, gives it back. What `is_certain` is
    given back whether the operator may owe it or not.

    `key` names the correction, which lands once: a refund needs no other guard, and its id takes the moment, so that a
    payment's refunds stand in the order of their making. Raises operator.credit_exhausted, and those of
    `payments.request_refund`.
    """
    nothing = Moved(Money.zero(session.currency))
    if not by.amount or (session.payment_id is None and session.driver_id is None):
        return nothing
    if session.payment_id is not None:
        by = _as_expressible(uow, session, session.payment_id, by)
        if by.amount >= 0:
            return nothing
        refund = payments.request_refund(
            uow,
            refund_id=derived_id("ref", uow.ctx.now(), key),
            payment_id=session.payment_id,
            amount=-by,
            reason=reason,
            from_account_id=income_account(session.operator_id, session.currency),
            business_day=business_day,
            requested_by=requested_by,
        )
        owe(uow, session, -by, is_certain=is_certain)
        return Moved(by, refund.refund_id)
    moved = min(by, _room(uow, session, business_day)) if by.amount > 0 else by
    if moved.amount:
        _post(uow, session, moved, key, business_day, reason)
        _count(uow, session, moved, business_day)
    if moved.amount < 0:
        owe(uow, session, -moved, is_certain=is_certain)
    return Moved(moved)


def owe(uow: UnitOfWork, session: ChargingSession, amount: Money, *, is_certain: bool) -> None:
    """The operator owes what was given back of its income. What an enterprise paid it collects itself: no money of the
    platform's goes back. Raises operator.credit_exhausted, unless it `is_certain`."""
    if session.enterprise_id is not None:
        return
    count = wallets.note_credit if is_certain else wallets.take_credit
    count(uow, session.operator_id, amount)


def _as_expressible(uow: UnitOfWork, session: ChargingSession, payment_id: str, by: Money) -> Money:
    """Of a card is kept what its provider can express: what is given back is a little more, never less."""
    kept = max(Money(session.captured or 0, session.currency) + by, Money.zero(session.currency))
    provider = payments.require_payment(uow.ctx, payment_id).provider
    return payments.expressible(provider, kept) - Money(session.captured or 0, session.currency)


def _room(uow: UnitOfWork, session: ChargingSession, business_day: str) -> Money:
    """What the payer has for it now: the wallet's balance, or what the enterprise's credit, and the member's month,
    still have."""
    driver_id = session.driver_id or ""
    free = wallets.available(uow.ctx, driver_id, session.currency, enterprise_id=session.enterprise_id)
    if session.enterprise_id is not None:
        room = drivers.room_beyond(
            uow.ctx,
            enterprise_id=session.enterprise_id,
            driver_id=driver_id,
            month=session.usage_month or business_day[:7],
            held=Money(session.captured or 0, session.currency),
        )
        free = min(free, room)
    return max(free, Money.zero(session.currency))


def _post(uow: UnitOfWork, session: ChargingSession, moved: Money, key: str, business_day: str, reason: str) -> None:
    account_id = paying_account(session.driver_id or "", session.currency, session.enterprise_id)
    income = income_account(session.operator_id, session.currency)
    now = uow.ctx.now()
    entry = Entry(
        entry_id=derived_id("ent", now, key, "correction"),
        home_account_id=account_id,
        kind="correction",
        currency=session.currency,
        postings=[Posting(account_id, -moved.amount), Posting(income, moved.amount)],
        occurred_at=now,
        source_id=session.session_id,
        business_day=business_day,
        note=reason,
    )
    try:
        ledger.post(uow, entry)
    except DomainError as error:
        if error.code != "ledger.insufficient_funds":
            raise
        raise StaleRead("The balance") from error  # it was cut to what was there: somebody was faster


def _count(uow: UnitOfWork, session: ChargingSession, moved: Money, business_day: str) -> None:
    if session.enterprise_id is not None:
        drivers.count_usage(
            uow,
            enterprise_id=session.enterprise_id,
            driver_id=session.driver_id or "",
            month=session.usage_month or business_day[:7],
            by=moved.amount,
        )
