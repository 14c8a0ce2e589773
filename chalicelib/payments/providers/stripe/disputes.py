"""Disputes: payments that payers' banks take back.

Used by `StripeProvider`. An inquiry (`warning_*`) moves no money; a dispute does, in a line of our balance or two. What
is not known to be decided is open. Sources: docs.stripe.com/api/disputes/object, /disputes/how-disputes-work.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.payments.providers.port import DisputeLine, DisputeOutcome, DisputeState
from chalicelib.payments.providers.stripe.client import provider_errors
from chalicelib.payments.providers.stripe.units import from_stripe_units

if TYPE_CHECKING:
    import stripe

_STATES = {
    "warning_needs_response": DisputeState.INQUIRY,
    "warning_under_review": DisputeState.INQUIRY,
    "warning_closed": DisputeState.WON,
    "prevented": DisputeState.WON,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
}  # needs_response, under_review: not decided


def find_dispute(client: stripe.StripeClient, dispute_ref: str) -> DisputeOutcome:
    with provider_errors():
        dispute = client.v1.disputes.retrieve(dispute_ref)
    state = _STATES.get(dispute.status, DisputeState.OPEN)
    is_decided = state in (DisputeState.WON, DisputeState.LOST)
    due_by = getattr(dispute.evidence_details, "due_by", None)
    payment = getattr(dispute, "payment_intent", None)
    lines = [_read_line(line) for line in dispute.balance_transactions]
    return DisputeOutcome(
        dispute_ref=dispute.id,
        payment_ref=payment if isinstance(payment, str) else getattr(payment, "id", None),
        state=state,
        amount=from_stripe_units(dispute.amount, dispute.currency),
        opened_at=datetime.fromtimestamp(dispute.created, UTC),
        reason=dispute.reason,
        respond_by=datetime.fromtimestamp(due_by, UTC) if due_by and not is_decided else None,
        lines=tuple(sorted(lines, key=lambda line: (line.created_at, line.movement_ref))),
    )


def _read_line(line: stripe.BalanceTransaction) -> DisputeLine:
    return DisputeLine(
        movement_ref=line.id,
        amount=from_stripe_units(line.amount, line.currency),
        fee=from_stripe_units(line.fee, line.currency) if line.fee else None,
        created_at=datetime.fromtimestamp(line.created, UTC),
    )
