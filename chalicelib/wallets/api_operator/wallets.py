"""Wallets of an operator's own drivers: to look into, and to adjust by cash."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.http import Request, Shape
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import business_day
from chalicelib.wallets import service, views
from chalicelib.wallets.api_operator.common import api
from chalicelib.wallets.model import Direction
from chalicelib.wallets.scope import visible_wallet
from chalicelib.wallets.views import MonthsQuery, MonthsView, TransactionView, WalletView


class Adjustment(Shape):
    """`top_up`: the operator took cash for the wallet, and owes it. `deduct`: the operator takes value back out, no
    more than it took in cash from this driver."""

    direction: Direction
    amount: Money
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


@api.get("/v1/wallets/{driver_id}", "wallets:read")
def get_wallet(req: Request, driver_id: str) -> WalletView:
    """A driver's balance, per currency."""
    return views.wallet_view(req.ctx, visible_wallet(req, driver_id))


@api.get("/v1/wallets/{driver_id}/months", "wallets:read")
def list_wallet_months(req: Request, driver_id: str, query: MonthsQuery) -> MonthsView:
    """What came into a driver's wallet and went out of it, per month."""
    return views.months_view(req.ctx, visible_wallet(req, driver_id), query)


@api.post("/v1/wallets/{driver_id}/adjustments", "wallets:write", idempotency_key=True)
def adjust_wallet(req: Request, driver_id: str, body: Adjustment) -> TransactionView:
    """Top up a driver's wallet by cash, or deduct from it.

    The other side is the operator's cash account, which the settlement takes into account. More than the operator took
    from this driver in cash is not deducted (409 wallet.deduct_exceeds_cash); the platform's people correct beyond.
    """
    visible_wallet(req, driver_id)
    if drivers.require_driver(req.ctx, driver_id).deleted_at is not None:
        raise conflict("driver.deleted", "This driver's account was deleted.")
    operator = identity.get_organization(req.ctx, req.organization_id)
    entry = service.adjust_wallet(
        req.uow,
        entry_id=req.new_id("ent", req.actor.login_id, driver_id),
        driver_id=driver_id,
        operator_id=operator.organization_id,
        direction=body.direction,
        amount=body.amount,
        reason=body.reason,
        business_day=business_day(req.ctx.now(), operator.time_zone),
        entered_by=req.actor.person_id,
    )
    view = views.transaction_view(entry)
    req.audit("wallet", driver_id, owner_id=operator.organization_id, after=view)
    return view
