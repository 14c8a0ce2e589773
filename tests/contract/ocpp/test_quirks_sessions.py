"""Quirks of the field, around a session: starts and stops that are lost, doubled, late or nobody's. Each ends in one
correct session, or in an abnormal order with its cause; none is dropped, and nobody pays for what was not delivered."""

from __future__ import annotations

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from tests.contract.ocpp.field import MONEY, Field, build_field, field
from tests.contract.ocpp.wire import place
from tests.world import Operator, World

__all__ = ["field"]
V201 = pytest.mark.parametrize("protocol", ["ocpp2.0.1"])


def start(message_id: str, at: str, *, meter: int = 100, connector: int = 1, more: str = "") -> str:
    return (
        f'[2,"{message_id}","StartTransaction",{{"connectorId":{connector},"idTag":"TAG001","meterStart":{meter},'
        f'"timestamp":"2026-01-01T{at}Z"{more}}}]'
    )


def stop(message_id: str, at: str, *, meter: int, transaction: str = "${TX}", more: str = "") -> str:
    return (
        f'[2,"{message_id}","StopTransaction",{{"transactionId":{transaction},"meterStop":{meter},'
        f'"timestamp":"2026-01-01T{at}Z"{more}}}]'
    )


def event(message_id: str, kind: str, seq_no: int, at: str, transaction: str, more: str = "") -> str:
    """A TransactionEvent of 2.x at 2026-01-01."""
    return (
        f'[2,"{message_id}","TransactionEvent",{{"eventType":"{kind}","seqNo":{seq_no},"timestamp":"2026-01-01T{at}Z",'
        f'"transactionInfo":{{"transactionId":"{transaction}"}}{more}}}]'
    )


AUTHORIZED = (
    ',"triggerReason":"Authorized","evse":{"id":1,"connectorId":1},"idToken":{"idToken":"TAG001","type":"ISO14443"}'
)


def registers(*wh: int) -> str:
    """A member `meterValue` with these registers."""
    values = ",".join(f'{{"value":{value},"unitOfMeasure":{{"unit":"Wh"}}}}' for value in wh)
    return f',"meterValue":[{{"timestamp":"2026-01-01T10:00:00Z","sampledValue":[{values}]}}]'


def test_q17_the_same_start_retried(field: Field) -> None:
    first, second = field.results(start("st-retry", "10:00:00"), start("st-retry", "10:00:00"))
    third = field.result(start("another-id", "10:00:00"))
    assert first == second == third
    assert field.session().transaction_id == first["transactionId"]


def test_q19_a_new_start_while_one_is_open(field: Field) -> None:
    """The stop of the first was lost: it is given up with its cause, its money is free again, the new one runs."""
    first = field.result(start("a1", "08:00:00", meter=10))
    second = field.result(start("a2", "09:00:00", meter=900))
    assert first["transactionId"] != second["transactionId"]
    assert second["idTagInfo"]["status"] == "Accepted"
    old, new = sorted(field.sessions(), key=lambda session: session.meter_start_wh or 0)
    assert (old.state, old.abnormal_cause, old.captured) == ("abnormal", "stop_missing", 0)
    assert new.state == "charging"


def test_q20_a_stop_twice_at_slightly_different_times(field: Field) -> None:
    field.result(start("s0", "10:00:00"))
    first = field.result(stop("s1", "11:00:00", meter=500))
    paid = field.cents()
    assert paid < MONEY
    assert field.result(stop("s2", "11:00:02", meter=500)) == first
    assert field.cents() == paid
    assert field.session().energy_wh == 400
    assert field.orphans() == []


def test_q22_a_stop_with_transaction_zero(field: Field) -> None:
    field.result(stop("sz", "11:00:00", meter=1500, transaction="0"))
    assert [found.meter_stop_wh for found in field.orphans()] == [1500]
    assert field.sessions() == []
    assert field.cents() == MONEY


@pytest.mark.parametrize("transaction", ["0", "-1"])
def test_q22_zero_where_only_one_session_runs(field: Field, transaction: str) -> None:
    """The charger forgot the id; there is one session that it can mean."""
    field.result(start("s0", "10:00:00"))
    field.result(stop("sz", "11:00:00", meter=1100, transaction=transaction))
    assert field.session().energy_wh == 1000
    assert field.orphans() == []


