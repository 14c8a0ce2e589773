"""Which business days of an operator have a run: what is settled, and what can still be agreed upon."""

from __future__ import annotations

from datetime import date

from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.settlement.model import first_open_day
from chalicelib.settlement.store.common import operator_pk
from chalicelib.settlement.store.runs import RUNS, RunRow


def newest_day(ctx: Context, operator_id: str) -> date | None:
    """The business day of the operator's newest run."""
    page = RUNS.query(
        ctx,
        operator_pk(operator_id),
        RunRow.sk.startswith("run#"),
        newest_first=True,
        limit=1,
        consistent=True,
    )
    return date.fromisoformat(page.data[0].business_day) if page.data else None


def first_day_without_run(ctx: Context, operator: Organization) -> str:
    """YYYY-MM-DD. Runs are opened day after day, so none after it has one either."""
    newest = newest_day(ctx, operator.organization_id)
    return first_open_day(operator.created_at, newest, operator.time_zone).isoformat()
