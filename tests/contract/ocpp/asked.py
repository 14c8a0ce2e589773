"""A command that the charger of a conformance case has received, and how it answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.ocpp.version import Version
from tests.contract.ocpp.wire import Wire


class Asker(Protocol):
    """Who plays the case: a charger, and the operator who looks at it by REST."""

    @property
    def wire(self) -> Wire: ...

    @property
    def version(self) -> Version: ...

    def read(self, path: str) -> Any: ...


@dataclass
class Asked:
    asker: Asker
    call: list[Any]

    @property
    def action(self) -> str:
        return str(self.call[2])

    @property
    def payload(self) -> Any:
        return self.call[3]

    def reply(self, answer: str | dict[str, Any] = "Accepted") -> str:
        """The charger answers, with this status or this payload; gives the state that the operator then sees."""
        payload = {"status": answer} if isinstance(answer, str) else answer
        assert self.asker.version.answer_violation(self.action, payload) is None
        self.asker.wire.reply(self.call, payload)
        seen = self.view()
        assert seen["answer"] == payload
        return str(seen["state"])

    def view(self) -> Any:
        """The command as the operator sees it."""
        return self.asker.read(f"/v1/commands/{self.call[1]}")

    def progress(self) -> list[str]:
        """What the charger reported afterwards, oldest first."""
        return [step["status"] for step in self.view()["progress"]]
