"""The statements of operators' business days, and the way back of one that was disputed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.identity.scope import OperatorPageQuery, check_works_everywhere, listed_operator, may_see
from chalicelib.kernel.errors import forbidden, invalid, not_found
from chalicelib.kernel.http import Answer, PageView, Request, Shape, check_span, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import FirstDay, LastDay
from chalicelib.settlement import service
from chalicelib.settlement.api_operator.common import api, file_answer
from chalicelib.settlement.api_operator.contracts import TermsView, terms_view
from chalicelib.settlement.api_operator.days import day_of
from chalicelib.settlement.enclosing import statement_file
from chalicelib.settlement.model import ContractKind, Deduction, Line, Run, RunState, parse_settlement_id


class SettlementsQuery(OperatorPageQuery):
    """Business days, both included. The platform's people see what is not posted, of all (`state` disputed: what waits
    for somebody), unless they name an operator."""

    date_from: FirstDay | None = None
    date_to: LastDay | None = None
    state: RunState | None = None


class DeductionView(Shape):
    """What one beneficiary gets by contract, and of what: `total` = `amount` + `fees` (per card payment) + `vat`, which
    comes on top. An agency without a contract gets nothing (`terms` null)."""

    beneficiary_id: str
    kind: ContractKind
    sessions: int
    energy_wh: int
    card_payments: int
    gross: Money
    tax: Money
    amount: Money
    fees: Money
    vat: Money
    total: Money
    terms: TermsView | None


class StatementLineView(Shape):
    """Totals of one currency: `gross`, with `tax` in it, was paid from wallets or by card, or is owed by enterprises
    (`invoiced`, which the operator collects itself); `cash` the operator took for wallets, by vouchers
    too, less what it paid out of them; `promotions` are bonuses of its packages. `commission`, `fees` and
    `commission_tax` go to those above, `agency_shares` to agencies. `net` is what is left of all, and owed to the
    operator, or, below zero, by it. `corrections`: what refunds and other corrections of orders changed of `gross`."""

    sessions: int
    energy_wh: int
    gross: Money
    tax: Money
    wallets: Money
    cards: Money
    card_payments: int
    invoiced: Money
    commission: Money
    fees: Money
    commission_tax: Money
    agency_shares: Money
    cash: Money
    promotions: Money
    net: Money
    uncollected: Money
    corrections: Money
    deductions: list[DeductionView]


class SettlementView(Shape):
    """A settlement run with its statement; `difference` says how CDRs and ledger disagree when it is disputed. A
    `number` above 1 is a supplement: what got onto the day after it was settled. Who is neither the operator nor the
    platform sees of the deductions its own."""

    settlement_id: str
    operator_id: str
    business_day: str
    number: int
    state: RunState
    opened_at: datetime
    posted_at: datetime | None
    lines: list[StatementLineView]
    difference: str | None


@api.get("/v1/settlements", permission="settlements:read")
def list_settlements(req: Request, query: SettlementsQuery) -> PageView[SettlementView]:
    """Settlements, newest business day first. Of all operators, by operator and day."""
    check_works_everywhere(req)
    first_day = None if query.date_from is None else day_of(query.date_from, "/date_from")
    last_day = None if query.date_to is None else day_of(query.date_to, "/date_to")
    check_span(query.date_from, query.date_to)
    of_all = query.operator_id is None and req.actor.is_platform
    if of_all and query.state == "posted":
        raise invalid("operator_id.missing", "Say which operator: operator_id.", "/operator_id")
    page = service.list_runs(
        req.ctx,
        None if of_all else listed_operator(req, query.operator_id),
        first_day=first_day,
        last_day=last_day,
        state=query.state,
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, lambda run: _view(req, run))


@api.get("/v1/settlements/{settlement_id}", permission="settlements:read")
def get_settlement(req: Request, settlement_id: str) -> SettlementView:
    """One settlement with its statement."""
    return _view(req, _owned(req, settlement_id))


@api.get("/v1/settlements/{settlement_id}/pdf", permission="settlements:read")
def get_settlement_pdf(req: Request, settlement_id: str) -> Answer:
    """The statement of the day as PDF."""
    run = _as_seen(req, _owned(req, settlement_id))
    statement = statement_file(req.ctx, run)
    return file_answer(statement.content, statement.media_type, statement.name)


@api.post("/v1/settlements/{settlement_id}/recompute", permission="contracts:write", status=200)
def recompute_settlement(req: Request, settlement_id: str) -> SettlementView:
    """Computes a disputed settlement anew, after what was wrong is put right, and compares it with the ledger again.
    For the platform's people."""
    if not req.actor.is_platform:
        raise forbidden("The platform's people settle disputes.")
    run = _owned(req, settlement_id)
    service.recompute_run(req.uow, run)
    req.audit("settlement", settlement_id, owner_id=run.operator_id, after=_view(req, run))
    return _view(req, run)


def _owned(req: Request, settlement_id: str) -> Run:
    check_works_everywhere(req)
    parsed = parse_settlement_id(settlement_id)
    run = None if parsed is None else service.find_run(req.ctx, *parsed)
    if run is None or not may_see(req, run.operator_id):
        raise not_found("settlement", settlement_id)
    return run


def _as_seen(req: Request, run: Run) -> Run:
    """The operator and the platform see all deductions, others their own."""
    if req.actor.is_platform or req.actor.organization_id == run.operator_id:
        return run
    lines = []
    for line in run.lines:
        own = [deduction for deduction in line.deductions if deduction.beneficiary_id == req.organization_id]
        lines.append(replace(line, deductions=own))
    return replace(run, lines=lines)


def _view(req: Request, run: Run) -> SettlementView:
    return SettlementView(
        settlement_id=run.settlement_id,
        operator_id=run.operator_id,
        business_day=run.business_day,
        number=run.number,
        state=run.state,
        opened_at=run.opened_at,
        posted_at=run.posted_at,
        lines=[_line_view(line) for line in _as_seen(req, run).lines],
        difference=run.difference,
    )


def _line_view(line: Line) -> StatementLineView:
    def money(amount: int) -> Money:
        return Money(amount, line.currency)

    return StatementLineView(
        sessions=line.sessions,
        energy_wh=line.energy_wh,
        gross=money(line.gross),
        tax=money(line.tax),
        wallets=money(line.wallets),
        cards=money(line.cards),
        card_payments=line.card_payments,
        invoiced=money(line.invoiced),
        commission=money(line.commission),
        fees=money(line.fees),
        commission_tax=money(line.commission_tax),
        agency_shares=money(line.shares),
        cash=money(line.cash),
        promotions=money(line.promotions),
        net=money(line.net),
        uncollected=money(line.uncollected),
        corrections=money(line.corrections),
        deductions=[_deduction_view(deduction, line.currency) for deduction in line.deductions],
    )


def _deduction_view(deduction: Deduction, currency: str) -> DeductionView:
    amounts = ("gross", "tax", "amount", "vat", "total")
    return DeductionView(
        beneficiary_id=deduction.beneficiary_id,
        kind=deduction.kind,
        sessions=deduction.sessions,
        energy_wh=deduction.energy_wh,
        card_payments=deduction.card_payments,
        fees=Money(deduction.fee, currency),
        terms=None if deduction.terms is None else terms_view(deduction.terms),
        **{name: Money(getattr(deduction, name), currency) for name in amounts},
    )
