"""The screen of a simulated charger (OCPP 2.0.1 O01 to O06): it keeps the messages it is given, and tells them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from infra.local.simulators.face import Call, Errands
from infra.local.simulators.ocpp_client import Payload

MAX_MESSAGES: Final = 20
_FORMATS: Final = frozenset({"ASCII", "UTF8"})


class Display:
    """`is_delivering(transaction_id)`: a message may be for one transaction alone."""

    def __init__(self, is_delivering: Callable[[str], bool], errands: Errands, call: Call) -> None:
        self._is_delivering = is_delivering
        self._errands = errands
        self._call = call
        self._messages: dict[int, Payload] = {}

    def set(self, payload: Payload) -> Payload:
        """The same id again replaces it."""
        message = payload["message"]
        if message["message"]["format"] not in _FORMATS:
            return {"status": "NotSupportedMessageFormat"}
        if "transactionId" in message and not self._is_delivering(message["transactionId"]):
            return {"status": "UnknownTransaction"}
        if message["id"] not in self._messages and len(self._messages) >= MAX_MESSAGES:
            return {"status": "Rejected"}
        self._messages[message["id"]] = message
        return {"status": "Accepted"}

    def clear(self, payload: Payload) -> Payload:
        return {"status": "Unknown" if self._messages.pop(payload["id"], None) is None else "Accepted"}

    def get(self, payload: Payload) -> Payload:
        """Those that match follow by NotifyDisplayMessages."""
        found = [
            message
            for number, message in self._messages.items()
            if number in payload.get("id", (number,))
            and payload.get("priority") in (None, message["priority"])
            and payload.get("state") in (None, message.get("state"))
        ]
        if not found:
            return {"status": "Unknown"}
        told = {"requestId": payload["requestId"], "messageInfo": found}
        return {
            "status": "Accepted" if self._errands.add(partial(self._call, "NotifyDisplayMessages", told)) else "Unknown"
        }
