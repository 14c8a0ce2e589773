"""More chargers of the field, beyond the catalogue of quirks: each test is one firmware's story, told by its frames.

Whatever is wrong with a frame, the session ends with the energy that was surely delivered, or with a cause for people.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.ocpp import frames
from tests.contract.ocpp.field import MONEY, Field, field

__all__ = ["field"]
V2 = pytest.mark.parametrize("protocol", ["ocpp2.0.1", "ocpp2.1"])
ENERGY_WH, CENTS = 4000, 140
"""Between the registers of `start` and `stop`, at 0.35 per kWh."""


def start(*, meter: str = "1000", tag: str = '"TAG001"') -> str:
    return (
        f'[2,"s","StartTransaction",{{"connectorId":1,"idTag":{tag},"meterStart":{meter},'
        '"timestamp":"2026-03-02T07:00:00Z"}]'
    )


def meter_values(value: str = "3000", *, transaction: str = "${TX}", more: str = "") -> str:
    return (
        f'[2,"m","MeterValues",{{"connectorId":1,"transactionId":{transaction},"meterValue":[{{'
        f'"timestamp":"2026-03-02T07:10:00Z","sampledValue":[{{"value":"{value}"{more}}}]}}]}}]'
    )


def stop(*, meter: str = "5000", transaction: str = "${TX}", more: str = "") -> str:
    return (
        f'[2,"e","StopTransaction",{{"transactionId":{transaction},"meterStop":{meter},'
        f'"timestamp":"2026-03-02T07:20:00Z"{more}}}]'
    )


def event(kind: str, seq_no: int, minute: int, wh: int, more: str = "") -> str:
    return (
        f'[2,"t{seq_no}","TransactionEvent",{{"eventType":"{kind}","seqNo":{seq_no},"triggerReason":"MeterValuePeriodic",'
        f'"timestamp":"2026-03-02T07:{minute}:00Z","transactionInfo":{{"transactionId":"T"}},"meterValue":[{{'
        f'"timestamp":"2026-03-02T07:{minute}:00Z","sampledValue":[{{"value":{wh}}}]}}]{more}}}]'
    )


def read_wh(field: Field) -> list[int | None]:
    return [reading.energy_wh for reading in field.readings(field.session())]


def assert_billed(field: Field) -> None:
    session = field.session()
    assert (session.state, session.energy_wh, session.abnormal_cause) == ("settled", ENERGY_WH, None)
    assert field.cents() == MONEY - CENTS


# -- the transaction that it is about ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", ["9223372036854775807", "-9223372036854775808", "1e30", '"9223372036854775807"'])
def test_a_transaction_id_that_overflows_in_the_middle(field: Field, lost: str) -> None:
    """Alfen NG910: after some thousand sessions the id becomes the largest there is (ocpp-go#188, steve#740)."""
    field.result(start())
    assert field.result(meter_values(transaction=lost)) == {}
    assert read_wh(field) == [3000]
    assert field.result(stop(transaction=lost)) == {"idTagInfo": {"status": "Accepted"}}
    assert_billed(field)


def test_a_transaction_id_that_is_not_printed(field: Field) -> None:
    """AEFA Home: `"transactionId":,` is no JSON at all (lbbrhzn#2032). What it meters is not lost for that."""
    field.result(start())
    assert field.send(meter_values(transaction="")) == [3, "m", {}]
    assert read_wh(field) == [3000]
    assert ("MeterValues", "nearly_json", "") in field.findings()


@pytest.mark.parametrize("form", ['"${TX}"', "${TX}.0", '" ${TX} "'])
def test_a_transaction_id_in_another_form(field: Field, form: str) -> None:
    """go-e and others keep the id as a text, or as the float that their JSON library makes of it."""
    field.result(start())
    field.send(meter_values(transaction=form))
    assert read_wh(field) == [3000]
    field.send(stop(transaction=form))
    assert_billed(field)


# -- numbers and registers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "end"), [("01000", "+5000"), ("1.0e3", ".5e4"), ("1000.4", '"5000,0"'), ('"1 kWh"', "5000.49")]
)
def test_numbers_that_were_printed_by_hand(field: Field, begin: str, end: str) -> None:
    """`printf` with a sign, zeros in front, a bare point: no JSON, and a lost session where it is refused."""
    assert field.send(start(meter=begin))[2]["idTagInfo"]["status"] == "Accepted"
    field.transaction_id = field.session().transaction_id
    assert field.send(stop(meter=end)) == [3, "e", {"idTagInfo": {"status": "Accepted"}}]
    assert_billed(field)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a":,"b":1}', {"a": None, "b": 1}),
        ('{"a": }', {"a": None}),
        ('{"a":-.5,"b":[01,+2,00,-007]}', {"a": -0.5, "b": [1, 2, 0, -7]}),
        ('{"a":"x:, :01 ,+5","b":+.5}', {"a": "x:, :01 ,+5", "b": 0.5}),
    ],
)
def test_what_is_mended_is_never_inside_a_text(text: str, told: dict[str, Any]) -> None:
    assert frames.decode(f'[2,"1","X",{text}]') == frames.Call("1", "X", told, is_mended=True)


