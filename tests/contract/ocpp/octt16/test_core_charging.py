"""Core, what the charger says: boot, authorization, charging sessions at the cable, by card, offline."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.chargers import service as chargers
from chalicelib.drivers import service as drivers
from tests.contract.ocpp import people
from tests.contract.ocpp.octt16.scripted import CARD, YESTERDAY, ScriptedCharger
from tests.contract.ocpp.wire import Wire
from tests.world import Operator


def test_tc_001_csms(operator: Operator, wire: Wire) -> None:
    """A charger boots for the first time: it is accepted, told the time, and its connectors are known. The boot stands
    in its journal."""
    assert wire.boot() == {"status": "Accepted", "currentTime": "2026-03-02T08:00:00.000Z", "interval": 540}
    for connector_id in (0, 1, 2):
        payload = {"connectorId": connector_id, "errorCode": "NoError", "status": "Available"}
        assert wire.call("StatusNotification", payload) == {}
    assert wire.call("Heartbeat", {}) == {"currentTime": "2026-03-02T08:00:00.000Z"}
    evses = chargers.list_evses(wire.world.ctx, "WIRE-1")
    assert {evse.evse_no: evse.status for evse in evses if evse.evse_no} == {1: "Available", 2: "Available"}
    reply = wire.world.rest.get("/v1/chargers/WIRE-1/events?kind=boot", token=operator.access_token)
    assert [event["summary"] for event in reply.body["data"]] == ["Wire One"]


def test_tc_003_csms(charger: ScriptedCharger) -> None:
    """Cable, card, charge, stop: 200 Wh at 0.35 are 7 cents, and nothing stays reserved."""
    charger.status("Preparing")
    assert charger.authorize() == "Accepted"
    transaction_id = charger.start_accepted()
    charger.status("Charging")
    charger.meter(1100, transaction_id)
    assert charger.cents() < 1000
    assert charger.stop(transaction_id, reason="Local", idTag=CARD)["idTagInfo"]["status"] == "Accepted"
    charger.status("Finishing", "Available")
    assert charger.cents() == 993
    [session] = charger.sessions()
    assert (session.is_open, session.stop_reason, session.meter_stop_wh) == (False, "Local", 1200)


def test_tc_004_1_csms(charger: ScriptedCharger) -> None:
    """The card first, then the cable."""
    assert charger.authorize() == "Accepted"
    charger.status("Preparing")
    transaction_id = charger.start_accepted()
    charger.status("Charging")
    charger.stop(transaction_id, reason="Local", idTag=CARD)
    assert charger.cents() == 993


def test_tc_004_2_csms(charger: ScriptedCharger) -> None:
    """The card is accepted and nobody plugs in: no session, nothing reserved, and the next one may start."""
    assert charger.authorize() == "Accepted"
    charger.status("Preparing", "Available")
    assert charger.sessions() == []
    assert charger.cents() == 1000
    charger.start_accepted()


def test_tc_005_1_csms(charger: ScriptedCharger) -> None:
    """The driver pulls the cable at the car: that ends the session, and is told as its reason."""
    transaction_id = charger.start_accepted()
    charger.status("Charging", "SuspendedEV")
    charger.stop(transaction_id, reason="EVDisconnected")
    charger.status("Finishing", "Available")
    assert charger.cents() == 993
    assert charger.sessions()[0].stop_reason == "EVDisconnected"


def test_tc_007_csms(charger: ScriptedCharger) -> None:
    """The charger knows the card and starts without asking."""
    charger.status("Preparing")
    charger.start_accepted()
    charger.status("Charging")


def test_tc_023_1_csms(charger: ScriptedCharger) -> None:
    """A card that nobody has: invalid."""
    charger.status("Preparing")
    assert charger.authorize("STRANGER") == "Invalid"


def test_tc_023_2_csms(charger: ScriptedCharger) -> None:
    """A card that was valid until yesterday: expired, and since when."""
    yesterday = charger.world.ctx.now() - timedelta(days=1)
    people.driver(charger.world, charger.operator, cents=1000, card="OLD", expires_at=yesterday)
    answer = charger.call("Authorize", {"idTag": "OLD"})
    assert answer == {"idTagInfo": {"status": "Expired", "expiryDate": "2026-03-01T08:00:00.000Z"}}


def test_tc_023_3_csms(charger: ScriptedCharger) -> None:
    """A card that its operator has blocked."""
    card = drivers.require_card(charger.world.ctx, CARD)
    charger.world.commit(lambda uow: drivers.change_card(uow, card, {"status": "blocked"}))
    assert charger.authorize() == "Blocked"


def test_tc_024_csms(charger: ScriptedCharger) -> None:
    """The cable cannot be locked: the connector is shown as faulted, with this error."""
    charger.status("Faulted", error_code="ConnectorLockFailure")
    assert (charger.evse().status, charger.evse().error_code) == ("Faulted", "ConnectorLockFailure")


def test_tc_032_1_csms(charger: ScriptedCharger) -> None:
    """The power fails during a session; back again, the charger stops it and says why."""
    transaction_id = charger.start_accepted()
    charger.wire.connect()
    assert charger.wire.boot()["status"] == "Accepted"
    charger.status("Finishing")
    charger.status("Available", connector_id=2)
    charger.stop(transaction_id, reason="PowerLoss")
    charger.status("Available")
    assert charger.cents() == 993
    assert charger.sessions()[0].stop_reason == "PowerLoss"


def test_tc_037_1_csms(charger: ScriptedCharger) -> None:
    """Started while offline with a known card: told later with its own time, and accepted."""
    transaction_id = charger.start_accepted(at=YESTERDAY)
    charger.status("Charging")
    [session] = charger.sessions()
    assert session.transaction_id == transaction_id
    assert session.started_at == datetime(2026, 3, 1, 20, tzinfo=UTC)


def test_tc_037_3_csms(charger: ScriptedCharger) -> None:
    """Started while offline with a card that nobody has: not accepted, yet under an id, so that the stop is heard."""
    answer = charger.start("STRANGER", at=YESTERDAY)
    assert answer["idTagInfo"]["status"] == "Invalid"
    charger.stop(answer["transactionId"], reason="DeAuthorized")
    [session] = charger.sessions()
    assert (session.is_open, session.stop_reason, session.meter_stop_wh) == (False, "DeAuthorized", 1200)
    assert charger.cents() == 1000


def test_tc_039_csms(charger: ScriptedCharger) -> None:
    """A whole session while offline: start and stop come late, keep their own times, and are paid."""
    transaction_id = charger.start_accepted(at=YESTERDAY)
    charger.stop(transaction_id, at="2026-03-01T21:00:00Z", reason="Local", idTag=CARD)
    [session] = charger.sessions()
    assert session.started_at == datetime(2026, 3, 1, 20, tzinfo=UTC)
    assert session.stopped_at == datetime(2026, 3, 1, 21, tzinfo=UTC)
    assert charger.cents() == 993


def test_tc_064_csms(charger: ScriptedCharger) -> None:
    """A vendor's own message is answered, though we speak no vendor's dialect, and kept for people who do."""
    payload = {"vendorId": "acme", "messageId": "m", "data": "d"}
    assert charger.call("DataTransfer", payload) == {"status": "UnknownVendorId"}
    assert [event["data"] for event in charger.journal("data_transfer")] == [payload]
