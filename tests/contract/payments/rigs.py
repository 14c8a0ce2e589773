"""One rig per payment provider: the provider under test, a payer, a webhook inbox, and ways to break things.

A provider adds its rig to `RIGS` and gets every case of the suite. With STRIPE_SECRET_KEY=sk_test_... in the
environment the cases that need no payer also run against Stripe's test mode.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import aiohttp
from aiohttp import web

from chalicelib.kernel.clock import SystemClock, VirtualClock
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import CheckoutRequest, PaymentProvider, ProviderEvent
from chalicelib.payments.providers.stripe import StripeProvider
from infra.local.payments import Call, Fault, StripeFake, add_routes, sign
from tests.contract.payments import second_bank
from tests.contract.payments.second_bank import SecondBank, Trouble
from tests.contract.payments.second_provider import SecondProvider

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
API_KEY = "sk_test_contract"
WEBHOOK_SECRET = "whsec_contract"


@dataclass
class Inbox:
    """Where notifications arrive; it answers with `statuses` in turn, then 200."""

    received: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def __call__(self, body: bytes, headers: Mapping[str, str]) -> int:
        self.received.append((body, dict(headers)))
        return self.statuses.pop(0) if self.statuses else 200


class Rig(Protocol):
    """What the cases need of a provider's test set-up."""

    clock: VirtualClock
    inbox: Inbox
    provider: PaymentProvider
    unreachable: PaymentProvider  # nobody listens there
    impatient: PaymentProvider  # gives up reading after a moment
    stranger: PaymentProvider  # with a key that the provider does not know
    signature_header: str
    card_method: str
    debit_method: str

    async def start(self) -> None: ...
    async def stop(self) -> None: ...
    async def payer_succeeds(self, payment_id: str) -> None: ...  # or the bank, after payer_debits
    async def payer_fails(self, payment_id: str) -> None: ...
    async def payer_debits(self, payment_id: str, provider_ref: str) -> None: ...
    async def payer_inquires(self, payment_id: str) -> None: ...
    async def payer_disputes(self, payment_id: str) -> None: ...
    async def bank_decides(self, payment_id: str, *, won: bool) -> None: ...
    async def refund_settles(self, refund_id: str, *, succeeds: bool) -> None: ...
    async def payee_finishes(self, payee_ref: str, link: str) -> None: ...
    async def payout_settles(self, payout_id: str, *, succeeds: bool) -> None: ...
    async def deliver_due(self) -> int: ...
    def break_next(self, *, work_done: bool, dropped: bool) -> None: ...
    def pause_next(self, pause: Callable[[], Awaitable[object]]) -> None: ...
    def signed(self, body: bytes, *, at: datetime, secret: str = WEBHOOK_SECRET) -> dict[str, str]: ...
    def expected_fee(self, amount: int) -> int: ...


