"""Payouts: money of ours to an organisation's bank, through its account at the provider.

`request_payout` is called by settlement in the commit that approves a withdrawal; `send_payout` by the consumer of the
event that follows, and by the ten-minutes job. Invariants: a provider's silence changes nothing, and asking again asks
for the same; each change of state is told in its own commit (`payout.paid`, `payout.failed`), and the ledger is posted
to by who hears it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import Kind, StaleRead, conflict, not_found
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments import model
from chalicelib.payments.model import RECONCILE_AFTER, Payout
from chalicelib.payments.providers.port import PaymentProvider, PayoutOutcome, ProviderRefused
from chalicelib.payments.service.payees import check_payee
from chalicelib.payments.store import PAYOUTS, UNFINISHED_PAYOUTS, PaymentRow, PayoutRow, payout_pk


def find_payout(ctx: Context, payout_id: str) -> Payout | None:
    return PAYOUTS.get(ctx, payout_pk(payout_id), "payout")


def require_payout(ctx: Context, payout_id: str) -> Payout:
    """Raises payout.not_found."""
    payout = find_payout(ctx, payout_id)
    if payout is None:
        raise not_found("payout", payout_id)
    return payout


def overdue_payouts(ctx: Context) -> Iterator[Payout]:
    """Payouts that the provider has not ended for longer than RECONCILE_AFTER, oldest first."""
    before = ctx.now() - RECONCILE_AFTER
    for payout, _ in PAYOUTS.walk(ctx, UNFINISHED_PAYOUTS, index=PaymentRow.unresolved_payments):
        if payout.is_unfinished and payout.changed_at <= before:
            yield payout


def request_payout(uow: UnitOfWork, *, payout_id: str, organization_id: str, amount: Money, description: str) -> Payout:
    """Sends `amount` to an organisation's bank through the provider. Asked again with the same id, it is the same
    payout. Raises payout.no_payee, payout.payee_not_ready, payout.conflict (the id is another payout's) (409)."""
    account = check_payee(uow.ctx, organization_id)
    now = uow.ctx.now()
    payout = Payout(
        payout_id=payout_id,
        organization_id=organization_id,
        provider=account.provider,
        payee_ref=account.payee_ref or "",
        amount=amount,
        description=description,
        requested_at=now,
        changed_at=now,
    )
    known = find_payout(uow.ctx, payout_id)
    if known is not None:
        if model.same_payout(known, payout):
            return known
        raise conflict("payout.conflict", f"The payout {payout_id!r} is another one.")
    uow.create(PAYOUTS, payout, on_conflict=StaleRead("The payout"))
    outbox.emit(uow, "payment.payout_due", payout_id, {"payout_id": payout_id})
    return payout


def send_payout(uow: UnitOfWork, provider: PaymentProvider, payout_id: str) -> Payout:
    """Asks the provider to pay. It may be asked any number of times: it pays once.

    A clear no is `failed`. Raises ProviderUnavailable, and ProviderRefused where the fault is ours to mend: the payout
    stays requested.
    """
    payout = require_payout(uow.ctx, payout_id)
    if payout.state != "requested":
        return payout
    try:
        outcome = provider.pay_out(model.payout_request(payout))
    except ProviderRefused as refusal:
        if refusal.kind is Kind.INTERNAL:
            raise
        return _settle(uow, payout, model.payout_refused(payout, refusal, uow.ctx.now()))
    return take_payout_outcome(uow, payout, outcome)


def resolve_payout(uow: UnitOfWork, provider: PaymentProvider, payout_id: str) -> Payout:
    """Brings a payout to the state that the provider gives it. Raises as `send_payout`."""
    payout = require_payout(uow.ctx, payout_id)
    if payout.payout_ref is None:
        return send_payout(uow, provider, payout_id)
    return take_payout_outcome(uow, payout, provider.find_payout(payout.payout_ref))


def take_payout_outcome(uow: UnitOfWork, payout: Payout, outcome: PayoutOutcome) -> Payout:
    return _settle(uow, payout, model.after_payout(payout, outcome, uow.ctx.now()))


def _settle(uow: UnitOfWork, before: Payout, after: Payout) -> Payout:
    if after is before:
        return before
    uow.put(PAYOUTS, after, condition=PayoutRow.state == before.state, on_conflict=StaleRead("The payout"))
    tell_payout(uow, after)
    return after


def tell_payout(uow: UnitOfWork, payout: Payout) -> None:
    """Who hears it may hear it any number of times."""
    if payout.state == "paid":
        outbox.emit(uow, "payout.paid", payout.payout_id, _facts(payout))
    elif payout.state == "failed":
        outbox.emit(uow, "payout.failed", payout.payout_id, _facts(payout))


def _facts(payout: Payout) -> dict[str, Any]:
    return {
        "payout_id": payout.payout_id,
        "organization_id": payout.organization_id,
        "provider": payout.provider,
        "payout_ref": payout.payout_ref,
        "amount": payout.amount,
        "failure": payout.failure,
    }
