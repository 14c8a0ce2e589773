"""Disputes: a payer's bank asks, takes the money back, and decides."""

from __future__ import annotations

from infra.local.payments.objects.common import NewId, StripeObject, balance_line
from infra.local.payments.parameters import StripeError

DISPUTE_FEE = 2000
ANSWER_WITHIN_S = 7 * 24 * 60 * 60
INQUIRY = "warning_needs_response"
OPEN = frozenset({"needs_response", "under_review"})


def begin(charge: StripeObject, new_id: NewId, now_s: int, *, inquiry: bool = False) -> list[StripeObject]:
    """Dispute, charge, and, unless the bank only asks, the line of the balance."""
    begun: StripeObject = {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": charge["amount_captured"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now_s,
        "currency": charge["currency"],
        "evidence_details": {
            "due_by": now_s + ANSWER_WITHIN_S,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": INQUIRY,
    }
    return [begun, charge | {"disputed": True}] if inquiry else withdraw(begun, charge, new_id, now_s)


def withdraw(dispute: StripeObject, charge: StripeObject, new_id: NewId, now_s: int) -> list[StripeObject]:
    """The bank takes the money, and Stripe its fee."""
    line = balance_line(
        new_id, dispute, now_s, amount=-dispute["amount"], kind="adjustment", category="dispute", fee=DISPUTE_FEE
    )
    taken = _with_line(dispute, line) | {"is_charge_refundable": False, "status": "needs_response"}
    return [taken, charge | {"disputed": True, "_charged_back": True}, line]


def decide(dispute: StripeObject, charge: StripeObject, new_id: NewId, now_s: int, *, won: bool) -> list[StripeObject]:
    """Dispute, and, where the money comes back, charge and line; the fee stays. An inquiry is only closed."""
    if dispute["status"] == INQUIRY:
        if not won:
            raise StripeError("An inquiry is not lost: the bank opens a dispute.")
        return [dispute | {"status": "warning_closed"}]
    if dispute["status"] not in OPEN:
        raise StripeError(f"The dispute is {dispute['status']}.")
    if not won:
        return [dispute | {"status": "lost"}]
    line = balance_line(
        new_id, dispute, now_s, amount=dispute["amount"], kind="adjustment", category="dispute_reversal"
    )
    return [_with_line(dispute, line) | {"status": "won"}, charge | {"_charged_back": False}, line]


def _with_line(dispute: StripeObject, line: StripeObject) -> StripeObject:
    """The object shows its lines whole."""
    shown = {name: value for name, value in line.items() if not name.startswith("_")}
    return dispute | {"balance_transactions": [*dispute["balance_transactions"], shown]}
