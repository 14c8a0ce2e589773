"""Disputes: what a provider says of one is booked, and the wallet of a disputed top-up is held to what it put in.

`take_dispute` is called for notifications, by the reconciliation and the ten-minutes job; it tells `payment.disputed`,
`payment.dispute_won`, `payment.dispute_lost`, after which wallets and charging call what is below it. Invariants: each
line of the provider's is booked once, in the commit that notes it; a wallet gives for a dispute what it has and no
more, and has it again when the dispute is won; a loss is booked once (decision 0058).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, not_found
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Posting, clearing_account, disputes_account
from chalicelib.payments import model
from chalicelib.payments.model import RECONCILE_AFTER, TAKEN, Dispute, ListedDispute, Payment
from chalicelib.payments.providers.port import DisputeLine, DisputeOutcome, PaymentProvider
from chalicelib.payments.service.listing import require_payment
from chalicelib.payments.service.paying import asked
from chalicelib.payments.service.saving import save, tell_fault
from chalicelib.payments.store import PaymentRow
from chalicelib.payments.store.disputes import (
    DISPUTES,
    LISTED_DISPUTES,
    UNFINISHED_DISPUTES,
    DisputeRow,
    dispute_pk,
    disputes_pk,
)


def find_dispute(ctx: Context, dispute_id: str) -> Dispute | None:
    return DISPUTES.get(ctx, dispute_pk(dispute_id), "dispute")


def require_dispute(ctx: Context, dispute_id: str) -> Dispute:
    """Raises dispute.not_found."""
    dispute = find_dispute(ctx, dispute_id)
    if dispute is None:
        raise not_found("dispute", dispute_id)
    return dispute


def disputes_of(ctx: Context, payment: Payment) -> list[Dispute]:
    """Oldest first."""
    found = DISPUTES.batch_get(ctx, [(dispute_pk(dispute_id), "dispute") for dispute_id in payment.disputes or {}])
    return sorted(found, key=lambda dispute: dispute.opened_at)


def list_disputes(
    ctx: Context,
    listed_for: str,
    *,
    keep: Callable[[Dispute], bool] | None = None,
    limit: int,
    cursor: str | None = None,
) -> Page[Dispute]:
    """Newest first: the platform's are all, an operator's those of payments at its chargers."""
    entries = LISTED_DISPUTES.walk(ctx, disputes_pk(listed_for), newest_first=True, cursor=cursor)
    found = follow(ctx, entries, DISPUTES, lambda entry: (dispute_pk(entry.dispute_id), "dispute"))
    return page_of(found, limit, keep)


def overdue_disputes(ctx: Context) -> Iterator[Dispute]:
    """Those that nobody has decided or heard of for long, and those of which the books are not done."""
    before = ctx.now() - RECONCILE_AFTER
    for dispute, _ in DISPUTES.walk(ctx, UNFINISHED_DISPUTES, index=PaymentRow.unresolved_payments):
        is_unheard = _is_unheard(dispute) and dispute.changed_at <= before
        if dispute.is_unfinished and (is_unheard or _is_unasked(dispute, ctx)):
            yield dispute


# -- what the provider says ------------------------------------------------------------------------------------------


def take_dispute(uow: UnitOfWork, provider: PaymentProvider, payment: Payment, dispute_ref: str) -> Dispute:
    """The dispute as the provider says it stands, booked. Raises ProviderUnavailable, ProviderRefused."""
    ctx, now = uow.ctx, uow.ctx.now()
    outcome = provider.find_dispute(dispute_ref)
    paid = payment
    if payment.state not in TAKEN and payment.provider_ref is not None:
        paid = asked(uow, provider, payment)  # we hear of the dispute before we hear of the money
    known = find_dispute(ctx, model.dispute_id_of(provider.name, dispute_ref))
    before = known or model.new_dispute(paid, outcome, now)
    after = model.after_dispute(before, outcome, now)
    new_lines = [line for line in outcome.lines if line.movement_ref not in before.booked]
    for line in new_lines:
        after = _book(uow, after, line)
    after = _with_wallet(uow, before, after, paid)
    saved = _save(uow, known, after)
    states = dict(paid.disputes or {}) | {saved.dispute_id: saved.state}
    save(uow, payment, replace(paid, disputes=states))
    _tell(uow, before, saved, outcome, new_lines)
    return saved


def resolve_dispute(uow: UnitOfWork, provider: PaymentProvider, dispute_id: str) -> Dispute:
    """Asks the provider once a day, and tells again what nobody has heard. Raises as `take_dispute`."""
    dispute = require_dispute(uow.ctx, dispute_id)
    if _is_unasked(dispute, uow.ctx):
        payment = require_payment(uow.ctx, dispute.payment_id)
        return take_dispute(uow, provider, payment, dispute.dispute_ref)
    if _is_unheard(dispute):
        _announce(uow, dispute)
    return dispute


def _is_unasked(dispute: Dispute, ctx: Context) -> bool:
    is_waiting = dispute.is_undecided or not dispute.taken
    return is_waiting and dispute.is_unfinished and dispute.asked_at <= ctx.now() - model.ASK_AGAIN_AFTER


def _is_unheard(dispute: Dispute) -> bool:
    """Wallets or charging have something to do."""
    return model.may_settle(dispute) or (dispute.is_harmful and dispute.is_blocking and dispute.answered_at is None)


def _book(uow: UnitOfWork, dispute: Dispute, line: DisputeLine) -> Dispute:
    for entry in model.line_entries(dispute, line, uow.ctx.now()):
        ledger.post(uow, entry)
    return model.with_line(dispute, line, uow.ctx.now())


def _with_wallet(uow: UnitOfWork, before: Dispute, after: Dispute, payment: Payment) -> Dispute:
    """Of a top-up that is in the wallet, or will be: blocked from now on, or as it was before."""
    if after.purpose != "topup" or after.is_harmful == before.is_harmful:
        return after
    if after.is_harmful:
        if payment.state not in TAKEN or after.is_blocking:
            return after
        ledger.block(uow, model.wallet_of(after), 1)
        return replace(after, is_blocking=True)
    _move_wallet(uow, after, -(after.withheld + after.bonus_withheld), unblocks=after.is_blocking)
    return model.given_back(after)


def _tell(
    uow: UnitOfWork, before: Dispute, after: Dispute, outcome: DisputeOutcome, new_lines: Sequence[DisputeLine]
) -> None:
    account_id = disputes_account(after.provider, after.currency)
    is_new = after.noted_at == uow.ctx.now() and after.revision == 1
    if after.state != before.state:
        _announce(uow, after)
    if (is_new and after.is_undecided) or (after.state == "open" and before.state != "open"):
        detail = f"the payer's bank wants {outcome.amount} back ({outcome.reason}): answer it at the provider until "
        detail += f"{after.respond_by}; {after.purpose} {after.purpose_id} was delivered for it."
        account = clearing_account(after.provider, after.currency)
        tell_fault(uow, after.payment_id, "payment_disputed", account, detail)
    if new_lines and model.is_reversed_loss(before, outcome):
        detail = f"the dispute {after.dispute_ref} was lost, and is not any more: take the loss back."
        tell_fault(uow, after.payment_id, "payment_dispute_reversed", account_id, detail)
    if any(line.amount.currency != after.currency for line in new_lines):
        detail = f"the provider settled the dispute {after.dispute_ref} in another currency than {after.currency}."
        tell_fault(uow, after.payment_id, "payment_dispute_currency", account_id, detail)


def _announce(uow: UnitOfWork, dispute: Dispute) -> None:
    """That wallets and charging do what follows from its state."""
    facts = {
        "dispute_id": dispute.dispute_id,
        "payment_id": dispute.payment_id,
        "purpose": dispute.purpose,
        "purpose_id": dispute.purpose_id,
    }
    if dispute.state == "open":
        outbox.emit(uow, "payment.disputed", dispute.dispute_id, facts)
    elif dispute.state == "won":
        outbox.emit(uow, "payment.dispute_won", dispute.dispute_id, facts)
    elif dispute.state == "lost":
        outbox.emit(uow, "payment.dispute_lost", dispute.dispute_id, facts)


# -- what follows ----------------------------------------------------------------------------------------------------


def withhold(uow: UnitOfWork, dispute: Dispute, money: int, bonus: int) -> Dispute:
    """Takes `money`, and `bonus` of the gift that came with it, out of the wallet while the dispute lasts; for a loss
    that is booked, money alone. Raises dispute.not_open, ledger.insufficient_funds."""
    now = uow.ctx.now()
    if dispute.settled_at is not None and dispute.state == "lost":
        after = model.recovered(dispute, money, now)
        unblocks = dispute.is_blocking and not after.is_blocking
        entry = model.recovered_entry(dispute, money, now)
        if money:
            ledger.post(uow, entry, blocks=-1 if unblocks else 0)
        return _save(uow, dispute, after)
    after = model.answered(dispute, money, bonus, now)
    _move_wallet(uow, dispute, money + bonus, unblocks=dispute.is_blocking and not after.is_blocking)
    return _save(uow, dispute, after)


def settle_loss(
    uow: UnitOfWork,
    dispute: Dispute,
    *,
    borne: int = 0,
    others: Sequence[Posting] = (),
    business_day: str | None = None,
) -> Dispute:
    """Books what a dispute that is lost has cost: `others` leave or make good for it (`borne` of them an operator's
    income, on `business_day`), the rest is the platform's loss. Raises dispute.not_open."""
    now = uow.ctx.now()
    after = model.settled(dispute, loser_id=PLATFORM_ID, borne=borne, now=now)
    too_much = dispute.withheld - after.withheld
    loss = dispute.taken_amount - after.withheld - borne
    entry = model.loss_entry(after, loss, others, business_day, now)
    if entry is not None:
        ledger.post(uow, entry)
    _move_wallet(uow, dispute, -too_much, unblocks=dispute.is_blocking and not after.is_blocking)
    return _save(uow, dispute, after)


