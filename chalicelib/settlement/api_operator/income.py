"""Income and balances: what was sold and what of it is whose, by day and month; what is owed, and by whom.

Operators read their own; an agency, a dealer, a manufacturer and the platform what they get of operators' income;
those above an organisation read what it reads.
"""

from __future__ import annotations

from datetime import date, timedelta

from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.identity.scope import check_works_everywhere, may_see, visible_organization
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, check_span, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import FirstDay, LastDay
from chalicelib.ledger.model import business_day
from chalicelib.settlement import service
from chalicelib.settlement.api_operator.common import api
from chalicelib.settlement.api_operator.days import day_of
from chalicelib.settlement.model import MAX_INCOME_DAYS, Balance, ContractKind, Granularity, Income, Share, totals_of


class IncomeQuery(Shape):
    """Business days, both included. Without, the last 31 days, or by month the last twelve months."""

    organization_id: str | None = None
    by: Granularity = "day"
    date_from: FirstDay | None = None
    date_to: LastDay | None = None


class IncomeRowView(Shape):
    """One day, or month, in one currency. Of an operator: `gross` is all that was sold, with `tax` in it; `invoiced`
    enterprises owe, `cards` and the rest (`wallets`) were paid to the platform. `net` = `gross` - `invoiced` -
    `commission` - `fees` - `commission_tax` - `agency_shares` - `cash` - `promotions`. Of others: `gross` is what was
    sold where they have a part, `net` their part of it; how it was paid (`wallets`, `cards`, `invoiced`) is null."""

    period: str
    currency: str
    sessions: int
    energy_wh: int
    gross: Money
    tax: Money
    wallets: Money | None
    cards: Money | None
    invoiced: Money | None
    commission: Money
    fees: Money
    commission_tax: Money
    agency_shares: Money
    cash: Money
    promotions: Money
    net: Money


class OpenIncomeView(Shape):
    """Sold, and not settled yet: before commissions."""

    sessions: int
    energy_wh: int
    gross: Money


class BalanceView(Shape):
    """`balance` is what is owed to the organisation of what is settled; below zero, it owes `owed_to_platform`.
    `withdrawable` of it can be asked for; `under_withdrawal` was asked for and is not paid yet, `cash_not_settled` was
    taken since: null in the list of everybody, where it is not counted (name one organisation)."""

    organization_id: str
    balance: Money
    withdrawable: Money
    owed_to_platform: Money
    under_withdrawal: Money
    cash_not_settled: Money | None


class IncomeView(Shape):
    """`totals` sums the rows by currency. `open` covers days that are not settled, `open_complete` false where there
    are more days or sessions than are counted at once."""

    organization_id: str
    date_from: str
    date_to: str
    rows: list[IncomeRowView]
    totals: list[IncomeRowView]
    open: list[OpenIncomeView]
    open_complete: bool
    balances: list[BalanceView]


class SharesQuery(PageQuery):
    """Business days, both included; without, all."""

    organization_id: str | None = None
    date_from: FirstDay | None = None
    date_to: LastDay | None = None


class ShareView(Shape):
    """What a day of an operator gave to the organisation: `share` = `amount` + `fees` + `vat`, of `gross` that was sold
    (an agency: at its locations). `settlement_id` is the run."""

    settlement_id: str
    operator_id: str
    business_day: str
    kind: ContractKind
    sessions: int
    energy_wh: int
    card_payments: int
    gross: Money
    tax: Money
    amount: Money
    fees: Money
    vat: Money
    share: Money


class BalancesQuery(PageQuery):
    """The platform's people see everybody's unless they name an organisation; `owing`: of those who owe only."""

    organization_id: str | None = None
    owing: bool = False


class EnterpriseFinanceView(Shape):
    """`used` of the credit = `open_amount` on invoices + `not_invoiced`."""

    enterprise_id: str
    credit_limit: Money
    free: Money
    used: Money
    open_invoices: int
    open_amount: Money
    overdue_amount: Money
    not_invoiced: Money


@api.get("/v1/income", permission="settlements:read")
def get_income(req: Request, query: IncomeQuery) -> IncomeView:
    """Income by day or month, what is not settled yet, and what is owed."""
    organization = _whose(req, query.organization_id)
    date_from, date_to = _span(req, organization, query)
    rows = service.income_of(req.ctx, organization, date_from, date_to, query.by)
    is_operator = organization.kind == "operator"
    opened, complete = service.open_income(req.ctx, organization) if is_operator else ([], True)
    return IncomeView(
        organization_id=organization.organization_id,
        date_from=date_from,
        date_to=date_to,
        rows=[_row_view(row, is_operator) for row in rows],
        totals=[_row_view(row, is_operator) for row in totals_of(rows)],
        open=[
            OpenIncomeView(sessions=row.sessions, energy_wh=row.energy_wh, gross=Money(row.gross, row.currency))
            for row in opened
        ],
        open_complete=complete,
        balances=[balance_view(balance) for balance in service.balances_of(req.ctx, organization)],
    )


