"""A charge without an account: what a guest asked for, and whether the card behind it is good. Pure.

The order is there before its session is: the session is made when the payment is authorised, with the price that the
guest was shown. What the guest has in hand is the order's access code; whoever has it may look and stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.charging.model.transactions import Limits
from chalicelib.identity.model.settings import GuestAmounts
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money

ORDER_LIFETIME = timedelta(minutes=75)
"""How long an order may wait for its payment: a little longer than the provider's page lives. Afterwards the guest is
gone, and whoever plugs in next would charge on the guest's card, at a price that the guest may not have seen."""

GuestOrderState = Literal["awaiting_payment", "started", "refused", "not_paid"]

GUEST_ORDER_LIFECYCLE: Lifecycle[GuestOrderState] = Lifecycle(
    noun="guest_order",
    initial="awaiting_payment",
    transitions={
        ("awaiting_payment", "authorized"): "started",
        ("awaiting_payment", "refused"): "refused",
        ("awaiting_payment", "failed"): "not_paid",
        # A card that was refused is tried again on the same page.
        ("not_paid", "authorized"): "started",
        ("not_paid", "refused"): "refused",
        ("not_paid", "failed"): "not_paid",
    },
)


@dataclass(frozen=True)
class GuestOrder:
    """`session_id` is the id that the session gets. `amount` is authorised on the card: the most that it costs.
    `refusal` is why nothing was started, for people, and `refusal_code` the same for programs. An `email` that is empty
    was forgotten."""

    session_id: str
    payment_id: str
    operator_id: str
    charger_id: str
    evse_no: int
    email: str
    amount: Money
    tariff_id: str
    tariff_version: int
    state: GuestOrderState
    created_at: datetime
    limits: Limits | None = None
    refusal: str | None = None
    refusal_code: str | None = None

    @property
    def awaits_payment(self) -> bool:
        return self.state in ("awaiting_payment", "not_paid")


@dataclass(frozen=True)
class GuestsForgotten:
    """Of an operator's guests, who ordered before this moment are forgotten."""

    operator_id: str
    before: datetime


def why_not_paid(payment_state: str) -> tuple[str, str]:
    """Code and words for an order whose page brought no money; what the bank said is the payment's `failure`."""
    if payment_state == "expired":
        return "payment.expired", "Nobody paid before the page ran out."
    return "payment.refused", "The card was refused."


def amount_to_authorize(amount: Money | None, bounds: GuestAmounts) -> Money:
    """What is reserved on the card. Raises charging_session.currency, charging_session.amount (422)."""
    if amount is None:
        return bounds.hold
    if amount.currency != bounds.hold.currency:
        detail = f"This charger is paid in {bounds.hold.currency}."
        raise invalid("charging_session.currency", detail, "/amount/currency")
    if not bounds.least <= amount <= bounds.most:
        detail = f"The amount must be {bounds.least} to {bounds.most}."
        raise invalid("charging_session.amount", detail, "/amount/amount")
    return amount
