"""A charge without an account: what a guest asked for, and whether the card behind it is good. Pure.

The order is there before its session is: the session is made when the payment is authorised, with the price that the
guest was shown. What the guest has in hand is the order's access code; whoever has it may look and stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.charging.model.transactions import Limits
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money, currency_exponent

GUEST_HOLD_MAJOR = 30
"""What is authorised where the guest names no amount: more than most cars take, less than many cards refuse."""
GUEST_LEAST_MAJOR, GUEST_MOST_MAJOR = 1, 200
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
    `refusal` is why nothing was started, for people."""

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

    @property
    def awaits_payment(self) -> bool:
        return self.state in ("awaiting_payment", "not_paid")


def amount_to_authorize(amount: Money | None, currency: str) -> Money:
    """What is reserved on the card. Raises charging_session.currency, charging_session.amount (422)."""
    unit = 10 ** (currency_exponent(currency) or 2)  # a unit of money without a minor one buys little
    if amount is None:
        return Money(GUEST_HOLD_MAJOR * unit, currency)
    if amount.currency != currency:
        raise invalid("charging_session.currency", f"This charger is paid in {currency}.", "/amount/currency")
    if not GUEST_LEAST_MAJOR * unit <= amount.amount <= GUEST_MOST_MAJOR * unit:
        least, most = Money(GUEST_LEAST_MAJOR * unit, currency), Money(GUEST_MOST_MAJOR * unit, currency)
        raise invalid("charging_session.amount", f"The amount must be {least} to {most}.", "/amount/amount")
    return amount
