"""Wallets as operators see them: those of their own drivers, to look into and to adjust by cash."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.kernel.errors import conflict, not_found
from chalicelib.kernel.http import Api, PageView, Request, Shape
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.ledger.model import business_day
from chalicelib.wallets import service, views
from chalicelib.wallets.model import Direction
from chalicelib.wallets.views import TransactionQuery, TransactionView, WalletView

api = Api("wallets", "operator")


class Adjustment(Shape):
    """`top_up`: the operator took cash for the wallet, and owes it. `deduct`: the operator takes value back out."""

    direction: Direction
    amount: Money
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


@api.get("/v1/wallets/{driver_id}", "wallets:read")
def get_wallet(req: Request, driver_id: str) -> WalletView:
    """A driver's balance, per currency."""
    return views.wallet_view(req.ctx, _visible(req, driver_id))


@api.get("/v1/wallets/{driver_id}/transactions", "wallets:read")
def list_wallet_transactions(req: Request, driver_id: str, query: TransactionQuery) -> PageView[TransactionView]:
    """What came into a driver's wallet and went out of it, newest first."""
    return views.transactions_view(req.ctx, _visible(req, driver_id), query)


@api.post("/v1/wallets/{driver_id}/adjustments", "wallets:write", idempotency_key=True)
def adjust_wallet(req: Request, driver_id: str, body: Adjustment) -> TransactionView:
    """Top up a driver's wallet by cash, or deduct from it.

    The other side is the operator's cash account, which the settlement takes into account.
    """
    _visible(req, driver_id)
    if drivers.require_driver(req.ctx, driver_id).deleted_at is not None:
        raise conflict("driver.deleted", "This driver's account was deleted.")
    operator = identity.get_organization(req.ctx, req.organization_id)
    claimed_at = req.claim.first_claimed_at if req.claim else req.ctx.now()
    key = req.claim.idempotency_key if req.claim else req.request_id
    entry = service.adjust_wallet(
        req.uow,
        entry_id=derived_id("ent", claimed_at, req.actor.login_id, driver_id, key),
        driver_id=driver_id,
        operator_id=operator.organization_id,
        direction=body.direction,
        amount=body.amount,
        reason=body.reason,
        business_day=business_day(req.ctx.now(), operator.time_zone),
    )
    view = views.transaction_view(entry)
    req.audit("wallet", driver_id, owner_id=operator.organization_id, after=view)
    return view


def _visible(req: Request, driver_id: str) -> str:
    """Raises driver.not_found for a driver that is not on the operator's list; the platform sees all."""
    if req.actor.is_platform:
        return drivers.require_driver(req.ctx, driver_id).driver_id
    if not drivers.is_linked(req.ctx, req.organization_id, driver_id):
        raise not_found("driver", driver_id)
    return driver_id