@api.get("/v1/income/shares", permission="settlements:read")
def list_income_shares(req: Request, query: SharesQuery) -> PageView[ShareView]:
    """What an agency, a dealer or somebody else above operators gets of their income, newest day first."""
    organization = _whose(req, query.organization_id)
    check_span(query.date_from, query.date_to)
    first = query.date_from.isoformat() if query.date_from else "0"
    last = query.date_to.isoformat() if query.date_to else "9"
    page = service.list_shares(
        req.ctx, organization.organization_id, first, last, limit=query.limit, cursor=query.cursor
    )
    return page_view(page, _share_view)


@api.get("/v1/balances", permission="settlements:read")
def list_balances(req: Request, query: BalancesQuery) -> PageView[BalanceView]:
    """What is owed to an organisation, by currency. For the platform's people: to everybody, or by whom."""
    if query.organization_id is None and req.actor.is_platform:
        page = service.list_balances(req.ctx, owing=query.owing, limit=query.limit, cursor=query.cursor)
        return page_view(page, balance_view)
    balances = service.balances_of(req.ctx, _whose(req, query.organization_id))
    kept = [balance for balance in balances if balance.owed < 0 or not query.owing]
    return PageView(data=[balance_view(balance) for balance in kept], has_more=False)


@api.get("/v1/enterprises/{enterprise_id}/finance", permission="enterprises:read")
def get_enterprise_finance(req: Request, enterprise_id: str) -> EnterpriseFinanceView:
    """What an enterprise used, was invoiced and has paid."""
    check_works_everywhere(req)
    enterprise = drivers.find_enterprise(req.ctx, enterprise_id)
    if enterprise is None or not may_see(req, enterprise.operator_id):
        raise not_found("enterprise", enterprise_id)
    operator = identity.get_organization(req.ctx, enterprise.operator_id)
    finance = service.enterprise_finance(req.ctx, enterprise, operator.time_zone)
    amounts = ("credit_limit", "free", "used", "open_amount", "overdue_amount", "not_invoiced")
    return EnterpriseFinanceView(
        enterprise_id=enterprise_id,
        open_invoices=finance.open_invoices,
        **{name: Money(getattr(finance, name), finance.currency) for name in amounts},
    )


def balance_view(balance: Balance) -> BalanceView:
    def money(amount: int) -> Money:
        return Money(amount, balance.currency)

    return BalanceView(
        organization_id=balance.organization_id,
        balance=money(balance.owed),
        withdrawable=money(balance.withdrawable),
        owed_to_platform=money(max(-balance.owed, 0)),
        under_withdrawal=money(balance.under_withdrawal),
        cash_not_settled=None if balance.cash is None else money(balance.cash),
    )


def _whose(req: Request, organization_id: str | None) -> Organization:
    """What is summed is of all places: it is not for who works at some of them (an agency has its own share)."""
    check_works_everywhere(req)
    organization_id = visible_organization(req, organization_id or req.organization_id)
    organization = identity.find_organization(req.ctx, organization_id)
    if organization is None:
        raise not_found("organization", organization_id)
    return organization


def _span(req: Request, organization: Organization, query: IncomeQuery) -> tuple[str, str]:
    """Raises income.span, day.distant (422)."""
    for day, pointer in ((query.date_from, "/date_from"), (query.date_to, "/date_to")):
        if day is not None:
            day_of(day, pointer)
    last = query.date_to or date.fromisoformat(business_day(req.ctx.now(), organization.time_zone))
    usual = last - timedelta(days=30) if query.by == "day" else last.replace(year=last.year - 1, day=1)
    first = query.date_from or usual
    if not 0 <= (last - first).days <= MAX_INCOME_DAYS:
        raise invalid("income.span", f"From the first day to the last are 0 to {MAX_INCOME_DAYS} days.", "/date_from")
    return first.isoformat(), last.isoformat()


def _row_view(row: Income, is_operators: bool) -> IncomeRowView:
    def money(amount: int) -> Money:
        return Money(amount, row.currency)

    return IncomeRowView(
        period=row.period,
        currency=row.currency,
        sessions=row.sessions,
        energy_wh=row.energy_wh,
        gross=money(row.gross),
        tax=money(row.tax),
        wallets=money(row.gross - row.invoiced - row.cards) if is_operators else None,
        cards=money(row.cards) if is_operators else None,
        invoiced=money(row.invoiced) if is_operators else None,
        commission=money(row.commission),
        fees=money(row.fees),
        commission_tax=money(row.commission_tax),
        agency_shares=money(row.shares),
        cash=money(row.cash),
        promotions=money(row.promotions),
        net=money(row.net),
    )


def _share_view(share: Share) -> ShareView:
    def money(amount: int) -> Money:
        return Money(amount, share.currency)

    return ShareView(
        settlement_id=share.settlement_id,
        operator_id=share.operator_id,
        business_day=share.business_day,
        kind=share.kind,
        sessions=share.sessions,
        energy_wh=share.energy_wh,
        card_payments=share.card_payments,
        gross=money(share.gross),
        tax=money(share.tax),
        amount=money(share.amount),
        fees=money(share.fee),
        vat=money(share.vat),
        share=money(share.total),
    )
