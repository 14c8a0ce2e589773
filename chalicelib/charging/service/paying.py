"""Who pays for a session, and how: the driver's wallet, the enterprise that the driver is a member of, a guest's card.

Decided once, with the hold, and frozen into the session (`enterprise_id`, `payment_id`): every later movement of its
money goes to the same account, so that nothing is paid by both. Private money is never taken in an enterprise's stead
unless the driver chose it, or the membership says so for cards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Literal

from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Coverage, Driver, refused
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import month_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger.model import income_account
from chalicelib.wallets import service as wallets

PayBy = Literal["wallet", "enterprise"]


def chosen_coverage(
    ctx: Context, driver: Driver, operator: Organization, currency: str, pay_by: PayBy | None
) -> Coverage | None:
    """The enterprise that pays for a charge from the app at this operator; None: the wallet. `pay_by` None: the
    enterprise, where the driver has one that pays for the app.

    Raises enterprise.not_member (422); enterprise.limit_reached, enterprise.inactive, enterprise.currency (409): then
    the driver may choose the wallet.
    """
    if pay_by == "wallet":
        return None
    found = drivers.coverage(
        ctx,
        driver.enterprises,
        operator_id=operator.organization_id,
        driver_id=driver.driver_id,
        id_token=None,
        currency=currency,
        month=month_of(ctx.now(), operator.time_zone),
    )
    if found is None and pay_by == "enterprise":
        raise invalid("enterprise.not_member", "No enterprise pays for your charges here from the app.", "/pay_by")
    if found is not None and found.refusal is not None:
        raise refused(found)
    return found


def coverage_of_card(
    ctx: Context, enterprises: Mapping[str, str], operator: Organization, *, driver_id: str, id_token: str
) -> Coverage | None:
    """The enterprise that stands for a card; None: the driver's wallet does, also as the fallback that the membership
    allows. One with a `refusal` pays nothing, and nobody else does. Costs nothing for drivers without an enterprise."""
    found = drivers.coverage(
        ctx,
        enterprises,
        operator_id=operator.organization_id,
        driver_id=driver_id,
        id_token=id_token,
        currency=operator.currency,
        month=month_of(ctx.now(), operator.time_zone),
        consistent=False,
    )
    return None if found is not None and found.refusal is not None and found.wallet_fallback else found


def with_hold(session: ChargingSession, held: Money, now: datetime) -> ChargingSession:
    """The session with what is held for it, and the month in which that is counted; of the wallet nothing is."""
    counts = session.enterprise_id is not None and held.amount > 0
    return replace(
        session, held=held.amount, usage_month=month_of(now, session.business_zone) if counts else session.usage_month
    )


def place_hold(uow: UnitOfWork, session: ChargingSession, expires_at: datetime) -> None:
    """Reserves what the session says (`with_hold`). Raises ledger.insufficient_funds."""
    wallets.place_session_hold(
        uow,
        driver_id=session.driver_id or "",
        session_id=session.session_id,
        amount=session.hold,
        expires_at=expires_at,
        enterprise_id=session.enterprise_id,
    )
    _count(uow, session, session.held)


def hold_what_is_there(
    uow: UnitOfWork, session: ChargingSession, most: Money, expires_at: datetime, *, known: Money | None = None
) -> ChargingSession:
    """Reserves what the payer has, `most` at most, perhaps nothing: a delivery that runs already. `known` is what the
    wallet has, where it has just been read; of another currency it tells nothing."""
    if session.driver_id is None:
        return session
    if session.enterprise_id is not None:
        most = min(most, _room(uow.ctx, session, session.driver_id))
    if most.amount <= 0:
        return session
    held = wallets.hold_what_is_there(
        uow,
        driver_id=session.driver_id,
        session_id=session.session_id,
        most=most,
        expires_at=expires_at,
        enterprise_id=session.enterprise_id,
        known=known if known is not None and known.currency == most.currency else None,
    )
    session = with_hold(session, held, uow.ctx.now())
    _count(uow, session, session.held)
    return session


def extend_hold(uow: UnitOfWork, session: ChargingSession, most: Money) -> ChargingSession:
    """Reserves `most` more for a charge that runs until full, as far as the payer has it, perhaps nothing. The caller
    writes the session. Nothing is reserved beside a hold that never was, nor on a guest's card."""
    if session.driver_id is None or session.payment_id is not None or not session.held:
        return session
    if session.enterprise_id is not None and session.usage_month is not None:
        most = min(most, _room_beyond(uow.ctx, session, session.driver_id, session.enterprise_id, session.usage_month))
    if most.amount <= 0:
        return session
    by = wallets.extend_session_hold(
        uow,
        driver_id=session.driver_id,
        session_id=session.session_id,
        held=session.hold,
        most=most,
        enterprise_id=session.enterprise_id,
    )
    _count(uow, session, by.amount)
    return replace(session, held=session.held + by.amount)


