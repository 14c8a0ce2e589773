"""Money that is reserved: take what it cost, or let go.

`request_*` are called by charging, in the commit that ends or refuses a guest's session; `send_*` by the consumers of
the events that follow, and by the reconciliation. Invariants: income is posted when it is asked for, once; no more is
taken than was authorised; a provider's silence changes nothing, and asking again asks for the same.
"""

from __future__ import annotations

from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.log import logger
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import captures_account
from chalicelib.payments import model
from chalicelib.payments.model import CaptureOrder, Payment
from chalicelib.payments.providers.port import PaymentProvider, ProviderRefused
from chalicelib.payments.service.listing import require_payment
from chalicelib.payments.service.saving import save

_NOTHING_RESERVED = frozenset({"release_due", "released", "failed", "expired"})


def request_capture(
    uow: UnitOfWork,
    payment_id: str,
    amount: Money,
    *,
    income_account_id: str,
    business_day: str,
    source_id: str,
    tax: Money | None = None,
) -> Payment:
    """Takes `amount` (`tax` of it) of what is authorised, and lets the rest go; nothing at all is `request_release`.

    Posts it as income of the business day. Asked again for the same, it changes nothing. Where the authorisation is
    gone, it is posted and `payment.capture_failed` is told at once, after which it is taken back (`reverse_capture`).
    Raises payment.not_found, payment.capture_invalid, payment.exceeds_authorized, payment.capture_conflict,
    payment.illegal_transition (never authorised, or let go by us).
    """
    if amount.amount == 0:
        return request_release(uow, payment_id)
    payment = require_payment(uow.ctx, payment_id)
    order = CaptureOrder(amount, income_account_id, business_day, source_id, tax)
    return save(uow, payment, model.capture_asked(payment, order, uow.ctx.now()))


def request_release(uow: UnitOfWork, payment_id: str) -> Payment:
    """Lets go what is authorised; where nothing is reserved, nothing happens. Nor where it was taken by hand: that is
    told as a fault already, and who ends a session need not know.

    Raises payment.illegal_transition: not decided yet, or to be captured, or taken as we asked.
    """
    payment = require_payment(uow.ctx, payment_id)
    if payment.state in _NOTHING_RESERVED or (payment.state == "captured" and payment.order is None):
        return payment
    return save(uow, payment, model.moved(payment, "release_asked", uow.ctx.now()))


def reverse_capture(uow: UnitOfWork, payment_id: str, *, business_day: str) -> bool:
    """Takes the income of a capture that failed back out of the books, on the business day of the credit CDR that
    stands behind it; False when that was done before. Raises payment.illegal_transition for one that did not fail."""
    payment = require_payment(uow.ctx, payment_id)
    if payment.state != "capture_failed" or payment.order is None:
        detail = f"The capture of a payment that is {payment.state} is not taken back."
        raise DomainError("payment.illegal_transition", detail, Kind.CONFLICT)
    home = captures_account(payment.provider, payment.order.amount.currency)
    entry = ledger.require_entry(uow.ctx, home, model.capture_entry_id(payment))
    if entry.reversed_by is not None:
        return False
    ledger.reverse(uow, entry, business_day=business_day, note=payment.failure)
    return True


def send_capture(uow: UnitOfWork, provider: PaymentProvider, payment_id: str) -> Payment:
    """Asks the provider to capture what is due. It may be asked any number of times: it captures once.

    A clear no ends in `capture_failed`, unless the provider says that the money was taken. Raises ProviderUnavailable,
    and ProviderRefused where the fault is ours to mend (a wrong key): the payment stays due.
    """
    payment = require_payment(uow.ctx, payment_id)
    if payment.state != "capture_due" or payment.order is None:
        return payment
    try:
        outcome = provider.capture(
            _reference(payment), payment.order.amount, idempotency_key=f"{payment.payment_id}/capture"
        )
    except ProviderRefused as refusal:
        if refusal.kind is Kind.INTERNAL:
            raise
        after = _after_refused_capture(uow, provider, payment, refusal)
    else:
        after = model.after_capture(payment, outcome, uow.ctx.now())
    return save(uow, payment, after)


def send_release(uow: UnitOfWork, provider: PaymentProvider, payment_id: str) -> Payment:
    """Asks the provider to let go what is reserved. Raises ProviderUnavailable, ProviderRefused: it stays due."""
    payment = require_payment(uow.ctx, payment_id)
    if payment.state != "release_due":
        return payment
    try:
        provider.release(_reference(payment), idempotency_key=f"{payment.payment_id}/release")
    except ProviderRefused:
        after = _as_told(uow, provider, payment)
        if after.state == payment.state:
            raise
    else:
        after = model.moved(payment, "released", uow.ctx.now())
    return save(uow, payment, after)


def _after_refused_capture(
    uow: UnitOfWork, provider: PaymentProvider, payment: Payment, refusal: ProviderRefused
) -> Payment:
    """The provider's view of the payment stands above its answer: it may have been captured, or have run out."""
    told = _as_told(uow, provider, payment)
    if told.state == "captured":
        return told
    after = model.capture_refused(payment, refusal, uow.ctx.now())
    if told.state == payment.state:
        _try_release(provider, payment)
    return after


def _try_release(provider: PaymentProvider, payment: Payment) -> None:
    """What cannot be captured need not stay reserved. If this fails it runs out by itself."""
    try:
        provider.release(_reference(payment), idempotency_key=f"{payment.payment_id}/release")
    except DomainError as error:
        logger.warning("not released", extra={"payment_id": payment.payment_id, "code": error.code})


def _as_told(uow: UnitOfWork, provider: PaymentProvider, payment: Payment) -> Payment:
    return model.after_outcome(payment, provider.find_checkout(payment.provider_ref or ""), uow.ctx.now())


def _reference(payment: Payment) -> str:
    if payment.payment_ref is None:
        raise DomainError("payment.no_reference", "The provider gave no reference.", Kind.INTERNAL)
    return payment.payment_ref
