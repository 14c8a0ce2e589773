"""How abnormal orders look over REST: to the operator who resolves them, and to the driver who is asked."""

from __future__ import annotations

from datetime import datetime

from chalicelib.charging import lookup, order_lookup, views
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.charging.model.causes import cause_of
from chalicelib.charging.model.orders import (
    AbnormalOrder,
    Resolution,
    ResolutionKind,
    ReviewState,
    Statement,
    WhatHappened,
    most_to_deduct,
)
from chalicelib.charging.views import CdrView, MeterReadingView, OrphanStopView, SessionView
from chalicelib.kernel.context import Context
from chalicelib.kernel.http import Shape
from chalicelib.kernel.money import Money


class CauseView(Shape):
    """`is_uncertain`: what was delivered is not known for sure."""

    code: str
    title: str
    is_uncertain: bool


class StatementView(Shape):
    what_happened: WhatHappened
    text: str
    claimed_energy_wh: int | None
    stated_at: datetime


class ResolutionView(Shape):
    """What the order costs in the end. `deducted` and `given_back` are what moved with the resolution. `is_assumed`:
    what was delivered was uncertain and nobody has named it, so that `energy_wh` is what the meter showed."""

    kind: ResolutionKind
    cost: Money
    energy_wh: int
    is_assumed: bool
    deducted: Money
    given_back: Money
    uncollected: Money
    reason: str
    resolved_at: datetime


class DriverOrderView(Shape):
    """An abnormal order as its driver sees it. `statement_due`: say what happened, before the next charge from the app.

    `state`: open, stated (the driver has spoken), resolved (the operator has), closed.
    """

    session_id: str
    order_no: str
    state: ReviewState
    statement_due: bool
    causes: list[CauseView]
    opened_at: datetime
    closed_at: datetime | None
    charger_id: str
    evse_no: int
    location_id: str | None
    statement: StatementView | None
    resolution: ResolutionView | None


class AbnormalOrderView(DriverOrderView):
    """The same as the operator sees it. `resolved_by`: a user, or `charger`, which told its end late."""

    operator_id: str
    driver_id: str | None
    resolved_by: str | None


class AbnormalOrderDetail(AbnormalOrderView):
    """With all that there is to decide by: the session, its first and last reading, all of its CDRs, and the stops that
    billed nothing and may be its own. `most_to_deduct`: the highest amount of an `other_deduction`."""

    session: SessionView
    readings: list[MeterReadingView]
    cdrs: list[CdrView]
    orphan_stops: list[OrphanStopView]
    most_to_deduct: Money


def driver_order(order: AbnormalOrder) -> DriverOrderView:
    return DriverOrderView(
        session_id=order.session_id,
        order_no=order.order_no,
        state=order.state,
        statement_due=order.is_statement_due,
        causes=[_cause(code) for code in order.causes],
        opened_at=order.opened_at,
        closed_at=order.closed_at,
        charger_id=order.charger_id,
        evse_no=order.evse_no,
        location_id=order.location_id,
        statement=None if order.statement is None else _statement(order.statement),
        resolution=None if order.resolution is None else _resolution(order.resolution),
    )


def operator_order(order: AbnormalOrder) -> AbnormalOrderView:
    shown = driver_order(order)
    return AbnormalOrderView(
        **{name: getattr(shown, name) for name in shown.__struct_fields__},
        operator_id=order.operator_id,
        driver_id=order.driver_id,
        resolved_by=None if order.resolution is None else order.resolution.resolved_by,
    )


def order_detail(ctx: Context, order: AbnormalOrder, session: ChargingSession) -> AbnormalOrderDetail:
    shown = operator_order(order)
    cdrs = lookup.list_cdrs_of_session(ctx, session.session_id)
    return AbnormalOrderDetail(
        **{name: getattr(shown, name) for name in shown.__struct_fields__},
        session=views.operator_detail(ctx, session),
        readings=[views.reading_view(reading) for reading in order_lookup.edge_readings(ctx, session)],
        cdrs=[views.cdr_view(cdr) for cdr in cdrs],
        orphan_stops=[views.orphan_stop_view(stop) for stop in order_lookup.orphans_of(ctx, session)],
        most_to_deduct=_most_to_deduct(session, cdrs),
    )


def _most_to_deduct(session: ChargingSession, cdrs: list[Cdr]) -> Money:
    metered = cdrs[0].total_cost if cdrs else Money.zero(session.currency)
    return most_to_deduct(metered, Money(session.captured or 0, session.currency) if session.payment_id else None)


def _cause(code: str) -> CauseView:
    cause = cause_of(code)
    return CauseView(code=code, title=cause.title, is_uncertain=cause.is_uncertain)


def _statement(statement: Statement) -> StatementView:
    return StatementView(
        what_happened=statement.what_happened,
        text=statement.text,
        claimed_energy_wh=statement.claimed_energy_wh,
        stated_at=statement.stated_at,
    )


def _resolution(resolution: Resolution) -> ResolutionView:
    zero = Money.zero(resolution.cost.currency)
    return ResolutionView(
        kind=resolution.kind,
        cost=resolution.cost,
        energy_wh=resolution.energy_wh,
        is_assumed=resolution.is_assumed,
        deducted=max(resolution.moved, zero),
        given_back=max(-resolution.moved, zero),
        uncollected=resolution.uncollected,
        reason=resolution.reason,
        resolved_at=resolution.resolved_at,
    )
