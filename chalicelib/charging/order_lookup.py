"""Reads of abnormal orders that their use cases and endpoints share. No decision is taken here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice

from chalicelib.charging import lookup
from chalicelib.charging.model import BareReading, ChargingSession, MeterReading, OrphanStop
from chalicelib.charging.model.orders import AbnormalOrder, OrderEntry, OrderFilter
from chalicelib.charging.store import driver_pk, operator_pk
from chalicelib.charging.store.orders import (
    ABNORMAL_ORDERS,
    ORDER_ENTRIES,
    ORDER_SK,
    OVERDUE_PK,
    OVERDUE_SK,
    STATEMENT_DUE_SK,
    AbnormalOrderRow,
    OrderEntryRow,
    order_key,
    overdue_sk,
)
from chalicelib.charging.store.transactions import (
    BARE_READINGS,
    METER_READINGS,
    ORPHAN_STOPS,
    MeterReadingRow,
    OrphanStopRow,
)
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.spans import Span, id_span
from chalicelib.kernel.table import first

MOST_ORPHANS = 20
MOST_READINGS = 10_000
"""A day of events, one in ten seconds."""


def find_order(ctx: Context, session: ChargingSession) -> AbnormalOrder | None:
    return ABNORMAL_ORDERS.get(ctx, *order_key(session.operator_id, session.session_id))


def require_order(ctx: Context, session: ChargingSession) -> AbnormalOrder:
    """Raises abnormal_order.not_found: the session is as it should be, or not over yet."""
    order = find_order(ctx, session)
    if order is None:
        raise not_found("abnormal_order", session.session_id)
    return order


def list_orders(
    ctx: Context,
    operator_id: str,
    wanted: OrderFilter,
    *,
    span: Span = (None, None),
    keep: Callable[[AbnormalOrder], bool] = lambda order: True,
    limit: int,
    cursor: str | None,
) -> Page[AbnormalOrder]:
    """An operator's abnormal orders, the newest request first; `span` is of the request, by our clock."""
    ids = id_span("ses", span)
    if ids is None:
        return Page([])
    steps = ABNORMAL_ORDERS.walk(
        ctx,
        operator_pk(operator_id),
        AbnormalOrderRow.sk.between(ORDER_SK + ids[0], ORDER_SK + ids[1]),
        newest_first=True,
        cursor=cursor,
    )
    return page_of(steps, limit, lambda order: wanted.matches(order) and keep(order))


def list_orders_of_driver(
    ctx: Context, driver_id: str, wanted: OrderFilter, *, limit: int, cursor: str | None
) -> Page[AbnormalOrder]:
    """A driver's abnormal orders, at whatever operator's chargers, newest first."""
    entries = ORDER_ENTRIES.walk(
        ctx, driver_pk(driver_id), OrderEntryRow.sk.startswith(ORDER_SK), newest_first=True, cursor=cursor
    )
    found = follow(ctx, entries, ABNORMAL_ORDERS, lambda entry: order_key(entry.operator_id, entry.session_id))
    return page_of(found, limit, wanted.matches)


def find_statement_due(ctx: Context, driver_id: str) -> OrderEntry | None:
    """The oldest of a driver's orders that waits for what he or she has to say. Half a read unit."""
    page = ORDER_ENTRIES.query(ctx, driver_pk(driver_id), OrderEntryRow.sk.startswith(STATEMENT_DUE_SK), limit=1)
    return first(page.data)


def overdue_orders(ctx: Context, now: datetime) -> Iterator[OrderEntry]:
    """Those that were resolved and have waited for their driver long enough, oldest first."""
    until = OrderEntryRow.sk.between(OVERDUE_SK, overdue_sk(now))
    return ORDER_ENTRIES.query_all(ctx, OVERDUE_PK, until)


def orphans_of(ctx: Context, session: ChargingSession) -> list[OrphanStop]:
    """Stops that billed nothing and may be this session's: of its transaction, or of an unknown one at its charger
    since it was asked for. Latest first."""
    steps = ORPHAN_STOPS.walk(
        ctx,
        operator_pk(session.operator_id),
        OrphanStopRow.sk.between(
            f"orphan_stop#{to_rfc3339(session.started_at or session.created_at)}", "orphan_stop#~"
        ),
        newest_first=True,
    )
    return page_of(steps, MOST_ORPHANS, lambda stop: _may_be_of(stop, session)).data


def bare_readings_of(ctx: Context, session: ChargingSession) -> Iterator[BareReading]:
    """A session's readings in the order of the charger's time, without their samples; the first MOST_READINGS."""
    owner = lookup.readings_owner(session)
    return islice(BARE_READINGS.query_all(ctx, owner, MeterReadingRow.sk.startswith("meter#")), MOST_READINGS)


def edge_readings(ctx: Context, session: ChargingSession) -> list[MeterReading]:
    """The first and the last reading of a session, by the charger's time."""
    owner, within = lookup.readings_owner(session), MeterReadingRow.sk.startswith("meter#")
    oldest = METER_READINGS.query(ctx, owner, within, limit=1).data
    newest = METER_READINGS.query(ctx, owner, within, limit=1, newest_first=True).data
    return oldest if oldest == newest else [*oldest, *newest]


def _may_be_of(stop: OrphanStop, session: ChargingSession) -> bool:
    if stop.session_id is not None:
        return stop.session_id == session.session_id
    return stop.charger_id.upper() == session.charger_id.upper()
