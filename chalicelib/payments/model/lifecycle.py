"""The lifecycle of a payment: one table, and what its states mean. Pure.

An automatic payment goes from the provider's page to `succeeded`. A manual one is `authorized` there (money is
reserved, nothing taken); what we then ask for is a state of its own (`capture_due`, `release_due`) until the provider
has said that it is done. Late facts count: money that came is ours to account for whatever we had thought before.
"""

from __future__ import annotations

from typing import Final, Literal

from chalicelib.kernel.lifecycle import Lifecycle

PaymentState = Literal[
    "created",
    "unknown",
    "pending",
    "succeeded",
    "authorized",
    "capture_due",
    "captured",
    "capture_failed",
    "release_due",
    "released",
    "failed",
    "expired",
    "mismatch",
]

UNOPENED: Final = frozenset({"created", "unknown"})
UNRESOLVED: Final = UNOPENED | {"pending"}
TAKEN: Final = frozenset({"succeeded", "captured"})
"""The payer's money is at the provider for us."""
DUE: Final = frozenset({"capture_due", "release_due"})
"""We have asked for something, and the provider has not said that it is done."""
DISPUTED: Final = frozenset({"open", "lost"})
"""States of a dispute in which the payer has the money, or is about to: nothing may be paid back besides."""

_PAGE_OUTCOMES: Final[dict[str, PaymentState]] = {
    "paid": "succeeded",
    "authorized": "authorized",
    "captured": "captured",
    "released": "expired",  # reserved and given back before we looked
    "failed": "failed",
    "expired": "expired",
    "mismatched": "mismatch",
}

PAYMENT_LIFECYCLE: Lifecycle[PaymentState] = Lifecycle(
    noun="payment",
    initial="created",
    transitions={
        ("created", "opened"): "pending",
        ("created", "unanswered"): "unknown",
        ("created", "refused"): "failed",
        **{("created", event): state for event, state in _PAGE_OUTCOMES.items()},
        ("unknown", "opened"): "pending",
        ("unknown", "unanswered"): "unknown",
        ("unknown", "refused"): "failed",
        **{("unknown", event): state for event, state in _PAGE_OUTCOMES.items()},
        **{("pending", event): state for event, state in _PAGE_OUTCOMES.items()},
        # Late money is money: the payer was faster than the end of the page, or its end was a mistake.
        ("failed", "paid"): "succeeded",
        ("failed", "captured"): "captured",
        ("failed", "mismatched"): "mismatch",
        ("expired", "paid"): "succeeded",
        ("expired", "captured"): "captured",
        ("expired", "mismatched"): "mismatch",
        # Money that is reserved after we gave up is for nothing: it is let go.
        ("failed", "authorized"): "release_due",
        ("expired", "authorized"): "release_due",
        ("authorized", "capture_asked"): "capture_due",
        ("authorized", "release_asked"): "release_due",
        ("authorized", "released"): "released",  # it ran out
        ("authorized", "captured"): "captured",  # by hand, at the provider
        ("capture_due", "captured"): "captured",
        ("capture_due", "capture_refused"): "capture_failed",
        ("capture_due", "released"): "capture_failed",
        ("capture_failed", "captured"): "captured",
        ("release_due", "released"): "released",
        ("release_due", "captured"): "captured",
        ("released", "captured"): "captured",
        # What was delivered in the meantime cannot be taken any more. Whoever ends the session need not know.
        ("released", "capture_asked"): "capture_failed",
    },
)
