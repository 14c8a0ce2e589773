"""What has to stay behind of what an organisation is owed, when a withdrawal of it is approved.

Called by `withdrawals`. A part of an operator's income is given away when a day is settled, whether or not the platform
has got the money: cash, bonuses and what enterprises owe leave the operator owing. Invariant: nobody is paid out what
the operators that it got it from owe to the platform, nor while it owes itself, in whatever currency.
"""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import payable_account
from chalicelib.settlement.model import Withdrawal
from chalicelib.settlement.store.common import of_organization, organization_pk
from chalicelib.settlement.store.runs import PAYEES, PAYEES_PK, RECEIVED, PayeeRow, ReceivedRow, received_sk


def check_covered(ctx: Context, withdrawal: Withdrawal) -> None:
    """Raises withdrawal.owing, withdrawal.not_covered (409). The platform's own money is its own risk."""
    if withdrawal.organization_id == PLATFORM_ID:
        return
    for owed in _balances(ctx, withdrawal):
        if owed.amount < 0:
            raise conflict("withdrawal.owing", f"The organisation owes {-owed} to the platform: reject it, or wait.")
    # What the withdrawal is of has left this account already.
    left = ledger.balance(ctx, withdrawal.payable_id)
    uncovered = _uncovered(ctx, withdrawal.organization_id, withdrawal.amount.currency)
    if left < uncovered:
        detail = f"Of what it got, {uncovered} is of operators who owe that to the platform, and only {left} stays."
        raise conflict("withdrawal.not_covered", detail)


def _balances(ctx: Context, withdrawal: Withdrawal) -> Iterable[Money]:
    """What the organisation is owed, in every currency in which it ever was."""
    own = PayeeRow.sk.startswith(of_organization(withdrawal.organization_id, ""))
    payees = PAYEES.query_all(ctx, PAYEES_PK, own, consistent=True)
    accounts = [payable_account(payee.organization_id, payee.currency) for payee in payees]
    return ledger.balances(ctx, list(dict.fromkeys([withdrawal.payable_id, *accounts]))).values()


def _uncovered(ctx: Context, beneficiary_id: str, currency: str) -> Money:
    """What the organisation got of operators who owe, as far as they do. As many rows are read as operators have given
    it anything."""
    of_currency = ReceivedRow.sk.startswith(received_sk(currency))
    received = RECEIVED.query_all(ctx, organization_pk(beneficiary_id), of_currency, consistent=True)
    got = {payable_account(each.operator_id, currency): max(each.total, 0) for each in received}
    owed = ledger.balances(ctx, list(got))
    return Money(sum(min(max(-owed[account_id].amount, 0), total) for account_id, total in got.items()), currency)
