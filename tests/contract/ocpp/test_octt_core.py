"""The OCA's 1.6 Core cases for a central system, as conversations at the wire. Named after their ids; what each
does is told here in our own words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from chalicelib.charging import service as charging
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.money import Money
from tests.contract.ocpp import people
from tests.contract.ocpp.wire import Wire
from tests.world import Operator, World

CARD = "CARD-1"


@pytest.fixture
def dora(world: World, operator: Operator, wire: Wire) -> Driver:
    """A driver with 10.00 and a card; the chargers of the operator have a price. The charger has booted."""
    people.price(world, operator)
    wire.boot()
    return people.driver(world, operator, cents=1000, card=CARD)


def status(wire: Wire, value: str, connector_id: int = 1, error_code: str = "NoError") -> None:
    payload = {"connectorId": connector_id, "errorCode": error_code, "status": value}
    assert wire.call("StatusNotification", payload) == {}


def authorize(wire: Wire, id_tag: str = CARD) -> Any:
    return wire.call("Authorize", {"idTag": id_tag})["idTagInfo"]["status"]


def start(wire: Wire, id_tag: str = CARD, *, meter: int = 1000, at: str = "2026-03-02T08:00:00Z", **more: Any) -> Any:
    payload = {"connectorId": 1, "idTag": id_tag, "meterStart": meter, "timestamp": at, **more}
    answer = wire.call("StartTransaction", payload)
    assert answer["transactionId"] > 0
    return answer


def stop(wire: Wire, transaction_id: int, *, meter: int = 1200, at: str = "2026-03-02T08:00:00Z", **more: Any) -> Any:
    payload = {"transactionId": transaction_id, "meterStop": meter, "timestamp": at, **more}
    return wire.call("StopTransaction", payload)


def meter(wire: Wire, value: int, transaction_id: int | None, at: str = "2026-03-02T08:00:00Z") -> None:
    reading = {"timestamp": at, "sampledValue": [{"value": str(value)}]}
    payload: dict[str, Any] = {"connectorId": 1, "meterValue": [reading]}
    if transaction_id is not None:
        payload["transactionId"] = transaction_id
    assert wire.call("MeterValues", payload) == {}


def request(world: World, person: Driver, session_id: str = "ses_01JAAAAAAAAAAAAAAAAAAAAAAA") -> None:
    """The driver asks by phone for 5.00 on connector 1."""
    world.commit(
        lambda uow: charging.request_session(
            uow,
            session_id=session_id,
            driver_id=person.driver_id,
            charger_id="WIRE-1",
            evse_no=1,
            amount=Money(500, "EUR"),
        )
    )


def test_tc_001_cold_boot(wire: Wire) -> None:
    assert wire.boot() == {"status": "Accepted", "currentTime": "2026-03-02T08:00:00.000Z", "interval": 540}
    for connector_id in (0, 1, 2):
        status(wire, "Available", connector_id)
    assert wire.call("Heartbeat", {}) == {"currentTime": "2026-03-02T08:00:00.000Z"}
    evses = chargers.list_evses(wire.world.ctx, "WIRE-1")
    assert {evse.evse_no: evse.status for evse in evses if evse.evse_no} == {1: "Available", 2: "Available"}


def test_tc_003_plug_in_first(world: World, wire: Wire, dora: Driver) -> None:
    """Cable, card, charge, stop: 200 Wh at 0.35 are 7 cents, and nothing stays reserved."""
    status(wire, "Preparing")
    assert authorize(wire) == "Accepted"
    started = start(wire)
    assert started["idTagInfo"]["status"] == "Accepted"
    status(wire, "Charging")
    meter(wire, 1100, started["transactionId"])
    assert people.cents_of(world, dora) < 1000
    assert stop(wire, started["transactionId"], reason="Local", idTag=CARD)["idTagInfo"]["status"] == "Accepted"
    status(wire, "Finishing")
    status(wire, "Available")
    assert people.cents_of(world, dora) == 993


def test_tc_004_1_identification_first(wire: Wire, dora: Driver) -> None:
    assert authorize(wire) == "Accepted"
    status(wire, "Preparing")
    assert start(wire)["idTagInfo"]["status"] == "Accepted"


def test_tc_004_2_connection_timeout(world: World, wire: Wire, dora: Driver) -> None:
    """The card is accepted, nobody plugs in: nothing is reserved and the next one may start."""
    assert authorize(wire) == "Accepted"
    status(wire, "Preparing")
    status(wire, "Available")
    assert people.cents_of(world, dora) == 1000
    assert start(wire)["idTagInfo"]["status"] == "Accepted"


def test_tc_005_1_the_ev_disconnects(world: World, wire: Wire, dora: Driver) -> None:
    started = start(wire)
    stop(wire, started["transactionId"], reason="EVDisconnected")
    status(wire, "Finishing")
    assert people.cents_of(world, dora) == 993


def test_tc_007_a_cached_id_tag_starts_without_authorize(wire: Wire, dora: Driver) -> None:
    assert start(wire)["idTagInfo"]["status"] == "Accepted"


@pytest.mark.parametrize("plug_first", [True, False], ids=["TC_010", "TC_011_1"])
def test_remote_start(world: World, wire: Wire, dora: Driver, plug_first: bool) -> None:
    """The phone's request reserves 5.00; the charger starts with the app's id token; the unused rest comes back."""
    if plug_first:
        status(wire, "Preparing")
    request(world, dora)
    assert people.cents_of(world, dora) == 500
    [sent] = wire.commands()
    token = drivers.app_token(dora.driver_id)
    assert sent[2:] == ["RemoteStartTransaction", {"connectorId": 1, "idTag": token}]
    wire.reply(sent, {"status": "Accepted"})
    if not plug_first:
        status(wire, "Preparing")
    assert authorize(wire, token) == "Accepted"
    started = start(wire, token)
    assert started["idTagInfo"]["status"] == "Accepted"
    stop(wire, started["transactionId"], reason="EVDisconnected")
    assert people.cents_of(world, dora) == 993


def test_tc_011_2_remote_start_and_nobody_plugs_in(world: World, wire: Wire, dora: Driver) -> None:
    request(world, dora)
    [sent] = wire.commands()
    wire.reply(sent, {"status": "Accepted"})
    status(wire, "Preparing")
    status(wire, "Available")
    world.advance(121)
    world.commit(lambda uow: charging.expire_request(uow, "ses_01JAAAAAAAAAAAAAAAAAAAAAAA"))
    assert people.cents_of(world, dora) == 1000


def test_tc_012_remote_stop(world: World, wire: Wire, dora: Driver) -> None:
    request(world, dora)
    [sent] = wire.commands()
    wire.reply(sent, {"status": "Accepted"})
    started = start(wire, drivers.app_token(dora.driver_id))
    session_id = "ses_01JAAAAAAAAAAAAAAAAAAAAAAA"
    world.commit(lambda uow: charging.cancel_or_stop(uow, _session(world, session_id), requested_by=dora.driver_id))
    [sent] = wire.commands()
    assert sent[2:] == ["RemoteStopTransaction", {"transactionId": started["transactionId"]}]
    wire.reply(sent, {"status": "Accepted"})
    stop(wire, started["transactionId"], reason="Remote")
    assert people.cents_of(world, dora) == 993
    assert _session(world, session_id).stop_reason == "Remote"


@pytest.mark.parametrize(("kind", "reason"), [("Hard", "HardReset"), ("Soft", "SoftReset")], ids=["TC_013", "TC_014"])
def test_reset(wire: Wire, dora: Driver, kind: str, reason: str) -> None:
    started = start(wire)
    command = wire.queue("Reset", {"type": kind})
    [sent] = wire.commands()
    wire.reply(sent, {"status": "Accepted"})
    stop(wire, started["transactionId"], reason=reason)
    wire.close()
    wire.connect()
    assert wire.boot()["status"] == "Accepted"
    assert wire.outcome(command)[0] == "accepted"


def test_tc_018_1_unlock_with_a_session(wire: Wire, dora: Driver) -> None:
    started = start(wire)
    command = wire.queue("UnlockConnector", {"connectorId": 1})
    [sent] = wire.commands()
    wire.reply(sent, {"status": "Unlocked"})
    assert stop(wire, started["transactionId"], reason="UnlockCommand")["idTagInfo"]["status"] == "Accepted"
    assert wire.outcome(command)[0] == "accepted"


@pytest.mark.parametrize(
    ("action", "payload", "answer", "state"),
    [
        pytest.param("UnlockConnector", {"connectorId": 1}, {"status": "Unlocked"}, "accepted", id="TC_017_1"),
        pytest.param("UnlockConnector", {"connectorId": 1}, {"status": "NotSupported"}, "rejected", id="TC_017_2"),
        pytest.param("GetConfiguration", {}, {"configurationKey": []}, "accepted", id="TC_019_1"),
        pytest.param(
            "GetConfiguration",
            {"key": ["MeterValueSampleInterval"]},
            {"configurationKey": [{"key": "MeterValueSampleInterval", "readonly": False, "value": "300"}]},
            "accepted",
            id="TC_019_2",
        ),
        pytest.param(
            "ChangeConfiguration",
            {"key": "MeterValueSampleInterval", "value": "300"},
            {"status": "Accepted"},
            "accepted",
            id="TC_021",
        ),
        pytest.param("UnlockConnector", {"connectorId": 1}, {"status": "UnlockFailed"}, "rejected", id="TC_030"),
        pytest.param("UnlockConnector", {"connectorId": 9}, {"status": "NotSupported"}, "rejected", id="TC_031"),
        pytest.param(
            "ChangeConfiguration",
            {"key": "Nonsense", "value": "1"},
            {"status": "NotSupported"},
            "rejected",
            id="TC_040_1",
        ),
        pytest.param(
            "ChangeConfiguration",
            {"key": "MeterValueSampleInterval", "value": "-1"},
            {"status": "Rejected"},
            "rejected",
            id="TC_040_2",
        ),
        pytest.param("ClearCache", {}, {"status": "Accepted"}, "accepted", id="TC_061"),
    ],
)
def test_commands(wire: Wire, action: str, payload: Any, answer: Any, state: str) -> None:
    wire.boot()
    command = wire.queue(action, payload)
    [sent] = wire.commands()
    wire.reply(sent, answer)
    assert wire.outcome(command) == (state, answer)


def test_tc_023_1_an_unknown_card_is_invalid(wire: Wire) -> None:
    assert authorize(wire, "STRANGER") == "Invalid"


def test_tc_023_2_an_expired_card_is_expired(world: World, operator: Operator, wire: Wire, dora: Driver) -> None:
    yesterday = world.ctx.now() - timedelta(days=1)
    people.driver(world, operator, cents=1000, card="OLD", expires_at=yesterday)
    answer = wire.call("Authorize", {"idTag": "OLD"})
    assert answer == {"idTagInfo": {"status": "Expired", "expiryDate": "2026-03-01T08:00:00.000Z"}}


def test_tc_023_3_a_blocked_card_is_blocked(world: World, wire: Wire, dora: Driver) -> None:
    card = drivers.require_card(world.ctx, CARD)
    world.commit(lambda uow: drivers.change_card(uow, card, {"status": "blocked"}))
    assert authorize(wire) == "Blocked"


def test_a_card_with_an_empty_wallet_is_not_accepted(
    world: World, operator: Operator, wire: Wire, dora: Driver
) -> None:
    people.driver(world, operator, card="EMPTY")
    assert authorize(wire, "EMPTY") == "Blocked"


def test_tc_024_lock_failure(wire: Wire) -> None:
    status(wire, "Faulted", error_code="ConnectorLockFailure")
    [evse] = [evse for evse in chargers.list_evses(wire.world.ctx, "WIRE-1") if evse.evse_no == 1]
    assert (evse.status, evse.error_code) == ("Faulted", "ConnectorLockFailure")


def test_tc_026_remote_start_rejected(world: World, wire: Wire, dora: Driver) -> None:
    """The charger refuses: the reserved money is back at once."""
    request(world, dora)
    [sent] = wire.commands()
    wire.reply(sent, {"status": "Rejected"})
    assert people.cents_of(world, dora) == 1000


def test_a_remote_start_that_nobody_answers_gives_the_money_back(world: World, wire: Wire, dora: Driver) -> None:
    request(world, dora)
    assert len(wire.commands()) == 1
    world.advance(31)
    wire.queue("ClearCache", {})
    wire.commands()
    assert people.cents_of(world, dora) == 1000


def test_tc_028_remote_stop_rejected(wire: Wire) -> None:
    command = wire.queue("RemoteStopTransaction", {"transactionId": 12345})
    [sent] = wire.commands()
    wire.reply(sent, {"status": "Rejected"})
    assert wire.outcome(command)[0] == "rejected"


def test_tc_032_1_power_loss(world: World, wire: Wire, dora: Driver) -> None:
    started = start(wire)
    wire.connect()
    assert wire.boot()["status"] == "Accepted"
    status(wire, "Finishing")
    stop(wire, started["transactionId"], reason="PowerLoss")
    assert people.cents_of(world, dora) == 993


def test_tc_037_1_offline_start_of_a_known_card(wire: Wire, dora: Driver) -> None:
    """The charger was offline and delivers its queue: an old time, and accepted all the same."""
    assert start(wire, at="2026-03-01T20:00:00Z")["idTagInfo"]["status"] == "Accepted"
    status(wire, "Charging")


def test_tc_037_3_offline_start_of_an_unknown_card(wire: Wire, dora: Driver) -> None:
    """Not accepted, but recorded under an id: the charger stops, and its stop is heard."""
    started = start(wire, "STRANGER", at="2026-03-01T20:00:00Z")
    assert started["idTagInfo"]["status"] == "Invalid"
    stop(wire, started["transactionId"], reason="DeAuthorized")


def test_tc_039_offline_transaction(world: World, wire: Wire, dora: Driver) -> None:
    started = start(wire, at="2026-03-01T20:00:00Z")
    stop(wire, started["transactionId"], at="2026-03-01T21:00:00Z", reason="Local")
    assert people.cents_of(world, dora) == 993


def test_tc_064_data_transfer_to_us(wire: Wire) -> None:
    assert wire.call("DataTransfer", {"vendorId": "acme", "messageId": "m", "data": "d"}) == {
        "status": "UnknownVendorId"
    }


def test_a_start_sent_again_is_one_session(world: World, wire: Wire, dora: Driver) -> None:
    first = start(wire)
    reserved = people.cents_of(world, dora)
    again = start(wire)
    assert again == first
    assert people.cents_of(world, dora) == reserved


@pytest.mark.parametrize("named", [True, False, 0, -1])
def test_meter_values_belong_to_the_session_on_the_connector(
    world: World, wire: Wire, dora: Driver, named: bool | int
) -> None:
    """Whether the charger names its transaction, leaves it out or fills in 0."""
    request(world, dora)
    started = start(wire, drivers.app_token(dora.driver_id))
    meter(wire, 1100, started["transactionId"] if named is True else None if named is False else named)
    reading = lookup.latest_reading(world.ctx, "ses_01JAAAAAAAAAAAAAAAAAAAAAAA")
    assert reading is not None
    assert reading.energy_wh == 1100


@pytest.mark.parametrize("connector_id", [0, -1, 1000])
def test_a_start_where_nothing_charges_is_answered_not_accepted(wire: Wire, dora: Driver, connector_id: int) -> None:
    """A CALLERROR would be asked again for ever."""
    first = start(wire, connectorId=connector_id)
    assert first["idTagInfo"] == {"status": "Invalid"}
    assert start(wire, connectorId=connector_id) == first
    assert stop(wire, first["transactionId"]) == {}


@pytest.mark.parametrize("transaction_id", [0, -1, 987654])
def test_meter_values_and_stops_of_unknown_transactions_are_taken(wire: Wire, transaction_id: int) -> None:
    meter(wire, 12, transaction_id)
    meter(wire, 12, None)
    assert stop(wire, transaction_id) == {}


def test_a_status_of_a_connector_that_cannot_be_is_taken_and_forgotten(wire: Wire) -> None:
    status(wire, "Available", 5000)
    assert all(evse.evse_no < 5000 for evse in chargers.list_evses(wire.world.ctx, "WIRE-1"))


def _session(world: World, session_id: str) -> Any:
    return lookup.require_session(world.ctx, session_id)