def forgive_dispute(uow: UnitOfWork, dispute_id: str) -> Dispute:
    """Nobody is to make good what is missing: the wallet may be used again. Raises dispute.not_found, dispute.not_open,
    dispute.covered."""
    dispute = require_dispute(uow.ctx, dispute_id)
    after = model.forgiven(dispute, uow.ctx.now())
    _move_wallet(uow, dispute, 0, unblocks=dispute.is_blocking)
    return _save(uow, dispute, after)


def _move_wallet(uow: UnitOfWork, dispute: Dispute, amount: int, *, unblocks: bool) -> None:
    """`amount` out of the wallet (below zero: into it), and what blocks it gone, in one change."""
    blocks = -1 if unblocks else 0
    if amount:
        ledger.post(uow, model.withheld_entry(dispute, amount, uow.ctx.now()), blocks=blocks)
    elif unblocks:
        ledger.block(uow, model.wallet_of(dispute), blocks)


def _save(uow: UnitOfWork, before: Dispute | None, after: Dispute) -> Dispute:
    if before is None:
        uow.create(DISPUTES, after, on_conflict=StaleRead("The dispute"))
        for listed_for in filter(None, (PLATFORM_ID, after.operator_id)):
            uow.put(LISTED_DISPUTES, ListedDispute(listed_for, after.opened_at, after.dispute_id))
        return after
    saved = replace(after, revision=before.revision + 1)
    unmoved = DisputeRow.revision == before.revision
    uow.put(DISPUTES, saved, condition=unmoved, on_conflict=StaleRead("The dispute"))
    return saved
