"""How messages leave: a port, and the way to the one that speaks HTTP. Called by `webhooks` alone."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.kernel.context import Context
from chalicelib.webhooks.sending.http import HttpSender
from chalicelib.webhooks.sending.port import Message, Sender

SENDERS: dict[str, Callable[[Context], Sender]] = {"http": HttpSender.from_context}


def sender(ctx: Context) -> Sender:
    return SENDERS["http"](ctx)


__all__ = ["SENDERS", "Message", "Sender", "sender"]
