"""The driver's wallet: balance, what moved it, topping up."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment, opening_error
from chalicelib.payments.providers import payment_provider
from chalicelib.wallets import service, views
from chalicelib.wallets.model import TopUp
from chalicelib.wallets.views import TransactionQuery, TransactionView, WalletView

api = Api("wallets", "driver")


class TopUpRequest(Shape):
    amount: Money


class TopUpView(Shape):
    """`state`: pending | credited | failed. Send the payer to `redirect_url` while it is pending."""

    topup_id: str
    payment_id: str
    state: str
    amount: Money
    created_at: datetime
    redirect_url: str | None = None
    credited_at: datetime | None = None
    failure: str | None = None


@api.get("/v1/driver/wallet")
def get_my_wallet(req: Request) -> WalletView:
    """My balance, per currency."""
    return views.wallet_view(req.ctx, req.driver_id)


@api.get("/v1/driver/wallet/transactions")
def list_my_transactions(req: Request, query: TransactionQuery) -> PageView[TransactionView]:
    """What came into my wallet and went out of it, newest first."""
    return views.transactions_view(req.ctx, req.driver_id, query)


@api.post("/v1/driver/topups", idempotency_key=True, audited=False)
def create_my_topup(req: Request, body: TopUpRequest) -> TopUpView:
    """Pay money into my wallet.

    Answers with the page to pay on. The wallet is credited when the payment provider confirms. When the provider
    does not answer (503), the same request with the same key goes on where this one stopped.
    """
    claimed_at = req.claim.first_claimed_at if req.claim else req.ctx.now()
    key = req.claim.idempotency_key if req.claim else req.request_id
    topup, payment = service.begin_topup(
        req.uow,
        topup_id=derived_id("top", claimed_at, req.driver_id, key),
        payment_id=derived_id("pay", claimed_at, req.driver_id, key),
        driver_id=req.driver_id,
        amount=body.amount,
    )
    uow = req.commit_first()
    payment = payments.open_checkout(uow, payment_provider(req.ctx, payment.provider), payment)
    error = opening_error(payment)
    if error is not None:
        req.commit_first()  # that the provider refused, or was silent, is a fact to keep
        raise error
    return _view(topup, payment)


@api.get("/v1/driver/topups")
def list_my_topups(req: Request, query: PageQuery) -> PageView[TopUpView]:
    """My top-ups, newest first."""
    page = service.list_topups(req.ctx, req.driver_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, _view)


@api.get("/v1/driver/topups/{topup_id}")
def get_my_topup(req: Request, topup_id: str) -> TopUpView:
    """One top-up, with the page to pay on while it is pending."""
    topup = service.require_topup(req.ctx, topup_id)
    if topup.driver_id != req.driver_id:
        raise not_found("topup", topup_id)
    return _view(topup, payments.require_payment(req.ctx, topup.payment_id))


def _view(topup: TopUp, payment: Payment | None = None) -> TopUpView:
    payable = payment is not None and payment.is_unresolved and topup.state == "pending"
    return TopUpView(
        topup_id=topup.topup_id,
        payment_id=topup.payment_id,
        state=topup.state,
        amount=topup.amount,
        created_at=topup.created_at,
        redirect_url=payment.redirect_url if payment is not None and payable else None,
        credited_at=topup.credited_at,
        failure=topup.failure,
    )
