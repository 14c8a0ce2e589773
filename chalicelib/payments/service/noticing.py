"""Providers' notifications. They say that something happened; what counts is how the provider says it stands.

Called by the webhook. Invariants: a notification has one effect however often, late or out of order it comes; the row
that remembers it lands in the commit of its effect.
"""

from __future__ import annotations

from chalicelib.kernel.errors import Kind, StaleRead
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger.model import clearing_account
from chalicelib.payments import model
from chalicelib.payments.model import Payment, SeenEvent
from chalicelib.payments.providers.port import PaymentProvider, ProviderEvent, ProviderEventKind, ProviderRefused
from chalicelib.payments.service.disputing import take_dispute
from chalicelib.payments.service.listing import find_payment, find_refund
from chalicelib.payments.service.payees import find_organization_of, find_payout_account, open_payout_account
from chalicelib.payments.service.paying_out import find_payout, take_payout_outcome
from chalicelib.payments.service.refunding import take_refund_outcome
from chalicelib.payments.service.saving import save, tell_fault
from chalicelib.payments.store import SEEN_EVENTS, event_pk


def take_event(uow: UnitOfWork, provider: PaymentProvider, event: ProviderEvent) -> str:
    """Acts upon a verified notification: asks the provider how things stand and adds that to `uow`.

    Returns what was done: `applied`, `repeated`, or `ignored` (not about anything of ours). Raises
    ProviderUnavailable: the provider will send it again.
    """
    if event.kind is ProviderEventKind.OTHER:
        return "ignored"
    if SEEN_EVENTS.get(uow.ctx, event_pk(provider.name, event.id), "event") is not None:
        return "repeated"
    subject = _take(uow, provider, event)
    if subject is None:
        return "ignored"
    uow.create(
        SEEN_EVENTS,
        SeenEvent(provider.name, event.id, event.provider_type, subject, uow.ctx.now()),
        on_conflict=StaleRead("The notification"),
    )
    return "applied"


def _take(uow: UnitOfWork, provider: PaymentProvider, event: ProviderEvent) -> str | None:
    """The id of what of ours the notification is about; None where it is about nothing."""
    if event.kind is ProviderEventKind.PAYOUT_CHANGED:
        return _take_payout(uow, provider, event)
    if event.kind is ProviderEventKind.PAYEE_CHANGED:
        return _take_payee(uow, provider, event)
    payment = _payment_of(uow, provider, event)
    if payment is None or payment.provider != provider.name:
        logger.warning("notification about no payment of ours", extra={"provider_event": event.id})
        return None
    if event.kind is ProviderEventKind.REFUND_CHANGED:
        is_ours = _take_refund(uow, provider, payment, event)
    elif event.dispute_ref is not None:
        take_dispute(uow, provider, payment, event.dispute_ref)
        is_ours = True
    else:
        is_ours = _take_checkout(uow, provider, payment, event)
    return payment.payment_id if is_ours else None


def _payment_of(uow: UnitOfWork, provider: PaymentProvider, event: ProviderEvent) -> Payment | None:
    payment_id = event.payment_id
    if payment_id is None and event.payment_ref is not None:
        try:
            payment_id = provider.find_payment_id(event.payment_ref)
        except ProviderRefused as refusal:
            if refusal.kind is Kind.INTERNAL:
                raise  # a wrong key: once it is mended the notification comes again
    return find_payment(uow.ctx, payment_id) if payment_id else None


def _take_checkout(uow: UnitOfWork, provider: PaymentProvider, payment: Payment, event: ProviderEvent) -> bool:
    provider_ref = payment.provider_ref or event.provider_ref
    if provider_ref is None or event.provider_ref not in (None, provider_ref):
        logger.error("notification about another page", extra={"payment_id": payment.payment_id, "event": event.id})
        return False
    save(uow, payment, model.after_outcome(payment, provider.find_checkout(provider_ref), uow.ctx.now()))
    return True


def _take_refund(uow: UnitOfWork, provider: PaymentProvider, payment: Payment, event: ProviderEvent) -> bool:
    """One that we did not ask for was made by hand at the provider: the books do not have it."""
    refund_id, attempt = model.refund_of_attempt(event.refund_id or "")
    refund = find_refund(uow.ctx, payment.payment_id, refund_id) if refund_id else None
    if refund is None:
        if event.refund_ref is not None and provider.find_refund(event.refund_ref).is_release:
            return False  # the rest of what was captured in part: never ours
        clearing = clearing_account(payment.provider, payment.amount.currency)
        detail = f"the provider has a refund {event.refund_ref} that we did not ask for: book it."
        tell_fault(uow, payment.payment_id, "payment_refunded_unasked", clearing, detail)
        return True
    if event.refund_ref is None or attempt != refund.attempt:
        return False  # of an attempt before
    take_refund_outcome(uow, refund, provider.find_refund(event.refund_ref))
    return True


def _take_payout(uow: UnitOfWork, provider: PaymentProvider, event: ProviderEvent) -> str | None:
    """One whose own answer is still to come is brought by that."""
    payout = find_payout(uow.ctx, event.payout_id) if event.payout_id else None
    if payout is None or payout.provider != provider.name or event.payout_ref is None:
        logger.warning("notification about no payout of ours", extra={"provider_event": event.id})
        return None
    take_payout_outcome(uow, payout, provider.find_payout(event.payout_ref))
    return payout.payout_id


def _take_payee(uow: UnitOfWork, provider: PaymentProvider, event: ProviderEvent) -> str | None:
    organization_id = find_organization_of(uow.ctx, provider.name, event.payee_ref) if event.payee_ref else None
    account = find_payout_account(uow.ctx, organization_id) if organization_id else None
    if account is None or account.payee_ref != event.payee_ref or account.provider != provider.name:
        return None
    open_payout_account(uow, provider, account)
    return account.organization_id