def test_one_array_less(field: Field) -> None:
    """Huawei: `meterValue` is its only element (lbbrhzn#1144)."""
    field.result(start())
    text = (
        '[2,"m","MeterValues",{"connectorId":1,"transactionId":${TX},"meterValue":{"timestamp":"2026-03-02T07:10:00Z",'
        '"sampledValue":[{"value":"3.00","measurand":"Energy.Active.Import.Register","unit":"kWh"}]}}]'
    )
    assert field.result(text) == {}
    assert read_wh(field) == [3000]


def test_a_stop_one_watt_hour_below_its_start(field: Field) -> None:
    """Huawei again: a session of nothing ends by rounding at 269455 of 269456 (lbbrhzn#1810)."""
    field.result(start(meter="269456"))
    field.result(stop(meter="269455"))
    assert (field.session().energy_wh, field.session().abnormal_cause) == (0, "meter_backwards")
    assert field.cents() == MONEY


@pytest.mark.parametrize("end", ["0", "4294967295"])
def test_a_register_that_is_lost_while_it_delivers(field: Field, end: str) -> None:
    """The charger restarts in the middle and stops the session at 0, or at all ones: what its readings had shown
    was delivered, and people are told that the end is wrong."""
    field.result(start())
    field.result(meter_values("5000"))
    field.result(stop(meter=end, more=',"reason":"PowerLoss"'))
    session = field.session()
    assert (session.energy_wh, session.cost, session.meter_stop_wh) == (ENERGY_WH, CENTS, 5000)
    assert session.abnormal_cause in ("meter_backwards", "meter_implausible")
    assert field.cents() == MONEY - CENTS


def test_a_reading_that_is_as_wrong_as_the_end_costs_nothing(field: Field) -> None:
    field.result(start())
    field.result(meter_values("12"))
    field.result(stop(meter="20"))
    assert (field.session().energy_wh, field.session().abnormal_cause) == (0, "meter_backwards")


@pytest.mark.parametrize(
    "more",
    [
        ',"context":"","format":"Raw","measurand":"","phase":"","location":"","unit":""',
        ',"context":null,"format":"","phase":null,"unit":null',
        ',"measurand":"energy.active.import.register","unit":"WH","location":"outlet"',
    ],
)
def test_words_that_are_empty(field: Field, more: str) -> None:
    """ABB Terra AC prints all fields of a sample, the ones it does not know as empty texts."""
    field.result(start())
    assert field.result(meter_values("3000", more=more)) == {}
    assert read_wh(field) == [3000]


def test_energy_in_intervals_alone(field: Field) -> None:
    """EVBox and others can be set to tell what was delivered since the last message: no register of anything."""
    field.result(start())
    field.result(meter_values("250", more=',"measurand":"Energy.Active.Import.Interval","unit":"Wh"'))
    assert read_wh(field) == [None]
    field.result(stop())
    assert_billed(field)


@pytest.mark.parametrize(
    ("value", "percent"), [("85.5", 86), ("85 %", 85), ("255", None), ("-1", None), ("NaN", None), ("", None)]
)
def test_states_of_charge(field: Field, value: str, percent: int | None) -> None:
    """DC chargers say 255 or -1 until the car has told its state of charge."""
    field.result(start())
    assert field.result(meter_values(value, more=',"measurand":"SoC","unit":"Percent"')) == {}
    assert [reading.soc_percent for reading in field.readings(field.session())] == [percent]


