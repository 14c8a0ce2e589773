"""Paying back payments: what a top-up put into a wallet, or what a guest's charge has cost.

Here and not with the payments, because a refund takes the money from where it went: the wallet, or the income of the
session, of which then a credit CDR tells.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from chalicelib.charging import lookup
from chalicelib.charging.service import correcting
from chalicelib.identity.scope import check_works_everywhere, may_see
from chalicelib.kernel.errors import conflict, forbidden, invalid, not_found
from chalicelib.kernel.http import Api, Request, Shape
from chalicelib.kernel.money import Money
from chalicelib.payments import service as payments
from chalicelib.payments.model import Payment
from chalicelib.wallets import service as wallets

api = Api("payments", "operator")

_ReasonText = Annotated[str, msgspec.Meta(max_length=200, pattern=r"\S", description="Not blank.")]


class RefundCreate(Shape):
    """Without `amount` as much as can be paid back: of a top-up no more than the wallet has."""

    reason: _ReasonText
    amount: Money | None = None


class RefundAsked(Shape):
    """Asked for; how it stands at the provider: `GET /v1/payments/{payment_id}/refunds`, by `refund_id`. Null where
    nothing has to go back, since nobody had paid that part."""

    payment_id: str
    refund_id: str | None
    amount: Money
    state: Literal["requested"] = "requested"


@api.post("/v1/payments/{payment_id}/refunds", permission="payments:refund", status=202, idempotency_key=True)
def create_refund(req: Request, payment_id: str, body: RefundCreate) -> RefundAsked:
    """Pays a payment back, or a part of it.

    A top-up leaves the wallet again (the platform's people only: drivers pay the platform). A guest's charge costs less
    from then on: its operator's income is lowered by a credit CDR.
    """
    payment = _visible(req, payment_id)
    pay_back = _refund_topup if payment.purpose == "topup" else _refund_guest
    amount, refund_id = pay_back(req, payment, body)
    asked = RefundAsked(payment_id=payment_id, refund_id=refund_id, amount=amount)
    req.audit(
        "payment", payment_id, owner_id=payment.operator_id, after={"refunded": amount, "reason": body.reason.strip()}
    )
    return asked


def _refund_topup(req: Request, payment: Payment, body: RefundCreate) -> tuple[Money, str | None]:
    if not req.actor.is_platform:
        raise forbidden("Top-ups are paid back by the platform's people.")
    refund = wallets.refund_topup(
        req.uow,
        refund_id=req.new_id("ref", req.actor.login_id, payment.payment_id),
        topup_id=payment.purpose_id,
        amount=body.amount,
        reason=body.reason.strip(),
        requested_by=req.actor.person_id,
    )
    return refund.amount, refund.refund_id


def _refund_guest(req: Request, payment: Payment, body: RefundCreate) -> tuple[Money, str | None]:
    cdr = lookup.find_cdr(req.ctx, payment.purpose_id)
    if cdr is not None and payment.paid_back == "full":
        raise conflict("refund.exceeds_captured", f"No more than {payment.refundable} can be paid back.", "/amount")
    if cdr is None or payment.state != "captured" or cdr.captured.amount <= 0:
        raise conflict("payment.not_captured", "Nothing of this payment is taken that could be paid back.")
    amount = cdr.captured if body.amount is None else body.amount
    if amount.currency != cdr.captured.currency:
        raise invalid("correction.currency", f"This payment is in {cdr.captured.currency}.", "/amount/currency")
    if not 0 < amount.amount <= cdr.captured.amount:
        raise invalid("refund.amount", f"A refund is more than nothing and at most {cdr.captured}.", "/amount/amount")
    session = lookup.require_session(req.ctx, payment.purpose_id)
    correction = correcting.reduce_cost(
        req.uow, session, cost=cdr.captured - amount, reason=body.reason.strip(), by=req.actor.person_id
    )
    return -correction.moved, correction.refund_id  # a little more where the card can express no less


def _visible(req: Request, payment_id: str) -> Payment:
    """Raises payment.not_found: an operator sees what guests pay at its chargers, and drivers for its packages; and
    forbidden for who works at some places only, and sees no payments."""
    check_works_everywhere(req)
    payment = payments.find_payment(req.ctx, payment_id)
    if payment is None or not may_see(req, payment.listed_for):
        raise not_found("payment", payment_id)
    return payment
