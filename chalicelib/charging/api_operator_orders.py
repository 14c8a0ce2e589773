"""Abnormal orders for those who resolve them, and corrections of what was billed."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chalicelib.chargers.scope import Places, listed_places, may_see_at
from chalicelib.charging import lookup, order_lookup, views
from chalicelib.charging.model import MAX_ENERGY_WH, ChargingSession
from chalicelib.charging.model.orders import MAX_REASON, OrderFilter, Resolving, ReviewState
from chalicelib.charging.order_views import AbnormalOrderDetail, AbnormalOrderView, operator_order, order_detail
from chalicelib.charging.service import correcting, resolving
from chalicelib.charging.views import CdrView
from chalicelib.identity.scope import OperatorPageQuery
from chalicelib.kernel.errors import conflict, invalid, not_found
from chalicelib.kernel.http import Api, Moment, PageView, Request, Shape, check_span, page_view
from chalicelib.kernel.money import Money

api = Api("charging", "operator")

_ReasonText = Annotated[str, msgspec.Meta(max_length=MAX_REASON, pattern=r"\S", description="Not blank.")]


class AbnormalOrdersQuery(OperatorPageQuery):
    """`operator_id` is for those above the operators. `order_no` as it is printed on the receipt; `date_from` and
    `date_to` (exclusive) are of the driver's request. `cause`: one of the codes that orders show."""

    state: ReviewState | None = None
    cause: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    order_no: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    driver_id: str | None = None
    charger_id: str | None = None
    location_id: str | None = None
    statement_due: bool | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None


class ResolutionRequest(Shape):
    """`order_fee`: the real consumption, at the price that the session began with; `energy_wh` and `duration_s` where
    they are known better than the charger told; where the meter is in doubt and no energy is named, the answer says
    that what it showed was assumed. `other_deduction`: `amount` is deducted in all instead of the fee (actual and
    additional cost), for a `reason`. `as_billed`: what was taken stays.

    What the driver's wallet does not have is not taken, and shown as uncollected. Of a guest no more is deducted than
    the card has paid.
    """

    kind: Literal["order_fee", "other_deduction", "as_billed"]
    energy_wh: Annotated[int, msgspec.Meta(ge=0, le=MAX_ENERGY_WH)] | None = None
    duration_s: Annotated[int, msgspec.Meta(ge=0, le=86_400)] | None = None
    amount: Money | None = None
    reason: Annotated[str, msgspec.Meta(max_length=MAX_REASON)] = ""


class CorrectionRequest(Shape):
    """`amount` is what the session costs from now on: less than before."""

    amount: Money
    reason: _ReasonText


class CorrectionView(Shape):
    """`credit` takes the former billing record back, `cdr` stands for it. `given_back` went to who had paid."""

    session_id: str
    given_back: Money
    credit: CdrView
    cdr: CdrView


@api.get("/v1/abnormal-orders", permission="sessions:read")
def list_abnormal_orders(req: Request, query: AbnormalOrdersQuery) -> PageView[AbnormalOrderView]:
    """Charging sessions at my chargers that were not as they should be, newest first.

    A page may be short while matches are rare; go on with its cursor.
    """
    places = _places(req, query.operator_id)
    wanted = OrderFilter(
        state=query.state,
        cause=query.cause,
        order_no=query.order_no,
        driver_id=query.driver_id,
        charger_id=query.charger_id,
        location_id=query.location_id,
        statement_due=query.statement_due,
    )
    page = order_lookup.list_orders(
        req.ctx,
        places.operator_id,
        wanted,
        span=check_span(query.date_from, query.date_to),
        keep=lambda order: places.has(order.location_id),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, operator_order)


@api.get("/v1/abnormal-orders/{session_id}", permission="sessions:read")
def get_abnormal_order(req: Request, session_id: str) -> AbnormalOrderDetail:
    """An abnormal order with all that there is to decide by."""
    session = _owned(req, session_id)
    return order_detail(req.ctx, order_lookup.require_order(req.ctx, session), session)


@api.post("/v1/sessions/{session_id}/resolution", permission="orders:resolve", idempotency_key=True)
def resolve_abnormal_order(req: Request, session_id: str, body: ResolutionRequest) -> AbnormalOrderView:
    """Resolve an abnormal order, once: the difference moves, a credit record takes the former bill back."""
    session = _owned(req, session_id)
    order = order_lookup.require_order(req.ctx, session)
    wish = Resolving(
        kind=body.kind,
        reason=body.reason.strip(),
        energy_wh=body.energy_wh,
        duration_s=body.duration_s,
        amount=body.amount,
    )
    resolved = resolving.resolve_order(req.uow, session, order, wish, by=req.actor.person_id)
    before, after = operator_order(order), operator_order(resolved)
    req.audit("abnormal_order", session_id, owner_id=order.operator_id, before=before, after=after)
    return after


@api.post("/v1/sessions/{session_id}/corrections", permission="orders:resolve", idempotency_key=True)
def correct_session(req: Request, session_id: str, body: CorrectionRequest) -> CorrectionView:
    """Lower what a billed session costs. What was paid too much goes back to who paid it."""
    session = _owned(req, session_id)
    order = order_lookup.find_order(req.ctx, session)
    if order is not None and order.resolution is None:
        raise conflict("order.unresolved", "This is an abnormal order: resolve it.")
    correction = correcting.reduce_cost(
        req.uow, session, cost=body.amount, reason=body.reason.strip(), by=req.actor.person_id
    )
    view = CorrectionView(
        session_id=session_id,
        given_back=-correction.moved,
        credit=views.cdr_view(correction.credit),
        cdr=views.cdr_view(correction.valid),
    )
    after = {"cost": body.amount, "given_back": view.given_back, "reason": body.reason.strip()}
    before = {"cost": Money(session.cost or 0, session.currency)}
    req.audit("charging_session", session_id, owner_id=session.operator_id, before=before, after=after)
    return view


def _places(req: Request, operator_id: str | None) -> Places:
    if req.actor.is_platform and operator_id is None:
        raise invalid("operator_id.missing", "Say which operator: operator_id.", "/operator_id")
    return listed_places(req, operator_id)


def _owned(req: Request, session_id: str) -> ChargingSession:
    session = lookup.find_session(req.ctx, session_id)
    if session is None or not may_see_at(req, session.operator_id, session.location_id):
        raise not_found("charging_session", session_id)
    return session
