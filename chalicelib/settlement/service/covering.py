"""What has to stay behind of what an organisation is owed, when a withdrawal of it is approved.

Called by `withdrawals`. A part of an operator's income is given away when a day is settled, whether or not the platform
has got the money: cash, bonuses and what enterprises owe leave the operator owing. Invariant: nobody is paid out what
the operators that it got it from owe to the platform, nor while it owes itself.
"""

from __future__ import annotations

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import payable_account
from chalicelib.settlement.model import Withdrawal
from chalicelib.settlement.store.common import organization_pk
from chalicelib.settlement.store.contracts import CONTRACT_ENTRIES, ContractEntryRow
from chalicelib.settlement.store.runs import SHARES, ShareRow


def check_covered(ctx: Context, withdrawal: Withdrawal) -> None:
    """Raises withdrawal.owing, withdrawal.not_covered (409). The platform's own money is its own risk."""
    if withdrawal.organization_id == PLATFORM_ID:
        return
    # What the withdrawal is of has left this account already.
    left = ledger.balance(ctx, withdrawal.payable_id)
    if left.amount < 0:
        raise conflict("withdrawal.owing", f"Since it was asked for, the organisation came to owe {-left}: reject it.")
    uncovered = _uncovered(ctx, withdrawal.organization_id, withdrawal.amount.currency)
    if left < uncovered:
        detail = f"Of what it got, {uncovered} is of operators who owe that to the platform, and only {left} stays."
        raise conflict("withdrawal.not_covered", detail)


def _uncovered(ctx: Context, beneficiary_id: str, currency: str) -> Money:
    """What the organisation got of operators who owe, as far as they do."""
    entries = CONTRACT_ENTRIES.query_all(
        ctx, organization_pk(beneficiary_id), ContractEntryRow.sk.startswith("contract#"), consistent=True
    )
    payables = {payable_account(entry.operator_id, currency): entry.operator_id for entry in entries}
    balances = ledger.balances(ctx, list(payables))
    debts = {payables[account_id]: -owed.amount for account_id, owed in balances.items() if owed.amount < 0}
    got = dict.fromkeys(debts, 0)
    if debts:
        shares = SHARES.query_all(
            ctx, organization_pk(beneficiary_id), ShareRow.sk.startswith("share#"), consistent=True
        )
        for share in shares:
            if share.currency == currency and share.operator_id in got:
                got[share.operator_id] += share.total
    return Money(sum(min(debt, max(got[operator_id], 0)) for operator_id, debt in debts.items()), currency)
