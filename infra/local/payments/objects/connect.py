"""Connect: payees' accounts, the page where they say who they are, transfers to them, payouts from there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from infra.local.payments.currencies import CURRENCIES
from infra.local.payments.objects.checkout import check_url
from infra.local.payments.objects.common import NewId, StripeObject, balance_line
from infra.local.payments.parameters import BOOLEAN, FREE, INTEGER, TEXT, Shape, StripeError, require

ACCOUNT_SHAPE: Mapping[str, Shape] = {
    "country": TEXT,
    "email": TEXT,
    "business_profile": {"name": TEXT},
    "metadata": FREE,
    "controller": {
        "stripe_dashboard": {"type": TEXT},
        "fees": {"payer": TEXT},
        "losses": {"payments": TEXT},
        "requirement_collection": TEXT,
    },
    "capabilities": {"transfers": {"requested": BOOLEAN}},
    "settings": {"payouts": {"schedule": {"interval": TEXT}}},
}
LINK_SHAPE: Mapping[str, Shape] = {"account": TEXT, "type": TEXT, "return_url": TEXT, "refresh_url": TEXT}
TRANSFER_SHAPE: Mapping[str, Shape] = {
    "amount": INTEGER,
    "currency": TEXT,
    "destination": TEXT,
    "description": TEXT,
    "transfer_group": TEXT,
    "metadata": FREE,
}
REVERSAL_SHAPE: Mapping[str, Shape] = {"amount": INTEGER, "metadata": FREE}
PAYOUT_SHAPE: Mapping[str, Shape] = {"amount": INTEGER, "currency": TEXT, "description": TEXT, "metadata": FREE}

LINK_LIFE_S = 5 * 60
PAYOUT_TIME_S = 2 * 24 * 60 * 60
REQUIREMENTS = ["external_account", "representative.first_name", "tos_acceptance.date"]


def new_account(params: Mapping[str, Any], new_id: NewId, now_s: int) -> StripeObject:
    """An Express account that has told nothing yet."""
    country = params.get("country", "US")
    if not re.fullmatch("[A-Z]{2}", country):
        raise StripeError(
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric code.", param="country"
        )
    controller = params.get("controller", {})
    application = (controller.get("losses") or {}).get("payments") == "application"
    if application and (controller.get("fees") or {}).get("payer") != "application":
        raise StripeError("losses[payments]=application requires fees[payer]=application.", param="controller")
    requested = params.get("capabilities", {}).get("transfers", {}).get("requested", False)
    return {
        "id": new_id("acct"),
        "object": "account",
        "business_profile": {"name": params.get("business_profile", {}).get("name")},
        "capabilities": {"transfers": "inactive"} if requested else {},
        "charges_enabled": False,
        "controller": controller,
        "country": country,
        "created": now_s,
        "details_submitted": False,
        "email": params.get("email"),
        "metadata": params.get("metadata", {}),
        "payouts_enabled": False,
        "requirements": {"currently_due": list(REQUIREMENTS), "disabled_reason": "requirements.past_due"},
        "settings": {"payouts": {"schedule": params.get("settings", {}).get("payouts", {}).get("schedule", {})}},
        "type": "express",
    }


def finish_onboarding(account: StripeObject) -> StripeObject:
    return account | {
        "capabilities": dict.fromkeys(account["capabilities"], "active"),
        "details_submitted": True,
        "payouts_enabled": True,
        "requirements": {"currently_due": [], "disabled_reason": None},
    }


def new_link(params: Mapping[str, Any], link_id: str, url: str, now_s: int) -> StripeObject:
    """A link to the onboarding page, for one visit. Stripe shows no id: it is in the address."""
    if require(params, "type") != "account_onboarding":
        raise StripeError("Invalid type: must be account_onboarding", param="type")
    return {
        "id": link_id,
        "object": "account_link",
        "created": now_s,
        "expires_at": now_s + LINK_LIFE_S,
        "url": url,
        "_account_id": require(params, "account"),
        "_return_url": check_url(require(params, "return_url"), "return_url"),
        "_refresh_url": check_url(require(params, "refresh_url"), "refresh_url"),
        "_used": False,
    }


def transfer(
    params: Mapping[str, Any], account: StripeObject, balance: int, new_id: NewId, now_s: int
) -> list[StripeObject]:
    """Transfer, and a line in either balance."""
    amount, currency = _amount(params)
    if account["capabilities"].get("transfers") != "active":
        raise StripeError(
            "Your destination account needs to have at least one of the following capabilities enabled: transfers",
            code="insufficient_capabilities_for_transfer",
            began=True,
        )
    _check_balance(amount, balance)
    made: StripeObject = {
        "id": new_id("tr"),
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "created": now_s,
        "currency": currency,
        "description": params.get("description"),
        "destination": account["id"],
        "destination_payment": new_id("py"),
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "reversed": False,
        "source_transaction": None,
        "transfer_group": params.get("transfer_group"),
    }
    gone = balance_line(new_id, made, now_s, amount=-amount, kind="transfer")
    come = balance_line(new_id, made, now_s, amount=amount, kind="payment", category="charge", account=account["id"])
    come["source"] = made["destination_payment"]
    return [made | {"balance_transaction": gone["id"]}, gone, come]


def reverse(
    made: StripeObject, params: Mapping[str, Any], balance: int, new_id: NewId, now_s: int
) -> list[StripeObject]:
    """Reversal, transfer, and a line in either balance; `balance` is the connected account's."""
    left = made["amount"] - made["amount_reversed"]
    amount = params.get("amount", left)
    if left == 0:
        raise StripeError("This transfer is already fully reversed.", began=True)
    if not 1 <= amount <= left:
        raise StripeError("Amount is greater than the unreversed amount of the transfer.", param="amount")
    _check_balance(amount, balance)
    back: StripeObject = {
        "id": new_id("trr"),
        "object": "transfer_reversal",
        "amount": amount,
        "created": now_s,
        "currency": made["currency"],
        "metadata": params.get("metadata", {}),
        "transfer": made["id"],
    }
    come = balance_line(new_id, back, now_s, amount=amount, kind="transfer_refund", category="transfer_reversal")
    gone = balance_line(
        new_id, back, now_s, amount=-amount, kind="payment_refund", category="refund", account=made["destination"]
    )
    reversed_so_far = made["amount_reversed"] + amount
    after = made | {"amount_reversed": reversed_so_far, "reversed": reversed_so_far == made["amount"]}
    return [back | {"balance_transaction": come["id"]}, after, come, gone]


