"""A charger at the wire: handshakes and frames through the very handlers that Lambda calls, without a socket."""

from __future__ import annotations

import base64
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Command, Location
from chalicelib.ocpp import jobs
from tests.world import Operator, World
from ws_handlers import connect, disconnect, message

PASSWORD = "0123456789abcdefghij"
OWN = "own"
"""The subprotocol that a wire speaks: `Wire.protocol`."""
BOOTS: dict[str, dict[str, Any]] = {
    "ocpp1.6": {"chargePointVendor": "Wire", "chargePointModel": "One"},
    "ocpp2.0.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "Wire", "model": "One"}},
    "ocpp2.1": {"reason": "PowerUp", "chargingStation": {"vendorName": "Wire", "model": "One"}},
}
_numbers = itertools.count(1)


@dataclass
class Wire:
    """One charger and its socket. `call` sends a CALL and gives its answer; `commands` what we posted to it."""

    world: World
    charger_id: str
    connection_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    _seen: int = 0
    protocol: str = "ocpp1.6"

    def connect(
        self,
        *,
        identity: str | None = None,
        password: str | None = PASSWORD,
        protocols: str | None = OWN,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, dict[str, str]]:
        """The status of the handshake and the headers of its answer; a new connection when it was 200."""
        sent = dict(headers or {})
        if password is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(f"{self.charger_id}:{password}".encode()).decode()
        if protocols is not None:
            sent["Sec-WebSocket-Protocol"] = self.protocol if protocols == OWN else protocols
        connection_id = f"connection-{next(_numbers)}"
        event = {
            "headers": sent,
            "multiValueHeaders": {name: [value] for name, value in sent.items()},
            "queryStringParameters": {"cp": self.charger_id if identity is None else identity},
            "requestContext": {"connectionId": connection_id, "identity": {"sourceIp": "192.0.2.7"}},
        }
        answer = connect.handler(event, None)
        if answer["statusCode"] == 200:
            self.connection_id, self._seen = connection_id, 0
        return answer["statusCode"], answer.get("headers", {})

    def close(self) -> None:
        disconnect.handler({"requestContext": {"connectionId": self.connection_id}}, None)

    def send(self, text: str) -> str | None:
        """One text message; its route response, None for silence."""
        event = {"requestContext": {"connectionId": self.connection_id}, "body": text, "isBase64Encoded": False}
        answer = message.handler(event, None)
        assert answer["statusCode"] == 200
        body: str | None = answer.get("body")
        return body

    def call(self, action: str, payload: Any, message_id: str | None = None) -> Any:
        """The payload of the CALLRESULT; a CALLERROR fails the test."""
        message_id = message_id or f"m{next(_numbers)}"
        answer = json.loads(self.send(json.dumps([2, message_id, action, payload])) or "null")
        assert answer is not None, f"{action} got no answer"
        assert answer[:2] == [3, message_id], answer
        return answer[2]

    def error(self, action: str, payload: Any) -> str:
        """The code of the CALLERROR."""
        message_id = f"m{next(_numbers)}"
        answer = json.loads(self.send(json.dumps([2, message_id, action, payload])) or "null")
        assert answer is not None, f"{action} got no answer"
        assert answer[:2] == [4, message_id], answer
        return str(answer[2])

    def boot(self) -> Any:
        return self.call("BootNotification", BOOTS[self.protocol])

    def commands(self) -> list[Any]:
        """The CALLs that were posted to this connection since the last look: `[2, id, action, payload]`.

        Commands that were queued are sent first, as the outbox would have it."""
        self.world.run_events({"command.queued": (jobs.on_command_queued,)})
        posted = self.world.posted(self.connection_id)
        fresh, self._seen = posted[self._seen :], len(posted)
        return [json.loads(text) for text in fresh]

    def queue(self, action: str, payload: Any) -> Command:
        """An operator asks for a command; `commands` shows it when it was sent."""
        return self.world.commit(
            lambda uow: chargers.queue_command(
                uow, charger_id=self.charger_id, action=action, payload=payload, requested_by="usr_test"
            )
        )

    def outcome(self, command: Command) -> tuple[str, Any]:
        """The state of a command, and what the charger answered or why it did not."""
        now = chargers.get_command(self.world.ctx, command.command_id)
        assert now is not None
        return now.state, now.error if now.answer is None else now.answer

    def reply(self, command: Any, payload: Any) -> None:
        """The charger's CALLRESULT to a command; it must not be answered."""
        assert self.send(json.dumps([3, command[1], payload])) is None


def place(world: World, operator: Operator, charger_id: str, *, placed: bool = True, **fields: Any) -> Charger:
    """A registered charger with PASSWORD, at a location of its own unless `placed` is False."""
    now = world.ctx.now()
    charger = Charger(
        charger_id=charger_id,
        operator_id=operator.operator_id,
        password_hash="",
        created_at=now,
        **{"evse_count": 2, **fields},
    )
    charger, _, _ = world.commit(lambda uow: chargers.register_charger(uow, charger, PASSWORD))
    if not placed:
        return charger
    location = Location(
        location_id=world.ctx.new_id("loc"),
        operator_id=operator.operator_id,
        name="Harbour",
        address="Quay 1",
        city="Kiel",
        country="DE",
        time_zone="Europe/Berlin",
        created_at=now,
    )
    world.commit(lambda uow: chargers.add_location(uow, location))
    return world.commit(lambda uow: chargers.place_charger(uow, charger, location))
