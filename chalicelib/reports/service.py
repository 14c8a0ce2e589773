"""Reads the figures of days: of what is settled from the statements, of everything else from the CDRs themselves.

Where figures of all places are asked for, a settled day costs a small row and only days that are not settled are
streamed; where a place is named, every day is. Both are bounded, and what is beyond is refused, never left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.charging import lookup as charging
from chalicelib.charging.model import CdrTotals
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid
from chalicelib.ledger.model import business_day
from chalicelib.reports.model import ByCurrency, Figures, Place, TopUps, days_between
from chalicelib.settlement import service as settlement
from chalicelib.settlement.model import Line, Sums, sum_cdrs
from chalicelib.wallets import service as wallets

MAX_CDRS = 50_000
"""Streamed for one request: 400 bytes each, some 20 pages of the index, about three seconds."""
MAX_TOPUPS = 5_000
_PAGE = 1_000


def figures_of_days(
    ctx: Context, operator: Organization, first: date, last: date, place: Place, *, most: int = MAX_CDRS
) -> Iterator[tuple[str, ByCurrency]]:
    """The figures of business days, both included, in no order; a day may come twice. Raises stats.too_many (422)
    beyond `most` CDRs that must be read one by one."""
    streamed = days_between(first, last)
    if place.is_everywhere:
        settled: set[str] = set()
        for run in settlement.runs_between(ctx, operator.organization_id, streamed[0], streamed[-1]):
            if run.state != "posted":
                continue
            settled.add(run.business_day)
            yield run.business_day, {line.currency: _figures(line) for line in run.lines}
        streamed = [day for day in streamed if day not in settled]
    today = business_day(ctx.now(), operator.time_zone)
    opened = business_day(operator.created_at, operator.time_zone)
    cdrs = _Stream(place, most)
    for day in streamed:
        # A day ahead of ours is that of an operator that moved to a zone further west.
        if _shifted(opened, -1) <= day <= _shifted(today, 1):
            sums = sum_cdrs(cdrs.wanted(charging.cdr_totals_of_day(ctx, operator.organization_id, day)))
            yield day, {currency: _figures(of_currency) for currency, of_currency in sums.items()}


class _Stream:
    """CDRs at a place, and how many were looked at for them."""

    def __init__(self, place: Place, most: int) -> None:
        self._place = place
        self._most = most
        self._looked_at = 0

    def wanted(self, cdrs: Iterable[CdrTotals]) -> Iterator[CdrTotals]:
        for cdr in cdrs:
            self._looked_at += 1
            if self._looked_at > self._most:
                detail = f"More than {self._most} sessions would have to be counted one by one: ask for fewer days."
                raise invalid("stats.too_many", detail, "/date_from")
            if self._place.has(cdr.location_id, cdr.charger_id):
                yield cdr


def topups_of_days(
    ctx: Context, operator: Organization, first: date, last: date, *, most: int = MAX_TOPUPS
) -> dict[str, dict[str, TopUps]] | None:
    """What came into wallets by the operator's packages and by its people's hands, by business day and currency. None
    where these are more than `most`: half a sum is none."""
    span = (_begin_of(first, operator), _begin_of(last + timedelta(days=1), operator))
    found: dict[str, dict[str, TopUps]] = {}
    looked_at = 0
    cursor: str | None = None
    while True:
        page = wallets.list_topup_records(ctx, operator.organization_id, span=span, limit=_PAGE, cursor=cursor)
        looked_at += len(page.data)
        if looked_at > most:
            return None
        for record in page.data:
            day = business_day(record.occurred_at, operator.time_zone)
            sums = found.setdefault(day, {}).setdefault(record.amount.currency, TopUps())
            sums.count += 1
            sums.amount += record.amount.amount
            sums.bonus += record.bonus.amount if record.bonus else 0
        cursor = page.next_cursor
        if cursor is None:
            return found


def _figures(part: Line | Sums) -> Figures:
    figures = Figures()
    figures.add(part)
    return figures


def _begin_of(day: date, operator: Organization) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZoneInfo(operator.time_zone))


def _shifted(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()