def payout(
    params: Mapping[str, Any], account: StripeObject | None, balance: int, new_id: NewId, now_s: int
) -> list[StripeObject]:
    """Payout and its line of the balance; `account` None: the platform's own money to its own bank."""
    amount, currency = _amount(params)
    if account is not None and not account["payouts_enabled"]:
        raise StripeError("Cannot create payouts: payouts are disabled.", code="payouts_not_allowed", began=True)
    _check_balance(amount, balance)
    account_id = account["id"] if account is not None else None
    made: StripeObject = {
        "id": new_id("po"),
        "object": "payout",
        "amount": amount,
        "arrival_date": now_s + PAYOUT_TIME_S,
        "automatic": False,
        "created": now_s,
        "currency": currency,
        "description": params.get("description"),
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "method": "standard",
        "status": "pending",
        "type": "bank_account",
        "_account": account_id,
    }
    line = balance_line(new_id, made, now_s, amount=-amount, kind="payout", account=account_id)
    return [made | {"balance_transaction": line["id"]}, line]


def fail_payout(made: StripeObject, new_id: NewId, now_s: int) -> list[StripeObject]:
    """The bank does not take the money: it is in the account's balance again. Also days after it was thought paid."""
    if made["status"] not in ("pending", "paid"):
        raise StripeError(f"The payout is {made['status']}.")
    line = balance_line(
        new_id, made, now_s, amount=made["amount"], kind="payout_failure", category="payout_reversal",
        account=made["_account"],
    )  # fmt: skip
    failed = {
        "failure_balance_transaction": line["id"],
        "failure_code": "account_closed",
        "failure_message": "The bank account has been closed.",
        "status": "failed",
    }
    return [made | failed, line]


def _amount(params: Mapping[str, Any]) -> tuple[int, str]:
    amount: int = require(params, "amount")
    currency: str = require(params, "currency")
    if currency not in CURRENCIES:
        raise StripeError(f"Invalid currency: {currency}.", param="currency")
    if amount < 1:
        raise StripeError("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    return amount, currency


def _check_balance(amount: int, balance: int) -> None:
    if amount > balance:
        raise StripeError(
            "You have insufficient available funds in your Stripe account.", code="balance_insufficient", began=True
        )
