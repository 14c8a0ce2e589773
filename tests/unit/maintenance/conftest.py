"""A charger that tells, and somebody who looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Command
from chalicelib.maintenance.store import TABLE
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World


@dataclass
class Told:
    """A connected 1.6 charger of an operator: `tell` runs a service function, `see` asks REST."""

    world: World
    operator: Operator
    charger: Charger
    wire: Wire

    def tell(self, function: Any, *arguments: Any, **options: Any) -> Any:
        """As the gateway does: one frame, one commit."""
        return self.world.commit(lambda uow: function(uow, self.charger, *arguments, **options))

    @property
    def token(self) -> str:
        """A fresh one: tests let days pass."""
        return self.world.access_token(self.operator.user.email)

    def see(self, what: str, **query: Any) -> Any:
        status, body = self.world.rest.get(
            f"/v1/chargers/{self.charger.charger_id}/{what}", token=self.token, query=query
        )
        assert status == 200, body
        return body

    def ask(self, action: str, payload: dict[str, Any]) -> Command:
        """An operator's command, sent and accepted."""
        command = self.wire.queue(action, payload)
        self.wire.commands()
        return command

    def progress(self, command: Command) -> list[str]:
        known = chargers.get_command(self.world.ctx, command.command_id)
        assert known is not None
        return [step.status for step in known.progress]

    def rows(self) -> Any:
        return self.world.engine.execute("Scan", {"TableName": TABLE})["Items"]

    def send_queued(self) -> list[Any]:
        """What was posted to the charger since the last look, after all events went round."""
        self.world.run_events()
        return self.wire.commands()


@pytest.fixture
def told(world: World) -> Told:
    operator = world.operator()
    charger = place(world, operator, "CP-001")
    wire = Wire(world, charger.charger_id)
    assert wire.connect()[0] == 200
    return Told(world, operator, charger, wire)
