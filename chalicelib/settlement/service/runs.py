"""Use cases of settlement: open a run, compute the statement, post it if the ledger agrees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from chalicelib.charging import lookup as charging
from chalicelib.identity import service as identity
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, not_found
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import (
    Entry,
    Posting,
    account_class,
    cash_account,
    income_account,
    payable_account,
    receivable_account,
)
from chalicelib.notifications import service as notifications
from chalicelib.settlement.model import RUN_LIFECYCLE, Booked, Line, Run, disagreement, sum_cdrs, with_cash
from chalicelib.settlement.store import RUNS, RunRow, operator_pk, run_sk

_LOOKED_BACK = (1, 2, 3)
"""Days: no zone is further from another than two."""


def find_run(ctx: Context, operator_id: str, business_day: str) -> Run | None:
    return RUNS.get(ctx, operator_pk(operator_id), run_sk(business_day))


def list_runs(ctx: Context, operator_id: str, *, limit: int, cursor: str | None) -> Page[Run]:
    """Newest day first."""
    return RUNS.query(
        ctx, operator_pk(operator_id), RunRow.sk.startswith("run#"), newest_first=True, limit=limit, cursor=cursor
    )


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


def open_run(uow: UnitOfWork, operator_id: str, day: date) -> bool:
    """Opens the day's run unless it is there. The event starts its workflow."""
    if find_run(uow.ctx, operator_id, day.isoformat()) is not None:
        return False
    run = Run(operator_id, day.isoformat(), RUN_LIFECYCLE.initial, uow.ctx.now())
    uow.create(RUNS, run)
    outbox.emit(
        uow, "settlement_run.opened", run.settlement_id, {"operator_id": operator_id, "business_day": run.business_day}
    )
    return True


def compute_statement(uow: UnitOfWork, operator_id: str, business_day: str) -> Run:
    """Sums the day's CDRs, streaming, and the cash that the operator took. A posted run stays as it is."""
    run = _require(uow.ctx, operator_id, business_day)
    if run.state == "posted":
        return run
    lines = sum_cdrs(charging.cdr_totals_of_day(uow.ctx, operator_id, business_day))
    computed = replace(
        run,
        state=RUN_LIFECYCLE.next(run.state, "computed"),
        lines=with_cash(lines, _cash_taken(uow.ctx, replace(run, lines=lines))),
        computed_at=uow.ctx.now(),
        difference=None,
    )
    _save(uow, run, computed)
    return computed


def post_statement(uow: UnitOfWork, operator_id: str, business_day: str) -> Run:
    """Moves the day's income and cash to what the operator is owed, if statement and ledger agree; else the run is
    disputed and nothing moves. A run is posted once: state, entries and mail land in one commit."""
    run = _require(uow.ctx, operator_id, business_day)
    if run.state in {"posted", "disputed"}:
        return run
    difference = disagreement(run.lines, _booked(uow.ctx, run))
    if difference is not None:
        disputed = replace(run, state=RUN_LIFECYCLE.next(run.state, "disagreed"), difference=difference)
        _save(uow, run, disputed)
        return disputed
    posted = replace(run, state=RUN_LIFECYCLE.next(run.state, "posted"), posted_at=uow.ctx.now())
    _save(uow, run, posted)
    for entry in _entries(run):
        ledger.post(uow, entry)
    _tell_operator(uow, posted)
    return posted


def changed_after_posting(ctx: Context, operator_id: str, business_day: str) -> list[tuple[str, str]]:
    """The days right before this one that were posted and have got money since: `(business day, difference)`.

    An operator that moves to a zone further west lives a day again; a charge that began in the zone before may end on a
    day that is settled in the one after. No run takes that up by itself."""
    day = date.fromisoformat(business_day)
    found = (find_run(ctx, operator_id, (day - timedelta(days=back)).isoformat()) for back in _LOOKED_BACK)
    posted = [run for run in found if run is not None and run.state == "posted"]
    differences = [(run.business_day, disagreement(run.lines, _booked(ctx, run))) for run in posted]
    return [(business_day, difference) for business_day, difference in differences if difference is not None]


