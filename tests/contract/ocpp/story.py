"""A charger that tells a session in pieces (2.0.1, 2.1), its operator, and a driver with money and a card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.charging import lookup
from chalicelib.charging.model import ChargingSession
from chalicelib.drivers.model import Driver
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.ocpp.versions import VERSIONS
from tests.contract.ocpp import people
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

CARD = "04A2B3C4"
CENTS = 2000
BEGIN_WH, END_WH = 1000, 11_000
COST_CENTS = 350
"""10 kWh at 0.35."""


@dataclass
class Story:
    """A charger, a driver with 20.00 and a card, and what the charger tells of the transaction `tx-1`."""

    world: World
    wire: Wire
    operator: Operator
    driver: Driver
    protocol: str
    seq_no: int = -1

    def event(
        self, kind: str, trigger: str, *, transaction_id: str = "tx-1", evse_no: int | None = 1, **more: Any
    ) -> Any:
        """The answer to the next TransactionEvent, a minute after the one before; held against the schemas."""
        self.world.advance(60)
        self.seq_no += 1
        payload = self.payload(kind, trigger, transaction_id=transaction_id, evse_no=evse_no, **more)
        return self.tell(payload)

    def payload(
        self,
        kind: str,
        trigger: str,
        *,
        transaction_id: str = "tx-1",
        evse_no: int | None = 1,
        state: str | None = None,
        reason: str | None = None,
        token: str | None = None,
        token_kind: str = "ISO14443",
        wh: int | None = None,
        context: str = "Sample.Periodic",
        remote_start_id: int | None = None,
        offline: bool = False,
    ) -> dict[str, Any]:
        at = to_rfc3339(self.world.clock.now())
        told = {"chargingState": state, "stoppedReason": reason, "remoteStartId": remote_start_id}
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": at,
            "triggerReason": trigger,
            "seqNo": self.seq_no,
            "transactionInfo": {
                "transactionId": transaction_id,
                **{name: value for name, value in told.items() if value is not None},
            },
        }
        if offline:
            payload["offline"] = True
        if evse_no is not None:
            payload["evse"] = {"id": evse_no, "connectorId": 1}
        if token is not None:
            payload["idToken"] = {"idToken": token, "type": token_kind}
        if wh is not None:
            value = {"value": wh / 1000, "context": context, "unitOfMeasure": {"unit": "kWh"}}
            payload["meterValue"] = [{"timestamp": at, "sampledValue": [value]}]
        return payload

    def tell(self, payload: dict[str, Any]) -> Any:
        version = VERSIONS[self.protocol]
        assert version.request_violation("TransactionEvent", payload) is None
        answer = self.wire.call("TransactionEvent", payload)
        assert version.answer_violation("TransactionEvent", answer) is None
        return answer

    def end(self, wh: int = END_WH, **more: Any) -> Any:
        told = {"reason": "EVDisconnected", "wh": wh, "context": "Transaction.End", **more}
        return self.event("Ended", "EVCommunicationLost", **told)

    def sessions(self) -> list[ChargingSession]:
        page = lookup.list_sessions(self.world.ctx, operator_id=self.operator.operator_id, limit=100, cursor=None)
        return page.data[::-1]

    @property
    def session(self) -> ChargingSession:
        [only] = self.sessions()
        return only

    @property
    def cents(self) -> int:
        return people.cents_of(self.world, self.driver)

    def assert_billed(self) -> None:
        session = self.session
        assert (session.state, session.energy_wh, session.cost) == ("settled", END_WH - BEGIN_WH, COST_CENTS)
        assert (session.meter_start_wh, session.meter_stop_wh) == (BEGIN_WH, END_WH)
        assert (session.driver_id, self.cents) == (self.driver.driver_id, CENTS - COST_CENTS)


def make(world: World, operator: Operator, protocol: str) -> Story:
    people.price(world, operator)
    driver = people.driver(world, operator, cents=CENTS, card=CARD)
    place(world, operator, "WIRE-2")
    wire = Wire(world, "WIRE-2")
    assert wire.connect(protocols=protocol)[0] == 200
    station = {"vendorName": "Wire", "model": "Two"}
    assert wire.call("BootNotification", {"reason": "PowerUp", "chargingStation": station})["status"] == "Accepted"
    return Story(world, wire, operator, driver, protocol)
