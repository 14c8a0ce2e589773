"""How the fake tells the product of a payment: signed notifications, repeated until one is taken.

`sign` makes Stripe's `Stripe-Signature` header (docs.stripe.com/webhooks#verify-manually); `HttpDelivery` posts to
an address; `retry_delay_s` is the pause after a failed attempt. The order and the durability are `fake.py`'s.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping

import aiohttp

FIRST_RETRY_S = 30
RETRY_FACTOR = 4
MAX_ATTEMPTS = 8  # the last one about two days after the first; Stripe gives up after three
ANSWER_TIMEOUT_S = 10

Deliver = Callable[[bytes, Mapping[str, str]], Awaitable[int]]
"""Posts a body with headers and gives the HTTP status; anything it raises is a failed attempt."""


def sign(body: bytes, secret: str, now_s: int) -> str:
    """The header's value: `t=<epoch seconds>,v1=<HMAC-SHA256 of "t.body">`."""
    signature = hmac.new(secret.encode(), f"{now_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now_s},v1={signature}"


def retry_delay_s(attempts: int) -> int | None:
    """The pause after that many failed attempts; None: give up."""
    if attempts >= MAX_ATTEMPTS:
        return None
    return FIRST_RETRY_S * RETRY_FACTOR ** (attempts - 1)


class HttpDelivery:
    """Posts to the product's webhook address. `url` may be a function: the port is known only when one listens."""

    def __init__(self, url: str | Callable[[], str], timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def __call__(self, body: bytes, headers: Mapping[str, str]) -> int:
        url = self._url if isinstance(self._url, str) else self._url()
        async with (
            aiohttp.ClientSession(timeout=self._timeout) as client,
            client.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status