def settle(
    uow: UnitOfWork, session: ChargingSession, cost: Money, day: str, tax: Callable[[Money], Money] | None = None
) -> Money:
    """Takes a session's cost from who pays for it, as far as it goes: returns what that was. Its hold is over. `tax`
    tells how much of what was taken is tax."""
    if session.payment_id is not None:
        return _capture_card(uow, session, session.payment_id, cost, day, tax)
    if session.driver_id is None or not session.held:
        return Money.zero(session.currency)
    beyond_hold = session.target == "full"
    most_beyond = None
    if session.enterprise_id is not None and session.usage_month is not None and beyond_hold and cost > session.hold:
        most_beyond = _room_beyond(uow.ctx, session, session.driver_id, session.enterprise_id, session.usage_month)
    captured = wallets.settle_session(
        uow,
        driver_id=session.driver_id,
        session_id=session.session_id,
        held=session.hold,
        cost=cost,
        operator_id=session.operator_id,
        business_day=day,
        beyond_hold=beyond_hold,
        most_beyond=most_beyond,
        enterprise_id=session.enterprise_id,
    ).captured
    _count(uow, session, captured.amount - session.held)
    return captured


def release(uow: UnitOfWork, session: ChargingSession) -> None:
    """Nothing was delivered: all that was held goes back to who would have paid."""
    if session.payment_id is not None:
        # Loaded for guests alone: no other charger's first frame waits for what payments need.
        from chalicelib.payments import service as payments

        payments.request_release(uow, session.payment_id)
        return
    if session.driver_id is None or not session.held:
        return
    wallets.release_session_hold(
        uow,
        driver_id=session.driver_id,
        session_id=session.session_id,
        held=session.hold,
        enterprise_id=session.enterprise_id,
    )
    _count(uow, session, -session.held)


def _capture_card(
    uow: UnitOfWork,
    session: ChargingSession,
    payment_id: str,
    cost: Money,
    day: str,
    tax: Callable[[Money], Money] | None,
) -> Money:
    """A guest's card pays what is authorised on it at most, and what the provider can express of it; what is not taken
    is let go."""
    from chalicelib.payments import service as payments  # for guests alone, see `release`

    provider = payments.require_payment(uow.ctx, payment_id).provider
    taken = payments.expressible(provider, min(cost, session.hold))
    if not taken.amount:
        payments.request_release(uow, payment_id)
        return taken
    payments.request_capture(
        uow,
        payment_id,
        taken,
        income_account_id=income_account(session.operator_id, session.currency),
        business_day=day,
        source_id=session.session_id,
        tax=None if tax is None else tax(taken),
    )
    return taken


def _room(ctx: Context, session: ChargingSession, driver_id: str) -> Money:
    """What the enterprise still pays for this charge, read with certainty. A member no more: it is not asked again
    whose the card is; what is delivered stays unpaid."""
    found = drivers.coverage(
        ctx,
        {session.operator_id: session.enterprise_id or ""},
        operator_id=session.operator_id,
        driver_id=driver_id,
        id_token=session.id_token if session.origin == "card" else None,
        currency=session.currency,
        month=month_of(ctx.now(), session.business_zone),
    )
    return Money.zero(session.currency) if found is None else found.room


def _room_beyond(ctx: Context, session: ChargingSession, driver_id: str, enterprise_id: str, usage_month: str) -> Money:
    """What the enterprise gives this charge besides its hold."""
    return drivers.room_beyond(
        ctx, enterprise_id=enterprise_id, driver_id=driver_id, month=usage_month, held=session.hold
    )


def _count(uow: UnitOfWork, session: ChargingSession, by: int) -> None:
    if session.enterprise_id is not None and session.driver_id is not None and session.usage_month is not None:
        drivers.count_usage(
            uow,
            enterprise_id=session.enterprise_id,
            driver_id=session.driver_id,
            month=session.usage_month,
            by=by,
        )
