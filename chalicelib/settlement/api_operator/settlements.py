"""The operator's endpoints of settlement: the statements of its business days."""

from __future__ import annotations

from datetime import datetime

from chalicelib.identity.scope import OperatorPageQuery, listed_operator, may_see
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money
from chalicelib.settlement import service
from chalicelib.settlement.api_operator.common import api
from chalicelib.settlement.model import Run


class StatementLineView(Shape):
    """Totals of one currency: `gross` was paid from wallets, or is owed by enterprises (`invoiced`, which the operator
    collects itself); `cash` the operator took for wallets, less what it paid out of them. `net` is owed to the
    operator, or, below zero, by it."""

    sessions: int
    energy_wh: int
    gross: Money
    invoiced: Money
    commission: Money
    cash: Money
    net: Money
    uncollected: Money


class SettlementView(Shape):
    """A settlement run with its statement; `difference` says how CDRs and ledger disagree when it is disputed."""

    settlement_id: str
    operator_id: str
    business_day: str
    state: str
    opened_at: datetime
    posted_at: datetime | None
    lines: list[StatementLineView]
    difference: str | None


@api.get("/v1/settlements", permission="settlements:read")
def list_settlements(req: Request, query: OperatorPageQuery) -> PageView[SettlementView]:
    """Settlements, newest business day first."""
    operator_id = query.operator_id if req.actor.is_platform else listed_operator(req, query.operator_id)
    if operator_id is None:
        raise invalid("operator_id.missing", "Say which operator: operator_id.", "/operator_id")
    return page_view(service.list_runs(req.ctx, operator_id, limit=query.limit, cursor=query.cursor), _view)


@api.get("/v1/settlements/{settlement_id}", permission="settlements:read")
def get_settlement(req: Request, settlement_id: str) -> SettlementView:
    """One settlement with its statement."""
    operator_id, _, business_day = settlement_id.rpartition(".")
    run = service.find_run(req.ctx, operator_id, business_day) if operator_id else None
    if run is None or not may_see(req, run.operator_id):
        raise not_found("settlement", settlement_id)
    return _view(run)


def _view(run: Run) -> SettlementView:
    return SettlementView(
        settlement_id=run.settlement_id,
        operator_id=run.operator_id,
        business_day=run.business_day,
        state=run.state,
        opened_at=run.opened_at,
        posted_at=run.posted_at,
        lines=[
            StatementLineView(
                sessions=line.sessions,
                energy_wh=line.energy_wh,
                gross=Money(line.gross, line.currency),
                invoiced=Money(line.invoiced, line.currency),
                commission=Money(line.commission, line.currency),
                cash=Money(line.cash, line.currency),
                net=Money(line.net, line.currency),
                uncollected=Money(line.uncollected, line.currency),
            )
            for line in run.lines
        ],
        difference=run.difference,
    )