def test_q23_a_stop_for_a_transaction_we_never_started(field: Field) -> None:
    text = stop("su", "11:00:00", meter=1500, transaction="987654", more=',"reason":"EVDisconnected"')
    assert field.result(text) == {}
    assert [found.transaction_id for found in field.orphans()] == [987654]


def test_q25_meter_values_after_the_stop(field: Field) -> None:
    field.result(start("m0", "10:00:00"))
    field.result(stop("m1", "11:00:00", meter=600))
    paid = field.cents()
    late = (
        '[2,"m2","MeterValues",{"connectorId":1,"transactionId":${TX},"meterValue":[{"timestamp":'
        '"2026-01-01T11:00:00Z","sampledValue":[{"value":"600","context":"Transaction.End"}]}]}]'
    )
    assert field.result(late) == {}
    session = field.session()
    assert (session.state, session.energy_wh, field.cents()) == ("settled", 500, paid)
    assert 600 in [reading.energy_wh for reading in field.readings(session)]


def test_q26_meter_values_with_transaction_zero(field: Field) -> None:
    field.result(start("s0", "10:00:00"))
    text = (
        '[2,"mz","MeterValues",{"connectorId":1,"transactionId":0,"meterValue":[{"timestamp":"2026-01-01T10:01:00Z",'
        '"sampledValue":[{"value":"112"}]}]}]'
    )
    assert field.result(text) == {}
    assert field.result(text.replace('"connectorId":1', '"connectorId":2').replace("112", "7")) == {}
    assert [reading.energy_wh for reading in field.readings(field.session())] == [112]
    assert field.session().is_open


def test_q28_a_reservation_zero(field: Field) -> None:
    text = (
        '[2,"288115","StartTransaction",{"connectorId":1,"idTag":"TAG001","meterStart":0,"reservationId":0,'
        '"timestamp":"2023-10-19T15:28:07Z"}]'
    )
    assert field.result(text)["idTagInfo"]["status"] == "Accepted"
    assert field.session().reservation_id is None


def test_q29_a_register_that_restarts_with_the_session(field: Field) -> None:
    """1200 at the end of what began at 5000: no negative energy, and people are told."""
    field.result(start("d0", "10:00:00", meter=5000))
    field.result(stop("d1", "11:00:00", meter=1200))
    session = field.session()
    assert (session.abnormal_cause, session.energy_wh, session.captured) == ("meter_backwards", 0, 0)
    assert field.cents() == MONEY


def test_q73_frames_without_a_boot_after_a_reconnect(field: Field) -> None:
    field.wire.close()
    assert field.wire.connect()[0] == 200
    text = '[2,"nb","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Charging"}]'
    assert field.result(text) == {}
    assert field.evse(1).status == "Charging"


def test_q74_an_offline_queue_with_its_statuses_first(field: Field) -> None:
    """Hours later, within milliseconds: the session has its own times, and the connector ends as it was told last."""
    field.wire.close()
    field.wire.connect()
    status = '{"connectorId":2,"errorCode":"NoError","status":"%s","timestamp":"2026-01-01T08:09:%sZ"}'
    values = '{"timestamp":"2026-01-01T08:09:41.743Z","sampledValue":[{"value":"4"}]}'
    field.results(
        f'[2,"o1","StatusNotification",{status % ("Charging", "39.761")}]',
        f'[2,"o2","StatusNotification",{status % ("Available", "44.723")}]',
        start("o3", "08:09:39.740", meter=0, connector=2),
        f'[2,"o4","MeterValues",{{"connectorId":2,"transactionId":${{TX}},"meterValue":[{values}]}}]',
        stop("o5", "08:09:43.722", meter=8, more=',"idTag":"TAG001","reason":"Local"'),
    )
    session = field.session()
    assert (session.state, session.energy_wh) == ("settled", 8)
    assert session.started_at is not None
    assert session.stopped_at is not None
    assert (session.stopped_at - session.started_at).total_seconds() == pytest.approx(3.982)
    assert field.evse(2).status == "Available"