@pytest.mark.parametrize("form", ['"format":"SignedData",', '"format":"signed_data",', ""])
def test_signed_readings_as_long_as_a_page(field: Field, form: str) -> None:
    """Zaptec Pro, Alfen and all of German calibration law: an OCMF text in the place of the number."""
    field.result(start())
    ocmf = 'OCMF|{\\"FV\\":\\"1.0\\"}|{\\"SD\\":\\"' + "3a" * 3000 + '\\"}'
    data = (
        f',"transactionData":[{{"timestamp":"2026-03-02T07:20:00Z","sampledValue":[{{"value":"{ocmf}",{form}'
        '"context":"Transaction.End"}]}]'
    )
    field.result(stop(more=data))
    assert_billed(field)
    [reading] = field.readings(field.session())
    assert reading.samples[0].values[0]["value"].startswith('OCMF|{"FV"'), "kept for who verifies it"


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tag", ["TAG001 ", " TAG001", "TAG001\\u0000", "TAG001\\u0000\\u00ff\\u0001", "TAG001\\r\\n", "tag001\\t"]
)
def test_a_card_reader_that_hands_over_a_c_string(field: Field, tag: str) -> None:
    """Circontrol, Ensto and many kits: the padding of the buffer comes with the token."""
    assert field.result(f'[2,"a","Authorize",{{"idTag":"{tag}"}}]')["idTagInfo"]["status"] == "Accepted"
    assert field.result(start(tag=f'"{tag}"'))["idTagInfo"]["status"] == "Accepted"
    assert field.result(start())["transactionId"] == field.session().transaction_id, "the same start"
    field.result(stop(more=f',"idTag":"{tag}"'))
    assert_billed(field)


@V2
def test_a_padded_token_in_pieces(field: Field) -> None:
    token = '"idToken":{"idToken":"TAG001\\u0000\\u0000","type":"ISO14443"}'
    assert field.result(f'[2,"a","Authorize",{{{token}}}]')["idTokenInfo"]["status"] == "Accepted"
    answer = field.result(event("Started", 0, 10, 1000, f',"evse":{{"id":1,"connectorId":1}},{token}'))
    assert answer["idTokenInfo"]["status"] == "Accepted"
    assert field.session().driver_id == field.driver.driver_id


@V2
@pytest.mark.parametrize("told", ['"TAG001"', '{"idToken":"TAG001"}', '{"idToken":"TAG001","type":""}'])
def test_a_token_without_its_type(field: Field, told: str) -> None:
    """Firmware that was ported from 1.6. Which kind of card it is does not matter; who pays does."""
    answer = field.result(event("Started", 0, 10, 1000, f',"evse":{{"id":1,"connectorId":1}},"idToken":{told}'))
    assert answer["idTokenInfo"]["status"] == "Accepted"
    field.result(event("Ended", 1, 40, 5000))
    assert_billed(field)


@pytest.mark.parametrize("tag", ['""', "null", "[]", '"\\u0000\\u0000"', "0"])
def test_a_start_that_nobody_asked_for(field: Field, tag: str) -> None:
    """Wallbox, Webasto: charging begins when the cable is in, with an empty tag. It is recorded, and nobody pays."""
    assert field.result(start(tag=tag))["idTagInfo"]["status"] == "Invalid"
    field.result(stop())
    assert (field.session().energy_wh, field.session().captured, field.session().driver_id) == (ENERGY_WH, 0, None)
    assert field.cents() == MONEY


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ('""', "Local"),
        ("null", "Local"),
        ('"EVDisconnected "', "EVDisconnected"),
        ('"ev_disconnected"', "EVDisconnected"),
        ('"PowerLoss\\u0000"', "PowerLoss"),
        ('"StoppedByEV"', "Other"),
        ("7", "Other"),
    ],
)
def test_reasons_of_its_own(field: Field, reason: str, kept: str) -> None:
    """Autel and Delta number theirs, Grizzl-E pads them: no reason to lose a stop."""
    field.result(start())
    field.result(stop(more=f',"reason":{reason}'))
    assert field.session().stop_reason == kept
    assert_billed(field)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-02T07:51:00+0000",
        "2026-03-02T07:51:00+00:00Z",
        "2026-03-02T08:51:00+01:00Z",
        "2026-03-02T07:51:00.000ZZ",
        "2026-03-02T07:51:00,000Z",
        "2026-03-02T07:51:00.Z",
        "2026-03-02T07:51:00 +0000",
        "2026-3-2T7:51:0Z",
        "2026/03/02 7:51:00 GMT",
        "20260302T075100Z",
    ],
)
def test_clocks_that_print_their_own_way(field: Field, text: str) -> None:
    """A `Z` behind the offset, fields of one digit, a point without its fraction."""
    field.result(
        f'[2,"t","StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"{text}"}}]'
    )
    assert field.evse(1).reported_at == datetime(2026, 3, 2, 7, 51, tzinfo=UTC)


