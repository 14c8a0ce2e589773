"""Refunds: money of a payment back to its payer.

`request_refund` is called by wallets (a top-up) and charging (a guest's session) with what else they change;
`send_refund` by the consumer of the event that follows, and by the reconciliation. Invariants: all refunds of a
payment are no more than was captured, however many ask at once; what left an account is on the way, or paid, or back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from chalicelib.identity import service as identity
from chalicelib.kernel import outbox
from chalicelib.kernel.errors import DomainError, Kind, StaleRead, conflict
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Posting, account_owner, business_day, refunds_account
from chalicelib.payments import model
from chalicelib.payments.model import Refund
from chalicelib.payments.providers.port import PaymentProvider, ProviderRefused, RefundOutcome
from chalicelib.payments.service.listing import find_refund, require_payment, require_refund
from chalicelib.payments.service.saving import save, tell_fault
from chalicelib.payments.store import REFUNDS, RefundRow


def request_refund(
    uow: UnitOfWork,
    *,
    refund_id: str,
    payment_id: str,
    amount: Money,
    reason: str,
    from_account_id: str,
    requested_by: str,
    business_day: str | None = None,
    beside: Sequence[Posting] = (),
) -> Refund:
    """Sends `amount` of a payment back to its payer, out of a wallet or of income (on `business_day`). Asked again with
    the same id, it is the same refund.

    `beside`: what else goes out of the wallet in the same entry, and to where (a bonus; needs the day). Raises
    payment.not_found, payment.not_refundable, refund.exceeds_captured, refund.conflict (the id is another refund's),
    refund.amount_invalid, ledger.insufficient_funds.
    """
    now = uow.ctx.now()
    payment = require_payment(uow.ctx, payment_id)
    refund = Refund(
        refund_id=refund_id,
        payment_id=payment_id,
        provider=payment.provider,
        amount=amount,
        reason=reason,
        from_account_id=from_account_id,
        requested_by=requested_by,
        requested_at=now,
        changed_at=now,
        business_day=business_day,
        beside=list(beside),
    )
    known = find_refund(uow.ctx, payment_id, refund_id)
    if known is not None:
        if model.same_request(known, refund):
            return known
        raise conflict("refund.conflict", f"The refund {refund_id!r} is another one.")
    model.check_refund(payment, refund)
    refunded = (payment.refunded or Money.zero(amount.currency)) + amount
    save(uow, payment, replace(payment, refunded=refunded))
    uow.create(REFUNDS, refund, on_conflict=StaleRead("The refund"))
    ledger.post(uow, model.refund_entry(refund, now))
    outbox.emit(uow, "payment.refund_due", refund_id, {"payment_id": payment_id, "refund_id": refund_id})
    return refund


def retry_refund(uow: UnitOfWork, payment_id: str, refund_id: str) -> Refund:
    """Tries one that failed again, with the money that is still on its way. Raises refund.not_found,
    refund.illegal_transition, refund.returned (a wallet has its money back)."""
    refund = require_refund(uow.ctx, payment_id, refund_id)
    after = model.refund_retried(refund, uow.ctx.now())
    _put(uow, refund, after)
    outbox.emit(uow, "payment.refund_due", refund_id, {"payment_id": payment_id, "refund_id": refund_id})
    return after


def send_refund(uow: UnitOfWork, provider: PaymentProvider, payment_id: str, refund_id: str) -> Refund:
    """Asks the provider to pay back. It may be asked any number of times: it pays once.

    A clear no is `failed`. Raises ProviderUnavailable, and ProviderRefused where the fault is ours to mend: the refund
    stays requested.
    """
    refund = require_refund(uow.ctx, payment_id, refund_id)
    if refund.state != "requested":
        return refund
    payment_ref = require_payment(uow.ctx, payment_id).payment_ref
    if payment_ref is None:
        raise DomainError("payment.no_reference", "The provider gave no reference.", Kind.INTERNAL)
    try:
        outcome = provider.refund(model.refund_request(refund, payment_ref))
    except ProviderRefused as refusal:
        if refusal.kind is Kind.INTERNAL:
            raise
        return _settle(uow, refund, model.refund_refused(refund, refusal, uow.ctx.now()))
    return take_refund_outcome(uow, refund, outcome)


def resolve_refund(uow: UnitOfWork, provider: PaymentProvider, payment_id: str, refund_id: str) -> Refund:
    """Brings an unfinished refund to the state that the provider gives it. Raises as `send_refund`."""
    refund = require_refund(uow.ctx, payment_id, refund_id)
    if refund.state != "pending" or refund.refund_ref is None:
        return send_refund(uow, provider, payment_id, refund_id)
    return take_refund_outcome(uow, refund, provider.find_refund(refund.refund_ref))


def take_refund_outcome(uow: UnitOfWork, refund: Refund, outcome: RefundOutcome) -> Refund:
    return _settle(uow, refund, model.after_refund(refund, outcome, uow.ctx.now()))


def _settle(uow: UnitOfWork, before: Refund, after: Refund) -> Refund:
    if after is before:
        return before
    _put(uow, before, after)
    now = uow.ctx.now()
    if after.state == "succeeded":
        ledger.post(uow, model.refunded_entry(after, now))
        outbox.emit(uow, "payment.refunded", after.refund_id, _facts(uow, after))
    elif after.state == "failed":
        if before.state == "succeeded":
            ledger.post(uow, model.refunded_entry(after, now, is_back=True))
        _give_back(uow, after)
        outbox.emit(uow, "payment.refund_failed", after.refund_id, _facts(uow, after))
    return after


def _give_back(uow: UnitOfWork, refund: Refund) -> None:
    """A wallet has its money again. What came out of income is still owed to a guest: somebody has to try again."""
    if refund.is_of_wallet:
        payment = require_payment(uow.ctx, refund.payment_id)
        refunded = (payment.refunded or refund.amount) - refund.amount
        save(uow, payment, replace(payment, refunded=refunded))
        ledger.post(uow, model.returned_entry(refund, uow.ctx.now(), _day_of(uow, refund)))
        return
    account_id = refunds_account(refund.provider, refund.amount.currency)
    detail = f"the refund {refund.refund_id} of {refund.amount} failed ({refund.failure}): try again."
    tell_fault(uow, refund.payment_id, "payment_refund_failed", account_id, detail)


def _day_of(uow: UnitOfWork, refund: Refund) -> str | None:
    """The business day, now, of the organisation whose bonus comes back with the money."""
    owner = next((account_owner(posting.account_id) for posting in refund.beside), None)
    if owner is None:
        return None
    organization = identity.find_organization(uow.ctx, owner)
    return business_day(uow.ctx.now(), organization.time_zone if organization else "UTC")


def _facts(uow: UnitOfWork, refund: Refund) -> dict[str, Any]:
    payment = require_payment(uow.ctx, refund.payment_id)
    return {
        "payment_id": payment.payment_id,
        "purpose": payment.purpose,
        "purpose_id": payment.purpose_id,
        "refund_id": refund.refund_id,
        "amount": refund.amount,
    }


def _put(uow: UnitOfWork, before: Refund, after: Refund) -> None:
    uow.put(
        REFUNDS,
        after,
        condition=(RefundRow.state == before.state) & (RefundRow.attempt == before.attempt),
        on_conflict=StaleRead("The refund"),
    )
