"""The driver's wallet: balance, months, packages, topping up, vouchers. Its lines are
`charging/api_driver_wallet.py`: they name orders."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import MonthText
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment, opening_error
from chalicelib.payments.providers import payment_provider
from chalicelib.wallets import service, views
from chalicelib.wallets.model import TopUp, TopUpSource
from chalicelib.wallets.views import MonthsQuery, MonthsView, VoucherCodeRequest, WalletView

api = Api("wallets", "driver")


class TopUpRequest(Shape):
    """An amount of one's own, or one of the packages that are offered: one of the two."""

    amount: Money | None = None
    package_id: str | None = None


class OfferedPackage(Shape):
    """Pay `amount`, and the wallet gets `credited`, `bonus` included. `offered_by` names the operator that offers it;
    null: the platform."""

    package_id: str
    name: str
    amount: Money
    bonus: Money | None
    credited: Money
    offered_by: str | None


class MyTopUpQuery(PageQuery):
    """`source`: online (the payment page), manual (cash at a counter) or voucher. `month` as it is lived in `time_zone`
    (IANA): when it was asked for."""

    state: Literal["pending", "credited", "failed"] | None = None
    source: TopUpSource | None = None
    month: MonthText | None = None
    time_zone: str = "UTC"


class TopUpView(Shape):
    """`state`: pending | credited | failed. Send the payer to `redirect_url` while it is pending. `amount` is paid, and
    the wallet gets `bonus` besides; `failure`: the provider's code for why nothing was paid, or, while it is pending,
    for the latest card that was refused; `package` is the name of the package that was chosen, as it was then.
    `refunded` of it was paid back, or is on its way. What came in at a counter (`source` manual, voucher) has no
    payment; `reason` is what the operator says of it."""

    topup_id: str
    source: TopUpSource
    payment_id: str | None
    state: str
    amount: Money
    refunded: Money
    created_at: datetime
    redirect_url: str | None = None
    credited_at: datetime | None = None
    failure: str | None = None
    bonus: Money | None = None
    package_id: str | None = None
    package: str | None = None
    voucher_id: str | None = None
    reason: str | None = None


class VoucherRedemptionView(Shape):
    """What the voucher put into my wallet."""

    voucher_id: str
    amount: Money
    transaction_id: str
    redeemed_at: datetime


@api.get("/v1/driver/wallet")
def get_my_wallet(req: Request) -> WalletView:
    """My balance, per currency."""
    return views.wallet_view(req.ctx, req.driver_id)


@api.get("/v1/driver/wallet/months")
def list_my_months(req: Request, query: MonthsQuery) -> MonthsView:
    """What came into my wallet and went out of it, per month."""
    return views.months_view(req.ctx, req.driver_id, query)


@api.get("/v1/driver/topup-packages")
def list_my_topup_packages(req: Request, query: PageQuery) -> PageView[OfferedPackage]:
    """What I may pick from to top up: the platform's packages, then those of the operators that I charged at."""
    page, owners = service.list_offered(req.ctx, req.driver_id, limit=query.limit, cursor=query.cursor)
    return page_view(
        page,
        lambda package: OfferedPackage(
            package_id=package.package_id,
            name=package.name,
            amount=package.amount,
            bonus=package.bonus,
            credited=package.credited,
            offered_by=None if package.owner_id == PLATFORM_ID else owners[package.owner_id].name,
        ),
    )


@api.post("/v1/driver/topups", idempotency_key=True, audited=False)
def create_my_topup(req: Request, body: TopUpRequest) -> TopUpView:
    """Pay money into my wallet: an amount, or a package, whose bonus is credited with the money.

    Answers with the page to pay on. The wallet is credited when the payment provider confirms. When the provider
    does not answer (503), the same request with the same key goes on where this one stopped.
    """
    topup, payment = _begin(req, body)
    uow = req.commit_first()
    payment = payments.open_checkout(uow, payment_provider(req.ctx, payment.provider), payment)
    error = opening_error(payment)
    if error is not None:
        req.commit_first()  # that the provider refused, or was silent, is a fact to keep
        raise error
    return _view(topup, payment)


