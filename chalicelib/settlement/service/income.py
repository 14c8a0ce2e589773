"""Reads of income and balances, for those whose they are. No decision is taken here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice

from chalicelib.charging import lookup as charging
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Enterprise
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.pages import Page
from chalicelib.kernel.spans import month_after, month_of
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import business_day, payable_account
from chalicelib.settlement.model import (
    Balance,
    EnterpriseFinance,
    Granularity,
    Income,
    Payee,
    Share,
    by_period,
    income_of_run,
    income_of_share,
    invoice_id_of,
    sum_cdrs,
)
from chalicelib.settlement.service.days import first_day_without_run
from chalicelib.settlement.service.runs import pending_runs, runs_between
from chalicelib.settlement.service.statements import cash_taken
from chalicelib.settlement.service.withdrawals import open_withdrawals_between, open_withdrawals_of
from chalicelib.settlement.store.common import of_organization, organization_pk
from chalicelib.settlement.store.invoices import INVOICES, invoice_pk
from chalicelib.settlement.store.runs import PAYEES, PAYEES_PK, SHARES, PayeeRow, ShareRow, share_sk

OPEN_DAYS = 7
OPEN_CDRS = 10_000
"""What is counted of days that are not settled yet: more is told as at least so much."""
MAX_MONTHS = 120


def income_of(
    ctx: Context, organization: Organization, first_day: str, last_day: str, granularity: Granularity
) -> list[Income]:
    """What is settled of these days, both included (at most MAX_INCOME_DAYS)."""
    if organization.kind == "operator":
        runs = runs_between(ctx, organization.organization_id, first_day, last_day)
        incomes = [income for run in runs if run.state == "posted" for income in income_of_run(run)]
    else:
        within = ShareRow.sk.between(share_sk(first_day), f"{share_sk(last_day)}~")
        shares = SHARES.query_all(ctx, organization_pk(organization.organization_id), within)
        incomes = [income_of_share(share) for share in shares]
    return by_period(incomes, granularity)


def open_income(ctx: Context, operator: Organization) -> tuple[list[Income], bool]:
    """What an operator sold on days that are not settled, by currency, without contracts; and whether that is all."""
    taken = 0
    incomes: list[Income] = []
    days, are_all = open_days(ctx, operator)
    for day in days:
        totals = list(islice(charging.cdr_totals_of_day(ctx, operator.organization_id, day), OPEN_CDRS - taken))
        taken += len(totals)
        for currency, sums in sum_cdrs(totals).items():
            counted = {name: getattr(sums, name) for name in ("sessions", "energy_wh", "gross", "tax", "invoiced")}
            incomes.append(Income("", currency, cards=sums.cards, **counted))
    return by_period(incomes, "day"), are_all and taken < OPEN_CDRS


def open_days(ctx: Context, operator: Organization) -> tuple[list[str], bool]:
    """The newest OPEN_DAYS that are not settled, today among them, oldest first; and whether that are all."""
    first = date.fromisoformat(first_day_without_run(ctx, operator))
    today = date.fromisoformat(business_day(ctx.now(), operator.time_zone))
    begin = max(first, today - timedelta(days=OPEN_DAYS))
    days = {(begin + timedelta(days=n)).isoformat() for n in range(max((today - begin).days + 1, 0))}
    pending = pending_runs(ctx, operator.organization_id)
    days |= {run.business_day for run in pending if run.number == 1}
    return sorted(days)[-OPEN_DAYS:], len(days) <= OPEN_DAYS


def list_shares(
    ctx: Context, beneficiary_id: str, first_day: str, last_day: str, *, limit: int, cursor: str | None
) -> Page[Share]:
    """What runs of these days gave to a beneficiary, newest day first."""
    within = ShareRow.sk.between(share_sk(first_day), f"{share_sk(last_day)}~")
    return SHARES.query(ctx, organization_pk(beneficiary_id), within, newest_first=True, limit=limit, cursor=cursor)


def balances_of(ctx: Context, organization: Organization) -> list[Balance]:
    """In every currency in which anything was ever owed, and its own."""
    organization_id = organization.organization_id
    own = PayeeRow.sk.startswith(of_organization(organization_id, ""))
    payees = PAYEES.query_all(ctx, PAYEES_PK, own, consistent=True)
    cash = _cash_since(ctx, organization)
    currencies = {payee.currency for payee in payees} | {organization.currency} | cash.keys()
    asked: dict[str, int] = {}
    for withdrawal in open_withdrawals_of(ctx, organization_id):
        amount = withdrawal.amount
        asked[amount.currency] = asked.get(amount.currency, 0) + amount.amount
    found = _balances(ctx, [Payee(organization_id, currency) for currency in sorted(currencies)])
    return [
        replace(balance, under_withdrawal=asked.get(balance.currency, 0), cash=cash.get(balance.currency, 0))
        for balance in found
    ]


def list_balances(ctx: Context, *, owing: bool, limit: int, cursor: str | None) -> Page[Balance]:
    """Everybody's; `cash` is not looked for (days of each of them). `owing`: of those who owe the platform only; a page
    may be short then."""
    page = PAYEES.query(ctx, PAYEES_PK, limit=limit, cursor=cursor)
    found = [balance for balance in _balances(ctx, page.data) if balance.owed < 0 or not owing]
    if not found:
        return Page([], page.next_cursor)
    asked: Counter[Payee] = Counter()
    for each in open_withdrawals_between(ctx, found[0].organization_id, found[-1].organization_id):
        asked[Payee(each.organization_id, each.amount.currency)] += each.amount.amount
    return Page(
        [
            replace(each, under_withdrawal=asked[Payee(each.organization_id, each.currency)], cash=None)
            for each in found
        ],
        page.next_cursor,
    )


def enterprise_finance(ctx: Context, enterprise: Enterprise, zone: str) -> EnterpriseFinance:
    """`zone`: the operator's. An enterprise has one invoice a month at most, and a month names it."""
    today = business_day(ctx.now(), zone)
    months = list(islice(_months(month_of(enterprise.created_at, "UTC"), today[:7]), MAX_MONTHS))
    keys = [(invoice_pk(invoice_id_of(enterprise.enterprise_id, month)), "invoice") for month in months]
    opened = [invoice for invoice in INVOICES.batch_get(ctx, keys) if invoice.open_amount.amount]
    return EnterpriseFinance(
        enterprise_id=enterprise.enterprise_id,
        currency=enterprise.currency,
        credit_limit=enterprise.credit_limit,
        free=drivers.free_credit(ctx, enterprise).amount,
        open_invoices=len(opened),
        open_amount=sum(invoice.open_amount.amount for invoice in opened),
        overdue_amount=sum(invoice.open_amount.amount for invoice in opened if invoice.due_date < today),
    )


def _months(first: str, last: str) -> Iterator[str]:
    """The newest first."""
    months = []
    while first <= last:
        months.append(first)
        first = month_after(first)
    return reversed(months)


def _cash_since(ctx: Context, organization: Organization) -> dict[str, int]:
    if organization.kind != "operator":
        return {}
    cash: dict[str, int] = {}
    for day in open_days(ctx, organization)[0]:
        for currency, amount in cash_taken(ctx, organization.organization_id, day).items():
            cash[currency] = cash.get(currency, 0) + amount
    return {currency: amount for currency, amount in cash.items() if amount}


def _balances(ctx: Context, payees: list[Payee]) -> list[Balance]:
    accounts = [payable_account(payee.organization_id, payee.currency) for payee in payees]
    amounts = ledger.balances(ctx, accounts)
    return [
        Balance(payee.organization_id, payee.currency, amounts[account_id].amount)
        for payee, account_id in zip(payees, accounts, strict=True)
    ]
