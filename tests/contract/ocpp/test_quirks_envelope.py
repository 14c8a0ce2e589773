"""Quirks of the field, around the payload: broken text, odd ids, answers that are none."""

from __future__ import annotations

import pytest

from tests.contract.ocpp.field import Field, field

__all__ = ["field"]
V201 = pytest.mark.parametrize("protocol", ["ocpp2.0.1"])


def test_q01_truncated_json_in_a_callresult(field: Field) -> None:
    """GetConfiguration is answered with JSON cut off: the command has failed, the next one goes out."""
    field.ask("GetConfiguration", {"key": ["MeterValuesSampledData"]})
    assert field.send('[3,"${CALLID}",{"configurationKey":[]') is None
    state, why = field.outcome()
    assert (state, why) == ("failed", "the charger's answer is malformed (not_json)")
    assert field.ask("ClearCache", {})[2] == "ClearCache"
    assert field.still_lives()
    assert field.findings() == [("-", "frame_not_json", "")]


def test_q02_callerror_with_four_elements(field: Field) -> None:
    field.ask("GetConfiguration", {"key": ["SupportedFeatureProfiles"]})
    assert field.send('[4, "${CALLID}", "FormationViolation", ""]') is None
    assert field.outcome() == ("failed", "FormationViolation")
    assert field.wire.commands() == []
    assert field.still_lives()


def test_q04_trailing_nul(field: Field) -> None:
    assert "currentTime" in field.result('[2,"nul","Heartbeat",{}]\x00')
    assert field.findings() == [("Heartbeat", "padding", "")]


def test_q05_pretty_printed_json(field: Field) -> None:
    text = """[2,"31ba3d0e-83c6-439a-9e07-05722ea9d9cd","BootNotification",{
        "chargePointModel": "EVC04",
        "chargePointVendor": "VESTEL",
        "chargePointSerialNumber": "70001679210000"
    }]"""
    assert field.result(text)["status"] == "Accepted"
    assert field.findings() == []


def test_q07_backslashes_in_an_id_tag(field: Field) -> None:
    """An even number is an odd tag; an odd one breaks the text, and the charger hears so."""
    start = '{"connectorId":2,"idTag":"336699%s","meterStart":33259490,"timestamp":"2022-07-28T09:41:15Z"}'
    answer = field.result(f'[2,"213","StartTransaction",{start % (chr(92) * 10)}]')
    assert answer["idTagInfo"]["status"] == "Invalid"
    assert field.error(f'[2,"214","StartTransaction",{start % (chr(92) * 7)}]') == "FormationViolation"
    assert field.still_lives()


@V201
def test_q10_unknown_message_type(field: Field) -> None:
    assert field.send('[9,"q9","Heartbeat",{}]')[:3] == [4, "q9", "MessageTypeNotSupported"]
    assert field.still_lives()


def test_q11_callerror_for_an_id_that_was_never_used(field: Field) -> None:
    field.ask("ClearCache", {})
    text = '[4,"5c2d6e365-ac1v-4ea9-96ee-c0df52dbt312","FormationViolation","Unable to process action",{}]'
    assert field.send(text) is None
    assert field.outcome()[0] == "sent"


def test_q13_numeric_message_id(field: Field) -> None:
    """Answered under the number itself, or the charger would not know the answer."""
    assert "currentTime" in field.result('[2,12345,"Heartbeat",{}]')
    assert field.findings() == [("Heartbeat", "message_id_not_text", "")]


def test_q14_message_id_longer_than_36(field: Field) -> None:
    assert "currentTime" in field.result('[2,"0123456789012345678901234567890123456789","Heartbeat",{}]')
    assert field.findings() == [("Heartbeat", "message_id_too_long", "")]


def test_q16_same_message_id_twice(field: Field) -> None:
    for _ in range(2):
        assert "currentTime" in field.result('[2,"dup","Heartbeat",{}]')


def test_q47_duplicate_keys(field: Field) -> None:
    """The last one counts, whatever stood before."""
    text = '[2,"dk","Authorize",{"idTag":"%s","idTag":"%s"}]'
    assert field.result(text % ("NOBODY", "TAG001"))["idTagInfo"]["status"] == "Accepted"
    assert field.result(text % ("TAG001", "NOBODY"))["idTagInfo"]["status"] == "Invalid"


@V201
def test_q55_unknown_action(field: Field) -> None:
    text = '[2,"07d99ac7-31d7-4d84-a14d-3e0c579de8e3","CustomOperation",{}]'
    assert field.error(text) == "NotImplemented"
    assert field.findings() == [("-", "unknown_action", "")]


def test_q56_payload_null(field: Field) -> None:
    assert "currentTime" in field.result('[2,"pn","Heartbeat",null]')


def test_q59_a_call_while_ours_is_open(field: Field) -> None:
    field.ask("ClearCache", {})
    assert "currentTime" in field.result('[2,"x1","Heartbeat",{}]')
    assert field.outcome()[0] == "sent"
    assert field.send('[3,"${CALLID}",{"status":"Accepted"}]') is None
    assert field.outcome() == ("accepted", {"status": "Accepted"})


def test_q61_accepted_and_nothing_follows(field: Field) -> None:
    """Accepted is all that is said: nobody waits for the meter values, and the next command goes out."""
    field.ask("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
    assert field.send('[3,"${CALLID}",{"status":"Accepted"}]') is None
    assert field.outcome() == ("accepted", {"status": "Accepted"})
    field.world.advance(3600)
    assert field.ask("ClearCache", {})[2] == "ClearCache"


def test_q62_callresult_without_its_required_fields(field: Field) -> None:
    field.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})
    assert field.send('[3,"${CALLID}",{}]') is None
    state, why = field.outcome()
    assert state == "failed"
    assert why.startswith("the charger's answer does not conform")
    assert field.findings() == [("TriggerMessage", "not_conforming", "")]
    assert field.still_lives()


def test_q64_nonsense_composite_schedule(field: Field) -> None:
    """It is what the charger said, and is shown as such."""
    field.ask("GetCompositeSchedule", {"connectorId": 1, "duration": 60})
    schedule = (
        '{"duration":60,"startSchedule":"2025-04-26T11:11:25Z","chargingRateUnit":"A","chargingSchedulePeriod":'
        '[{"startPeriod":0,"limit":0,"numberPhases":3},{"startPeriod":1006632455,"limit":20,"numberPhases":3}]}'
    )
    text = '[3,"${CALLID}",{"status":"Accepted","connectorId":1,"scheduleStart":"2025-04-26T09:11:25Z",'
    assert field.send(f'{text}"chargingSchedule":{schedule}}}]') is None
    state, answer = field.outcome()
    assert state == "accepted"
    assert answer["chargingSchedule"]["chargingSchedulePeriod"][1]["startPeriod"] == 1006632455


@V201
def test_q83_a_command_refused_in_the_words_of_1_6(field: Field) -> None:
    schedule = {
        "id": 1,
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
    }
    profile = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    field.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
    text = '[4,"${CALLID}","PropertyConstraintViolation","csChargingProfiles validation failed",{}]'
    assert field.send(text) is None
    assert field.outcome() == ("failed", "PropertyConstraintViolation: csChargingProfiles validation failed")