def _booked(ctx: Context, run: Run) -> Booked:
    """What the ledger booked for the operator on that day, read from its own entries."""
    income, invoiced = {}, {}
    for currency in _currencies(ctx, run):
        account_id = income_account(run.operator_id, currency)
        total = of_enterprises = 0
        for entry in ledger.entries_of_period(ctx, account_id, run.business_day):
            total += entry.amount_on(account_id)
            if account_class(entry.home_account_id) == "enterprise":
                of_enterprises += entry.amount_on(account_id)
        income[currency], invoiced[currency] = total, of_enterprises
    return Booked(income, invoiced, _cash_taken(ctx, run))


def _cash_taken(ctx: Context, run: Run) -> dict[str, int]:
    """What the operator took in cash for wallets on that day, less what it paid out of them, by currency."""
    accounts = {currency: cash_account(run.operator_id, currency) for currency in _currencies(ctx, run)}
    return {
        currency: -ledger.total_of_period(ctx, account_id, run.business_day).amount
        for currency, account_id in accounts.items()
    }


def _currencies(ctx: Context, run: Run) -> set[str]:
    return {line.currency for line in run.lines} | {identity.get_organization(ctx, run.operator_id).currency}


def _entries(run: Run) -> Iterator[Entry]:
    """What wallets paid is owed to the operator, less the cash that it has of them already; what enterprises owe the
    operator collects itself."""
    for line in run.lines:
        income = income_account(run.operator_id, line.currency)
        payable = payable_account(run.operator_id, line.currency)
        if wallets := line.gross - line.invoiced:
            yield _entry(run, line.currency, (income, wallets), (payable, wallets - line.commission))
        if line.invoiced:
            receivable = receivable_account(run.operator_id, line.currency)
            yield _entry(run, line.currency, (income, line.invoiced), (receivable, line.invoiced), "invoiced")
        if line.cash:
            cash = cash_account(run.operator_id, line.currency)
            yield _entry(run, line.currency, (cash, -line.cash), (payable, -line.cash), "cash")


def _entry(run: Run, currency: str, out_of: tuple[str, int], into: tuple[str, int], *key: str) -> Entry:
    """Stored under the account that it goes into, so that this one's entries are one list."""
    return Entry(
        entry_id=derived_id("ent", run.opened_at, "settlement", run.settlement_id, currency, *key),
        home_account_id=into[0],
        kind="settlement",
        currency=currency,
        postings=[Posting(out_of[0], -out_of[1]), Posting(*into)],
        occurred_at=run.opened_at,
        source_id=run.settlement_id,
    )


def _tell_operator(uow: UnitOfWork, run: Run) -> None:
    operator = identity.get_organization(uow.ctx, run.operator_id)
    if operator.email and any(line.sessions or line.cash for line in run.lines):
        notifications.queue_mail(
            uow,
            dedupe_key=f"statement:{run.settlement_id}",
            to=operator.email,
            template="statement_ready",
            data={"business_day": run.business_day, "lines": _in_words(run.lines)},
        )


def _in_words(lines: list[Line]) -> str:
    return "\n".join(
        f"Sessions: {line.sessions}, {Decimal(line.energy_wh) / 1000} kWh: "
        f"gross {Money(line.gross, line.currency)}, net {Money(line.net, line.currency)}{_apart_in_words(line)}"
        for line in lines
    )


def _apart_in_words(line: Line) -> str:
    """What of the gross is not in the net, and what is taken off it."""
    invoiced = f", on invoices {Money(line.invoiced, line.currency)}" if line.invoiced else ""
    return invoiced + (f", cash {Money(line.cash, line.currency)}" if line.cash else "")


def _require(ctx: Context, operator_id: str, business_day: str) -> Run:
    run = find_run(ctx, operator_id, business_day)
    if run is None:
        raise not_found("settlement", f"{operator_id}.{business_day}")
    return run


def _save(uow: UnitOfWork, before: Run, after: Run) -> None:
    uow.put(RUNS, after, condition=RunRow.state == before.state, on_conflict=StaleRead("The settlement run"))
