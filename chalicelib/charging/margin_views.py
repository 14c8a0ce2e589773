"""CDRs as those see them who may see prices: with what the energy cost, and what is left. Nobody else does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from chalicelib.charging import views
from chalicelib.charging.model import Cdr
from chalicelib.charging.model.margins import margin
from chalicelib.charging.service.costing import energy_costs_of
from chalicelib.charging.views import CdrView
from chalicelib.kernel.http import Request
from chalicelib.kernel.money import Money


class OperatorCdrView(CdrView):
    """`energy_cost` contains its tax; `margin` is what was captured less the energy cost, both without tax. Both are
    null where nobody said what energy costs there, until some moments after the charge, and for those who may not see
    prices (`tariffs:read`)."""

    energy_cost: Money | None
    margin: Money | None


def cdr_viewer(req: Request, cdrs: Iterable[Cdr]) -> Callable[[Cdr], OperatorCdrView]:
    """Shows these CDRs: the energy costs of all of them are one read."""
    costs = energy_costs_of(req.ctx, cdrs) if req.actor.may("tariffs:read") else {}

    def view(cdr: Cdr) -> OperatorCdrView:
        cost = costs.get(cdr.cdr_id)
        shown = None if cost is None else -cost.cost if cdr.is_credit else cost.cost
        return OperatorCdrView(
            **msgspec.structs.asdict(views.cdr_view(cdr)), energy_cost=shown, margin=margin(cdr, cost)
        )

    return view
