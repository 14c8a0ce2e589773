"""A world whose payment provider is the local stack's Stripe, spoken to through the official package over loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from aiohttp import web

from infra.local.payments import Fault, StripeFake, add_routes
from tests.world import SECRETS, World

Result = TypeVar("Result")


class StripeDesk:
    """The fake in a thread of its own: the package blocks the test's thread while it waits for an answer."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.deliveries: list[tuple[bytes, Mapping[str, str]]] = []

    def start(self) -> str:
        """Returns the address for `Settings.stripe_api_base`."""
        self._thread.start()
        return self.run(self._start())

    async def _start(self) -> str:
        self.fake = StripeFake(
            self._world.ctx.now,
            self._deliver,
            api_key=SECRETS["stripe-secret-key"],
            webhook_secret=SECRETS["stripe-webhook-secret"],
        )
        local = web.Application()
        add_routes(local, self.fake)
        app = web.Application()
        app.add_subapp("/_local", local)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/_local/stripe"

    def stop(self) -> None:
        self.run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        await self._runner.cleanup()
        self.fake.close()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=20)

    def payer(self, payment_id: str, outcome: str) -> None:
        """The payer acts on the provider's page; nothing is delivered yet."""
        self.run(self._act(payment_id, outcome))

    def deliver(self) -> int:
        """Sends the notifications that are due to the product's webhook."""
        return self.run(self.fake.deliver_due())

    def break_next(self, *, work_done: bool, times: int = 2) -> None:
        """The next API requests are answered with HTTP 500: the package tries twice."""
        self.fake.faults.extend(Fault("error", work_done=work_done) for _ in range(times))

    async def _act(self, payment_id: str, outcome: Any) -> None:
        self.fake.act_on_payment(payment_id, outcome)

    async def _deliver(self, body: bytes, headers: Mapping[str, str]) -> int:
        self.deliveries.append((body, headers))
        # The webhook asks the provider back, so it may not hold this loop.
        return await asyncio.to_thread(self.post_event, body, headers)

    def post_event(self, body: bytes, headers: Mapping[str, str]) -> int:
        return self._world.rest.post("/v1/provider-events/stripe", raw=body, headers=headers).status


@pytest.fixture
def desk(world: World) -> Iterator[StripeDesk]:
    desk = StripeDesk(world)
    world.ctx.settings = replace(world.ctx.settings, stripe_api_base=desk.start())
    yield desk
    desk.stop()