@pytest.mark.parametrize(
    ("began_at", "cause"), [("2024-05-01T00:00:12Z", "clock_implausible"), ("2026-03-02T23:00:00Z", "clock_backwards")]
)
def test_a_clock_that_is_set_while_it_delivers(field: Field, began_at: str, cause: str) -> None:
    """Autel, Easee: it begins at the date of its firmware, or in the zone of its factory, and ends in ours. The
    energy is billed, and people are told that the time is not."""
    field.result(start().replace("2026-03-02T07:00:00Z", began_at))
    field.result(stop())
    session = field.session()
    assert (session.energy_wh, session.cost, session.abnormal_cause) == (ENERGY_WH, CENTS, cause)


def test_an_end_a_few_seconds_before_its_begin_is_no_fault(field: Field) -> None:
    field.result(start())
    field.result(stop().replace("07:20:00", "06:59:57"))
    assert_billed(field)


def test_a_serial_number_that_is_too_long(field: Field) -> None:
    """Schneider EVlink: 32 characters where 25 may be, and null for what it does not have (lbbrhzn#213)."""
    text = (
        '[2,"b","BootNotification",{"chargeBoxSerialNumber":"EVB1A22P2RI3N182341200100350795E5","imsi":"",'
        '"chargePointModel":"EVlink Smart Wallbox","chargePointSerialNumber":null,"iccid":"",'
        '"chargePointVendor":"Schneider Electric","firmwareVersion":"3.4.0.2"}]'
    )
    assert field.result(text)["status"] == "Accepted"
    known = chargers.require_charger(field.world.ctx, "WIRE-1")
    assert (known.vendor, known.reported_serial_number) == ("Schneider Electric", "EVB1A22P2RI3N182341200100")


def test_a_message_of_the_vendor_that_is_an_object(field: Field) -> None:
    """ABB sends JSON as JSON where 1.6 has a text."""
    text = '[2,"d","DataTransfer",{"vendorId":"ABB","messageId":"GetLimit","data":{"limit":{"a":16}}}]'
    assert field.result(text) == {"status": "UnknownVendorId"}


# -- order ------------------------------------------------------------------------------------------------------------


def test_a_restart_in_the_middle_of_a_session(field: Field) -> None:
    """Kempower, Delta: power fails; it boots, says that the place is free, and only then ends what was running."""
    field.result(start())
    field.result('[2,"b","BootNotification",{"chargePointVendor":"Q","chargePointModel":"Q"}]')
    field.result('[2,"a","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available"}]')
    field.result(stop(more=',"reason":"PowerLoss"'))
    assert_billed(field)


@V2
def test_a_reading_that_comes_behind_the_end(field: Field) -> None:
    """A queue that is sent from the back: the driver's display must not fall back to what it cost by then."""
    token = ',"evse":{"id":1,"connectorId":1},"idToken":{"idToken":"TAG001","type":"ISO14443"}'
    field.result(event("Started", 0, 10, 1000, token))
    field.result(event("Updated", 1, 20, 2000))
    assert field.result(event("Ended", 3, 40, 5000))["totalCost"] == 1.4
    assert field.result(event("Updated", 2, 30, 3000))["totalCost"] == 1.4
    assert field.session().energy_wh == ENERGY_WH
