"""Top-ups that payers' banks take back: what the wallet makes good for them, and what is lost.

Called by the consumers of payments' events, and by the platform's people. Nothing is committed here. Invariants: no
more than is there is taken, and nothing that a charge has reserved; the driver's next money is left alone: until what
is missing is made good or forgiven, the wallet begins no charge (decision 0058).
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
from chalicelib.payments.model import Dispute, may_settle, not_open
from chalicelib.wallets import model
from chalicelib.wallets.model import TopUp
from chalicelib.wallets.service.credit import note_credit
from chalicelib.wallets.service.funds import of_what_was_read
from chalicelib.wallets.service.topups import day_of_bonus, require_topup, save_topup


def answer_dispute(uow: UnitOfWork, dispute_id: str, *, again: bool = False) -> Dispute:
    """The wallet makes good what it can, once; `again`, as more of the top-up has come back into it. Before the top-up
    is credited there is nothing to take: its credit calls this too."""
    dispute = payments.require_dispute(uow.ctx, dispute_id)
    topup = require_topup(uow.ctx, dispute.purpose_id)
    is_due = dispute.answered_at is None or again
    if topup.state != "credited" or not is_due or not dispute.is_harmful or dispute.forgiven_at is not None:
        return dispute
    return _make_good(uow, dispute, topup)


def cover_dispute(uow: UnitOfWork, dispute_id: str) -> Dispute:
    """Takes what is missing out of the wallet, as far as it goes. Raises dispute.not_found, dispute.not_open,
    dispute.covered, ledger.insufficient_funds (there is nothing)."""
    dispute = payments.require_dispute(uow.ctx, dispute_id)
    if dispute.purpose != "topup" or not dispute.is_harmful:
        raise not_open(dispute)
    if not dispute.uncovered.amount:
        raise conflict("dispute.covered", "Nothing is missing for this dispute.")
    after = _make_good(uow, dispute, require_topup(uow.ctx, dispute.purpose_id))
    if after.uncovered == dispute.uncovered:
        raise conflict("ledger.insufficient_funds", "There is nothing in the wallet.")
    return after


def settle_dispute(uow: UnitOfWork, dispute_id: str) -> Dispute:
    """Books a dispute that is lost, once: a bonus goes back to whoever gave it, the rest is the platform's loss, which
    the driver has paid."""
    dispute = payments.require_dispute(uow.ctx, dispute_id)
    topup = require_topup(uow.ctx, dispute.purpose_id)
    nothing_to_take = topup.state != "credited" or dispute.forgiven_at is not None
    is_answered = dispute.answered_at is not None or nothing_to_take
    if not may_settle(dispute) or not is_answered:
        return dispute
    bonus, owner_id = dispute.bonus_withheld, topup.package_owner_id or PLATFORM_ID
    others = [Posting(promotion_account(owner_id, dispute.currency), bonus)] if bonus else []
    if bonus:
        save_topup(uow, topup, replace(topup, bonus_back={**topup.shares_back, dispute_id: bonus}))
        note_credit(uow, owner_id, Money(-bonus, dispute.currency))
    day = day_of_bonus(uow.ctx, topup) if bonus else None
    return payments.settle_loss(uow, dispute, others=others, business_day=day)


def disputes_to_answer(ctx: Context, payment_id: str) -> list[str]:
    """Those of a payment in which the payer has the money, or is about to."""
    payment = payments.require_payment(ctx, payment_id)
    return [dispute.dispute_id for dispute in payments.disputes_of(ctx, payment) if dispute.is_harmful]


def _make_good(uow: UnitOfWork, dispute: Dispute, topup: TopUp) -> Dispute:
    """The money first, then the bonus that came with it, in proportion as with a refund."""
    available = ledger.balance(uow.ctx, wallet_account(topup.driver_id, dispute.currency)).amount
    money = min(dispute.uncovered.amount, available)
    share = 0
    if dispute.settled_at is None:
        refunded = payments.require_payment(uow.ctx, topup.payment_id).refunded
        share = model.bonus_of_dispute(topup, dispute.amount.amount, 0 if refunded is None else refunded.amount)
    bonus = max(0, min(share - dispute.bonus_withheld, available - money))
    with of_what_was_read():
        return payments.withhold(uow, dispute, money, bonus)
