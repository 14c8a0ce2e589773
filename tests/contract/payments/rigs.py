"""One rig per payment provider: the provider under test, a payer, a webhook inbox, and ways to break things.

A second provider adds its rig to `RIGS` and gets every case of test_provider.py. With STRIPE_SECRET_KEY=sk_test_...
in the environment the cases that need no payer also run against Stripe's test mode.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from aiohttp import web

from chalicelib.kernel.clock import SystemClock, VirtualClock
from chalicelib.kernel.money import Money
from chalicelib.payments.providers.port import CheckoutRequest, PaymentProvider
from chalicelib.payments.providers.stripe import StripeProvider
from infra.local.payments import Fault, StripeFake, add_routes, sign

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

    async def payer_succeeds(self, payment_id: str) -> None: ...  # or the bank, after payer_debits
    async def payer_fails(self, payment_id: str) -> None: ...
    async def payer_debits(self, payment_id: str, provider_ref: str) -> None: ...
    async def deliver_due(self) -> int: ...
    def break_next(self, *, work_done: bool, dropped: bool) -> None: ...
    def pause_next(self, pause: Callable[[], Awaitable[object]]) -> None: ...
    def signed(self, body: bytes, *, at: datetime, secret: str = WEBHOOK_SECRET) -> dict[str, str]: ...
    def expected_fee(self, amount: int) -> int: ...


class StripeRig:
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

    async def deliver_due(self) -> int:
        return await self.fake.deliver_due()

    def break_next(self, *, work_done: bool, dropped: bool) -> None:
        self.fake.faults.append(Fault("drop" if dropped else "error", work_done=work_done))

    def pause_next(self, pause: Callable[[], Awaitable[object]]) -> None:
        self.fake.faults.append(Fault("none", pause=pause))

    def signed(self, body: bytes, *, at: datetime, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
        return {"Stripe-Signature": sign(body, secret, int(at.timestamp()))}

    def expected_fee(self, amount: int) -> int:
        return {2050: 56}[amount]  # 1.5 % is 30.75


RIGS = {"stripe": StripeRig}


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
