"""Connect: payees are Express accounts; a payout is a transfer to the payee's account and a payout from there.

Used by `StripeProvider`. `payout_ref` is "<account>/<payout>". Invariant: one transfer and one payout per payout id,
however often it is asked for: both are looked up before they are made, since Stripe forgets idempotency keys after a
day; a payout that fails takes its transfer back before anybody is told. Payees' accounts pay nothing out by
themselves. Sources: docs.stripe.com/connect/separate-charges-and-transfers, /connect/manual-payouts, /api/payouts.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from chalicelib.kernel.errors import Kind
from chalicelib.payments.providers.port import (
    Payee,
    PayeeRequest,
    PayoutOutcome,
    PayoutRequest,
    PayoutState,
    ProviderRefused,
    ProviderUnavailable,
)
from chalicelib.payments.providers.stripe.client import PAGE_SIZE, PAYOUT_ID, metadata_of, provider_errors
from chalicelib.payments.providers.stripe.units import positive_units

if TYPE_CHECKING:
    import stripe

_PAYOUT_STATES = {
    "paid": PayoutState.PAID,
    "failed": PayoutState.FAILED,
    "canceled": PayoutState.FAILED,
}  # pending, in_transit: still under way
_DISABLED_REASONS = frozenset({"insufficient_capabilities_for_transfer", "payouts_not_allowed"})


def create_payee(client: stripe.StripeClient, request: PayeeRequest) -> Payee:
    with provider_errors():
        payee = client.v1.accounts.create(
            {
                "country": request.country,
                "email": request.email,
                "business_profile": {"name": request.name},
                "metadata": {"organization_id": request.organization_id},
                "controller": {
                    "stripe_dashboard": {"type": "express"},
                    "fees": {"payer": "application"},
                    "losses": {"payments": "application"},
                    "requirement_collection": "stripe",
                },
                "capabilities": {"transfers": {"requested": True}},
                "settings": {"payouts": {"schedule": {"interval": "manual"}}},
            },
            {"idempotency_key": request.idempotency_key},
        )
    return read_payee(payee)


def payee_link(client: stripe.StripeClient, payee_ref: str, return_url: str, refresh_url: str) -> str:
    with provider_errors():
        link = client.v1.account_links.create(
            {
                "account": payee_ref,
                "type": "account_onboarding",
                "return_url": return_url,
                "refresh_url": refresh_url,
            }
        )
    return link.url


def find_payee(client: stripe.StripeClient, payee_ref: str) -> Payee:
    with provider_errors():
        return read_payee(client.v1.accounts.retrieve(payee_ref))


def read_payee(payee: stripe.Account) -> Payee:
    transfers = getattr(payee.capabilities, "transfers", None)
    return Payee(payee_ref=payee.id, payouts_enabled=bool(payee.payouts_enabled) and transfers == "active")


def pay_out(client: stripe.StripeClient, request: PayoutRequest) -> PayoutOutcome:
    units = positive_units(request.amount)
    transfer = _find_transfer(client, request.payout_id)
    if transfer is None:
        transfer = _make_transfer(client, request, units)
    else:
        payout = _find_payout(client, request, since=transfer.created)
        if payout is not None:
            return _read_payout(client, request.payee_ref, payout)
        if transfer.reversed:
            raise ProviderRefused("payout_taken_back", "This payout was refused before.")
    try:
        return _read_payout(client, request.payee_ref, _make_payout(client, request, units))
    except ProviderRefused as refusal:
        if refusal.kind is not Kind.UNPROCESSABLE:
            # Whether there is a payout is not known: the money stays where it is until somebody asks again.
            raise ProviderUnavailable(f"The payout was not understood: {refusal.detail}") from refusal
        _take_back(client, request.payout_id)
        raise


def find_payout(client: stripe.StripeClient, payout_ref: str) -> PayoutOutcome:
    payee_ref, _, payout = payout_ref.partition("/")
    with provider_errors():
        found = client.v1.payouts.retrieve(payout, {}, {"stripe_account": payee_ref})
    return _read_payout(client, payee_ref, found)


def payout_ref_of(payee_ref: str, payout: str) -> str:
    return f"{payee_ref}/{payout}"


def _make_transfer(client: stripe.StripeClient, request: PayoutRequest, units: int) -> stripe.Transfer:
    try:
        with provider_errors():
            return client.v1.transfers.create(
                {
                    "amount": units,
                    "currency": request.amount.currency.lower(),
                    "destination": request.payee_ref,
                    "description": request.description,
                    "transfer_group": request.payout_id,
                    "metadata": {PAYOUT_ID: request.payout_id},
                },
                {"idempotency_key": f"{request.idempotency_key}/transfer"},
            )
    except ProviderRefused as refusal:
        raise _named(refusal) from refusal


def _make_payout(client: stripe.StripeClient, request: PayoutRequest, units: int) -> stripe.Payout:
    try:
        with provider_errors():
            return client.v1.payouts.create(
                {
                    "amount": units,
                    "currency": request.amount.currency.lower(),
                    "description": request.description,
                    "metadata": {PAYOUT_ID: request.payout_id},
                },
                {"idempotency_key": f"{request.idempotency_key}/payout", "stripe_account": request.payee_ref},
            )
    except ProviderRefused as refusal:
        raise _named(refusal) from refusal


def _named(refusal: ProviderRefused) -> ProviderRefused:
    if refusal.reason not in _DISABLED_REASONS:
        return refusal
    return ProviderRefused("payouts_disabled", refusal.detail)


def _find_transfer(client: stripe.StripeClient, payout_id: str) -> stripe.Transfer | None:
    with provider_errors():
        found = client.v1.transfers.list({"transfer_group": payout_id, "limit": 1}).data
    return found[0] if found else None


def _find_payout(client: stripe.StripeClient, request: PayoutRequest, *, since: int) -> stripe.Payout | None:
    with provider_errors():
        pages = client.v1.payouts.list(
            {"created": {"gte": since}, "limit": PAGE_SIZE}, {"stripe_account": request.payee_ref}
        )
        for payout in pages.auto_paging_iter():
            if metadata_of(payout).get(PAYOUT_ID) == request.payout_id:
                return payout
    return None


def _read_payout(client: stripe.StripeClient, payee_ref: str, payout: stripe.Payout) -> PayoutOutcome:
    state = _PAYOUT_STATES.get(payout.status, PayoutState.PENDING)
    payout_id = metadata_of(payout).get(PAYOUT_ID)
    if state is PayoutState.FAILED and payout_id is not None:
        _take_back(client, payout_id)
    return PayoutOutcome(
        payout_ref=payout_ref_of(payee_ref, payout.id),
        state=state,
        failure=payout.failure_code or (payout.status if state is PayoutState.FAILED else None),
        arrives_at=datetime.fromtimestamp(payout.arrival_date, UTC) if payout.arrival_date else None,
    )


def _take_back(client: stripe.StripeClient, payout_id: str) -> None:
    """Reverses the transfer of a payout that came to nothing. ProviderUnavailable: the money is not back yet."""
    transfer = _find_transfer(client, payout_id)
    if transfer is None or transfer.reversed:
        return
    try:
        with provider_errors():
            client.v1.transfers.reversals.create(
                transfer.id, {"metadata": {PAYOUT_ID: payout_id}}, {"idempotency_key": f"{payout_id}/taken-back"}
            )
    except ProviderRefused as refusal:
        raise ProviderUnavailable(f"The payee's money could not be taken back: {refusal.detail}") from refusal
