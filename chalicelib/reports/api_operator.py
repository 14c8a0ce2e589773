"""Figures of an operator's business over time: sessions, energy, revenue, top-ups; at all places or at some.

Who works at some places only (an agency, a user who is narrowed to regions) is shown the figures of these.
"""

from __future__ import annotations

from datetime import date, timedelta

from chalicelib.chargers import service as chargers
from chalicelib.chargers.scope import listed_places, owned_charger, owned_group, owned_location
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import Api, Request, Shape
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import FirstDay, LastDay
from chalicelib.ledger.model import business_day
from chalicelib.reports import service
from chalicelib.reports.model import (
    MAX_DAYS,
    MAX_STREAMED_DAYS,
    Figures,
    Place,
    Step,
    TopUps,
    by_period,
    check_days,
    period_of,
    periods_between,
)
from chalicelib.settlement.api_operator.days import day_of

api = Api("reports", "operator")

TopUpsByDay = dict[str, dict[str, TopUps]]


class StatsQuery(Shape):
    """Business days of the operator, both included: at most 92 where a place is named or the asker works at some places
    only, else ten years. `operator_id` is for those above the operators; `charger_group_id`: the chargers that are in
    the group now, or below it."""

    operator_id: str | None = None
    date_from: FirstDay | None = None
    date_to: LastDay | None = None
    location_id: str | None = None
    charger_id: str | None = None
    charger_group_id: str | None = None


class TimeseriesQuery(StatsQuery):
    by: Step = "day"


class TopUpsView(Shape):
    """`amount` was paid for wallets through the operator: by its packages, or at its counter (less what was taken back
    there); `bonus` was given besides."""

    count: int
    amount: Money
    bonus: Money


class FiguresView(Shape):
    """Of one currency. `gross` is what was paid for charging, with `tax` in it (`without_tax` = `gross` - `tax`), by
    `wallets`, `cards` and on the invoices of enterprises (`invoiced`); `uncollected` nobody could pay. `corrections` is
    what refunds and other corrections changed of `gross`, on the day on which they were made. `topups` is null for
    figures of some places, and where there are more than 5,000."""

    currency: str
    sessions: int
    energy_wh: int
    gross: Money
    tax: Money
    without_tax: Money
    wallets: Money
    cards: Money
    invoiced: Money
    uncollected: Money
    corrections: Money
    topups: TopUpsView | None


class StatsSummaryView(Shape):
    """`totals`: one line per currency, that of the operator always among them."""

    date_from: str
    date_to: str
    totals: list[FiguresView]


class PeriodView(Shape):
    """`period`: a day (YYYY-MM-DD), a week (YYYY-Www, from Monday) or a month (YYYY-MM); `totals` is empty where
    nothing happened."""

    period: str
    totals: list[FiguresView]


class StatsTimeseriesView(Shape):
    """All stretches of the span, oldest first. The first and the last count what is within the span."""

    date_from: str
    date_to: str
    by: Step
    periods: list[PeriodView]


@api.get("/v1/stats/summary", permission="settlements:read")
def get_stats_summary(req: Request, query: StatsQuery) -> StatsSummaryView:
    """What was charged, earned and topped up in a span of days; without dates, in the current month.

    Of all places, a settled day is one small row to read, and the sessions of other days are counted one by one; of
    some places, those of every day are: 50,000 at most (422 stats.too_many), some three seconds.
    """
    operator, place = _asked(req, query)
    first, last = _span(req, operator, query, place, days_before=None)
    figures = by_period(service.figures_of_days(req.ctx, operator, first, last, place), "month")
    totals: dict[str, Figures] = {operator.currency: Figures()}
    for found in figures.values():
        for currency, part in found.items():
            totals.setdefault(currency, Figures()).add(part)
    topups = _topups(req, operator, first, last, place)
    all_topups = None if topups is None else _in_all(topups)
    return StatsSummaryView(
        date_from=first.isoformat(),
        date_to=last.isoformat(),
        totals=_views(totals, all_topups),
    )


