"""Vouchers: cards with a code that an organisation sells at counters. Batches are made, handed out, blocked; single
vouchers are taken back; at the counter one is redeemed for a driver."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from chalicelib.drivers import service as drivers
from chalicelib.identity.model import PLATFORM_ID, shown_name
from chalicelib.identity.scope import (
    OperatorPageQuery,
    check_works_everywhere,
    listed_operator,
    may_see,
    owning_operator,
)
from chalicelib.kernel.errors import conflict, forbidden, not_found
from chalicelib.kernel.http import Moment, PageQuery, PageView, Request, Shape, check_moment, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.texts import LineText, NameText
from chalicelib.wallets import service
from chalicelib.wallets.api_operator.common import api
from chalicelib.wallets.model.vouchers import MAX_VOUCHERS, BatchState, Voucher, VoucherBatch, VoucherState
from chalicelib.wallets.scope import visible_wallet
from chalicelib.wallets.views import VoucherCodeRequest

ListedState = Literal["draft", "active", "blocked", "expired"]


class BatchCreate(Shape):
    """`face_value` is what each voucher puts into a wallet, in the operator's own currency. `note`: what it is sold
    for, where, by whom. `operator_id` is for the platform; without it the batch is its own."""

    name: NameText
    face_value: Money
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_VOUCHERS)]
    valid_until: Moment
    note: LineText | None = None
    operator_id: str | None = None


class BatchQuery(OperatorPageQuery):
    """`state`: draft | active | blocked, of those that are valid; expired."""

    state: ListedState | None = None


class BatchView(Shape):
    """`state`: draft (made, not handed out) | active | blocked | expired. `outstanding` vouchers were neither redeemed
    nor taken back. `codes_listed`: how often somebody had the codes shown. `operator_id` is null for the platform's."""

    voucher_batch_id: str
    operator_id: str | None
    name: str
    note: str | None
    face_value: Money
    count: int
    valid_until: datetime
    state: ListedState
    redeemed: int
    voided: int
    outstanding: int
    redeemed_amount: Money
    outstanding_amount: Money
    codes_listed: int
    codes_listed_at: datetime | None
    created_at: datetime
    created_by: str


class VoucherCodeView(Shape):
    voucher_id: str
    code: str


class VoucherCodesView(Shape):
    """All codes of a batch, to be printed."""

    voucher_batch_id: str
    face_value: Money
    valid_until: datetime
    data: list[VoucherCodeView]


class VoucherQuery(PageQuery):
    state: VoucherState | None = None


class VoucherView(Shape):
    """`ends_with`: the last four characters of the code. `used_at`, `used_by`: who redeemed it or took it back.
    `transaction_id`, `driver_id`: the line in whose wallet."""

    voucher_id: str
    state: VoucherState
    ends_with: str | None
    used_at: datetime | None
    used_by: str | None
    driver_id: str | None
    transaction_id: str | None
    reason: str | None


class VoidRequest(Shape):
    reason: LineText


class CounterRedemptionView(Shape):
    """What the voucher put into the driver's wallet."""

    voucher_id: str
    driver_id: str
    amount: Money
    transaction_id: str
    redeemed_at: datetime


@api.post("/v1/voucher-batches", "vouchers:write", idempotency_key=True)
def create_voucher_batch(req: Request, body: BatchCreate) -> BatchView:
    """Makes vouchers. Nothing can be redeemed before the batch is activated; see its codes by `/codes`."""
    check_works_everywhere(req)
    own = req.actor.is_platform and body.operator_id is None
    owner_id = PLATFORM_ID if own else owning_operator(req, body.operator_id)
    new = service.NewBatch(
        batch_id=req.new_id("vcb", req.actor.login_id, owner_id),
        owner_id=owner_id,
        name=shown_name(body.name),
        face_value=body.face_value,
        size=body.count,
        valid_until=check_moment(body.valid_until, "/valid_until"),
        created_by=req.actor.person_id,
        note=body.note,
    )
    return _written(req, None, service.create_batch(req.uow, new))


@api.get("/v1/voucher-batches", "vouchers:read")
def list_voucher_batches(req: Request, query: BatchQuery) -> PageView[BatchView]:
    """The batches of the platform, or of an operator, newest first."""
    now = req.ctx.now()
    page = service.list_batches(
        req.ctx,
        listed_operator(req, query.operator_id),
        keep=lambda batch: query.state in (None, _state_of(batch, now)),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, lambda batch: batch_view(batch, now))


@api.get("/v1/voucher-batches/{voucher_batch_id}", "vouchers:read")
def get_voucher_batch(req: Request, voucher_batch_id: str) -> BatchView:
    """One batch, with what was redeemed of it and what is still out."""
    return batch_view(_visible(req, voucher_batch_id), req.ctx.now())


@api.get("/v1/voucher-batches/{voucher_batch_id}/vouchers", "vouchers:read")
def list_vouchers(req: Request, voucher_batch_id: str, query: VoucherQuery) -> PageView[VoucherView]:
    """The vouchers of a batch by number, and what became of each."""
    batch, now = _visible(req, voucher_batch_id), req.ctx.now()
    page = service.list_vouchers(
        req.ctx,
        batch,
        keep=lambda voucher: query.state in (None, voucher.state_at(now)),
        limit=query.limit,
        cursor=query.cursor,
    )
    ends_with = service.last_characters(req.ctx, batch)
    return page_view(page, lambda voucher: voucher_view(voucher, now, ends_with(voucher.number)))


