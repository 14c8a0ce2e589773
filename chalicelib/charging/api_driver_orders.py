"""The driver's abnormal orders: which there are, and saying what happened."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.charging import lookup, order_lookup
from chalicelib.charging.model import MAX_ENERGY_WH
from chalicelib.charging.model.orders import MAX_STATEMENT, OrderFilter, ReviewState, WhatHappened
from chalicelib.charging.order_views import DriverOrderView, driver_order
from chalicelib.charging.service import reviewing
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Api, PageQuery, PageView, Request, Shape, page_view

api = Api("charging", "driver")


class MyOrdersQuery(PageQuery):
    """`statement_due` true: those that wait for what I have to say."""

    state: ReviewState | None = None
    statement_due: bool | None = None


class StatementRequest(Shape):
    """`claimed_energy_wh`: what I believe to have got."""

    what_happened: WhatHappened
    text: Annotated[str, msgspec.Meta(max_length=MAX_STATEMENT)] = ""
    claimed_energy_wh: Annotated[int, msgspec.Meta(ge=0, le=MAX_ENERGY_WH)] | None = None


@api.get("/v1/driver/abnormal-orders")
def list_my_abnormal_orders(req: Request, query: MyOrdersQuery) -> PageView[DriverOrderView]:
    """My charges that were not as they should be, newest first."""
    wanted = OrderFilter(state=query.state, statement_due=query.statement_due)
    page = order_lookup.list_orders_of_driver(req.ctx, req.driver_id, wanted, limit=query.limit, cursor=query.cursor)
    return page_view(page, driver_order)


@api.post("/v1/driver/sessions/{session_id}/statement", status=200, audited=False)
def state_what_happened(req: Request, session_id: str, body: StatementRequest) -> DriverOrderView:
    """Say what happened in a charge that was not as it should be. Once; the same again changes nothing.

    Then the next charge may be started from the app, and the operator decides.
    """
    session = lookup.find_session(req.ctx, session_id)
    if session is None or session.driver_id != req.driver_id:
        raise not_found("charging_session", session_id)
    order = reviewing.make_statement(
        req.uow,
        order_lookup.require_order(req.ctx, session),
        what_happened=body.what_happened,
        text=body.text.strip(),
        claimed_energy_wh=body.claimed_energy_wh,
    )
    return driver_order(order)
