"""A payment fake with its clock and inbox, and what tests do to it: over its own methods and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from chalicelib.kernel.clock import VirtualClock
from infra.local.payments import Call, StripeFake

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "whsec_unit"
SESSIONS = "/v1/checkout/sessions"
FORM = {
    "mode": "payment",
    "client_reference_id": "pay_1",
    "metadata[payment_id]": "pay_1",
    "customer_email": "driver@example.com",
    "success_url": "https://app.example/ok?ref={CHECKOUT_SESSION_ID}",
    "cancel_url": "https://app.example/cancelled",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "1234",
    "line_items[0][price_data][product_data][name]": "Top-up <b>of</b> your wallet",
}


@dataclass
class Inbox:
    received: list[dict[str, object]] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    failures: int = 0

    async def __call__(self, body: bytes, headers: Mapping[str, str]) -> int:
        self.received.append(json.loads(body))
        self.signatures.append(headers["Stripe-Signature"])
        if self.failures:
            self.failures -= 1
            raise ConnectionRefusedError("nobody there")
        return 204


class Stand:
    """A fake, its clock, its inbox; `reopen` is the restart after a kill."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = VirtualClock(START)
        self.inbox = Inbox()
        self.told_before_answer = 0
        self.reopen()

    def reopen(self) -> None:
        self.fake = StripeFake(
            self.clock.now, self.inbox, api_key="sk_test_unit", webhook_secret=SECRET, path=self.path
        )

    async def after_click(self) -> None:
        self.told_before_answer = len(self.inbox.received)

    def api(self, endpoint: str, form: Mapping[str, str] | None = None, **about: Any) -> dict[str, Any]:
        """A POST as the product sends it; `about`: object_id, account, key."""
        path = endpoint.replace("{id}", about.get("object_id", ""))
        answer, _ = self.fake.write(endpoint, Call(path=path, pairs=list((form or {}).items()), **about))
        return answer

    def read(self, kind: str, object_id: str, account: str | None = None) -> dict[str, Any]:
        return self.fake.retrieve(kind, Call(path="", object_id=object_id, account=account))

    def authorize(self, amount: int = 5000) -> str:
        """A payment with manual capture that the payer has agreed to: its PaymentIntent."""
        change = {
            "payment_intent_data[capture_method]": "manual",
            "payment_intent_data[metadata][payment_id]": "pay_1",
            "line_items[0][price_data][unit_amount]": str(amount),
        }
        session_id = self.open_checkout(**change)
        return str(self.fake.act(session_id, "succeed")["payment_intent"])

    def open_account(self, *, finished: bool = True) -> str:
        form = {
            "country": "DE",
            "business_profile[name]": "Stadtwerke <b>Nord</b>",
            "capabilities[transfers][requested]": "true",
        }
        account = self.api("/v1/accounts", form)
        account_id = str(account["id"])
        if finished:
            link_id = self.link(account_id)["url"].split("link=")[1]
            self.fake.payees.visit(account_id, link_id, finished=True)
        return account_id

    def link(self, account_id: str) -> dict[str, Any]:
        form = {
            "account": account_id,
            "type": "account_onboarding",
            "return_url": "https://app.example/done",
            "refresh_url": "https://app.example/again",
        }
        return self.api("/v1/account_links", form)

    def told(self) -> list[str]:
        """The kinds of all notifications so far, oldest first."""
        return [json.loads(event.body)["type"] for event in reversed(self.fake.events())]

    def open_checkout(self, key: str | None = None, **change: str) -> str:
        form = list((FORM | change).items())
        session, _ = self.fake.write(SESSIONS, Call(path=SESSIONS, pairs=form, key=key))
        return str(session["id"])

    def expire(self, session_id: str) -> None:
        path = f"{SESSIONS}/{{id}}/expire"
        self.fake.write(path, Call(path=path, object_id=session_id))


async def get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(url) as answer:
        return answer.status, await answer.text()


async def click(url: str, action: str) -> tuple[int, str]:
    """Status and where the payer is sent."""
    async with (
        aiohttp.ClientSession() as client,
        client.post(url, data={"action": action}, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers.get("Location", "")


async def pull_lever(origin: str, our_id: str, body: object, kind: str = "payments") -> tuple[int, dict[str, str]]:
    async with (
        aiohttp.ClientSession() as client,
        client.post(f"{origin}/_local/{kind}/{our_id}", data=json.dumps(body)) as answer,
    ):
        return answer.status, json.loads(await answer.text())
