"""Abnormal orders: opened with the end of their session, told about by the driver, closed when everybody has spoken.

Called by `closing` (in the commit that seals the session), by the driver's endpoints and the jobs; how one is resolved
is in `resolving`. Invariants: a session is in the group `abnormal` if and only if it has an abnormal order; a statement
is made once; nobody but the operator ends an order that the operator has not resolved.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.charging import lookup, order_lookup
from chalicelib.charging.model import ChargingSession
from chalicelib.charging.model.causes import causes_at_end, in_order, is_uncertain
from chalicelib.charging.model.orders import (
    ORDER_LIFECYCLE,
    AbnormalOrder,
    Resolution,
    Statement,
    WhatHappened,
)
from chalicelib.charging.service.keeping import save
from chalicelib.charging.store.orders import (
    ABNORMAL_ORDERS,
    ORDER_ENTRIES,
    AbnormalOrderRow,
    entry_of_driver,
    entry_of_overdue,
    entry_of_statement,
)
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead, conflict
from chalicelib.kernel.unit_of_work import UnitOfWork


def note_end(uow: UnitOfWork, ended: ChargingSession) -> ChargingSession:
    """The session as it is to be sealed: with its cause, and an order opened, if it is not as it should be."""
    causes = causes_at_end(ended)
    if not causes:
        return ended
    _open_order(uow, ended, causes)
    return replace(ended, abnormal_cause=causes[0])


def note_readings(uow: UnitOfWork, session_id: str, causes: list[str]) -> bool:
    """What was found when the session was looked at again. An order that somebody has spoken about stays as it is.
    True: the driver is asked because of it, who was not when the order was opened."""
    session = lookup.require_session(uow.ctx, session_id)
    if not causes or session.is_open:
        return False
    order = order_lookup.find_order(uow.ctx, session)
    if order is None:
        _open_order(uow, session, causes)
        save(uow, session, replace(session, abnormal_cause=causes[0]))
        return False
    known = in_order([*order.causes, *causes])
    if order.state != "open" or known == order.causes:
        return False
    found = [code for code in known if code not in order.causes]
    noted = replace(order, causes=known, asks_driver=order.asks_driver or _asks(order.driver_id, found))
    is_asked = noted.is_statement_due and not order.is_statement_due
    if is_asked and noted.driver_id is not None:
        uow.put(ORDER_ENTRIES, entry_of_statement(noted, noted.driver_id))
    save_order(uow, order, noted)
    if session.abnormal_cause != known[0]:
        save(uow, session, replace(session, abnormal_cause=known[0]))
    return is_asked


def check_statement_due(ctx: Context, driver_id: str) -> None:
    """Raises order.statement_due (409) while one of the driver's orders waits for what he or she has to say."""
    due = order_lookup.find_statement_due(ctx, driver_id)
    if due is not None:
        detail = f"Say first what happened with order {due.order_no}."
        raise DomainError("order.statement_due", detail, session_id=due.session_id)


def make_statement(
    uow: UnitOfWork,
    order: AbnormalOrder,
    *,
    what_happened: WhatHappened,
    text: str,
    claimed_energy_wh: int | None,
) -> AbnormalOrder:
    """Keeps what the driver says, once; the same words told again change nothing. Closes an order that is resolved.

    Raises order.stated, order.closed (409).
    """
    known = order.statement
    if known is not None:
        said = (what_happened, text, claimed_energy_wh)
        if said == (known.what_happened, known.text, known.claimed_energy_wh):
            return order
        raise conflict("order.stated", "You have told already what happened; the operator decides.")
    if order.state == "closed":
        raise conflict("order.closed", "This order is closed.")
    statement = Statement(what_happened, text, uow.ctx.now(), claimed_energy_wh)
    state = ORDER_LIFECYCLE.next(order.state, "stated")
    stated = replace(order, state=state, statement=statement, closed_at=_closing_time(uow, state))
    _forget_wait(uow, order)
    save_order(uow, order, stated)
    return stated


