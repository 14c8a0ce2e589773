"""Abnormal orders beside the frames: what is found in the readings afterwards, the mails, and the end of waiting.

Consumers and the job may run twice: the order's state decides, and mails are named by what they tell.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from chalice import Blueprint, Cron

from chalicelib.charging import lookup, order_lookup
from chalicelib.charging.model import ChargingSession
from chalicelib.charging.model.causes import cause_of, causes_of_readings
from chalicelib.charging.model.orders import AbnormalOrder
from chalicelib.charging.service import reviewing
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.identity import service as identity
from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.money import Money
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.notifications import service as notifications

jobs = Blueprint(__name__)

_Tell = Callable[[UnitOfWork, ChargingSession, AbnormalOrder, Driver], None]
MOST_CLOSED = 2_000
"""Orders that one run of the job closes; the next one goes on."""


def review_readings(ctx: Context, session: ChargingSession) -> None:
    """Looks at how the readings of a delivery came in, and at what they say as a whole. Here and not with the stop: no
    charger need wait for it."""
    readings = list(order_lookup.bare_readings_of(ctx, session))
    told = [(reading.taken_at, reading.received_at) for reading in readings]
    registers = [(reading.taken_at, reading.energy_wh) for reading in readings if reading.energy_wh is not None]
    causes = causes_of_readings(session, told, registers)
    if not causes:
        return
    if decide_and_commit(ctx, partial(reviewing.note_readings, session_id=session.session_id, causes=causes)):
        _ask_driver(ctx, session.session_id)


def on_order_opened(ctx: Context, event: Event) -> None:
    """The driver is asked what happened, where that is not sure."""
    _ask_driver(ctx, event.subject)


def _ask_driver(ctx: Context, session_id: str) -> None:

    def tell(uow: UnitOfWork, session: ChargingSession, order: AbnormalOrder, driver: Driver) -> None:
        if order.is_statement_due:
            _queue(
                uow,
                session,
                order,
                driver,
                "order_opened",
                {
                    "cause": cause_of(order.causes[0]).title,
                    "cost": str(Money(session.captured or 0, session.currency)),
                },
            )

    _tell_driver(ctx, session_id, tell)


def on_order_resolved(ctx: Context, event: Event) -> None:
    """The driver is told what the order costs in the end."""

    def tell(uow: UnitOfWork, session: ChargingSession, order: AbnormalOrder, driver: Driver) -> None:
        resolution = order.resolution
        if resolution is None:
            return
        moved = resolution.moved
        _queue(
            uow,
            session,
            order,
            driver,
            "order_resolved",
            {
                "operator_name": identity.get_organization(ctx, order.operator_id).name,
                "energy_kwh": f"{resolution.energy_wh / 1000:.3f}",
                "cost": str(resolution.cost),
                "deducted": str(moved) if moved.amount > 0 else "",
                "refunded": str(-moved) if moved.amount < 0 else "",
                "uncollected": str(resolution.uncollected) if resolution.uncollected.amount else "",
                "reason": resolution.reason,
            },
        )

    _tell_driver(ctx, event.subject, tell)


@jobs.schedule(Cron("50", "*", "*", "*", "?", "*"), name="close-orders")
@task.entry
def close_orders(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Closes the orders that were resolved two weeks ago and of which the driver has said nothing. One order's trouble
    does not stop the others. What nobody has resolved stays open."""
    closed = failed = 0
    for entry in islice(order_lookup.overdue_orders(ctx, ctx.now()), MOST_CLOSED):
        try:
            closed += decide_and_commit(ctx, partial(_close, session_id=entry.session_id))
        except Exception:
            failed += 1
            logger.exception("order not closed", extra={"session_id": entry.session_id})
    if failed:
        raise RuntimeError(f"{failed} orders not closed")
    return {"closed": closed}


def _close(uow: UnitOfWork, *, session_id: str) -> bool:
    session = lookup.require_session(uow.ctx, session_id)
    return reviewing.close_overdue(uow, order_lookup.require_order(uow.ctx, session))


def _tell_driver(ctx: Context, session_id: str, tell: _Tell) -> None:
    """Nobody is told of an order of nobody, or of a driver who is gone."""
    session = lookup.require_session(ctx, session_id)
    order = order_lookup.require_order(ctx, session)
    driver = drivers.get_driver(ctx, order.driver_id) if order.driver_id else None
    if driver is not None and driver.email:
        decide_and_commit(ctx, lambda uow: tell(uow, session, order, driver))


def _queue(
    uow: UnitOfWork, session: ChargingSession, order: AbnormalOrder, driver: Driver, template: str, data: dict[str, str]
) -> None:
    operator = identity.get_organization(uow.ctx, order.operator_id)
    notifications.queue_mail(
        uow,
        dedupe_key=f"{template}:{session.session_id}",
        to=driver.email,
        template=template,
        language=driver.language,
        sender=identity.mail_sender(uow.ctx, operator),
        data={"full_name": driver.full_name, "order_no": order.order_no, "charger": order.charger_id} | data,
    )
