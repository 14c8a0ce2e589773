"""Use cases of settlement runs: open one for a closed day, start its workflow again, find what settled days got late.

A run that is not posted has a mark (`PendingRun`) with its workflow's attempt: what died on the way is started again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, not_found
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.settlement.model import (
    RESTARTED_AFTER,
    RUN_LIFECYCLE,
    PendingRun,
    Run,
    RunState,
    added,
    disagreement,
    rest_of,
)
from chalicelib.settlement.service.statements import booked_of, whole_statement
from chalicelib.settlement.store.common import of_organization, operator_pk
from chalicelib.settlement.store.runs import (
    PENDING_PK,
    PENDING_RUNS,
    RUNS,
    PendingRunRow,
    RunRow,
    pending_sk,
    run_sk,
)

_LOOKED_BACK = (1, 2, 3)
"""Days: no zone is further from another than two."""


def find_run(ctx: Context, operator_id: str, business_day: str, number: int = 1) -> Run | None:
    return RUNS.get(ctx, operator_pk(operator_id), run_sk(business_day, number))


def require_run(ctx: Context, operator_id: str, business_day: str, number: int = 1) -> Run:
    run = find_run(ctx, operator_id, business_day, number)
    if run is None:
        raise not_found("settlement", f"{operator_id}.{business_day}")
    return run


def list_runs(
    ctx: Context,
    operator_id: str | None,
    *,
    first_day: str | None = None,
    last_day: str | None = None,
    state: RunState | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Run]:
    """Newest day first; of a day its supplements before its first run. Days YYYY-MM-DD, both included. Without an
    operator, those of all that are not posted, by operator and day."""
    first, last = run_sk(first_day or ""), f"{run_sk(last_day or '')}~"
    if first > last:
        return Page([])
    if operator_id is None:
        pending = PENDING_RUNS.walk(ctx, PENDING_PK, cursor=cursor)
        found = follow(
            ctx, pending, RUNS, lambda run: (operator_pk(run.operator_id), run_sk(run.business_day, run.number))
        )
        days = first_day or "", f"{last_day or ''}~"
        return page_of(found, limit, lambda run: state in (None, run.state) and days[0] <= run.business_day < days[1])
    steps = RUNS.walk(ctx, operator_pk(operator_id), RunRow.sk.between(first, last), newest_first=True, cursor=cursor)
    return page_of(steps, limit, lambda run: state in (None, run.state))


def runs_between(ctx: Context, operator_id: str, first_day: str, last_day: str) -> Iterator[Run]:
    """The runs of these days, both included, oldest first."""
    within = RunRow.sk.between(run_sk(first_day), f"{run_sk(last_day)}~")
    return RUNS.query_all(ctx, operator_pk(operator_id), within)


def runs_of_day(ctx: Context, operator_id: str, business_day: str) -> list[Run]:
    """The first run of a day and its supplements, in their order. Strongly consistent."""
    of_day = RunRow.sk.startswith(run_sk(business_day))
    return list(RUNS.query_all(ctx, operator_pk(operator_id), of_day, consistent=True))


def open_run(uow: UnitOfWork, operator_id: str, day: date, number: int = 1) -> bool:
    """Opens the day's run (from 2 on a supplement) unless it is there. The event starts its workflow."""
    if find_run(uow.ctx, operator_id, day.isoformat(), number) is not None:
        return False
    now = uow.ctx.now()
    run = Run(operator_id, day.isoformat(), RUN_LIFECYCLE.initial, now, number=number)
    uow.create(RUNS, run)
    pending = PendingRun(operator_id, run.business_day, number, 1, now)
    uow.create(PENDING_RUNS, pending)
    _emit(uow, run, pending)
    return True


def find_pending(ctx: Context, run: Run) -> PendingRun | None:
    return PENDING_RUNS.get(ctx, PENDING_PK, pending_sk(run.operator_id, run.business_day, run.number))


def pending_runs(ctx: Context, operator_id: str = "") -> Iterator[PendingRun]:
    """All runs that are not posted, also disputed ones; of all operators unless one is named."""
    own = PendingRunRow.sk.startswith(of_organization(operator_id, "")) if operator_id else None
    return PENDING_RUNS.query_all(ctx, PENDING_PK, own, consistent=True)


def restart_run(uow: UnitOfWork, pending: PendingRun) -> bool:
    """Starts a workflow again that is taken for dead. A disputed run waits for somebody to look at it."""
    run = find_run(uow.ctx, pending.operator_id, pending.business_day, pending.number)
    known = None if run is None else find_pending(uow.ctx, run)
    if run is None or known != pending or run.state in ("disputed", "posted"):
        return False
    if uow.ctx.now() < pending.started_at + RESTARTED_AFTER:
        return False
    _start_again(uow, run, pending)
    return True


def recompute_run(uow: UnitOfWork, run: Run) -> Run:
    """The way back of a disputed run, after what was wrong is put right: it is computed and compared anew.

    Raises settlement_run.not_disputed (409).
    """
    pending = find_pending(uow.ctx, run)
    if run.state != "disputed" or pending is None:
        raise conflict("settlement_run.not_disputed", f"This run is {run.state}; only a disputed one is computed anew.")
    _start_again(uow, run, pending)
    return run


def changed_after_posting(ctx: Context, operator_id: str, business_day: str) -> Iterator[tuple[str, int, str]]:
    """The days right before this one that were posted and have got money since: `(business day, number of the
    supplement that takes it up, difference)`.

    An operator that moves to a zone further west lives a day again; a charge that began in the zone before may end on
    a day that is settled in the one after. CDRs tell in which currencies; the ledger, what nobody has a CDR for."""
    day = date.fromisoformat(business_day)
    for back in _LOOKED_BACK:
        earlier = (day - timedelta(days=back)).isoformat()
        runs = runs_of_day(ctx, operator_id, earlier)
        if not runs or any(run.state != "posted" for run in runs):
            continue
        settled = added(line for run in runs for line in run.lines)
        whole = whole_statement(ctx, operator_id, earlier)
        rest = rest_of(whole, settled)
        booked = booked_of(ctx, operator_id, earlier, {line.currency for line in (*settled, *whole)})
        difference = disagreement(settled, booked)
        if rest or difference is not None:
            yield earlier, len(runs) + 1, difference or "CDRs without money"


def _start_again(uow: UnitOfWork, run: Run, pending: PendingRun) -> None:
    again = replace(pending, attempt=pending.attempt + 1, started_at=uow.ctx.now())
    uow.put(
        PENDING_RUNS,
        again,
        condition=PendingRunRow.attempt == pending.attempt,
        on_conflict=StaleRead("The settlement run"),
    )
    _emit(uow, run, again)


def _emit(uow: UnitOfWork, run: Run, pending: PendingRun) -> None:
    payload = {
        "operator_id": run.operator_id,
        "business_day": run.business_day,
        "number": run.number,
        "attempt": pending.attempt,
    }
    outbox.emit(uow, "settlement_run.opened", run.settlement_id, payload)