def keep_resolution(uow: UnitOfWork, order: AbnormalOrder, resolution: Resolution) -> AbnormalOrder:
    """Ends the operator's part. Raises order.resolved (409)."""
    if order.resolution is not None:
        raise conflict("order.resolved", "This order is resolved already.")
    asks_still = order.asks_driver and resolution.kind != "late_stop"  # then nobody need say what happened
    event = "resolved" if asks_still or order.state == "stated" else "resolved_unasked"
    state = ORDER_LIFECYCLE.next(order.state, event)
    resolved = replace(order, state=state, resolution=resolution, closed_at=_closing_time(uow, state))
    if order.is_statement_due and not resolved.is_statement_due:
        _forget_wait(uow, order)
    if resolved.overdue_at is not None:
        uow.put(ORDER_ENTRIES, entry_of_overdue(resolved, resolved.overdue_at))
    save_order(uow, order, resolved)
    outbox.emit(uow, "abnormal_order.resolved", order.session_id)
    return resolved


def note_certain(uow: UnitOfWork, order: AbnormalOrder) -> None:
    """What was delivered is known by now, and not paid: nobody is asked what happened, the operator decides."""
    causes = order.causes if order.driver_id is None else in_order([*order.causes, "cost_over_hold"])
    certain = replace(order, asks_driver=False, causes=causes)
    if order.is_statement_due:
        _forget_wait(uow, order)
    save_order(uow, order, certain)


def close_overdue(uow: UnitOfWork, order: AbnormalOrder) -> bool:
    """Closes a resolved order whose driver has had the time to speak; False: it is not so, or is closed."""
    if order.overdue_at is None or order.overdue_at > uow.ctx.now():
        return False
    _forget_wait(uow, order)
    state = ORDER_LIFECYCLE.next(order.state, "statement_overdue")
    save_order(uow, order, replace(order, state=state, closed_at=uow.ctx.now()))
    return True


def save_order(uow: UnitOfWork, before: AbnormalOrder, after: AbnormalOrder) -> None:
    """Writes the order if nobody changed it since `before` was read; StaleRead at the commit if somebody did."""
    uow.put(
        ABNORMAL_ORDERS,
        replace(after, revision=before.revision + 1),
        condition=AbnormalOrderRow.revision == before.revision,
        on_conflict=StaleRead("The order"),
    )


def _open_order(uow: UnitOfWork, session: ChargingSession, causes: list[str]) -> None:
    """A driver is asked where the amount is uncertain; a guest, or a card of nobody, cannot be."""
    driver_id = session.driver_id
    order = AbnormalOrder(
        session_id=session.session_id,
        order_no=session.order_no,
        operator_id=session.operator_id,
        charger_id=session.charger_id,
        evse_no=session.evse_no,
        opened_at=uow.ctx.now(),
        causes=causes,
        state=ORDER_LIFECYCLE.initial,
        asks_driver=_asks(driver_id, causes),
        location_id=session.location_id,
        driver_id=driver_id,
    )
    uow.create(ABNORMAL_ORDERS, order)
    if driver_id is not None:
        uow.put(ORDER_ENTRIES, entry_of_driver(order, driver_id))
        if order.asks_driver:
            uow.put(ORDER_ENTRIES, entry_of_statement(order, driver_id))
    outbox.emit(uow, "abnormal_order.opened", session.session_id)


def _asks(driver_id: str | None, causes: list[str]) -> bool:
    return driver_id is not None and is_uncertain(causes)


def _forget_wait(uow: UnitOfWork, order: AbnormalOrder) -> None:
    """Nothing is awaited of the driver any more."""
    if order.driver_id is not None:
        entry = entry_of_statement(order, order.driver_id)
        uow.delete(ORDER_ENTRIES, (entry.owner, entry.place))
    if order.overdue_at is not None:
        overdue = entry_of_overdue(order, order.overdue_at)
        uow.delete(ORDER_ENTRIES, (overdue.owner, overdue.place))


def _closing_time(uow: UnitOfWork, state: str) -> datetime | None:
    return uow.ctx.now() if state == "closed" else None
