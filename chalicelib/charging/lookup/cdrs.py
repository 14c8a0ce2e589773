"""What remains of a delivery: CDRs by session, day and enterprise; the stops that billed nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from chalicelib.charging.model import (
    Cdr,
    CdrTotals,
    OrphanStop,
)
from chalicelib.charging.model.billing import place_of, valid_cdr
from chalicelib.charging.store import operator_pk, session_pk
from chalicelib.charging.store.cdrs import CDR_SK, CDR_TOTALS, CDRS, CdrRow, enterprise_month
from chalicelib.charging.store.transactions import (
    ORPHAN_STOPS,
    OrphanStopRow,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.pages import Page, cursor_invalid, decode_cursor, encode_cursor, page_of


def list_orphan_stops(
    ctx: Context,
    operator_id: str,
    *,
    keep: Callable[[OrphanStop], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[OrphanStop]:
    """The stops at an operator's chargers that billed nothing, the latest first."""
    steps = ORPHAN_STOPS.walk(
        ctx, operator_pk(operator_id), OrphanStopRow.sk.startswith("orphan_stop#"), newest_first=True, cursor=cursor
    )
    return page_of(steps, limit, keep)


def find_cdr(ctx: Context, session_id: str) -> Cdr | None:
    """The one that is valid: which no credit CDR has taken back."""
    return valid_cdr(list_cdrs_of_session(ctx, session_id))


def list_cdrs_of_session(ctx: Context, session_id: str) -> list[Cdr]:
    """All CDRs of a session in the order in which they were made, those taken back and those that did it included."""
    page = CDRS.query(ctx, session_pk(session_id), CdrRow.sk.startswith(CDR_SK), consistent=True)
    return sorted(page.data, key=lambda cdr: place_of(cdr.cdr_id))


def list_cdrs(
    ctx: Context,
    operator_id: str,
    days: Sequence[str],
    *,
    keep: Callable[[Cdr], bool] = lambda cdr: True,
    limit: int,
    cursor: str | None,
) -> Page[Cdr]:
    """The operator's CDRs of business days, in the order of the days and oldest first. A page is shorter by those that
    `keep` leaves out. Raises cursor.invalid."""
    place = 0
    if cursor is not None:
        place, cursor = _goes_on(days, cursor)
    found: list[Cdr] = []
    for day in days[place:]:
        keys = CDR_TOTALS.query(
            ctx, f"{operator_id}#{day}", index=CdrRow.by_day, limit=limit - len(found), cursor=cursor
        )
        found += CDRS.batch_get(ctx, [CDR_TOTALS.key_of(key) for key in keys.data])
        place, cursor = place + 1, None
        if keys.next_cursor is not None:
            return Page([cdr for cdr in found if keep(cdr)], keys.next_cursor)
        if len(found) >= limit:
            break
    on = encode_cursor({_DAY: {"S": days[place]}}) if place < len(days) else None
    return Page([cdr for cdr in found if keep(cdr)], on)


_DAY = "business_day"


def _goes_on(days: Sequence[str], cursor: str) -> tuple[int, str | None]:
    """The place of the day with which a list goes on, and where in it: None at its begin. The store refuses a place
    that is none of that day's."""
    key = decode_cursor(cursor)
    day = key.get(_DAY, {}).get("S")
    if day is not None:
        if day not in days:
            raise cursor_invalid()
        return days.index(day), None
    day = key.get("operator_day", {}).get("S", "").rpartition("#")[2]
    return (days.index(day) if day in days else 0), cursor


def cdr_totals_of_day(ctx: Context, operator_id: str, day: str) -> Iterator[CdrTotals]:
    """What settlement sums: streamed from the index in bounded memory."""
    return CDR_TOTALS.query_all(ctx, f"{operator_id}#{day}", index=CdrRow.by_day)


def cdrs_of_enterprise(ctx: Context, enterprise_id: str, month: str) -> Iterator[Cdr]:
    """What an enterprise took on the business days of a month (YYYY-MM), oldest first. From an index: eventually
    consistent, so a month is summed after it is over."""
    steps = CDRS.walk(ctx, enterprise_month(enterprise_id, month), index=CdrRow.by_enterprise)
    return (cdr for cdr, _ in steps)