@V201
def test_q76_a_status_of_the_station_itself(field: Field) -> None:
    for evse_no in (0, 1):
        text = (
            '[2,"e","StatusNotification",{"timestamp":"2026-01-01T10:00:00Z","connectorStatus":"Available",'
            f'"evseId":{evse_no},"connectorId":0}}]'
        )
        assert field.result(text) == {}
    found = chargers.list_evses(field.world.ctx, "WIRE-1")
    assert [(evse.evse_no, evse.connector_no) for evse in found] in ([(1, None), (2, None)], [(1, None)])
    assert field.evse(1).status == "Available"


@V201
def test_q77_events_out_of_order(field: Field) -> None:
    """Updated 8 comes before Ended 6, and the next transaction counts on from there."""
    field.result(event("t0", "Started", 0, "10:00:00", "TXQ", AUTHORIZED + registers(1000)))
    field.result(event("t8", "Updated", 8, "10:05:00", "TXQ", ',"triggerReason":"MeterValuePeriodic"'))
    field.result(event("t6", "Ended", 6, "10:04:00", "TXQ", ',"triggerReason":"RemoteStop"' + registers(1500)))
    field.result(event("t7", "Started", 7, "10:04:01", "TXQ2", AUTHORIZED))
    ended, running = sorted(field.sessions(), key=lambda session: str(session.transaction_id))
    assert (ended.transaction_id, ended.is_open, ended.energy_wh) == ("TXQ", False, 500)
    assert ended.stopped_at is not None
    assert (ended.stopped_at.hour, ended.stopped_at.minute) == (10, 4)
    assert (running.transaction_id, running.is_open) == ("TXQ2", True)
    assert lookup.missing_seq_nos_of(field.world.ctx, ended) == [1, 2, 3, 4, 5]


@V201
def test_q79_a_start_repeated_with_sequence_zero(field: Field) -> None:
    told = AUTHORIZED + registers(1000)
    first, second = field.results(
        event("z1", "Started", 0, "10:00:00", "A1", told), event("z2", "Started", 0, "10:00:00", "A1", told)
    )
    assert first == second
    assert field.session().transaction_id == "A1"
    field.result(event("z3", "Updated", 2**31 - 1, "10:01:00", "A1", ',"triggerReason":"MeterValuePeriodic"'))
    assert field.session().is_open


@V201
def test_q80_a_start_button(field: Field) -> None:
    """NoAuthorization with an empty id token: the charger was set up to give it away."""
    text = (
        '[2,"e0436301-35d8-42a1-800d-bff6992e135e","TransactionEvent",{"eventType":"Started","evse":{"connectorId":1,'
        '"id":1},"idToken":{"idToken":"","type":"NoAuthorization"},"meterValue":[{"sampledValue":[{"context":'
        '"Transaction.Begin","measurand":"Energy.Active.Import.Register","unitOfMeasure":{"multiplier":0,"unit":'
        '"kWh"},"value":1.46}],"timestamp":"2023-09-11T02:55:05Z"}],"seqNo":0,"timestamp":"2023-09-11T02:55:05.407Z",'
        '"transactionInfo":{"chargingState":"EVConnected","transactionId":"318a67d6-a3ab-4429-ae26-f3c7b61cf760"},'
        '"triggerReason":"CablePluggedIn"}]'
    )
    assert field.result(text)["idTokenInfo"]["status"] == "Accepted"
    assert field.cents() == MONEY


@V201
def test_q82_an_evse_without_its_connector(field: Field) -> None:
    """What is told of EVSE 2 is not booked on EVSE 1; and it may be told again in every event."""
    where = ',"triggerReason":"ChargingStateChanged","evse":{"id":2}'
    assert field.result(event("ev1", "Updated", 1, "10:00:00", "A1", where + registers(1000))) == {}
    field.result(event("ev2", "Updated", 2, "10:01:00", "A1", where + registers(1600)))
    told = lookup.find_transaction(field.world.ctx, "wire-1", "A1")
    assert told is not None
    assert told.evse_no == 2
    assert {session.evse_no for session in field.sessions()} <= {2}


def test_another_operators_charger_is_not_touched(world: World, operator: Operator) -> None:
    """What a charger's odd frames do stays with it."""
    other = world.operator()
    place(world, other, "OTHER-1")
    field = build_field(world, operator, "ocpp1.6")
    field.result(stop("sz", "11:00:00", meter=1500, transaction="0"))
    page = lookup.list_orphan_stops(world.ctx, other.operator_id, limit=10, cursor=None)
    assert page.data == []
