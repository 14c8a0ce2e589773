"""What a day's statement is made of, and what it is held against: CDRs on the one side, the ledger on the other.

Both are read as streams, income from different rows: what CDRs say was not copied from the ledger. Cash and bonuses are
the ledger's own on both sides: of them agreement says that nobody posted while the statement was made, no more. What
wallets got for them stands in the same entries, which balance.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.charging import lookup as charging
from chalicelib.identity import service as identity
from chalicelib.kernel.context import Context
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import account_class, cash_account, income_account, promotion_account
from chalicelib.settlement.model import Booked, Line, statement_of, sum_cdrs
from chalicelib.settlement.service.contracts import contracts_of
from chalicelib.settlement.store.common import of_organization
from chalicelib.settlement.store.runs import PAYEES, PAYEES_PK, PayeeRow

Amounts = dict[str, int]

_CARD_CLASSES = frozenset({"captures", "disputes", "refunds"})
"""Where entries stand by which guests' card payments become income, or are paid back, or taken back by their banks."""


def whole_statement(ctx: Context, operator_id: str, business_day: str) -> list[Line]:
    """The statement of a business day as it is now, whatever of it is settled already."""
    sums = sum_cdrs(charging.cdr_totals_of_day(ctx, operator_id, business_day))
    cash, promotions = _taken(ctx, operator_id, business_day)
    contracts = list(contracts_of(ctx, operator_id))
    return statement_of(sums, business_day, contracts=contracts, cash=cash, promotions=promotions)


def booked_of(ctx: Context, operator_id: str, business_day: str, currencies: Iterable[str]) -> Booked:
    """What the ledger booked for the operator on that day, read from its own entries. `currencies`: those of the
    statement; all others in which it ever had income or was owed anything are looked at too."""
    income: Amounts = {}
    invoiced: Amounts = {}
    cards: Amounts = {}
    for currency in sorted({*currencies, *_ever_earned(ctx, operator_id)}):
        account_id = income_account(operator_id, currency)
        total = of_enterprises = of_cards = 0
        for entry in ledger.entries_of_period(ctx, account_id, business_day):
            amount, payer = entry.amount_on(account_id), account_class(entry.home_account_id)
            total += amount
            of_enterprises += amount if payer == "enterprise" else 0
            of_cards += amount if payer in _CARD_CLASSES else 0
        income[currency], invoiced[currency], cards[currency] = total, of_enterprises, of_cards
    cash, promotions = _taken(ctx, operator_id, business_day)
    return Booked(income, invoiced, cash, cards, promotions)


def _ever_earned(ctx: Context, operator_id: str) -> set[str]:
    """The operator's own currency, those of income that no CDR told of, those of earlier settlements."""
    own = PayeeRow.sk.startswith(of_organization(operator_id, ""))
    settled = {payee.currency for payee in PAYEES.query_all(ctx, PAYEES_PK, own, consistent=True)}
    return (
        settled
        | ledger.currencies_of(ctx, operator_id, "income")
        | {identity.get_organization(ctx, operator_id).currency}
    )


def cash_taken(ctx: Context, operator_id: str, business_day: str) -> Amounts:
    """What the operator took in cash for wallets on that day, less what it paid out of them, by currency."""
    return _taken(ctx, operator_id, business_day)[0]


def _taken(ctx: Context, operator_id: str, business_day: str) -> tuple[Amounts, Amounts]:
    """Cash and bonuses of a day, in whatever currency there ever was any. An entry that moves both is filed once, so
    both are counted wherever it is found."""
    cash: Amounts = {}
    promotions: Amounts = {}
    currencies = ledger.currencies_of(ctx, operator_id, "cash") | ledger.currencies_of(ctx, operator_id, "promotion")
    for currency in sorted(currencies):
        cash_id, promotion_id = cash_account(operator_id, currency), promotion_account(operator_id, currency)
        taken = promised = 0
        for account_id in (cash_id, promotion_id):
            for entry in ledger.entries_of_period(ctx, account_id, business_day):
                taken -= entry.amount_on(cash_id)
                promised -= entry.amount_on(promotion_id)
        cash[currency], promotions[currency] = taken, promised
    return cash, promotions
