"""What sends a message to a receiver. Its cases: tests/contract/webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from chalicelib.webhooks.model import Answer

TIMEOUT_S: Final = 10.0
"""For all of it: the name, the connection, the request, the answer."""
MAX_TEXT_BYTES: Final = 1024
"""What of an answer is read and kept."""


@dataclass(frozen=True)
class Message:
    """One attempt, signed. `headers` without those of the connection (Host, Content-Length)."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Sender(Protocol):
    def post(self, message: Message) -> Answer:
        """Sends once, and says what became of it. Never raises for what a receiver, or the network, does.

        Redirects are answers like others. Called from several threads at once.
        """
        ...
