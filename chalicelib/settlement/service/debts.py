"""What organisations owe to the platform, and pay: more cash taken than earned, say. The withdrawal's counterpart."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.kernel.errors import conflict, invalid
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, clearing_account, payable_account
from chalicelib.settlement.model.withdrawals import BANK


def record_debt_payment(
    uow: UnitOfWork, *, entry_id: str, organization_id: str, amount: Money, reference: str, paid_at: datetime
) -> Entry:
    """Books what the platform's bank has received from an organisation that owes. The same `entry_id` is one payment.

    Raises debt_payment.exceeds_debt (409), debt_payment.amount, debt_payment.paid_in_future (422).
    """
    now = uow.ctx.now()
    payable = payable_account(organization_id, amount.currency)
    owed = -ledger.balance(uow.ctx, payable)
    if amount.amount <= 0:
        raise invalid("debt_payment.amount", "A payment is more than nothing.", "/amount/amount")
    if paid_at > now + timedelta(days=1):
        raise invalid("debt_payment.paid_in_future", "This is still to come.", "/paid_at")
    if amount > owed:
        most = max(owed, Money.zero(amount.currency))
        raise conflict("debt_payment.exceeds_debt", f"The organisation owes {most}.", "/amount/amount")
    entry = Entry(
        entry_id=entry_id,
        home_account_id=payable,
        kind="debt_payment",
        currency=amount.currency,
        postings=[
            Posting(payable, amount.amount),
            Posting(clearing_account(BANK, amount.currency), -amount.amount),
        ],
        occurred_at=now,
        source_id=organization_id,
        note=reference,
    )
    ledger.post(uow, entry)
    return entry