@api.get("/v1/stats/timeseries", permission="settlements:read")
def get_stats_timeseries(req: Request, query: TimeseriesQuery) -> StatsTimeseriesView:
    """The same by day, week or month of the operator's calendar: without dates, of the last 31 days, 12 weeks or 12
    months. At most 400 stretches; it costs what the summary costs."""
    operator, place = _asked(req, query)
    first, last = _span(req, operator, query, place, days_before={"day": 30, "week": 83, "month": 364}[query.by])
    periods = periods_between(first, last, query.by)
    figures = by_period(service.figures_of_days(req.ctx, operator, first, last, place), query.by)
    topups = _topups(req, operator, first, last, place)
    views = []
    for period in periods:
        of_period = None
        if topups is not None:
            of_period = _in_all({day: found for day, found in topups.items() if period_of(day, query.by) == period})
        views.append(PeriodView(period=period, totals=_views(figures.get(period, {}), of_period)))
    return StatsTimeseriesView(
        date_from=first.isoformat(),
        date_to=last.isoformat(),
        by=query.by,
        periods=views,
    )


def _asked(req: Request, query: StatsQuery) -> tuple[Organization, Place]:
    """Whose figures, and of where. Raises operator_id.missing (422), and not_found for what is not the asker's."""
    places = listed_places(req, query.operator_id)
    operator = identity.get_organization(req.ctx, places.operator_id)
    if operator.kind != "operator":
        raise invalid("operator_id.missing", "Say which operator: operator_id.", "/operator_id")
    location_ids, charger_ids = places.location_ids, None
    if query.location_id is not None:
        location = owned_location(req, query.location_id)
        if location.operator_id != operator.organization_id:
            raise not_found("location", query.location_id)
        location_ids = frozenset({location.location_id})
    if query.charger_id is not None:
        charger = owned_charger(req, query.charger_id)
        if charger.operator_id != operator.organization_id:
            raise not_found("charger", query.charger_id)
        charger_ids = frozenset({charger.charger_id})
    if query.charger_group_id is not None:
        group = owned_group(req, query.charger_group_id)
        if group.operator_id != operator.organization_id:
            raise not_found("charger_group", query.charger_group_id)
        of_group = chargers.charger_ids_within(req.ctx, group)
        charger_ids = of_group if charger_ids is None else charger_ids & of_group
    return operator, Place(location_ids, charger_ids)


def _span(
    req: Request, operator: Organization, query: StatsQuery, place: Place, *, days_before: int | None
) -> tuple[date, date]:
    """The days asked for; without a first one, so many before the last, or (None) those of its month. Raises
    day.distant, stats.span (422)."""
    for day, pointer in ((query.date_from, "/date_from"), (query.date_to, "/date_to")):
        if day is not None:
            day_of(day, pointer)
    most = MAX_DAYS if place.is_everywhere else MAX_STREAMED_DAYS
    last = query.date_to or date.fromisoformat(business_day(req.ctx.now(), operator.time_zone))
    usual = last.replace(day=1) if days_before is None else last - timedelta(days=min(days_before, most - 1))
    first = query.date_from or usual
    check_days(first, last, most)
    return first, last


def _topups(req: Request, operator: Organization, first: date, last: date, place: Place) -> TopUpsByDay | None:
    """Wallets are topped up nowhere in particular."""
    return service.topups_of_days(req.ctx, operator, first, last) if place.is_everywhere else None


def _in_all(topups: TopUpsByDay) -> dict[str, TopUps]:
    sums: dict[str, TopUps] = {}
    for of_day in topups.values():
        for currency, part in of_day.items():
            sums.setdefault(currency, TopUps()).add(part)
    return sums


def _views(figures: dict[str, Figures], topups: dict[str, TopUps] | None) -> list[FiguresView]:
    currencies = sorted(figures.keys() | (topups or {}).keys())
    return [
        _view(
            currency,
            figures.get(currency) or Figures(),
            None if topups is None else topups.get(currency) or TopUps(),
        )
        for currency in currencies
    ]


def _view(currency: str, found: Figures, topups: TopUps | None) -> FiguresView:
    def money(amount: int) -> Money:
        return Money(amount, currency)

    came_in = None
    if topups is not None:
        came_in = TopUpsView(count=topups.count, amount=money(topups.amount), bonus=money(topups.bonus))
    return FiguresView(
        currency=currency,
        sessions=found.sessions,
        energy_wh=found.energy_wh,
        gross=money(found.gross),
        tax=money(found.tax),
        without_tax=money(found.gross - found.tax),
        wallets=money(found.wallets),
        cards=money(found.cards),
        invoiced=money(found.invoiced),
        uncollected=money(found.uncollected),
        corrections=money(found.corrections),
        topups=came_in,
    )
