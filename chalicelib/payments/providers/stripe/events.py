"""Stripe's webhooks, read.

Used by `StripeProvider.parse_event` after the signature was verified; pure. The endpoint is to be subscribed to the
kinds in `EVENT_KINDS`, those of connected accounts included. Source: docs.stripe.com/api/events/types.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.payments.providers.port import ProviderEvent, ProviderEventKind
from chalicelib.payments.providers.stripe.client import CAPTURE, PAYMENT_ID, PAYOUT_ID, REFUND_ID
from chalicelib.payments.providers.stripe.connect import payout_ref_of

EVENT_KINDS = {
    "account.updated": ProviderEventKind.PAYEE_CHANGED,
    "charge.captured": ProviderEventKind.CHECKOUT_PAID,
    "charge.dispute.closed": ProviderEventKind.DISPUTE_CHANGED,
    "charge.dispute.created": ProviderEventKind.DISPUTE_OPENED,
    "charge.dispute.funds_reinstated": ProviderEventKind.DISPUTE_CHANGED,
    "charge.dispute.funds_withdrawn": ProviderEventKind.DISPUTE_CHANGED,
    "charge.dispute.updated": ProviderEventKind.DISPUTE_CHANGED,
    "checkout.session.async_payment_failed": ProviderEventKind.CHECKOUT_FAILED,
    "checkout.session.async_payment_succeeded": ProviderEventKind.CHECKOUT_PAID,
    "checkout.session.completed": ProviderEventKind.CHECKOUT_PAID,
    "checkout.session.expired": ProviderEventKind.CHECKOUT_EXPIRED,
    "payment_intent.canceled": ProviderEventKind.AUTHORIZATION_RELEASED,
    "payment_intent.payment_failed": ProviderEventKind.ATTEMPT_FAILED,
    "payout.canceled": ProviderEventKind.PAYOUT_CHANGED,
    "payout.failed": ProviderEventKind.PAYOUT_CHANGED,
    "payout.paid": ProviderEventKind.PAYOUT_CHANGED,
    "payout.updated": ProviderEventKind.PAYOUT_CHANGED,
    "refund.created": ProviderEventKind.REFUND_CHANGED,
    "refund.failed": ProviderEventKind.REFUND_CHANGED,
    "refund.updated": ProviderEventKind.REFUND_CHANGED,
}

_ABOUT_DISPUTES = frozenset({ProviderEventKind.DISPUTE_OPENED, ProviderEventKind.DISPUTE_CHANGED})


def read_event(event: Mapping[str, object]) -> ProviderEvent:
    """Raises KeyError, TypeError, ValueError for what is not an event of Stripe's."""
    data = event["data"]
    subject = data["object"] if isinstance(data, dict) else None
    created, event_id, provider_type = event["created"], event["id"], event["type"]
    payee_ref = event.get("account")
    if not (
        isinstance(subject, dict)
        and isinstance(created, int)
        and isinstance(event_id, str)
        and isinstance(provider_type, str)
        and isinstance(payee_ref, str | None)
    ):
        raise TypeError("an event has id, type, created and data.object")
    kind = _kind(provider_type, subject, payee_ref)
    metadata = subject.get("metadata") or {}
    return ProviderEvent(
        id=event_id,
        kind=kind,
        provider_type=provider_type,
        provider_ref=subject["id"] if provider_type.startswith("checkout.session.") else None,
        payment_id=metadata.get(PAYMENT_ID),
        occurred_at=datetime.fromtimestamp(created, UTC),
        payment_ref=subject["id"] if provider_type.startswith("payment_intent.") else _reference(subject),
        refund_ref=subject["id"] if kind is ProviderEventKind.REFUND_CHANGED else None,
        refund_id=metadata.get(REFUND_ID),
        payout_ref=(
            payout_ref_of(payee_ref, subject["id"])
            if kind is ProviderEventKind.PAYOUT_CHANGED and payee_ref is not None
            else None
        ),
        payout_id=metadata.get(PAYOUT_ID),
        dispute_ref=subject["id"] if kind in _ABOUT_DISPUTES else None,
        payee_ref=subject["id"] if kind is ProviderEventKind.PAYEE_CHANGED else payee_ref,
    )


def _kind(provider_type: str, subject: Mapping[str, Any], payee_ref: str | None) -> ProviderEventKind:
    kind = EVENT_KINDS.get(provider_type, ProviderEventKind.OTHER)
    if provider_type == "checkout.session.completed" and subject["payment_status"] != "paid":
        held = (subject.get("metadata") or {}).get(CAPTURE) == "manual"
        return ProviderEventKind.CHECKOUT_AUTHORIZED if held else ProviderEventKind.CHECKOUT_PENDING
    if kind is ProviderEventKind.PAYOUT_CHANGED and payee_ref is None:
        return ProviderEventKind.OTHER  # from our own balance to our own bank: the account's schedule
    return kind


def _reference(subject: Mapping[str, Any]) -> str | None:
    intent = subject.get("payment_intent")
    return intent if isinstance(intent, str) else None
