"""Quirks of the field, within the payload: accepted, repaired where that was needed, and recorded."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.charging.model import MeterReading
from chalicelib.charging.store import charger_pk
from chalicelib.charging.store.transactions import METER_READINGS
from tests.contract.ocpp.field import Field, field

__all__ = ["field"]
STATUS = '[2,"st","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Available","timestamp":"%s"}]'


def readings_of_charger(field: Field) -> list[MeterReading]:
    """What was told without a transaction."""
    return list(METER_READINGS.query_all(field.world.ctx, charger_pk("wire-1")))


def values_of_charger(field: Field) -> list[dict[str, str]]:
    return [value for reading in readings_of_charger(field) for sample in reading.samples for value in sample.values]


def test_q31_an_offset_without_minutes(field: Field) -> None:
    text = (
        '[2,"658ae207-02ad-4051-8ecb-51d90e8bbf21","StatusNotification",{"connectorId":2,"errorCode":"NoError",'
        '"status":"Preparing","timestamp":"2024-04-26T14:35:02+02"}]'
    )
    assert field.result(text) == {}
    assert field.evse(2).status == "Preparing"
    assert field.evse(2).reported_at == datetime(2024, 4, 26, 12, 35, 2, tzinfo=UTC)


def test_q32_1970_before_the_clock_is_set(field: Field) -> None:
    field.result(STATUS % "2026-03-02T07:00:00Z")
    text = STATUS.replace("Available", "Charging") % "1970-01-01T00:00:00.740Z"
    assert field.result(text) == {}
    assert field.evse(1).status == "Charging"
    assert field.evse(1).reported_at == field.world.ctx.now()


@pytest.mark.parametrize(
    "text",
    ["2026-03-02T07:51:00.000000Z", "2026-03-02T07:51Z", "2026-03-02t07:51:00z", "2026-03-02 07:51:00", "1772437860"],
)
def test_q34_odd_precisions(field: Field, text: str) -> None:
    assert field.result(STATUS % text) == {}
    assert field.evse(1).reported_at == datetime(2026, 3, 2, 7, 51, tzinfo=UTC)


def test_q34_a_moment_that_cannot_be_read(field: Field) -> None:
    assert field.result(STATUS % "half past eight") == {}
    assert (field.evse(1).status, field.evse(1).reported_at) == ("Available", field.world.ctx.now())


@pytest.mark.parametrize("timestamp", ['"timestamp":""', '"timestamp":null', '"timestamp":[]', '"x":1'])
def test_q35_a_start_without_its_moment(field: Field, timestamp: str) -> None:
    """A start that is refused is a lost session: it is taken for now."""
    text = f'[2,"nt","StartTransaction",{{"connectorId":1,"idTag":"TAG001","meterStart":0,{timestamp}}}]'
    answer = field.result(text)
    assert answer["idTagInfo"]["status"] == "Accepted"
    assert field.result(text) == answer
    assert field.session().started_at == field.world.ctx.now()


def test_q37_enumerations_in_another_case(field: Field) -> None:
    assert (
        field.result('[2,"wc","StatusNotification",{"connectorId":1,"errorCode":"noError","status":"available"}]') == {}
    )
    assert (field.evse(1).status, field.evse(1).error_code) == ("Available", "NoError")
    field.result('[2,"wc","StatusNotification",{"connectorId":1,"errorCode":"noError","status":"available"}]')
    assert field.findings() == [
        ("StatusNotification", "enum_case", "/errorCode"),
        ("StatusNotification", "enum_case", "/status"),
    ]


def test_q38_a_status_of_another_version(field: Field) -> None:
    text = '[2,"oc","StatusNotification",{"connectorId":1,"errorCode":"NoError","status":"Occupied"}]'
    assert field.result(text) == {}
    assert field.evse(1).status == "Preparing"


def test_q40_celsius_celcius_and_hertz(field: Field) -> None:
    text = (
        '[2,"cel","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T10:00:00Z","sampledValue":['
        '{"value":"21","measurand":"Temperature","unit":"Celsius"},'
        '{"value":"21","measurand":"Temperature","unit":"Celcius"},'
        '{"value":"50.0","measurand":"Frequency","unit":"Hertz"},'
        '{"value":"50.0","measurand":"Frequency","unit":"Hz"}]}]}]'
    )
    assert field.result(text) == {}
    assert [value["unit"] for value in values_of_charger(field)] == ["Celsius", "Celcius", "Hertz", "Hertz"]


def test_q41_no_sampled_value_at_all(field: Field) -> None:
    text = (
        '[2,"es","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T10:00:00Z","sampledValue":[]}]}]'
    )
    assert field.result(text) == {}
    assert readings_of_charger(field) == []
    assert ("MeterValues", "empty", "/meterValue/*/sampledValue") not in field.findings()
    assert [finding[0] for finding in field.findings()] == ["MeterValues"]


def test_q43_empty_and_textual_values(field: Field) -> None:
    """What is no number is no energy, least of all zero; a decimal comma and a unit in the value are read."""
    text = (
        '[2,"ev","MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"2026-01-01T10:00:00Z","sampledValue":['
        '{"value":""},{"value":"string","measurand":"Temperature","unit":"Percent"}%s]}]}]'
    )
    assert field.result(text % "") == {}
    [reading] = readings_of_charger(field)
    assert reading.energy_wh is None
    assert field.result(text % ',{"value":"12,5","unit":"kWh"}') == {}
    assert field.result(text % ',{"value":"12.6 kWh"}') == {}
    assert sorted(r.energy_wh for r in readings_of_charger(field) if r.energy_wh is not None) == [12500, 12600]


def test_q44_a_bare_sample(field: Field) -> None:
    text = (
        '[2,"bs","MeterValues",{"connectorId":1,"meterValue":'
        '[{"timestamp":"2026-01-01T10:00:00Z","sampledValue":[{"value":"1387"}]}]}]'
    )
    assert field.result(text) == {}
    assert [reading.energy_wh for reading in readings_of_charger(field)] == [1387]


def test_q46_an_unknown_property(field: Field) -> None:
    assert "currentTime" in field.result('[2,"xp","Heartbeat",{"rogueField":"x"}]')
    assert field.findings() == [("Heartbeat", "unknown_property", "/*")]


def test_q49_fillers_in_a_status(field: Field) -> None:
    text = (
        '[2,"nil","StatusNotification",{"connectorId":1,"errorCode":"NoError","info":"null",'
        '"status":"SuspendedEVSE","vendorErrorCode":"0x0000"}]'
    )
    assert field.result(text) == {}
    assert field.evse(1).status == "SuspendedEVSE"


def test_q50_an_id_tag_of_21_characters_in_a_stop(field: Field) -> None:
    text = (
        '[2,"4688","StopTransaction",{"meterStop":250390,"timestamp":"2025-11-10T10:23:58Z",'
        '"transactionId":1762770182,"idTag":"X16WG99J2QIEGCC0MCJ5-"}]'
    )
    field.result(text)
    assert field.findings() == [("StopTransaction", "too_long", "/idTag")]
    assert [stop.transaction_id for stop in field.orphans()] == [1762770182]


def test_q50_a_tag_that_grew_stops_its_own_session(field: Field) -> None:
    start = '{"connectorId":1,"idTag":"TAG001","meterStart":0,"timestamp":"2026-03-02T07:00:00Z"}'
    field.result(f'[2,"a","StartTransaction",{start}]')
    stop = '{"transactionId":${TX},"meterStop":2000,"timestamp":"2026-03-02T07:30:00Z","idTag":"X16WG99J2QIEGCC0MCJ5-"}'
    field.result(f'[2,"b","StopTransaction",{stop}]')
    assert field.session().energy_wh == 2000


def test_q52_the_case_of_an_id_tag(field: Field) -> None:
    lower, upper = field.results('[2,"ci","Authorize",{"idTag":"tag001"}]', '[2,"ci","Authorize",{"idTag":"TAG001"}]')
    assert lower == upper
    assert lower["idTagInfo"]["status"] == "Accepted"


def test_q53_injections_in_an_id_tag(field: Field) -> None:
    for tag in ("' OR 1=1 --", "<img src=x>", "$(reboot)", "{{7*7}}"):
        answer = field.result(f'[2,"in","Authorize",{{"idTag":"{tag}"}}]')
        assert answer == {"idTagInfo": {"status": "Invalid"}}
