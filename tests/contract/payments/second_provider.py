"""A second payment provider, complete and in memory: the port is not Stripe's shape in our words.

`SecondProvider` is what a module of chalicelib/payments/providers would be. It differs from Stripe where it can: one
step per payout, its own signature, keys that are never forgotten, a flat fee.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import Kind
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    CaptureOutcome,
    Checkout,
    CheckoutOutcome,
    CheckoutRequest,
    CheckoutState,
    DisputeOutcome,
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
from tests.contract.payments.second_bank import (
    CURRENCIES,
    DEBIT_REFUND_TIME,
    MAX_SIGNATURE_AGE_S,
    PAYOUT_TIME,
    SIGNATURE_HEADER,
    SMALLEST_AMOUNT,
    Page,
    Repayment,
    SecondBank,
    Trouble,
    Withdrawal,
    sign,
)

Answer = TypeVar("Answer")


class SecondProvider:
    """The adapter. `bank` None: nobody answers."""

    name = "second"

    def __init__(
        self,
        bank: SecondBank | None,
        *,
        api_key: str,
        webhook_secret: str,
        now: Callable[[], datetime],
        patience_s: float = 5,
    ) -> None:
        self._bank = bank
        self._api_key = api_key
        self._secret = webhook_secret
        self._now = now
        self._patience_s = patience_s

    @classmethod
    def from_context(cls, ctx: Context) -> SecondProvider:
        return cls(None, api_key="key", webhook_secret="secret", now=ctx.now)

    @staticmethod
    def expressible(amount: Money) -> Money:
        return amount

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        if request.amount.amount < SMALLEST_AMOUNT or request.amount.currency not in CURRENCIES:
            raise ProviderRefused("amount", f"{request.amount} cannot be paid.")

        def work(bank: SecondBank) -> Checkout:
            ref = f"page {len(bank.pages)}"
            expires_at = request.expires_at or self._now() + timedelta(hours=24)
            outcome = CheckoutOutcome(
                provider_ref=ref, payment_id=request.payment_id, state=CheckoutState.OPEN, may_still_be_paid=True
            )
            bank.pages[ref] = Page(request, ref, expires_at, outcome)
            return Checkout(
                provider_ref=ref, redirect_url=f"https://second.example/{len(bank.pages)}", expires_at=expires_at
            )

        return self._write(request.idempotency_key, request, work)

    def find_checkout(self, provider_ref: str) -> CheckoutOutcome:
        outcome = self._find(self._reach().pages, provider_ref).outcome
        return outcome if outcome.state is not CheckoutState.RELEASED else replace(outcome, failure=None)

    def expire_checkout(self, provider_ref: str) -> CheckoutOutcome:
        bank = self._reach()
        page = self._find(bank.pages, provider_ref)
        with bank.lock:
            if page.outcome.may_still_be_paid and not page.under_way:
                page.outcome = replace(page.outcome, state=CheckoutState.EXPIRED, may_still_be_paid=False)
                bank.tell(ProviderEventKind.CHECKOUT_EXPIRED, page)
        return page.outcome

    def find_payment_id(self, payment_ref: str) -> str | None:
        return self._reach().page_by_payment(payment_ref).request.payment_id

    def capture(self, payment_ref: str, amount: Money, *, idempotency_key: str) -> CaptureOutcome:
        def work(bank: SecondBank) -> CaptureOutcome:
            page = bank.page_by_payment(payment_ref)
            if page.outcome.state is CheckoutState.RELEASED:
                expired = page.outcome.failure is not None
                raise ProviderRefused(
                    "authorization_expired" if expired else "authorization_released", "Nothing is left to capture."
                )
            if page.outcome.captured is None:
                authorized = page.outcome.authorized
                if authorized is None or authorized.currency != amount.currency:
                    raise ProviderRefused("currency", f"{amount} was not authorised.")
                if not 0 < amount.amount <= authorized.amount:
                    raise ProviderRefused("amount", f"{amount} is not within what was authorised.")
                bank.take(page, amount)
                bank.tell(ProviderEventKind.CHECKOUT_PAID, page)
            assert page.outcome.captured is not None
            return CaptureOutcome(captured=page.outcome.captured, fee=page.outcome.fee)

        return self._write(idempotency_key, payment_ref, work)

    def release(self, payment_ref: str, *, idempotency_key: str) -> None:
        def work(bank: SecondBank) -> bool:
            page = bank.page_by_payment(payment_ref)
            if page.outcome.captured is not None:
                raise ProviderRefused("already_captured", "This was captured.")
            if page.outcome.state is CheckoutState.AUTHORIZED:
                page.outcome = replace(page.outcome, state=CheckoutState.RELEASED)
                bank.tell(ProviderEventKind.AUTHORIZATION_RELEASED, page)
            return True

        self._write(idempotency_key, payment_ref, work)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        def work(bank: SecondBank) -> RefundOutcome:
            page = bank.page_by_payment(request.payment_ref)
            captured = page.outcome.captured
            if captured is None or captured.currency != request.amount.currency:
                raise ProviderRefused("not_captured", f"{request.amount} was not captured.")
            if not 0 < request.amount.amount <= captured.amount - page.refunded:
                raise ProviderRefused("amount", f"{request.amount} is not left.")
            page.refunded += request.amount.amount
            slow = page.outcome.method == "direct_debit"
            state = RefundState.PENDING if slow else RefundState.SUCCEEDED
            outcome = RefundOutcome(refund_ref=f"refund {request.refund_id}", state=state, failure=None)
            repayment = Repayment(request, outcome, self._now() + DEBIT_REFUND_TIME)
            bank.refunds[outcome.refund_ref] = repayment
            back = Money(-request.amount.amount, request.amount.currency)
            bank.move("refund", back, outcome.refund_ref, page=page, refund_id=request.refund_id)
            bank.tell_refund(repayment)
            return outcome

        return self.find_refund(self._write(request.idempotency_key, request, work).refund_ref)

    def find_refund(self, refund_ref: str) -> RefundOutcome:
        return self._find(self._reach().refunds, refund_ref).outcome

    def find_dispute(self, dispute_ref: str) -> DisputeOutcome:
        return self._find(self._reach().disputes, dispute_ref)

    def create_payee(self, request: PayeeRequest) -> Payee:
        def work(bank: SecondBank) -> Payee:
            ref = f"payee {len(bank.payees)}"
            return bank.payees.setdefault(ref, Payee(payee_ref=ref, payouts_enabled=False))

        return self._write(request.idempotency_key, request, work)

    def payee_link(self, payee_ref: str, return_url: str, refresh_url: str) -> str:
        return f"https://second.example/{self.find_payee(payee_ref).payee_ref}"

    def find_payee(self, payee_ref: str) -> Payee:
        return self._find(self._reach().payees, payee_ref)

    def pay_out(self, request: PayoutRequest) -> PayoutOutcome:
        def work(bank: SecondBank) -> PayoutOutcome:
            if not self._find(bank.payees, request.payee_ref).payouts_enabled:
                raise ProviderRefused("payouts_disabled", "The payee is not ready.")
            if not 0 < request.amount.amount <= bank.balance(request.amount.currency):
                raise ProviderRefused("balance", f"{request.amount} is not there.")
            outcome = PayoutOutcome(
                payout_ref=f"payout {request.payout_id}",
                state=PayoutState.PENDING,
                failure=None,
                arrives_at=self._now() + PAYOUT_TIME,
            )
            bank.payouts[outcome.payout_ref] = Withdrawal(request, outcome)
            gone = Money(-request.amount.amount, request.amount.currency)
            bank.move("payout", gone, outcome.payout_ref, payout_id=request.payout_id)
            return outcome

        return self.find_payout(self._write(request.idempotency_key, request, work).payout_ref)

    def find_payout(self, payout_ref: str) -> PayoutOutcome:
        return self._find(self._reach().payouts, payout_ref).outcome

    def list_movements(self, date_from: datetime, date_to: datetime) -> Iterator[Movement]:
        lines = reversed(self._reach().movements)
        return (line for line in lines if date_from <= line.created_at < date_to)

    def parse_event(self, body: bytes, headers: Mapping[str, str]) -> ProviderEvent:
        header = next((text for name, text in headers.items() if name.lower() == SIGNATURE_HEADER.lower()), "")
        moment = header.partition(".")[0]
        signed_at = datetime.fromtimestamp(int(moment) if moment.isdigit() else 0, UTC)
        if not hmac.compare_digest(header, sign(body, self._secret, signed_at)):
            raise ProviderEventRejected("signature", "The signature is wrong.")
        if (self._now() - signed_at).total_seconds() > MAX_SIGNATURE_AGE_S:
            raise ProviderEventRejected("stale", "The notification is old.")
        try:
            event = json.loads(body)
            kind = ProviderEventKind(event["kind"])
            return ProviderEvent(
                id=event["id"],
                kind=kind,
                provider_type=event["kind"],
                provider_ref=event.get("page"),
                payment_id=event.get("payment_id"),
                occurred_at=datetime.fromtimestamp(event["at"], UTC),
                refund_ref=event.get("refund_ref"),
                refund_id=event.get("refund_id"),
                payout_ref=event.get("payout_ref"),
                payout_id=event.get("payout_id"),
                payee_ref=event.get("payee_ref"),
                dispute_ref=event.get("dispute_ref"),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ProviderEventRejected("malformed", "The notification cannot be read.") from error

    # --- the line ------------------------------------------------------------------------------------------------

    def _reach(self) -> SecondBank:
        bank = self._bank
        if bank is None:
            raise ProviderUnavailable("Nobody answers.")
        if self._api_key != bank.api_key:
            raise ProviderRefused("stranger", "The key is not known.", Kind.INTERNAL)
        bank.pass_time()
        return bank

    def _find(self, things: Mapping[str, Answer], ref: str) -> Answer:
        if ref not in things:
            raise ProviderRefused("unknown", f"There is no {ref}.")
        return things[ref]

    def _write(self, key: str, request: object, work: Callable[[SecondBank], Answer]) -> Answer:
        """At most once per key: the answer is kept before it can get lost."""
        bank = self._reach()
        if key in bank.in_flight:
            raise ProviderUnavailable("A request with this key is under way.")
        trouble = bank.troubles.popleft() if bank.troubles else Trouble()
        bank.in_flight.add(key)
        try:
            if trouble.pause is not None:
                self._wait(bank, trouble.pause)
            if trouble.broken and not trouble.work_done:
                raise ProviderUnavailable("The line is dead.")
            with bank.lock:
                if key not in bank.answers:
                    bank.answers[key] = (request, work(bank))
                known, answer = bank.answers[key]
            if known != request:
                raise ProviderRefused("key_reused", "The key was used for something else.", Kind.INTERNAL)
            if trouble.broken:
                raise ProviderUnavailable("The answer was lost.")
            kept: Answer = answer  # what `work` gave, now or the first time
            return kept
        finally:
            bank.in_flight.discard(key)

    def _wait(self, bank: SecondBank, pause: Callable[[], Awaitable[object]]) -> None:
        async def run() -> None:
            await pause()

        assert bank.loop is not None
        future = asyncio.run_coroutine_threadsafe(run(), bank.loop)
        try:
            future.result(self._patience_s)
        except FutureTimeout as late:
            raise ProviderUnavailable("No answer came.") from late
