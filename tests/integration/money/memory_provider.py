"""A payment provider in memory: the port without a network, for tests that need many payments or broken lines.

What the real adapter does against a real wire is tests/contract/payments; this one only keeps the port's promises.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    Checkout,
    CheckoutOutcome,
    CheckoutRequest,
    CheckoutState,
    ProviderEvent,
    ProviderEventKind,
    ProviderEventRejected,
    ProviderRefused,
    ProviderUnavailable,
)


@dataclass
class MemoryProvider:
    """`breaks`: what happens to the next calls: "before" (nothing was done), "after" (done, the answer is lost), "ok".
    `refusal`: the reason with which the next pages are refused."""

    now: Callable[[], datetime]
    name: str = "stripe"
    breaks: deque[str] = field(default_factory=deque)
    refusal: str | None = None
    requests: dict[str, CheckoutRequest] = field(default_factory=dict)
    outcomes: dict[str, CheckoutOutcome] = field(default_factory=dict)
    calls: int = 0

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        lost = self._begin()
        if self.refusal is not None:
            raise ProviderRefused(self.refusal, "The provider refuses this payment.")
        known = self.requests.setdefault(request.idempotency_key, request)
        if known != request:
            raise ProviderRefused("idempotency", "The same key was used for another request.")
        ref = f"page_{request.payment_id}"
        self.outcomes.setdefault(
            ref,
            CheckoutOutcome(
                provider_ref=ref, payment_id=request.payment_id, state=CheckoutState.OPEN, may_still_be_paid=True
            ),
        )
        self._lose(lost)
        return Checkout(
            provider_ref=ref,
            redirect_url=f"https://pay.example/{ref}",
            expires_at=request.expires_at or self.now() + timedelta(hours=24),
        )

    def find_checkout(self, provider_ref: str) -> CheckoutOutcome:
        self._lose(self._begin())
        return self.outcomes[provider_ref]

    def expire_checkout(self, provider_ref: str) -> CheckoutOutcome:
        self._lose(self._begin())
        if self.outcomes[provider_ref].may_still_be_paid:
            self.close(provider_ref, CheckoutState.EXPIRED)
        return self.outcomes[provider_ref]

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        if headers.get("x-signature") != "good":
            raise ProviderEventRejected("signature", "The notification's signature is wrong.")
        event = json.loads(body)
        return self.event(event["provider_ref"], event["id"])

    # -- the payer, and time ------------------------------------------------------------------------------------

    def pay(self, provider_ref: str, amount: Money | None = None) -> None:
        """The payer pays what was asked for, or `amount`."""
        self.outcomes[provider_ref] = replace(
            self.outcomes[provider_ref],
            state=CheckoutState.PAID,
            may_still_be_paid=False,
            captured=amount or self.requests[provider_ref.removeprefix("page_")].amount,
            payment_ref="charge_1",
            method="card",
        )

    def decline(self, provider_ref: str, *, final: bool) -> None:
        self.outcomes[provider_ref] = replace(
            self.outcomes[provider_ref],
            state=CheckoutState.FAILED,
            may_still_be_paid=not final,
            failure="card_declined",
        )

    def close(self, provider_ref: str, state: CheckoutState) -> None:
        self.outcomes[provider_ref] = replace(self.outcomes[provider_ref], state=state, may_still_be_paid=False)

    def event(self, provider_ref: str, event_id: str = "evt_1") -> ProviderEvent:
        return ProviderEvent(
            id=event_id,
            kind=ProviderEventKind.CHECKOUT_PAID,
            provider_type="page.changed",
            provider_ref=provider_ref,
            payment_id=self.outcomes[provider_ref].payment_id,
            occurred_at=self.now(),
        )

    def _begin(self) -> bool:
        self.calls += 1
        trouble = self.breaks.popleft() if self.breaks else "ok"
        if trouble == "before":
            raise ProviderUnavailable("The line is dead.")
        return trouble == "after"

    @staticmethod
    def _lose(lost: bool) -> None:
        if lost:
            raise ProviderUnavailable("The answer was lost.")