@api.post("/v1/voucher-batches/{voucher_batch_id}/codes", "vouchers:write", status=200)
def list_voucher_codes(req: Request, voucher_batch_id: str) -> VoucherCodesView:
    """All codes of one's own batch, to be printed or exported. They are money: each time is kept in the audit log."""
    batch = _writable(req, voucher_batch_id)
    if batch.owner_id != req.organization_id:
        raise forbidden("The codes are for those whose vouchers they are.")
    listed, codes = service.list_codes(req.uow, batch)
    _written(req, batch, listed)
    return VoucherCodesView(
        voucher_batch_id=batch.batch_id,
        face_value=batch.face_value,
        valid_until=batch.valid_until,
        data=[VoucherCodeView(voucher_id=voucher.voucher_id, code=code) for voucher, code in codes],
    )


@api.post("/v1/voucher-batches/{voucher_batch_id}/activate", "vouchers:write", status=200)
def activate_voucher_batch(req: Request, voucher_batch_id: str) -> BatchView:
    """The vouchers are handed out, or not blocked any more: they may be redeemed. Not more than the operator may owe
    the platform, with what it has handed out before (409 operator.credit_exhausted)."""
    batch = _writable(req, voucher_batch_id)
    return _written(req, batch, service.activate_batch(req.uow, batch))


@api.post("/v1/voucher-batches/{voucher_batch_id}/block", "vouchers:write", status=200)
def block_voucher_batch(req: Request, voucher_batch_id: str) -> BatchView:
    """None of the vouchers is redeemed any more, until the batch is activated again."""
    batch = _writable(req, voucher_batch_id)
    return _written(req, batch, service.block_batch(req.uow, batch))


@api.post("/v1/vouchers/{voucher_id}/void", "vouchers:write", status=200)
def void_voucher(req: Request, voucher_id: str, body: VoidRequest) -> VoucherView:
    """Takes one voucher back, for good: lost, stolen, misprinted. One that was redeemed stays so (409)."""
    before, now = service.require_voucher(req.ctx, voucher_id), req.ctx.now()
    if not may_see(req, before.batch.owner_id):
        raise not_found("voucher", voucher_id)
    check_works_everywhere(req)
    after = service.void_voucher(req.uow, before, reason=body.reason, by=req.actor.person_id)
    ends_with = service.last_characters(req.ctx, before.batch)(before.number)
    view = voucher_view(after, now, ends_with)
    req.audit(
        "voucher",
        voucher_id,
        owner_id=before.batch.owner_id,
        before=voucher_view(before, now, ends_with),
        after=view,
    )
    return view


@api.post("/v1/wallets/{driver_id}/voucher-redemptions", "wallets:write", idempotency_key=True)
def redeem_voucher_for_driver(req: Request, driver_id: str, body: VoucherCodeRequest) -> CounterRedemptionView:
    """Redeem one of one's own vouchers for a driver at the counter. The platform's people redeem anybody's."""
    visible_wallet(req, driver_id)
    if drivers.require_driver(req.ctx, driver_id).deleted_at is not None:
        raise conflict("driver.deleted", "This driver's account was deleted.")
    redeemed = service.redeem_voucher(
        req.uow,
        typed=body.code,
        driver_id=driver_id,
        presenter=service.Presenter(req.actor.person_id, req.actor.source_ip),
        only_of=None if req.actor.is_platform else req.organization_id,
    )
    view = CounterRedemptionView(
        voucher_id=redeemed.voucher_id,
        driver_id=driver_id,
        amount=redeemed.amount,
        transaction_id=redeemed.transaction_id,
        redeemed_at=redeemed.redeemed_at,
    )
    req.audit("voucher", redeemed.voucher_id, owner_id=redeemed.owner_id, after=view)
    return view


def batch_view(batch: VoucherBatch, now: datetime) -> BatchView:
    return BatchView(
        voucher_batch_id=batch.batch_id,
        operator_id=None if batch.owner_id == PLATFORM_ID else batch.owner_id,
        name=batch.name,
        note=batch.note,
        face_value=batch.face_value,
        count=batch.size,
        valid_until=batch.valid_until,
        state=_state_of(batch, now),
        redeemed=batch.redeemed,
        voided=batch.voided,
        outstanding=batch.outstanding,
        redeemed_amount=batch.worth(batch.redeemed),
        outstanding_amount=batch.worth(batch.outstanding),
        codes_listed=batch.codes_listed,
        codes_listed_at=batch.codes_listed_at,
        created_at=batch.created_at,
        created_by=batch.created_by,
    )


def voucher_view(voucher: Voucher, now: datetime, ends_with: str | None) -> VoucherView:
    use = voucher.use
    return VoucherView(
        voucher_id=voucher.voucher_id,
        state=voucher.state_at(now),
        ends_with=ends_with,
        used_at=use.used_at if use else None,
        used_by=use.used_by if use else None,
        driver_id=use.driver_id if use else None,
        transaction_id=use.entry_id if use else None,
        reason=use.reason if use else None,
    )


def _state_of(batch: VoucherBatch, now: datetime) -> BatchState | Literal["expired"]:
    return "expired" if batch.is_over(now) else batch.state


def _visible(req: Request, batch_id: str) -> VoucherBatch:
    batch = service.require_batch(req.ctx, batch_id)
    if not may_see(req, batch.owner_id):
        raise not_found("voucher_batch", batch_id)
    return batch


def _writable(req: Request, batch_id: str) -> VoucherBatch:
    batch = _visible(req, batch_id)
    check_works_everywhere(req)
    return batch


def _written(req: Request, before: VoucherBatch | None, after: VoucherBatch) -> BatchView:
    now = req.ctx.now()
    view = batch_view(after, now)
    req.audit(
        "voucher_batch",
        after.batch_id,
        owner_id=after.owner_id,
        before=None if before is None else batch_view(before, now),
        after=view,
    )
    return view
