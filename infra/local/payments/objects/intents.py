"""PaymentIntents and charges after the payer is done: captured, cancelled, refunded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.local.payments.currencies import check_coins, format_amount
from infra.local.payments.objects.common import NewId, StripeObject, balance_line, unexpected_state
from infra.local.payments.parameters import FREE, INTEGER, TEXT, Shape, StripeError

CAPTURE_SHAPE: Mapping[str, Shape] = {"amount_to_capture": INTEGER, "metadata": FREE}
CANCEL_SHAPE: Mapping[str, Shape] = {"cancellation_reason": TEXT}
REFUND_SHAPE: Mapping[str, Shape] = {
    "payment_intent": TEXT,
    "amount": INTEGER,
    "reason": TEXT,
    "metadata": FREE,
}
CANCELLATION_REASONS = frozenset({"abandoned", "duplicate", "fraudulent", "requested_by_customer"})
REFUND_REASONS = frozenset({"duplicate", "fraudulent", "requested_by_customer"})

# Made up, in the order of a European card price: 1.5 % and 25 units.
FEE_PER_MILLE = 15
FEE_FIXED = 25
SLOW_REFUND_S = 5 * 24 * 60 * 60  # of a bank debit


def new_intent(session: StripeObject, new_id: NewId, now_s: int) -> StripeObject:
    """The session's payment as a new try finds it: one PaymentIntent for all tries."""
    about = session["_payment_intent_data"]
    return {
        "id": session["payment_intent"] or new_id("pi"),
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": about.get("capture_method", "automatic"),
        "created": now_s,
        "currency": session["currency"],
        "description": about.get("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": about.get("metadata", {}),
        "payment_method_types": session["payment_method_types"],
        "receipt_email": None,
        "status": "requires_payment_method",
        "_session": session["id"],
        "_capture_before": None,
    }


def attempt(intent: StripeObject, new_id: NewId, method: Mapping[str, object], now_s: int) -> StripeObject:
    """A charge, undecided."""
    return {
        "id": new_id("ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "balance_transaction": None,
        "captured": False,
        "created": now_s,
        "currency": intent["currency"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": intent["metadata"],
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method_details": dict(method),
        "refunded": False,
        "status": "pending",
    }


def captured_line(charge: StripeObject, new_id: NewId, now_s: int) -> StripeObject:
    """The money comes, less the fee: all of it, also when only a part is captured."""
    card = charge["payment_method_details"]["type"] == "card"
    kind = "charge" if card else "payment"
    amount = charge["amount"]
    return balance_line(new_id, charge, now_s, amount=amount, kind=kind, category="charge", fee=_fee(amount))


def _fee(amount: int) -> int:
    return (amount * FEE_PER_MILLE + 500) // 1000 + FEE_FIXED


def capture(
    intent: StripeObject, charge: StripeObject | None, params: Mapping[str, Any], new_id: NewId, now_s: int
) -> list[StripeObject]:
    """Intent, charge, line of the balance: once, at most what is reserved.

    The rest is released as Stripe does it: by a refund of its own, whose line gives its share of the fee back.
    """
    if charge is None or intent["status"] != "requires_capture":
        raise unexpected_state(intent, "captured", "requires_capture")
    amount = params.get("amount_to_capture", intent["amount_capturable"])
    if amount < 1:
        raise StripeError("Invalid positive integer", code="parameter_invalid_integer", param="amount_to_capture")
    if amount > intent["amount_capturable"]:
        raise StripeError(
            f"The amount to capture ({format_amount(amount, intent['currency'])}) is greater than the capturable "
            f"amount ({format_amount(intent['amount_capturable'], intent['currency'])}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    check_coins(amount, intent["currency"])
    line = captured_line(charge, new_id, now_s)
    rest = charge["amount"] - amount
    after = [
        intent | {"amount_capturable": 0, "amount_received": amount, "status": "succeeded"},
        charge
        | {
            "amount_captured": amount,
            "amount_refunded": rest,
            "balance_transaction": line["id"],
            "captured": True,
        },
        line,
    ]
    if rest:
        freed = _refund_object(charge, rest, {}, new_id, now_s)
        back = balance_line(
            new_id, freed, now_s, amount=-rest, kind="refund", category="partial_capture_reversal",
            fee=_fee(amount) - _fee(charge["amount"]),
        )  # fmt: skip
        after += [freed | {"balance_transaction": back["id"]}, back]
    return after


def cancel(intent: StripeObject, reason: str | None, now_s: int) -> StripeObject:
    """What is reserved is released. Nothing that was captured or is on its way can be cancelled."""
    if intent["status"] not in ("requires_payment_method", "requires_capture"):
        raise unexpected_state(intent, "canceled", "requires_payment_method, requires_capture")
    return intent | {
        "amount_capturable": 0,
        "canceled_at": now_s,
        "cancellation_reason": reason,
        "status": "canceled",
    }


def refund(charge: StripeObject | None, params: Mapping[str, Any], new_id: NewId, now_s: int) -> list[StripeObject]:
    """Refund, charge, line of the balance: in parts, at most what was captured. Cards are quick, banks slow."""
    if charge is None or not charge["captured"]:
        raise StripeError("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
    if params.get("reason", "duplicate") not in REFUND_REASONS:
        raise StripeError("Invalid reason", param="reason")
    if charge.get("_charged_back"):
        raise StripeError(f"Charge {charge['id']} has been charged back.", code="charge_disputed", began=True)
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise StripeError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded", began=True
        )
    amount = params.get("amount", left)
    if amount < 1:
        raise StripeError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    currency = charge["currency"]
    if amount > left:
        raise StripeError(
            f"Refund amount ({format_amount(amount, currency)}) is greater than unrefunded amount on charge "
            f"({format_amount(left, currency)})",
            param="amount",
        )
    check_coins(amount, currency)
    made = _refund_object(charge, amount, params, new_id, now_s)
    line = _refund_line(made, charge, -amount, "refund", new_id, now_s)
    refunded = charge["amount_refunded"] + amount
    return [
        made | {"balance_transaction": line["id"]},
        charge | {"amount_refunded": refunded, "refunded": refunded == charge["amount"]},
        line,
    ]


def _refund_object(
    charge: StripeObject, amount: int, params: Mapping[str, Any], new_id: NewId, now_s: int
) -> StripeObject:
    slow = charge["payment_method_details"]["type"] == "sepa_debit"
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now_s,
        "currency": charge["currency"],
        "failure_balance_transaction": None,
        "failure_reason": None,
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "status": "pending" if slow else "succeeded",
        "_settles_at": now_s + SLOW_REFUND_S,
    }


def fail_refund(made: StripeObject, charge: StripeObject, new_id: NewId, now_s: int) -> list[StripeObject]:
    """The payer's bank does not take the money: it is with us again. Also days after it was thought done."""
    if made["status"] not in ("pending", "succeeded"):
        raise StripeError(f"The refund is {made['status']}.")
    line = _refund_line(made, charge, made["amount"], "refund_failure", new_id, now_s)
    return [
        made
        | {
            "failure_balance_transaction": line["id"],
            "failure_reason": "lost_or_stolen_card",
            "status": "failed",
        },
        charge | {"amount_refunded": charge["amount_refunded"] - made["amount"], "refunded": False},
        line,
    ]


def _refund_line(
    made: StripeObject, charge: StripeObject, amount: int, category: str, new_id: NewId, now_s: int
) -> StripeObject:
    card = charge["payment_method_details"]["type"] == "card"
    of_payment = {"refund": "payment_refund", "refund_failure": "payment_failure_refund"}
    kind = category if card else of_payment[category]
    return balance_line(new_id, made, now_s, amount=amount, kind=kind, category=category)
