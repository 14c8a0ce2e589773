"""A payment provider in memory: the port without a network, for tests that need many payments or broken lines.

What the real adapter does against a real wire is tests/contract/payments; this one only keeps the port's promises.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    CaptureOutcome,
    Checkout,
    CheckoutOutcome,
    CheckoutRequest,
    CheckoutState,
    DisputeLine,
    DisputeOutcome,
    DisputeState,
    Movement,
    Payee,
    PayeeRequest,
    PayoutOutcome,
    PayoutRequest,
    PayoutState,
    ProviderEvent,
    ProviderEventKind,
    ProviderEventRejected,
    ProviderRefused,
    ProviderUnavailable,
    RefundOutcome,
    RefundRequest,
    RefundState,
)
from chalicelib.payments.providers.stripe.units import most_expressible

AUTHORIZATION_LIFE = timedelta(days=7)
DISPUTE_FEE = 20
CHARGED_BACK = (DisputeState.OPEN, DisputeState.LOST)


@dataclass
class MemoryProvider:
    """`breaks`: what happens to the next calls: "before" (nothing was done), "after" (done, the answer is lost), "ok".
    `refusal`: the reason with which the next requests that create something are refused. `refund_state` and
    `payout_state`: how the next ones begin; `settle_refund` and `settle_payout` change them later."""

    now: Callable[[], datetime]
    name: str = "stripe"
    breaks: deque[str] = field(default_factory=deque)
    refusal: str | None = None
    requests: dict[str, CheckoutRequest] = field(default_factory=dict)
    outcomes: dict[str, CheckoutOutcome] = field(default_factory=dict)
    calls: int = 0
    refund_state: RefundState = RefundState.SUCCEEDED
    payout_state: PayoutState = PayoutState.PENDING
    refunds: dict[str, RefundOutcome] = field(default_factory=dict)
    refund_requests: dict[str, RefundRequest] = field(default_factory=dict)
    payees: dict[str, Payee] = field(default_factory=dict)
    payouts: dict[str, PayoutOutcome] = field(default_factory=dict)
    payout_requests: dict[str, PayoutRequest] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    disputes: dict[str, DisputeOutcome] = field(default_factory=dict)

    @staticmethod
    def expressible(amount: Money) -> Money:
        return most_expressible(amount)

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        lost = self._begin()
        self._refuse()
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

    def find_payment_id(self, payment_ref: str) -> str | None:
        self._lose(self._begin())
        return self.outcomes[self._page_of(payment_ref)].payment_id

    def capture(self, payment_ref: str, amount: Money, *, idempotency_key: str) -> CaptureOutcome:
        lost = self._begin()
        page = self._page_of(payment_ref)
        outcome = self.outcomes[page]
        if outcome.state is CheckoutState.RELEASED:
            raise ProviderRefused(outcome.failure or "authorization_released", "There is nothing left to capture.")
        if outcome.captured is None:
            self._refuse()
            self._check(amount)
            if outcome.authorized is None or amount.amount > outcome.authorized.amount:
                raise ProviderRefused("amount_too_large", "That is more than was authorised.")
            self.outcomes[page] = outcome = replace(outcome, state=CheckoutState.PAID, captured=amount)
        self._lose(lost)
        assert outcome.captured is not None
        return CaptureOutcome(captured=outcome.captured, fee=outcome.fee)

    def release(self, payment_ref: str, *, idempotency_key: str) -> None:
        lost = self._begin()
        page = self._page_of(payment_ref)
        if self.outcomes[page].captured is not None:
            raise ProviderRefused("already_captured", "This payment was captured.")
        self.close(page, CheckoutState.RELEASED)
        self._lose(lost)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        lost = self._begin()
        ref = f"re_{request.refund_id}"
        if ref not in self.refunds:
            self._refuse()
            self._check(request.amount)
            if any(d.payment_ref == request.payment_ref and d.state in CHARGED_BACK for d in self.disputes.values()):
                raise ProviderRefused("charge_disputed", "The payer's bank has the money.")
            captured = self.outcomes[self._page_of(request.payment_ref)].captured
            refunded = sum(
                known.amount.amount
                for known in self.refund_requests.values()
                if known.payment_ref == request.payment_ref
                and self.refunds[f"re_{known.refund_id}"].state is not RefundState.FAILED
            )
            if captured is None or refunded + request.amount.amount > captured.amount:
                raise ProviderRefused("amount_too_large", "That is more than was captured.")
            self.refund_requests[ref] = request
            self.refunds[ref] = RefundOutcome(refund_ref=ref, state=self.refund_state, failure=None)
        self._lose(lost)
        return self.refunds[ref]

    def find_refund(self, refund_ref: str) -> RefundOutcome:
        """What it was not asked for was made at the provider by hand."""
        self._lose(self._begin())
        by_hand = RefundOutcome(refund_ref=refund_ref, state=RefundState.SUCCEEDED, failure=None)
        return self.refunds.get(refund_ref, by_hand)

    def find_dispute(self, dispute_ref: str) -> DisputeOutcome:
        self._lose(self._begin())
        return self.disputes[dispute_ref]

    def create_payee(self, request: PayeeRequest) -> Payee:
        lost = self._begin()
        self._refuse()
        ref = f"payee_{request.organization_id}"
        payee = self.payees.setdefault(ref, Payee(payee_ref=ref, payouts_enabled=False))
        self._lose(lost)
        return payee

    def payee_link(self, payee_ref: str, return_url: str, refresh_url: str) -> str:
        self._lose(self._begin())
        return f"https://pay.example/payees/{self.payees[payee_ref].payee_ref}"

    def find_payee(self, payee_ref: str) -> Payee:
        self._lose(self._begin())
        return self.payees[payee_ref]

    def pay_out(self, request: PayoutRequest) -> PayoutOutcome:
        lost = self._begin()
        ref = f"po_{request.payout_id}"
        if ref not in self.payouts:
            self._refuse()
            if not self.payees[request.payee_ref].payouts_enabled:
                raise ProviderRefused("payouts_disabled", "The payee has to finish with the provider first.")
            self.payout_requests[ref] = request
            self.payouts[ref] = PayoutOutcome(
                payout_ref=ref, state=self.payout_state, failure=None, arrives_at=self.now() + timedelta(days=2)
            )
        self._lose(lost)
        return self.payouts[ref]

    def find_payout(self, payout_ref: str) -> PayoutOutcome:
        self._lose(self._begin())
        return self.payouts[payout_ref]

    def list_movements(self, date_from: datetime, date_to: datetime) -> Iterator[Movement]:
        """What a test put into `movements`."""
        self._lose(self._begin())
        return (line for line in reversed(self.movements) if date_from <= line.created_at < date_to)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        if headers.get("x-signature") != "good":
            raise ProviderEventRejected("signature", "The notification's signature is wrong.")
        event = json.loads(body)
        return self.event(event["provider_ref"], event["id"])

    # -- the payer's bank ---------------------------------------------------------------------------------------

    def dispute(self, provider_ref: str, amount: Money | None = None, *, takes: bool = True) -> str:
        """The payer's bank wants the payment, or `amount`, back, and takes it; not `takes`: it only asks."""
        ref, outcome = f"dp_{provider_ref}", self.outcomes[provider_ref]
        assert outcome.captured is not None
        self.disputes[ref] = DisputeOutcome(
            dispute_ref=ref,
            payment_ref=outcome.payment_ref,
            state=DisputeState.OPEN if takes else DisputeState.INQUIRY,
            amount=amount or outcome.captured,
            opened_at=self.now(),
            reason="fraudulent",
            respond_by=self.now() + timedelta(days=7),
        )
        if takes:
            self._move_for(ref, -self.disputes[ref].amount, DISPUTE_FEE)
        return ref

    def decide(self, dispute_ref: str, *, won: bool) -> None:
        """Also, as banks do, what they have decided before."""
        before = self.disputes[dispute_ref]
        taken = sum(line.amount.amount for line in before.lines)
        if won and taken:
            self._move_for(dispute_ref, Money(-taken, before.amount.currency))
        if not won and not taken:
            self._move_for(dispute_ref, -before.amount, DISPUTE_FEE)
        state = DisputeState.WON if won else DisputeState.LOST
        self.disputes[dispute_ref] = replace(self.disputes[dispute_ref], state=state, respond_by=None)

    def _move_for(self, dispute_ref: str, amount: Money, fee: int = 0) -> None:
        dispute, money = self.disputes[dispute_ref], Money(fee, amount.currency) if fee else None
        line = DisputeLine(
            movement_ref=f"txn_{dispute_ref}_{len(dispute.lines)}",
            amount=amount,
            fee=money,
            created_at=self.now(),
        )
        self.disputes[dispute_ref] = replace(dispute, lines=(*dispute.lines, line))
        self.movements.append(
            Movement(
                movement_ref=line.movement_ref,
                kind="dispute",
                amount=amount,
                fee=money,
                created_at=self.now(),
                source_ref=dispute_ref,
                payment_id=self.outcomes[self._page_of(dispute.payment_ref or "")].payment_id,
            )
        )

    def word_of_dispute(self, dispute_ref: str, event_id: str) -> ProviderEvent:
        return ProviderEvent(
            id=event_id,
            kind=ProviderEventKind.DISPUTE_CHANGED,
            provider_type="dispute.changed",
            provider_ref=None,
            payment_id=None,
            payment_ref=self.disputes[dispute_ref].payment_ref,
            dispute_ref=dispute_ref,
            occurred_at=self.now(),
        )

    # -- the payer, and time ------------------------------------------------------------------------------------

    def pay(self, provider_ref: str, amount: Money | None = None) -> None:
        """The payer pays what was asked for, or `amount`."""
        self.outcomes[provider_ref] = replace(
            self.outcomes[provider_ref],
            state=CheckoutState.PAID,
            may_still_be_paid=False,
            captured=amount or self.requests[provider_ref.removeprefix("page_")].amount,
            payment_ref=f"intent_{provider_ref}",
            method="card",
        )

    def authorize(self, provider_ref: str) -> None:
        """The payer's bank reserves what was asked for."""
        self.outcomes[provider_ref] = replace(
            self.outcomes[provider_ref],
            state=CheckoutState.AUTHORIZED,
            may_still_be_paid=False,
            authorized=self.requests[provider_ref.removeprefix("page_")].amount,
            authorization_expires_at=self.now() + AUTHORIZATION_LIFE,
            payment_ref=f"intent_{provider_ref}",
            method="card",
            country="DE",
            payer_email="payer@example.com",
        )

    def run_out(self, provider_ref: str) -> None:
        """Nobody captured in time."""
        self.close(provider_ref, CheckoutState.RELEASED)
        self.outcomes[provider_ref] = replace(self.outcomes[provider_ref], failure="authorization_expired")

    def enable(self, payee_ref: str) -> None:
        """The payee told the provider everything."""
        self.payees[payee_ref] = Payee(payee_ref=payee_ref, payouts_enabled=True)

    def settle_refund(self, refund_ref: str, state: RefundState, failure: str | None = None) -> None:
        self.refunds[refund_ref] = RefundOutcome(refund_ref=refund_ref, state=state, failure=failure)

    def settle_payout(self, payout_ref: str, state: PayoutState, failure: str | None = None) -> None:
        self.payouts[payout_ref] = replace(self.payouts[payout_ref], state=state, failure=failure)

    def decline(self, provider_ref: str, *, final: bool) -> None:
        self.outcomes[provider_ref] = replace(
            self.outcomes[provider_ref],
            state=CheckoutState.FAILED,
            may_still_be_paid=not final,
            failure="card_declined",
        )

    def close(self, provider_ref: str, state: CheckoutState) -> None:
        self.outcomes[provider_ref] = replace(self.outcomes[provider_ref], state=state, may_still_be_paid=False)

    def event(
        self,
        provider_ref: str,
        event_id: str = "evt_1",
        kind: ProviderEventKind = ProviderEventKind.CHECKOUT_PAID,
    ) -> ProviderEvent:
        return ProviderEvent(
            id=event_id,
            kind=kind,
            provider_type="page.changed",
            provider_ref=provider_ref,
            payment_id=self.outcomes[provider_ref].payment_id,
            occurred_at=self.now(),
        )

    @staticmethod
    def _page_of(payment_ref: str) -> str:
        return payment_ref.removeprefix("intent_")

    def _check(self, amount: Money) -> None:
        if self.expressible(amount) != amount:
            raise ProviderRefused("amount_not_representable", f"{amount} has more decimals than are taken.")

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise ProviderRefused(self.refusal, "The provider refuses this.")

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
