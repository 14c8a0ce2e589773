"""The one way in which a payment is written: on the condition that nobody moved it, with its entries and its events.

Called by the other modules of this folder. Invariant: a change of state, what the ledger learns of it, and the event
that tells of it are one commit.
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.kernel import outbox
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import captures_account, clearing_account
from chalicelib.payments import model
from chalicelib.payments.model import TAKEN, Payment
from chalicelib.payments.store import PAYMENTS, PaymentRow


def save(uow: UnitOfWork, before: Payment, after: Payment) -> Payment:
    """Adds the payment to `uow` if it changed, and returns it as it is then."""
    if after == before:
        return before
    after = replace(after, revision=before.revision + 1)
    # Rows from before revisions were counted have none.
    unmoved = PaymentRow.revision == before.revision
    if before.revision == 0:
        unmoved = PaymentRow.revision.does_not_exist() | unmoved
    uow.put(
        PAYMENTS,
        after,
        condition=(PaymentRow.state == before.state) & (PaymentRow.changed_at == before.changed_at) & unmoved,
        on_conflict=StaleRead("The payment"),
    )
    _post(uow, before, after)
    if after.state != before.state or after.order != before.order:
        _tell(uow, before, after)
    return after


def tell_fault(uow: UnitOfWork, payment_id: str, code: str, account_id: str, detail: str) -> None:
    """Wakes somebody: the consumer writes what the alarm on ledger faults watches."""
    facts = {"code": code, "account_id": account_id, "detail": f"{payment_id}: {detail}"}
    outbox.emit(uow, "payment.fault_found", payment_id, facts)


def _post(uow: UnitOfWork, before: Payment, after: Payment) -> None:
    now = uow.ctx.now()
    if after.state == "captured" and before.state != "captured" and after.captured is not None:
        ledger.post(uow, model.captured_entry(after, after.captured, now))
    if before.order is None and after.order is not None:
        ledger.post(uow, model.capture_entry(after, after.order, now))
    is_new_fee = after.state in TAKEN and (before.fee is None or before.state not in TAKEN)
    if is_new_fee and after.fee is not None and after.fee.amount > 0:
        ledger.post(uow, model.fee_entry(after, after.fee, now))


def _tell(uow: UnitOfWork, before: Payment, after: Payment) -> None:
    payment_id = after.payment_id
    facts = {"payment_id": payment_id, "purpose": after.purpose, "purpose_id": after.purpose_id}
    if after.state == "succeeded":
        outbox.emit(uow, "payment.succeeded", payment_id, facts)
    elif after.state == "authorized":
        outbox.emit(uow, "payment.authorized", payment_id, facts)
    elif after.state in ("failed", "expired"):
        outbox.emit(uow, "payment.failed", payment_id, facts)
    elif after.state == "capture_due":
        outbox.emit(uow, "payment.capture_due", payment_id, facts)
    elif after.state == "release_due":
        outbox.emit(uow, "payment.release_due", payment_id, facts)
    elif after.state == "captured":
        outbox.emit(uow, "payment.captured", payment_id, facts)
    elif after.state == "capture_failed":
        outbox.emit(uow, "payment.capture_failed", payment_id, facts)
    elif after.state == "released":
        outbox.emit(uow, "payment.released", payment_id, facts)
    _tell_faults(uow, before, after)


def _tell_faults(uow: UnitOfWork, before: Payment, after: Payment) -> None:
    """What nobody should have to find out by reading."""
    clearing = clearing_account(after.provider, after.amount.currency)
    captures = captures_account(after.provider, after.amount.currency)
    asked = after.order.amount if after.order else None
    if after.state == "mismatch":
        detail = f"asked for {after.amount}, the provider says {after.captured or after.authorized}: pay it back there."
        tell_fault(uow, after.payment_id, "payment_mismatch", clearing, detail)
    elif after.state == "captured" and before.state not in ("captured", "capture_due"):
        detail = f"{after.captured} was captured, though the payment was {before.state}: book it, or pay it back."
        tell_fault(uow, after.payment_id, "payment_captured_unasked", captures, detail)
    elif after.state == "captured" and after.captured != asked:
        detail = f"{asked} was to be captured, the provider captured {after.captured}."
        tell_fault(uow, after.payment_id, "payment_captured_other", captures, detail)
    elif after.state == "capture_failed":
        detail = f"{asked} could not be captured ({after.failure or 'the authorisation has run out'})."
        tell_fault(uow, after.payment_id, "payment_capture_failed", captures, detail)
    elif (before.state, after.state) == ("authorized", "released"):
        detail = f"{after.authorized} was reserved and ran out, or was released by hand, before it was captured."
        tell_fault(uow, after.payment_id, "payment_authorization_lost", captures, detail)
