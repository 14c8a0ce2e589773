"""Wallets of an operator's own drivers: to look into, and to adjust by cash."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.identity.scope import check_works_everywhere
from chalicelib.kernel.errors import conflict, forbidden
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import business_day
from chalicelib.wallets import service, views
from chalicelib.wallets.api_operator.common import api
from chalicelib.wallets.model import Direction, LeftBalance
from chalicelib.wallets.scope import visible_wallet
from chalicelib.wallets.views import MonthsQuery, MonthsView, TransactionView, WalletView


class Adjustment(Shape):
    """`top_up`: the operator took cash for the wallet, in its own currency, and owes it. `deduct`: the operator takes
    value back out, no more than is left of what it took in cash from this driver."""

    direction: Direction
    amount: Money
    reason: Annotated[str, msgspec.Meta(max_length=200, pattern=r"\S", description="Not blank.")]


class WalletsQuery(PageQuery, kw_only=True):
    """`state` left: those of drivers who have deleted their accounts."""

    state: Literal["left"]


class LeftWalletView(Shape):
    """`balances`: currencies of which there is money, which nobody can spend any more."""

    driver_id: str
    left_at: datetime
    balances: list[Money]


@api.get("/v1/wallets", "wallets:read")
def list_wallets(req: Request, query: WalletsQuery) -> PageView[LeftWalletView]:
    """Wallets in which money came after their drivers had left: by a bill that was corrected, a refund that failed, a
    page that was paid late. For the platform's people, who pay it out: back to the card (`/v1/payments/{payment_id}/
    refunds`), or otherwise, with a deduction that says how.

    A page may be shorter than its limit though more follow.
    """
    if not req.actor.is_platform:
        raise forbidden("The wallets of drivers who have left are the platform's to see to.")
    return page_view(service.list_left(req.ctx, limit=query.limit, cursor=query.cursor), left_wallet_view)


def left_wallet_view(wallet: LeftBalance) -> LeftWalletView:
    return LeftWalletView(driver_id=wallet.driver_id, left_at=wallet.left_at, balances=wallet.balances)


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

    The other side is the operator's cash account, which the settlement takes into account. More than is left of what
    the operator took from this driver in cash (what is spent, is of the cash first) is not deducted (409
    wallet.deduct_exceeds_cash); the platform's people correct beyond, and pay out what came in after a driver had left.
    """
    check_works_everywhere(req)
    visible_wallet(req, driver_id)
    pays_out = req.actor.is_platform and body.direction == "deduct"
    if drivers.require_driver(req.ctx, driver_id).deleted_at is not None and not pays_out:
        raise conflict("driver.deleted", "This driver's account was deleted.")
    operator = identity.get_organization(req.ctx, req.organization_id)
    entry = service.adjust_wallet(
        req.uow,
        entry_id=req.new_id("ent", req.actor.login_id, driver_id),
        driver_id=driver_id,
        operator_id=operator.organization_id,
        direction=body.direction,
        amount=body.amount,
        reason=body.reason.strip(),
        business_day=business_day(req.ctx.now(), operator.time_zone),
        entered_by=req.actor.person_id,
    )
    view = views.transaction_view(entry)
    req.audit("wallet", driver_id, owner_id=operator.organization_id, after=view)
    return view
