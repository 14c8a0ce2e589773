"""Top-ups paid back: out of the wallet, with the share of the bonus that came with the money.

Called by whoever decides on refunds. Nothing is committed here. Invariants: one entry takes money and bonus out of the
wallet (and one puts both back, when the refund fails for good); never more than is there.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Posting, promotion_account, wallet_account
from chalicelib.payments import service as payments
from chalicelib.payments.model import Refund
from chalicelib.wallets import model
from chalicelib.wallets.model import TopUp
from chalicelib.wallets.service.credit import note_credit
from chalicelib.wallets.service.topups import day_of_bonus, require_topup, save_topup


def refund_topup(
    uow: UnitOfWork, *, refund_id: str, topup_id: str, amount: Money | None, reason: str, requested_by: str
) -> Refund:
    """Asks the provider to pay `amount` of a top-up back, or (None) as much as can be. The bonus goes back with it in
    proportion, to whoever gave it. The same `refund_id` again is the same refund.

    Raises topup.not_found, topup.not_credited, topup.too_many_refunds, topup.refund_amount,
    wallet.refund_exceeds_balance, and those of `payments.request_refund`.
    """
    topup = require_topup(uow.ctx, topup_id)
    wallet = wallet_account(topup.driver_id, topup.amount.currency)
    known = payments.find_refund(uow.ctx, topup.payment_id, refund_id)
    if known is None:
        payment, valid = payments.require_payment(uow.ctx, topup.payment_id), _without_failed(uow.ctx, topup)
        refunded = 0 if payment.refunded is None else payment.refunded.amount
        available = ledger.balance(uow.ctx, wallet).amount
        if amount is None:
            amount = _all_of(valid, refunded, available)
        share = model.check_refund(valid, amount, refunded=refunded, available=available)
        _keep_shares(uow, topup, {**valid.shares_back, refund_id: share})
    else:
        share = sum(posting.amount for posting in known.beside)
        amount = known.amount if amount is None else amount
    bonus = promotion_account(topup.package_owner_id or "", topup.amount.currency)
    return payments.request_refund(
        uow,
        refund_id=refund_id,
        payment_id=topup.payment_id,
        amount=amount,
        reason=reason,
        from_account_id=wallet,
        business_day=day_of_bonus(uow.ctx, topup) if share else None,
        requested_by=requested_by,
        beside=[Posting(bonus, share)] if share else [],
    )


def note_failed_refund(uow: UnitOfWork, topup_id: str, refund_id: str) -> bool:
    """A refund that failed for good has put its share of the bonus back into the wallet: whoever gave it owes it again.
    False where that is known already."""
    topup = require_topup(uow.ctx, topup_id)
    if refund_id not in topup.shares_back:
        return False
    _keep_shares(uow, topup, {other: share for other, share in topup.shares_back.items() if other != refund_id})
    return True


def _keep_shares(uow: UnitOfWork, topup: TopUp, shares: dict[str, int]) -> None:
    """What of the bonus went back, and with it what its owner owes for it: one by the other."""
    save_topup(uow, topup, replace(topup, bonus_back=shares))
    owed_more = sum(topup.shares_back.values()) - sum(shares.values())
    note_credit(uow, topup.package_owner_id or PLATFORM_ID, Money(owed_more, topup.amount.currency))


def _without_failed(ctx: Context, topup: TopUp) -> TopUp:
    """A refund that failed for good put the bonus back with the money: its share counts as not taken. One that fails
    right now changes the payment, on which the new one has a condition."""
    left = {}
    for refund_id, share in topup.shares_back.items():
        refund = payments.find_refund(ctx, topup.payment_id, refund_id)
        if refund is not None and refund.state != "failed":
            left[refund_id] = share
    return topup if left == topup.shares_back else replace(topup, bonus_back=left)


def _all_of(topup: TopUp, refunded: int, available: int) -> Money:
    most = model.most_refundable(topup, refunded=refunded, available=available)
    if most == 0:
        raise conflict("wallet.refund_exceeds_balance", "Nothing of this top-up is left to pay back.")
    return Money(most, topup.amount.currency)
