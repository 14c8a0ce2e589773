"""OCPP 2.x at the wire: transactions in pieces that are late, lost, repeated or mixed up. Each delivery is a correct
session, or an abnormal one that says why; the operator sees which pieces are missing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.kernel.clock import to_rfc3339
from tests.contract.ocpp.wire import Wire
from tests.integration.ocpp.street import CHARGER_PASSWORD
from tests.site import CARD, Site

STRANGER = "0BADCAFE01"
VERSIONS = ["ocpp2.0.1", "ocpp2.1"]
PAID_SEVEN = [("top_up", 2000), ("consumption", -2000), ("refund", 1993)]


@dataclass
class Charger:
    site: Site
    wire: Wire
    sent: list[dict[str, Any]] = field(default_factory=list)

    def reconnect(self) -> None:
        assert self.wire.connect(password=CHARGER_PASSWORD)[0] == 200

    def event(self, kind: str, seq_no: int, register_wh: int | None, at: datetime, **more: Any) -> dict[str, Any]:
        """`more` may name: `transaction`, `state`, `card`, `context`, `evse`, or any property of the event."""
        info: dict[str, Any] = {"transactionId": more.pop("transaction", "TX-1")}
        state, card = more.pop("state", "Charging"), more.pop("card", None)
        if state is not None:
            info["chargingState"] = state
        payload: dict[str, Any] = {
            "eventType": kind,
            "timestamp": to_rfc3339(at),
            "triggerReason": "MeterValuePeriodic",
            "seqNo": seq_no,
            "transactionInfo": info,
        }
        if more.pop("evse", True):
            payload["evse"] = {"id": 1, "connectorId": 1}
        if card is not None:
            payload["idToken"] = {"idToken": card, "type": "ISO14443"}
        context = more.pop("context", {"Started": "Transaction.Begin", "Ended": "Transaction.End"}.get(kind))
        if register_wh is not None:
            sampled = {"value": register_wh, "measurand": "Energy.Active.Import.Register"}
            sampled |= {} if context is None else {"context": context}
            payload["meterValue"] = [{"timestamp": to_rfc3339(at), "sampledValue": [sampled]}]
        return payload | more

    def tell(self, *payloads: dict[str, Any]) -> Any:
        """The answer to the last one."""
        answer = None
        for payload in payloads:
            self.site.world.advance(1)
            answer = self.wire.call("TransactionEvent", payload)
        return answer

    def charge(self, began: datetime, begin_wh: int = 1000, **more: Any) -> list[dict[str, Any]]:
        """200 Wh in three pieces."""
        minute = timedelta(minutes=1)
        plain = {name: value for name, value in more.items() if name != "card"}
        card = more.get("card", CARD)
        return [
            self.event("Started", 0, begin_wh, began, card=card, **plain),
            self.event("Updated", 1, begin_wh + 100, began + 10 * minute, **plain),
            self.event("Ended", 2, begin_wh + 200, began + 30 * minute, **{**plain, "state": None}),
        ]

    def shown(self, session_id: str) -> dict[str, Any]:
        """As the operator sees it."""
        token = self.site.world.access_token(self.site.operator.user.email)
        reply = self.site.world.rest.get(f"/v1/sessions/{session_id}", token=token)
        assert reply.status == 200, reply.body
        view: dict[str, Any] = reply.body
        return view

    def orphans(self) -> list[dict[str, Any]]:
        token = self.site.world.access_token(self.site.operator.user.email)
        found: list[dict[str, Any]] = self.site.world.rest.get("/v1/orphan-stops", token=token).body["data"]
        return found


@pytest.fixture(params=VERSIONS)
def charger(site: Site, request: pytest.FixtureRequest) -> Charger:
    charger = Charger(site, Wire(site.world, site.charger.charger_id, protocol=request.param))
    charger.reconnect()
    assert charger.wire.boot()["status"] == "Accepted"
    charger.wire.commands()
    return charger


def now(charger: Charger) -> datetime:
    return charger.site.world.clock.now()


@pytest.mark.parametrize("times", [1, 2], ids=["once", "the queue comes twice"])
def test_two_queued_charges_are_told_hours_later(charger: Charger, times: int) -> None:
    began = [now(charger), now(charger) + timedelta(hours=1)]
    charger.site.world.advance(3 * 3600)
    charger.reconnect()
    queue = [
        piece
        for number, at in enumerate(began)
        for piece in charger.charge(at, 1000 + 500 * number, transaction=f"TX-{number}", offline=True)
    ]
    for _ in range(times):
        charger.tell(*queue)
    sessions = charger.site.sessions()
    assert [(s.state, s.energy_wh, s.captured, s.started_at) for s in sessions] == [
        ("settled", 200, 7, began[0]),
        ("settled", 200, 7, began[1]),
    ]
    assert charger.site.income() == 14
    assert charger.orphans() == []


@pytest.mark.parametrize(("card", "status", "captured"), [(STRANGER, "Unknown", 0), (CARD, "Blocked", 7)])
def test_a_queued_charge_of_whom_we_would_not_have_let_in(
    charger: Charger, card: str, status: str, captured: int
) -> None:
    """Recorded all the same; a card that was blocked meanwhile has an owner who pays."""
    known = drivers.require_card(charger.site.world.ctx, CARD)
    charger.site.world.commit(lambda uow: drivers.change_card(uow, known, {"status": "blocked"}))
    began = now(charger)
    charger.site.world.advance(3 * 3600)
    charger.reconnect()
    started, updated, ended = charger.charge(began, card=card, offline=True)
    assert charger.tell(started)["idTokenInfo"]["status"] == status
    charger.tell(updated, ended)
    [session] = charger.site.sessions()
    assert (session.state, session.energy_wh, session.captured) == ("settled", 200, captured)


def test_a_piece_that_is_told_again_over_the_next_socket(charger: Charger) -> None:
    started, updated, ended = charger.charge(now(charger))
    first = charger.tell(started)
    charger.reconnect()
    assert charger.tell(started)["idTokenInfo"]["status"] == first["idTokenInfo"]["status"] == "Accepted"
    charger.tell(updated, updated, ended)
    assert charger.tell(ended)["totalCost"] == 0.07
    assert charger.site.lines() == PAID_SEVEN
    [session] = charger.site.sessions()
    assert charger.shown(session.session_id)["missing_seq_nos"] == []


def test_q77_pieces_out_of_order(charger: Charger) -> None:
    at, minute = now(charger), timedelta(minutes=1)
    charger.tell(
        charger.event("Started", 0, 1000, at, card=CARD, transaction="TXQ"),
        charger.event("Updated", 8, None, at + 5 * minute, transaction="TXQ", evse=False),
        charger.event("Ended", 6, 1200, at + 4 * minute, transaction="TXQ", evse=False, state=None),
        charger.event("Started", 7, None, at + 4 * minute, transaction="TXQ2", evse=False),
    )
    ended, running = charger.site.sessions()
    view = charger.shown(ended.session_id)
    assert (view["state"], view["missing_seq_nos"], view["transaction_id"]) == ("settled", [1, 2, 3, 4, 5], "TXQ")
    assert ended.stopped_at == at + 4 * minute
    assert (running.state, running.transaction_id) == ("charging", "TXQ2")


def test_an_end_without_its_begin_is_listed_until_the_begin_comes(charger: Charger) -> None:
    started, _, ended = charger.charge(now(charger))
    charger.tell(ended)
    assert [(o["transaction_id"], o["meter_stop_wh"]) for o in charger.orphans()] == [("TX-1", 1200)]
    charger.tell(started)
    assert charger.orphans() == []
    assert charger.site.lines() == PAID_SEVEN


def test_pieces_without_registers_are_an_order_that_says_so(charger: Charger) -> None:
    at = now(charger)
    charger.tell(charger.event("Started", 0, None, at, card=CARD), charger.event("Ended", 1, None, at, state=None))
    [session] = charger.site.sessions()
    assert (session.state, session.energy_wh, session.abnormal_cause) == ("settled", 0, "meter_missing")


def test_a_transaction_that_is_never_ended_is_closed_by_the_next_one(charger: Charger) -> None:
    started, updated, _ = charger.charge(now(charger))
    charger.tell(started, updated)
    charger.tell(charger.event("Started", 0, 1500, now(charger) + timedelta(hours=1), card=CARD, transaction="TX-2"))
    lost, running = charger.site.sessions()
    assert (lost.state, lost.energy_wh, lost.abnormal_cause) == ("abnormal", 100, "stop_missing")
    assert running.state == "charging"


def test_a_charger_that_goes_on_although_it_was_told_not_to_is_stopped_once(charger: Charger) -> None:
    at, minute = now(charger), timedelta(minutes=1)
    charger.tell(charger.event("Started", 0, 1000, at, card=STRANGER))
    charger.tell(charger.event("Updated", 1, 1100, at + minute))
    [command] = charger.wire.commands()
    assert command[2:] == ["RequestStopTransaction", {"transactionId": "TX-1"}]
    charger.wire.reply(command, {"status": "Rejected"})
    charger.tell(charger.event("Updated", 2, 1150, at + 2 * minute))
    assert charger.wire.commands() == []


def test_a_cable_first_and_the_app_afterwards(charger: Charger) -> None:
    at, minute = now(charger), timedelta(minutes=1)
    charger.tell(charger.event("Started", 0, 1000, at, state="EVConnected", triggerReason="CablePluggedIn"))
    assert charger.site.sessions() == []
    asked = charger.site.request(500)
    [command] = charger.wire.commands()
    assert command[2] == "RequestStartTransaction"
    charger.wire.reply(command, {"status": "Accepted"})
    remote = charger.event("Updated", 1, 1000, at + minute, state="EVConnected", idToken=command[3]["idToken"])
    remote["transactionInfo"]["remoteStartId"] = command[3]["remoteStartId"]
    assert charger.tell(remote)["idTokenInfo"]["status"] == "Accepted"
    charger.tell(charger.event("Updated", 2, 1100, at + 2 * minute))
    assert charger.tell(charger.event("Ended", 3, 1200, at + 3 * minute, state=None))["totalCost"] == 0.07
    [session] = charger.site.sessions()
    assert (session.session_id, session.state, session.captured) == (asked.session_id, "settled", 7)
    assert session.started_at == at + minute
