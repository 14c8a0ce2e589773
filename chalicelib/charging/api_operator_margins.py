"""Margins: what was paid for charging, less what its energy cost, both without tax."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from chalicelib.chargers.scope import listed_places
from chalicelib.charging.model.margins import MarginGroup, MarginSum
from chalicelib.charging.service import costing
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.http import Api, Request, Shape
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import FirstDay, LastDay

api = Api("tariffs", "operator")

MAX_DAYS: Final = 31


class MarginsQuery(Shape):
    """Business days of the operator, both included: 31 at most. `operator_id` is for the platform."""

    date_from: FirstDay
    date_to: LastDay
    group_by: MarginGroup = "day"
    operator_id: str | None = None


class MarginView(Shape):
    """`key`: the day, or the id of the location, of the group of chargers, or of the charger; null for what has none.
    `revenue` is what was paid, without tax; `energy_cost` without tax, too. `sessions_without_cost`: sessions of which
    nobody said what their energy cost, or in another currency: the margin is too good by that."""

    key: str | None
    sessions: int
    energy_wh: int
    revenue: Money
    energy_cost: Money
    margin: Money
    sessions_without_cost: int


class MarginsView(Shape):
    """`data` in the order of its keys, each once per currency; `totals` has one line per currency."""

    group_by: MarginGroup
    data: list[MarginView]
    totals: list[MarginView]


@api.get("/v1/margins", "tariffs:read")
def get_margins(req: Request, query: MarginsQuery) -> MarginsView:
    """What charging brought beyond what its energy cost, by day, location, group of chargers or charger.

    Corrections count on the day on which they were made.
    """
    span = (query.date_to - query.date_from).days
    if not 0 <= span < MAX_DAYS:
        raise invalid("margins.span", f"Ask for 1 to {MAX_DAYS} days.", "/date_to")
    places = listed_places(req, query.operator_id)
    days = [(query.date_from + timedelta(days=number)).isoformat() for number in range(span + 1)]
    sums = costing.sum_margins(req.ctx, places.operator_id, days, group_by=query.group_by, is_seen=places.has)
    ordered = sorted(sums.items(), key=lambda item: (item[0][0] is None, item[0][0] or "", item[0][1]))
    totals: dict[str, MarginSum] = {}
    for (_, currency), found in ordered:
        total = totals.setdefault(currency, MarginSum())
        total.include(found)
    return MarginsView(
        group_by=query.group_by,
        data=[_view(key, currency, found) for (key, currency), found in ordered],
        totals=[_view(None, currency, found) for currency, found in sorted(totals.items())],
    )


def _view(key: str | None, currency: str, found: MarginSum) -> MarginView:
    return MarginView(
        key=key,
        sessions=found.sessions,
        energy_wh=found.energy_wh,
        revenue=Money(found.revenue, currency),
        energy_cost=Money(found.energy_cost, currency),
        margin=Money(found.revenue - found.energy_cost, currency),
        sessions_without_cost=found.without_cost,
    )
