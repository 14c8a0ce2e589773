"""A charger that plays the conformance cases, and the two people around it: an operator who asks by REST, a driver.

Everything goes through the handlers that are deployed: frames through the WebSocket Lambdas, requests through the
REST Lambda, on the in-memory platform. What we send is held against the schema as a charger would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Evse
from chalicelib.charging import lookup
from chalicelib.charging import service as charging
from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.money import Money
from chalicelib.ocpp.v16.routes import V16
from chalicelib.ocpp.version import Version
from tests.contract.ocpp import people
from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.wire import Wire
from tests.world import Operator, World

CARD = "CARD-1"
SESSION_ID = "ses_01JAAAAAAAAAAAAAAAAAAAAAAA"
NOW = "2026-03-02T08:00:00Z"
YESTERDAY = "2026-03-01T20:00:00Z"


@dataclass
class ScriptedCharger:
    """Charger WIRE-1 of `operator`, booted; `driver` has 10.00 and CARD; 0.35 per kWh."""

    wire: Wire
    operator: Operator
    driver: Driver

    @property
    def world(self) -> World:
        return self.wire.world

    @property
    def version(self) -> Version:
        return V16

    # -- the charger speaks -----------------------------------------------------------------------------------------

    def call(self, action: str, payload: dict[str, Any]) -> Any:
        """The payload of our answer, valid by its schema."""
        answer = self.wire.call(action, payload)
        assert V16.answer_violation(action, answer) is None
        return answer

    def status(self, *values: str, connector_id: int = 1, error_code: str = "NoError") -> None:
        for value in values:
            payload = {"connectorId": connector_id, "errorCode": error_code, "status": value}
            assert self.call("StatusNotification", payload) == {}

    def authorize(self, id_tag: str = CARD) -> Any:
        return self.call("Authorize", {"idTag": id_tag})["idTagInfo"]["status"]

    def start(self, id_tag: str = CARD, *, meter: int = 1000, at: str = NOW, **more: Any) -> Any:
        """The answer to StartTransaction on connector 1, or where `more` says."""
        payload = {"connectorId": 1, "idTag": id_tag, "meterStart": meter, "timestamp": at, **more}
        answer = self.call("StartTransaction", payload)
        assert answer["transactionId"] > 0
        return answer

    def start_accepted(self, id_tag: str = CARD, **more: Any) -> int:
        """The id of a transaction that may go on."""
        answer = self.start(id_tag, **more)
        assert answer["idTagInfo"]["status"] == "Accepted"
        return int(answer["transactionId"])

    def stop(self, transaction_id: int, *, meter: int = 1200, at: str = NOW, **more: Any) -> Any:
        payload = {"transactionId": transaction_id, "meterStop": meter, "timestamp": at, **more}
        return self.call("StopTransaction", payload)

    def meter(self, value: int, transaction_id: int | None, at: str = NOW) -> None:
        reading = {"timestamp": at, "sampledValue": [{"value": str(value)}]}
        payload: dict[str, Any] = {"connectorId": 1, "meterValue": [reading]}
        if transaction_id is not None:
            payload["transactionId"] = transaction_id
        assert self.call("MeterValues", payload) == {}

    def reboot(self) -> None:
        """The socket breaks, another one opens, and the charger is accepted."""
        self.wire.close()
        self.wire.connect()
        self.cold_boot()

    def cold_boot(self) -> None:
        assert self.wire.boot()["status"] == "Accepted"
        for connector_id in (0, 1, 2):
            self.status("Available", connector_id=connector_id)

    # -- the operator -----------------------------------------------------------------------------------------------

    def ask(self, action: str, payload: dict[str, Any] | None = None) -> Asked:
        """The operator asks by REST; the charger has received the CALL, which conforms."""
        order = {"action": action, "payload": payload or {}}
        reply = self.world.rest.post("/v1/chargers/WIRE-1/commands", order, token=self.operator.access_token)
        assert reply.status == 202, reply.body
        [call] = self.received()
        assert call[1:3] == [reply.body["command_id"], action]
        return Asked(self, call)

    def received(self) -> list[Any]:
        """The CALLs that reached the charger since the last look, each as its schema wants it."""
        calls = self.wire.commands()
        for call in calls:
            assert V16.request_violation(call[2], call[3]) is None
        return calls

    def read(self, path: str) -> Any:
        """What the operator sees there."""
        reply = self.world.rest.get(path, token=self.operator.access_token)
        assert reply.status == 200, reply.body
        return reply.body

    def journal(self, kind: str) -> list[Any]:
        """What the operator finds in the charger's journal, newest first."""
        events: list[Any] = self.read(f"/v1/chargers/WIRE-1/events?kind={kind}")["data"]
        return events

    def configured(self, name: str) -> Any:
        """The value that the charger is known to have; None for what it never told."""
        found = self.read(f"/v1/chargers/WIRE-1/configuration?search={name}")["data"]
        return next((variable["value"] for variable in found), None)

    def evse(self, evse_no: int = 1) -> Evse:
        [found] = [evse for evse in chargers.list_evses(self.world.ctx, "WIRE-1") if evse.evse_no == evse_no]
        return found

    # -- the driver -------------------------------------------------------------------------------------------------

    @property
    def app_token(self) -> str:
        """The id token that the app starts with."""
        return drivers.app_token(self.driver.driver_id)

    def cents(self) -> int:
        """What the driver may spend now."""
        return people.cents_of(self.world, self.driver)

    def request(self) -> Any:
        """The driver asks by phone for 5.00 on connector 1; gives the CALL that reaches the charger."""
        self.world.commit(
            lambda uow: charging.request_session(
                uow,
                session_id=SESSION_ID,
                driver_id=self.driver.driver_id,
                charger_id="WIRE-1",
                evse_no=1,
                amount=Money(500, "EUR"),
            )
        )
        [call] = self.received()
        return call

    def session(self, session_id: str = SESSION_ID) -> ChargingSession:
        return lookup.require_session(self.world.ctx, session_id)

    def sessions(self) -> list[ChargingSession]:
        """All of the operator's, oldest first."""
        page = lookup.list_sessions(self.world.ctx, operator_id=self.operator.operator_id, limit=100, cursor=None)
        return page.data[::-1]