class StripeRig:
    provider: PaymentProvider
    unreachable: PaymentProvider
    impatient: PaymentProvider
    stranger: PaymentProvider
    signature_header = "Stripe-Signature"
    card_method = "card"
    debit_method = "sepa_debit"

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.inbox = Inbox()
        self.fake = StripeFake(self.clock.now, self.inbox, api_key=API_KEY, webhook_secret=WEBHOOK_SECRET)
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        local = web.Application()
        add_routes(local, self.fake)
        app = web.Application()
        app.add_subapp("/_local", local)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.origin = f"http://{host}:{port}"
        self.provider = self._provider()
        self.impatient = self._provider(read_timeout_s=0.05)
        self.stranger = self._provider(api_key="sk_test_stranger")
        # Port 1 of loopback: reserved, and nothing of ours could ever listen there.
        self.unreachable = self._provider(api_base="http://127.0.0.1:1/_local/stripe")

    def _provider(
        self, *, api_key: str = API_KEY, api_base: str | None = None, read_timeout_s: float = 5
    ) -> StripeProvider:
        return StripeProvider(
            api_key=api_key,
            webhook_secret=WEBHOOK_SECRET,
            now=self.clock.now,
            api_base=api_base or f"{self.origin}/_local/stripe",
            network_retries=0,
            read_timeout_s=read_timeout_s,
        )

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self.fake.close()

    async def payer_succeeds(self, payment_id: str) -> None:
        self.fake.act_on_payment(payment_id, "succeed")
        await self.fake.deliver_due()

    async def payer_fails(self, payment_id: str) -> None:
        self.fake.act_on_payment(payment_id, "fail")
        await self.fake.deliver_due()

    async def payer_debits(self, payment_id: str, provider_ref: str) -> None:
        self.fake.act(provider_ref, "debit")
        await self.fake.deliver_due()

    async def payer_disputes(self, payment_id: str) -> None:
        self.fake.disputes.begin(payment_id)
        await self.fake.deliver_due()

    async def payer_inquires(self, payment_id: str) -> None:
        self.fake.disputes.inquire(payment_id)
        await self.fake.deliver_due()

    async def bank_decides(self, payment_id: str, *, won: bool) -> None:
        self.fake.disputes.decide(payment_id, won=won)
        await self.fake.deliver_due()

    async def refund_settles(self, refund_id: str, *, succeeds: bool) -> None:
        self.fake.intents.act_on_refund(refund_id, succeeds=succeeds)
        await self.fake.deliver_due()

    async def payee_finishes(self, payee_ref: str, link: str) -> None:
        async with (
            aiohttp.ClientSession() as browser,
            browser.post(link, data={"action": "finish"}, allow_redirects=False) as answer,
        ):
            assert answer.status == 303

    def account_of(self, payee_ref: str) -> dict[str, Any]:
        """The payee's account as the fake keeps it."""
        return self.fake.retrieve("account", Call(path=f"/v1/accounts/{payee_ref}", object_id=payee_ref))

    def switch_payouts_off(self, payee_ref: str) -> None:
        """The account may still take transfers: Stripe found something wrong with the bank account."""
        self.fake.payees.switch_payouts_off(payee_ref)

    async def payout_settles(self, payout_id: str, *, succeeds: bool) -> None:
        self.fake.payees.act_on_payout(payout_id, succeeds=succeeds)
        await self.fake.deliver_due()

    async def deliver_due(self) -> int:
        return await self.fake.deliver_due()

    def break_next(self, *, work_done: bool, dropped: bool) -> None:
        self.fake.faults.append(Fault("drop" if dropped else "error", work_done=work_done, writes_only=True))

    def pause_next(self, pause: Callable[[], Awaitable[object]]) -> None:
        self.fake.faults.append(Fault("none", pause=pause))

    def signed(self, body: bytes, *, at: datetime, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
        return {"Stripe-Signature": sign(body, secret, int(at.timestamp()))}

    def expected_fee(self, amount: int) -> int:
        return {2050: 56, 1234: 44}[amount]  # 1.5 % is 30.75, 18.51


class SecondRig:
    provider: PaymentProvider
    unreachable: PaymentProvider
    impatient: PaymentProvider
    stranger: PaymentProvider
    signature_header = second_bank.SIGNATURE_HEADER
    card_method = "card"
    debit_method = "direct_debit"

    def __init__(self) -> None:
        self.clock = VirtualClock(START)
        self.inbox = Inbox()
        self.bank = SecondBank(self.clock.now, self.inbox, API_KEY, WEBHOOK_SECRET)
        self.provider = self._provider(self.bank)
        self.impatient = self._provider(self.bank, patience_s=0.05)
        self.stranger = self._provider(self.bank, api_key="stranger")
        self.unreachable = self._provider(None)

    def _provider(self, bank: SecondBank | None, *, api_key: str = API_KEY, patience_s: float = 5) -> SecondProvider:
        return SecondProvider(
            bank, api_key=api_key, webhook_secret=WEBHOOK_SECRET, now=self.clock.now, patience_s=patience_s
        )

    async def start(self) -> None:
        self.bank.loop = asyncio.get_running_loop()

    async def stop(self) -> None:
        pass

    async def payer_succeeds(self, payment_id: str) -> None:
        self.bank.pay(payment_id)
        await self.bank.deliver_due()

    async def payer_fails(self, payment_id: str) -> None:
        self.bank.refuse(payment_id)
        await self.bank.deliver_due()

    async def payer_debits(self, payment_id: str, provider_ref: str) -> None:
        self.bank.debit(payment_id)
        await self.bank.deliver_due()

    async def payer_disputes(self, payment_id: str) -> None:
        self.bank.dispute(payment_id)
        await self.bank.deliver_due()

    async def payer_inquires(self, payment_id: str) -> None:
        self.bank.inquire(payment_id)
        await self.bank.deliver_due()

    async def bank_decides(self, payment_id: str, *, won: bool) -> None:
        self.bank.decide(payment_id, won=won)
        await self.bank.deliver_due()

    async def refund_settles(self, refund_id: str, *, succeeds: bool) -> None:
        self.bank.settle_refund(refund_id, succeeds=succeeds)
        await self.bank.deliver_due()

    async def payee_finishes(self, payee_ref: str, link: str) -> None:
        self.bank.enable(payee_ref)
        await self.bank.deliver_due()

    async def payout_settles(self, payout_id: str, *, succeeds: bool) -> None:
        self.bank.settle_payout(payout_id, succeeds=succeeds)
        await self.bank.deliver_due()

    async def deliver_due(self) -> int:
        return await self.bank.deliver_due()

    def break_next(self, *, work_done: bool, dropped: bool) -> None:
        self.bank.troubles.append(Trouble(broken=True, work_done=work_done))

    def pause_next(self, pause: Callable[[], Awaitable[object]]) -> None:
        self.bank.troubles.append(Trouble(pause=pause))

    def signed(self, body: bytes, *, at: datetime, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
        return {self.signature_header: second_bank.sign(body, secret, at)}

    def expected_fee(self, amount: int) -> int:
        return amount // 50


RIGS: Mapping[str, Callable[[], Rig]] = {
    "second": SecondRig,
    "stripe": StripeRig,
}


def stripe_test_key() -> str | None:
    key = os.environ.get("STRIPE_SECRET_KEY", "")
    return key if key.startswith("sk_test_") else None


def stripe_test_mode() -> tuple[PaymentProvider, datetime]:
    clock = SystemClock()
    provider = StripeProvider(api_key=stripe_test_key() or "", webhook_secret="", now=clock.now)
    return provider, clock.now()


def checkout_request(payment_id: str = "pay_1", amount: int = 2000, currency: str = "EUR") -> CheckoutRequest:
    return CheckoutRequest(
        payment_id=payment_id,
        amount=Money(amount, currency),
        description="Wallet top-up",
        success_url="https://app.wattfare.example/topups/1?ok={CHECKOUT_SESSION_ID}",
        cancel_url="https://app.wattfare.example/topups/1?cancelled=1",
        idempotency_key=f"{payment_id}/attempt-1",
        payer_email="driver@example.com",
        locale="de",
        metadata={"organization_id": "org_1"},
    )


def expiring(request: CheckoutRequest, now: datetime, minutes: int) -> CheckoutRequest:
    return replace(request, expires_at=now + timedelta(minutes=minutes))


async def events_of(rig: Rig) -> list[ProviderEvent]:
    """What the provider told so far, in order, read as if it were signed now."""
    return [
        await asyncio.to_thread(rig.provider.parse_event, body, rig.signed(body, at=rig.clock.now()))
        for body, _ in rig.inbox.received
    ]
