"""Chargers of the field: raw frames as firmware was seen to send them, and what became of them.

`TAG001` is a card with money behind it. A text may name `${TX}`, the transaction id of the last start, and `${CALLID}`,
the id of the CALL that we have open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Evse
from chalicelib.charging import lookup
from chalicelib.charging.model import ChargingSession, MeterReading, OrphanStop
from chalicelib.drivers.model import Driver
from chalicelib.ocpp.versions import VERSIONS
from tests.contract.ocpp import people
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

CARD = "TAG001"
MONEY = 2000


@dataclass
class Field:
    """One charger, WIRE-1, with two EVSEs at 0.35 per kWh, and what its operator sees of it."""

    world: World
    wire: Wire
    operator: Operator
    driver: Driver
    transaction_id: Any = None
    call_id: str = ""

    # -- the charger ------------------------------------------------------------------------------------------------

    def send(self, text: str) -> Any:
        """Our answer as JSON; None for silence."""
        text = text.replace("${TX}", json.dumps(self.transaction_id)).replace("${CALLID}", self.call_id)
        answer = self.wire.send(text)
        return None if answer is None else json.loads(answer)

    def result(self, text: str) -> Any:
        """The payload of the CALLRESULT, schema-valid and under the id of the CALL."""
        answer = self.send(text)
        assert answer is not None
        assert answer[0] == 3, answer
        sent = json.loads(text.replace("${TX}", "0").strip("\x00\ufeff \r\n"))
        assert answer[1] == sent[1]
        assert VERSIONS[self.wire.protocol].answer_violation(sent[2], answer[2]) is None, answer
        self.transaction_id = answer[2].get("transactionId", self.transaction_id)
        return answer[2]

    def error(self, text: str) -> str:
        """The code of the CALLERROR."""
        answer = self.send(text)
        assert answer is not None
        assert answer[0] == 4, answer
        return str(answer[2])

    def results(self, *texts: str) -> list[Any]:
        return [self.result(text) for text in texts]

    def still_lives(self) -> bool:
        return "currentTime" in self.result('[2,"alive","Heartbeat",{}]')

    def ask(self, action: str, payload: Any) -> Any:
        """We send a command; the CALL as it went out."""
        self.command = self.wire.queue(action, payload)
        [call] = self.wire.commands()
        self.call_id = call[1]
        return call

    def outcome(self) -> tuple[str, Any]:
        """The state of the last command, and the charger's answer or why there is none."""
        return self.wire.outcome(self.command)

    # -- what is known of it ----------------------------------------------------------------------------------------

    def sessions(self) -> list[ChargingSession]:
        """Oldest first."""
        page = lookup.list_sessions(self.world.ctx, operator_id=self.operator.operator_id, limit=100, cursor=None)
        return page.data[::-1]

    def session(self) -> ChargingSession:
        [found] = self.sessions()
        return found

    def readings(self, session: ChargingSession) -> list[MeterReading]:
        return list(lookup.list_readings(self.world.ctx, session, limit=100, cursor=None).data)

    def orphans(self) -> list[OrphanStop]:
        page = lookup.list_orphan_stops(self.world.ctx, self.operator.operator_id, limit=100, cursor=None)
        return list(page.data)

    def evse(self, evse_no: int) -> Evse:
        return next(e for e in chargers.list_evses(self.world.ctx, self.wire.charger_id) if e.evse_no == evse_no)

    def cents(self) -> int:
        return people.cents_of(self.world, self.driver)

    def findings(self) -> list[tuple[str, str, str]]:
        """Action, rule and place of each conformance finding, as the operator sees them."""
        path = f"/v1/chargers/{self.wire.charger_id}/conformance-findings"
        status, body = self.world.rest.get(path, token=self.operator.access_token)
        assert status == 200, body
        return [(each["action"], each["rule"], each["pointer"]) for each in body["data"]]


def build_field(world: World, operator: Operator, protocol: str) -> Field:
    place(world, operator, "WIRE-1")
    people.price(world, operator)
    driver = people.driver(world, operator, cents=MONEY, card=CARD)
    wire = Wire(world, "WIRE-1", protocol=protocol)
    assert wire.connect()[0] == 200
    assert wire.boot()["status"] == "Accepted"
    return Field(world, wire, operator, driver)


@pytest.fixture
def field(world: World, operator: Operator, protocol: str) -> Field:
    return build_field(world, operator, protocol)
