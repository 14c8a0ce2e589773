"""A charging station that plays the 2.x conformance cases, its operator (by REST) and a driver.

Everything goes through the handlers that are deployed: frames through the WebSocket Lambdas, requests through the
REST Lambda, on the in-memory platform. Every message is held against its schema in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Evse
from chalicelib.charging import lookup
from chalicelib.charging import service as charging
from chalicelib.charging.model import ChargingSession, Limits
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.money import Money
from chalicelib.ocpp.version import Version
from chalicelib.ocpp.versions import VERSIONS
from chalicelib.relay import CONSUMERS
from tests.contract.ocpp import people
from tests.contract.ocpp.asked import Asked
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

STATION = "OCTT-1"
CARD = "04A2B3C4"
_AT_WORK = ("certificate.requested", "command.queued", "local_list.advanced")
"""What the platform does of its own accord in these conversations; its templates would ask for more than they tell."""
BEGIN_WH, END_WH = 1000, 1200
PRICE_CENTS = 7
"""Of BEGIN_WH to END_WH, at 0.35 per kWh."""


def id_token(text: str = CARD, kind: str = "ISO14443") -> dict[str, Any]:
    return {"idToken": text, "type": kind}


def reading(value: float, context: str, at: str) -> dict[str, Any]:
    sample = {"value": value, "context": context, "measurand": "Energy.Active.Import.Register"}
    return {"timestamp": at, "sampledValue": [{**sample, "unitOfMeasure": {"unit": "Wh"}}]}


@dataclass
class Transaction:
    """What the station tells about one OCPP transaction: it numbers and dates the events itself."""

    station: Station
    transaction_id: str = "T-1"
    evse_no: int | None = 1
    seq_no: int = 0
    remote_start_id: int | None = None

    def event(
        self,
        kind: str,
        trigger: str,
        state: str | None = None,
        *,
        token: str | None = None,
        wh: float | None = None,
        context: str = "Sample.Periodic",
        reason: str | None = None,
        info: dict[str, Any] | None = None,
        **more: Any,
    ) -> Any:
        """The answer to TransactionEvent; `info` are members of its transactionInfo, `more` of the request."""
        self.station.world.advance(1)
        at = to_rfc3339(self.station.world.ctx.now())
        told = {"chargingState": state, "stoppedReason": reason, "remoteStartId": self.remote_start_id}
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": trigger,
            "seqNo": self.seq_no,
            "transactionInfo": {
                "transactionId": self.transaction_id,
                **{name: value for name, value in told.items() if value is not None},
                **(info or {}),
            },
        }
        if self.evse_no is not None:
            payload["evse"] = {"id": self.evse_no, "connectorId": 1}
        if token is not None:
            payload["idToken"] = id_token(token)
        if wh is not None:
            payload["meterValue"] = [reading(wh, context, at)]
        self.seq_no += 1
        return self.station.call("TransactionEvent", {**payload, **more})

    def started(self, trigger: str, state: str | None = None, **more: Any) -> Any:
        return self.event("Started", trigger, state, **more)

    def updated(self, trigger: str, state: str | None = None, **more: Any) -> Any:
        return self.event("Updated", trigger, state, **more)

    def ended(self, trigger: str, reason: str, state: str | None = None, wh: float = END_WH, **more: Any) -> Any:
        """With the last register."""
        return self.event("Ended", trigger, state, reason=reason, wh=wh, context="Transaction.End", **more)

    def charging(self, card: str = CARD) -> Transaction:
        """From an empty EVSE to a car that charges, authorised by a card."""
        self.station.status("Occupied", self.evse_no or 1)
        self.started("CablePluggedIn", "EVConnected")
        assert self.station.authorize(card)["status"] == "Accepted"
        assert self.updated("Authorized", "EVConnected", token=card)["idTokenInfo"]["status"] == "Accepted"
        self.energised()
        return self

    def energised(self) -> None:
        assert "idTokenInfo" not in self.updated(
            "ChargingStateChanged", "Charging", wh=BEGIN_WH, context="Transaction.Begin"
        )

    def finished(self) -> Any:
        """The driver stops with the card and drives away."""
        self.updated("StopAuthorized", "EVConnected", token=CARD)
        answer = self.ended("EVCommunicationLost", "EVDisconnected", "Idle")
        self.station.status("Available", self.evse_no or 1)
        return answer


@dataclass
class Station:
    """STATION of `operator`; `driver` has 10.00 and CARD; 0.35 per kWh."""

    wire: Wire
    operator: Operator
    driver: Driver
    protocol: str
    _transactions: int = field(default=0)

    @property
    def world(self) -> World:
        return self.wire.world

    @property
    def version(self) -> Version:
        return VERSIONS[self.protocol]

    # -- the station speaks -----------------------------------------------------------------------------------------

    def call(self, action: str, payload: dict[str, Any]) -> Any:
        """The payload of our answer; both by their schemas."""
        assert self.version.request_violation(action, payload) is None
        answer = self.wire.call(action, payload)
        assert self.version.answer_violation(action, answer) is None
        return answer

    def boot(self, reason: str = "PowerUp") -> Any:
        station = {"model": "One", "vendorName": "Wire"}
        return self.call("BootNotification", {"reason": reason, "chargingStation": station})

    def cold_boot(self, reason: str = "PowerUp") -> None:
        assert self.boot(reason)["status"] == "Accepted"
        for evse_no in (1, 2):
            self.status("Available", evse_no)

    def reboot(self, reason: str = "RemoteReset") -> None:
        """The socket breaks, another one opens, and the station is accepted."""
        self.wire.close()
        assert self.connect()
        self.cold_boot(reason)

    def connect(self, **how: Any) -> bool:
        return self.wire.connect(protocols=self.protocol, **how)[0] == 200

    def status(self, value: str, evse_no: int = 1, connector_no: int = 1) -> None:
        payload = {"connectorStatus": value, "evseId": evse_no, "connectorId": connector_no}
        assert self.call("StatusNotification", {"timestamp": self.now(), **payload}) == {}

    def authorize(self, card: str = CARD) -> Any:
        """The idTokenInfo."""
        return self.call("Authorize", {"idToken": id_token(card)})["idTokenInfo"]

    def transaction(self, **facts: Any) -> Transaction:
        """A new one."""
        self._transactions += 1
        return Transaction(self, f"T-{self._transactions}", **facts)

    def now(self, seconds: float = 0) -> str:
        """Some seconds from now, as it is written on the wire."""
        return to_rfc3339(self.world.ctx.now() + timedelta(seconds=seconds))

    # -- the operator -----------------------------------------------------------------------------------------------

    def ask(self, action: str, payload: dict[str, Any] | None = None) -> Asked:
        """The operator asks by REST; the station has received the CALL, which says just that."""
        reply = self.write(f"/v1/chargers/{STATION}/commands", {"action": action, "payload": payload or {}})
        assert reply.status == 202, reply.body
        [asked] = self.received()
        assert asked.call[1:3] == [reply.body["command_id"], action]
        assert asked.payload.items() >= (payload or {}).items()
        return asked

    def obeys(self, action: str, payload: dict[str, Any] | None = None) -> bool:
        """Asked for something, the station accepts, and the operator sees that."""
        return self.ask(action, payload).reply() == "accepted"

    def received(self) -> list[Asked]:
        """The CALLs that reached the station since the last look, each as its schema wants it."""
        self.world.run_events({kind: CONSUMERS[kind] for kind in _AT_WORK})
        calls = self.wire.commands()
        for call in calls:
            assert self.version.request_violation(call[2], call[3]) is None
        return [Asked(self, call) for call in calls]

    def read(self, path: str) -> Any:
        """What the operator sees there."""
        reply = self.world.rest.get(path, token=self.operator.access_token)
        assert reply.status == 200, reply.body
        return reply.body

    def kept(self, what: str) -> Any:
        """What is kept of this station: `certificates`, `events` ..."""
        return self.read(f"/v1/chargers/{STATION}/{what}")

    def write(self, path: str, body: dict[str, Any]) -> Any:
        return self.world.rest.post(path, body, token=self.operator.access_token, key=self.world.ctx.new_id("key"))

    def evse(self, evse_no: int = 1) -> Evse:
        [found] = [evse for evse in chargers.list_evses(self.world.ctx, STATION) if evse.evse_no == evse_no]
        return found

    def sessions(self) -> list[ChargingSession]:
        """All of the operator's, oldest first."""
        page = lookup.list_sessions(self.world.ctx, operator_id=self.operator.operator_id, limit=100, cursor=None)
        return page.data[::-1]

    # -- the driver -------------------------------------------------------------------------------------------------

    def cents(self) -> int:
        """What the driver may spend now."""
        return people.cents_of(self.world, self.driver)

    def sold(self) -> bool:
        """Exactly one delivery of BEGIN_WH to END_WH has been paid, and nothing is reserved any more."""
        return self.cents() == 1000 - PRICE_CENTS

    def card(self, text: str, **facts: Any) -> str:
        """Another card, of another driver with money."""
        people.driver(self.world, self.operator, cents=1000, card=text, **facts)
        return text

    def grouped_card(self, text: str, group_id: str) -> str:
        """A card of a group, of a driver of its own with money."""
        person = people.driver(self.world, self.operator, cents=1000)
        self.world.commit(
            lambda uow: drivers.add_card(
                uow, id_token=text, operator_id=self.operator.operator_id, driver=person, group_id=group_id
            )
        )
        return text

    def block(self, card: str) -> None:
        found = drivers.require_card(self.world.ctx, card)
        self.world.commit(lambda uow: drivers.change_card(uow, found, {"status": "blocked"}))

    def request(self, limits: Limits | None = None) -> Asked:
        """The driver asks by phone for 5.00 at EVSE 1, or less by `limits`; gives what reaches the station."""
        self.world.commit(
            lambda uow: charging.request_session(
                uow,
                session_id=self.world.ctx.new_id("ses"),
                driver_id=self.driver.driver_id,
                charger_id=STATION,
                evse_no=1,
                amount=Money(500, "EUR"),
                limits=limits,
            )
        )
        [asked] = self.received()
        return asked


def build_station(
    world: World, operator: Operator, protocol: str, *, placed: bool = True, connected: bool = True, **facts: Any
) -> Station:
    """Placed, connected, and silent so far."""
    place(world, operator, STATION, placed=placed, **facts)
    people.price(world, operator)
    driver = people.driver(world, operator, cents=1000, card=CARD)
    station = Station(Wire(world, STATION), operator, driver, protocol)
    assert not connected or station.connect()
    return station