@api.get("/v1/driver/topups")
def list_my_topups(req: Request, query: MyTopUpQuery) -> PageView[TopUpView]:
    """My top-ups, newest first: paid online, in cash, by vouchers."""
    begin, end = views.span_of(query.month, query.time_zone, (None, None))

    def keep(topup: TopUp) -> bool:
        is_within = (begin is None or begin <= topup.created_at) and (end is None or topup.created_at < end)
        return is_within and query.state in (None, topup.state) and query.source in (None, topup.source)

    page = service.list_topups(req.ctx, req.driver_id, keep=keep, limit=query.limit, cursor=query.cursor)
    paid = payments.payments_by_id(req.ctx, (topup.payment_id for topup in page.data if topup.payment_id))
    return page_view(page, lambda topup: _view(topup, paid.get(topup.payment_id)))


@api.get("/v1/driver/topups/{topup_id}")
def get_my_topup(req: Request, topup_id: str) -> TopUpView:
    """One top-up, with the page to pay on while it is pending."""
    topup = service.require_topup(req.ctx, topup_id)
    if topup.driver_id != req.driver_id:
        raise not_found("topup", topup_id)
    return _view(topup, payments.find_payment(req.ctx, topup.payment_id) if topup.payment_id else None)


@api.post("/v1/driver/voucher-redemptions", idempotency_key=True, audited=False)
def redeem_my_voucher(req: Request, body: VoucherCodeRequest) -> VoucherRedemptionView:
    """Redeem a voucher that I bought at a counter: what it is worth comes into my wallet.

    A second time, by the same driver, gets the same answer. A code that is none is 422 voucher.code_invalid; many of
    them are 429. Who has a right code is told what is in the way (409): voucher.expired, voucher.redeemed (by somebody
    else), voucher.void, voucher.blocked, voucher.not_active, and voucher.not_covered, after which it stays good.
    """
    presenter = service.Presenter(req.driver_id, req.actor.source_ip)
    redeemed = service.redeem_voucher(req.uow, typed=body.code, driver_id=req.driver_id, presenter=presenter)
    return VoucherRedemptionView(
        voucher_id=redeemed.voucher_id,
        amount=redeemed.amount,
        transaction_id=redeemed.transaction_id,
        redeemed_at=redeemed.redeemed_at,
    )


def _begin(req: Request, body: TopUpRequest) -> tuple[TopUp, Payment]:
    """The top-up of this request, or the one that an earlier try of it began: that one has its package frozen."""
    topup_id = req.new_id("top", req.driver_id)
    known = service.find_topup(req.ctx, topup_id)
    if known is not None:
        return known, payments.require_payment(req.ctx, known.payment_id)
    package = None
    if body.package_id is not None and body.amount is None:
        package = service.choose_package(req.ctx, req.driver_id, body.package_id)
    amount = package.amount if package else body.amount
    if amount is None or (body.package_id is not None and package is None):
        raise invalid("topup.amount_or_package", "Name an amount or a package, one of the two.", "/amount")
    return service.begin_topup(
        req.uow,
        topup_id=topup_id,
        payment_id=req.new_id("pay", req.driver_id),
        driver_id=req.driver_id,
        amount=amount,
        package=package,
    )


def _view(topup: TopUp, payment: Payment | None) -> TopUpView:
    payable = payment is not None and payment.is_unresolved and topup.state == "pending"
    return TopUpView(
        topup_id=topup.topup_id,
        source=topup.source,
        payment_id=topup.payment_id or None,
        state=topup.state,
        amount=topup.amount,
        refunded=(payment and payment.refunded) or Money.zero(topup.amount.currency),
        created_at=topup.created_at,
        redirect_url=payment.redirect_url if payment is not None and payable else None,
        credited_at=topup.credited_at,
        failure=payment.failure if payment is not None and payable else topup.failure,
        bonus=topup.bonus,
        package_id=topup.package_id,
        package=topup.package_name,
        voucher_id=topup.voucher_id,
        reason=topup.note,
    )
