"""A whole charge is told to a customer's own system: signed, again after a 500, again after `kill -9` in between."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.people import CARD, Site
from tests.e2e.raw_charger import Disconnected, connect_raw
from tests.e2e.stack import Stack, free_port


@dataclass
class Shop:
    """A customer's system. It takes what is signed, by Standard Webhooks; `answers` are for the next messages."""

    stack: Stack
    port: int
    secret: str = ""
    answers: list[int] = field(default_factory=list)
    seen: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    before_answer: Callable[[], Awaitable[None]] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/wattfare"

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        if not self._is_genuine(request, body):
            return web.Response(status=401)
        status = self.answers.pop(0) if self.answers else 204
        self.seen.append((request.headers["webhook-id"], status, json.loads(body)))
        if self.before_answer is not None:
            wait, self.before_answer = self.before_answer, None
            await wait()
        return web.Response(status=status)

    def of(self, event_type: str) -> list[tuple[str, int, dict[str, Any]]]:
        return [each for each in self.seen if each[2]["type"] == event_type]

    def _is_genuine(self, request: web.Request, body: bytes) -> bool:
        message_id, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(digest).decode()}" in request.headers["webhook-signature"].split()


@pytest.fixture
async def shop(stack: Stack) -> AsyncIterator[Shop]:
    made = Shop(stack, free_port())
    application = web.Application()
    application.router.add_post("/wattfare", made.take)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    await runner.cleanup()


async def subscribe(site: Site, shop: Shop, *event_types: str) -> str:
    endpoint = await site.operator.post("/v1/webhook-endpoints", {"url": shop.url, "event_types": list(event_types)})
    shop.secret = endpoint["secret"]
    return str(endpoint["endpoint_id"])


async def charge(stack: Stack) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        started = await charger.start(CARD)
        await stack.settle()
        await stack.advance(minutes=1)
        await charger.stop(started["transactionId"], 1200)
        await stack.settle()


async def deliveries(site: Site, **query: str) -> list[Any]:
    await site.operator.sign_in()
    return await site.operator.get_all("/v1/webhook-deliveries", **query)


async def test_a_charge_is_told_and_told_again_after_a_500(stack: Stack, site: Site, shop: Shop) -> None:
    await subscribe(site, shop, "session.started", "session.completed")
    shop.answers = [204, 500]
    await charge(stack)
    [session] = await site.operator.get_all("/v1/sessions")
    assert [(status, body["type"]) for _, status, body in shop.seen] == [
        (204, "session.started"),
        (500, "session.completed"),
    ]
    [pending] = await deliveries(site, state="pending")
    assert (pending["attempts"], pending["status_code"]) == (1, 500)

    await stack.advance(minutes=3)
    (first_id, _, first), (second_id, status, second) = shop.of("session.completed")
    assert (status, second_id, second) == (204, first_id, first)
    assert second["data"] == await site.operator.get(f"/v1/sessions/{session['session_id']}")
    assert second["data"]["cost"] == {"amount": 7, "currency": "EUR"}
    assert {each["state"] for each in await deliveries(site)} == {"delivered"}
    await stack.advance(minutes=60)
    assert len(shop.seen) == 3


async def test_the_process_dies_while_the_receiver_has_the_message(stack: Stack, site: Site, shop: Shop) -> None:
    await subscribe(site, shop, "session.completed")
    shop.before_answer = stack.kill
    with contextlib.suppress(aiohttp.ClientError, ConnectionError, TimeoutError, RuntimeError, Disconnected):
        await charge(stack)
    assert not stack.running
    assert len(shop.seen) == 1

    await stack.start()
    await stack.settle()
    [delivery] = await deliveries(site)
    assert (delivery["state"], delivery["attempts"]) == ("pending", 1)
    await stack.advance(minutes=5)
    (first_id, _, first), (second_id, _, second) = shop.seen
    assert (second_id, second) == (first_id, first)
    [delivery] = await deliveries(site)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 2)
