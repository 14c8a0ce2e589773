"""The company behind `second_provider.py`: payments, refunds, payouts and a balance, in memory and on a clock.

Used by that provider and its rig. It knows nothing of our port but the words.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import (
    CheckoutOutcome,
    CheckoutRequest,
    CheckoutState,
    DisputeLine,
    DisputeOutcome,
    DisputeState,
    Movement,
    MovementKind,
    Payee,
    PayoutOutcome,
    PayoutRequest,
    PayoutState,
    ProviderEventKind,
    ProviderRefused,
    RefundOutcome,
    RefundRequest,
    RefundState,
)

SIGNATURE_HEADER = "X-Second-Signature"
MAX_SIGNATURE_AGE_S = 300
CURRENCIES = frozenset({"EUR", "ISK", "JPY", "KWD", "MGA", "UGX"})
SMALLEST_AMOUNT = 50
AUTHORIZATION_LIFE = timedelta(days=7)
DEBIT_REFUND_TIME = timedelta(days=3)
PAYOUT_TIME = timedelta(days=1)
RETRY_AFTER = timedelta(hours=1)
MAX_ATTEMPTS = 8


@dataclass
class Page:
    """A payment as the bank keeps it."""

    request: CheckoutRequest
    ref: str
    expires_at: datetime
    outcome: CheckoutOutcome
    under_way: bool = False  # a bank debit
    refunded: int = 0


@dataclass
class Repayment:
    request: RefundRequest
    outcome: RefundOutcome
    settles_at: datetime


@dataclass
class Withdrawal:
    request: PayoutRequest
    outcome: PayoutOutcome


@dataclass
class Notice:
    """A notification on its way."""

    body: bytes
    due_at: datetime
    attempts: int = 0


@dataclass(frozen=True)
class Trouble:
    """With the next writing call: `broken` loses its answer, `pause` keeps it waiting."""

    broken: bool = False
    work_done: bool = False
    pause: Callable[[], Awaitable[object]] | None = None


@dataclass
class SecondBank:
    now: Callable[[], datetime]
    deliver: Callable[[bytes, Mapping[str, str]], Awaitable[int]]
    api_key: str
    secret: str
    pages: dict[str, Page] = field(default_factory=dict)
    refunds: dict[str, Repayment] = field(default_factory=dict)
    disputes: dict[str, DisputeOutcome] = field(default_factory=dict)
    payees: dict[str, Payee] = field(default_factory=dict)
    payouts: dict[str, Withdrawal] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    notices: deque[Notice] = field(default_factory=deque)
    answers: dict[str, tuple[object, Any]] = field(default_factory=dict)
    in_flight: set[str] = field(default_factory=set)
    troubles: deque[Trouble] = field(default_factory=deque)
    lock: threading.RLock = field(default_factory=threading.RLock)
    loop: asyncio.AbstractEventLoop | None = None

    # --- payers, payees and their banks --------------------------------------------------------------------------

    def pay(self, payment_id: str) -> None:
        with self.lock:
            page = self.page_of(payment_id)
            manual = page.request.capture == "manual"
            page.outcome = replace(
                page.outcome,
                state=CheckoutState.AUTHORIZED if manual else CheckoutState.PAID,
                may_still_be_paid=False,
                authorized=page.request.amount if manual else None,
                authorization_expires_at=self.now() + AUTHORIZATION_LIFE if manual else None,
                payment_ref=f"payment of {page.ref}",
                method="direct_debit" if page.under_way else "card",
                payer_email=page.request.payer_email,
                country="DE",
                failure=None,
            )
            if manual:
                self.tell(ProviderEventKind.CHECKOUT_AUTHORIZED, page)
            else:
                self.take(page, page.request.amount)
                self.tell(ProviderEventKind.CHECKOUT_PAID, page)

    def refuse(self, payment_id: str) -> None:
        with self.lock:
            page = self.page_of(payment_id)
            page.outcome = replace(
                page.outcome,
                state=CheckoutState.FAILED,
                may_still_be_paid=not page.under_way,
                failure="the bank says no",
            )
            self.tell(ProviderEventKind.CHECKOUT_FAILED if page.under_way else ProviderEventKind.ATTEMPT_FAILED, page)
            page.under_way = False

    def debit(self, payment_id: str) -> None:
        with self.lock:
            page = self.page_of(payment_id)
            page.under_way = True
            self.tell(ProviderEventKind.CHECKOUT_PENDING, page)

    def dispute(self, payment_id: str) -> None:
        with self.lock:
            page = self.page_of(payment_id)
            known = self.disputes.get(_dispute_of(page))
            outcome = known or self._new_dispute(page)
            line = self.move("dispute", Money(-outcome.amount.amount, outcome.amount.currency), outcome.dispute_ref)
            self._dispute(page, replace(outcome, state=DisputeState.OPEN), line)
            self.tell_dispute(ProviderEventKind.DISPUTE_CHANGED if known else ProviderEventKind.DISPUTE_OPENED, page)

    def inquire(self, payment_id: str) -> None:
        with self.lock:
            page = self.page_of(payment_id)
            self._dispute(page, self._new_dispute(page))
            self.tell_dispute(ProviderEventKind.DISPUTE_OPENED, page)

    def decide(self, payment_id: str, *, won: bool) -> None:
        with self.lock:
            page = self.page_of(payment_id)
            outcome = replace(
                self.disputes[_dispute_of(page)],
                state=DisputeState.WON if won else DisputeState.LOST,
                respond_by=None,
            )
            back = self.move("dispute", outcome.amount, outcome.dispute_ref) if won and outcome.lines else None
            self._dispute(page, outcome, back)
            self.tell_dispute(ProviderEventKind.DISPUTE_CHANGED, page)

    def _new_dispute(self, page: Page) -> DisputeOutcome:
        assert page.outcome.captured is not None
        return DisputeOutcome(
            dispute_ref=_dispute_of(page),
            payment_ref=page.outcome.payment_ref,
            state=DisputeState.INQUIRY,
            amount=page.outcome.captured,
            opened_at=self.now(),
            reason="not as described",
            respond_by=self.now() + timedelta(days=10),
        )

    def _dispute(self, page: Page, outcome: DisputeOutcome, line: Movement | None = None) -> None:
        lines = outcome.lines
        if line is not None:
            lines += (
                DisputeLine(
                    movement_ref=line.movement_ref, amount=line.amount, fee=line.fee, created_at=line.created_at
                ),
            )
        self.disputes[outcome.dispute_ref] = replace(outcome, lines=lines)

    def settle_refund(self, refund_id: str, *, succeeds: bool) -> None:
        with self.lock:
            repayment = self.refunds[f"refund {refund_id}"]
            state = RefundState.SUCCEEDED if succeeds else RefundState.FAILED
            failure = None if succeeds else "the payer's bank sent it back"
            repayment.outcome = replace(repayment.outcome, state=state, failure=failure)
            if not succeeds:
                amount = repayment.request.amount
                page = self.page_by_payment(repayment.request.payment_ref)
                page.refunded -= amount.amount
                self.move("refund", amount, repayment.outcome.refund_ref, page=page, refund_id=refund_id)
            self.tell_refund(repayment)

    def enable(self, payee_ref: str) -> None:
        with self.lock:
            self.payees[payee_ref] = Payee(payee_ref=payee_ref, payouts_enabled=True)
            self.notify({"kind": ProviderEventKind.PAYEE_CHANGED.value, "payee_ref": payee_ref})

    def settle_payout(self, payout_id: str, *, succeeds: bool) -> None:
        with self.lock:
            withdrawal = self.payouts[f"payout {payout_id}"]
            state = PayoutState.PAID if succeeds else PayoutState.FAILED
            failure = None if succeeds else "the payee's bank sent it back"
            withdrawal.outcome = replace(withdrawal.outcome, state=state, failure=failure)
            if not succeeds:
                ref = withdrawal.outcome.payout_ref
                self.move("payout", withdrawal.request.amount, ref, payout_id=payout_id)
            self.tell_payout(withdrawal)

    # --- the books -----------------------------------------------------------------------------------------------

    def page_of(self, payment_id: str) -> Page:
        return next(page for page in reversed(self.pages.values()) if page.request.payment_id == payment_id)

    def page_by_payment(self, payment_ref: str) -> Page:
        page = self.pages.get(payment_ref.removeprefix("payment of "))
        if page is None:
            raise ProviderRefused("unknown", f"There is no {payment_ref}.")
        return page

    def take(self, page: Page, amount: Money) -> None:
        fee = Money(amount.amount // 50, amount.currency)
        page.outcome = replace(page.outcome, state=CheckoutState.PAID, captured=amount, fee=fee)
        self.move("payment", amount, page.ref, page=page, fee=fee)

    def move(
        self,
        kind: MovementKind,
        amount: Money,
        source_ref: str,
        *,
        page: Page | None = None,
        fee: Money | None = None,
        refund_id: str | None = None,
        payout_id: str | None = None,
    ) -> Movement:
        line = Movement(
            movement_ref=f"line {len(self.movements)}",
            kind=kind,
            amount=amount,
            fee=fee,
            created_at=self.now(),
            source_ref=source_ref,
            payment_id=page.request.payment_id if page else None,
            refund_id=refund_id,
            payout_id=payout_id,
        )
        self.movements.append(line)
        return line

    def balance(self, currency: str) -> int:
        lines = [line for line in self.movements if line.amount.currency == currency]
        return sum(line.amount.amount - (line.fee.amount if line.fee else 0) for line in lines)

    # --- time and notifications ----------------------------------------------------------------------------------

    def pass_time(self) -> None:
        now = self.now()
        with self.lock:
            for page in self.pages.values():
                outcome = page.outcome
                expires_at = outcome.authorization_expires_at
                if outcome.state in (CheckoutState.OPEN, CheckoutState.FAILED) and not page.under_way:
                    if outcome.may_still_be_paid and now >= page.expires_at:
                        page.outcome = replace(outcome, state=CheckoutState.EXPIRED, may_still_be_paid=False)
                        self.tell(ProviderEventKind.CHECKOUT_EXPIRED, page)
                elif outcome.state is CheckoutState.AUTHORIZED and expires_at and now >= expires_at:
                    page.outcome = replace(outcome, state=CheckoutState.RELEASED, failure="ran out")
                    self.tell(ProviderEventKind.AUTHORIZATION_RELEASED, page)
            for refund_id, repayment in [(each.request.refund_id, each) for each in self.refunds.values()]:
                if repayment.outcome.state is RefundState.PENDING and now >= repayment.settles_at:
                    self.settle_refund(refund_id, succeeds=True)
            for payout_id, outcome_of in [(each.request.payout_id, each.outcome) for each in self.payouts.values()]:
                arrives_at = outcome_of.arrives_at
                if outcome_of.state is PayoutState.PENDING and arrives_at and now >= arrives_at:
                    self.settle_payout(payout_id, succeeds=True)

    def tell(self, kind: ProviderEventKind, page: Page) -> None:
        self.notify({"kind": kind.value, "page": page.ref, "payment_id": page.request.payment_id})

    def tell_refund(self, repayment: Repayment) -> None:
        refund_id, ref = repayment.request.refund_id, repayment.outcome.refund_ref
        self.notify({"kind": ProviderEventKind.REFUND_CHANGED.value, "refund_ref": ref, "refund_id": refund_id})

    def tell_dispute(self, kind: ProviderEventKind, page: Page) -> None:
        self.notify({"kind": kind.value, "payment_id": page.request.payment_id, "dispute_ref": _dispute_of(page)})

    def tell_payout(self, withdrawal: Withdrawal) -> None:
        payout_id, ref = withdrawal.request.payout_id, withdrawal.outcome.payout_ref
        self.notify({"kind": ProviderEventKind.PAYOUT_CHANGED.value, "payout_ref": ref, "payout_id": payout_id})

    def notify(self, facts: Mapping[str, str]) -> None:
        event = {"id": f"notice {len(self.notices)}", **facts}
        body = json.dumps(event | {"at": self.now().timestamp()}).encode()
        self.notices.append(Notice(body, self.now()))

    async def deliver_due(self) -> int:
        self.pass_time()
        sent = 0
        for notice in [each for each in self.notices if each.due_at <= self.now()]:
            sent += 1
            status = await self.deliver(notice.body, {SIGNATURE_HEADER: sign(notice.body, self.secret, self.now())})
            notice.attempts += 1
            if status < 300 or notice.attempts >= MAX_ATTEMPTS:
                notice.due_at = datetime.max.replace(tzinfo=UTC)
            else:
                notice.due_at = self.now() + RETRY_AFTER
        return sent


def _dispute_of(page: Page) -> str:
    return f"dispute of {page.ref}"


def sign(body: bytes, secret: str, at: datetime) -> str:
    moment = f"{at.timestamp():.0f}"
    return f"{moment}.{hmac.new(secret.encode(), moment.encode() + body, hashlib.sha256).hexdigest()}"
