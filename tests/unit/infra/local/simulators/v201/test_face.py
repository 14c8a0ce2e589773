"""What the simulated charger answers to the commands of OCPP 2.0.1. Every frame is checked against its schema."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.simulators.device_model import MAX_READ
from tests.unit.infra.local.simulators.scripted_platform import Street, street

V201 = "ocpp2.0.1"
ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}
ID_TOKEN = {"idToken": "A", "type": "Central"}
START = {"evseId": 1, "remoteStartId": 77, "idToken": ID_TOKEN}
MESSAGE = {"id": 3, "priority": "InFront", "message": {"format": "UTF8", "content": "Hello"}}


def variable(name: str, **more: Any) -> dict[str, Any]:
    component, _, rest = name.partition("/")
    return {"component": {"name": component}, "variable": {"name": rest}} | more


def profile(limit_w: int, purpose: str = "TxDefaultProfile") -> dict[str, Any]:
    schedule = {"id": 1, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_w}]}
    return {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }


async def begin(here: Street, seconds: float = 8) -> str:
    """A charge that has run this long; its transaction."""
    assert await here.platform.command("RequestStartTransaction", START) == ACCEPTED
    await here.pass_time(3 + seconds)
    return str(here.platform.told("TransactionEvent")[0]["transactionInfo"]["transactionId"])


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("CancelReservation", {"reservationId": 1}, REJECTED),
        ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 3}}, REJECTED),
        ("ClearCache", {}, REJECTED),
        ("ClearChargingProfile", {"chargingProfileId": 1}, {"status": "Unknown"}),
        ("ClearDisplayMessage", {"id": 3}, {"status": "Unknown"}),
        ("CostUpdated", {"totalCost": 1.2, "transactionId": "x"}, {}),
        ("DataTransfer", {"vendorId": "x"}, {"status": "UnknownVendorId"}),
        ("GetDisplayMessages", {"requestId": 1}, {"status": "Unknown"}),
        ("GetLocalListVersion", {}, {"versionNumber": 0}),
        ("GetTransactionStatus", {}, {"messagesInQueue": False}),
        (
            "GetTransactionStatus",
            {"transactionId": "x"},
            {"ongoingIndicator": False, "messagesInQueue": False},
        ),
        ("GetVariables", {"getVariableData": [variable("A/B")] * (MAX_READ + 1)}, "OccurrenceConstraintViolation"),
        ("RequestStartTransaction", START | {"evseId": 3}, REJECTED),
        ("RequestStartTransaction", {"remoteStartId": 1, "idToken": ID_TOKEN}, ACCEPTED),
        ("RequestStartTransaction", START | {"chargingProfile": profile(5000)}, REJECTED),
        ("RequestStopTransaction", {"transactionId": "x"}, REJECTED),
        ("ReserveNow", {"id": 1, "expiryDateTime": "2026-03-02T13:00:00Z", "idToken": ID_TOKEN}, REJECTED),
        ("Reset", {"type": "Immediate", "evseId": 1}, REJECTED),
        ("SetChargingProfile", {"evseId": 1, "chargingProfile": profile(5000, "TxProfile")}, REJECTED),
        ("SetDisplayMessage", {"message": MESSAGE | {"transactionId": "x"}}, {"status": "UnknownTransaction"}),
        (
            "SetDisplayMessage",
            {"message": MESSAGE | {"message": {"format": "HTML", "content": "<b>"}}},
            {"status": "NotSupportedMessageFormat"},
        ),
        ("TriggerMessage", {"requestedMessage": "LogStatusNotification"}, {"status": "NotImplemented"}),
        ("TriggerMessage", {"requestedMessage": "TransactionEvent"}, REJECTED),
        ("TriggerMessage", {"requestedMessage": "MeterValues", "evse": {"id": 3}}, REJECTED),
        ("UnlockConnector", {"evseId": 1, "connectorId": 1}, {"status": "Unlocked"}),
        ("UnlockConnector", {"evseId": 1, "connectorId": 2}, {"status": "UnknownConnector"}),
        ("GetReport", {"requestId": 1}, "NotSupported"),
        ("RemoteStartTransaction", {}, "NotImplemented"),
        ("Reset", {}, "FormatViolation"),
    ],
)
async def test_an_answer(action: str, payload: dict[str, Any], answer: object) -> None:
    async with street(V201) as here:
        assert await here.platform.command(action, payload) == answer


async def test_variables_are_read_and_written_one_by_one() -> None:
    names = ("SecurityCtrlr/BasicAuthPassword", "Colour/Red", "TxCtrlr/Colour", "txctrlr/evconnectiontimeout")
    async with street(V201) as here:
        asked = [variable(name) for name in names]
        read = await here.platform.command("GetVariables", {"getVariableData": asked})
        told = [(each["attributeStatus"], each.get("attributeValue")) for each in read["getVariableResult"]]
        assert told == [("Rejected", None), ("UnknownComponent", None), ("UnknownVariable", None), ("Accepted", "60")]
        asked = [
            variable("TxCtrlr/EVConnectionTimeOut", attributeValue="120"),
            variable("TxCtrlr/EVConnectionTimeOut", attributeValue="1"),
            variable("TxCtrlr/TxStartPoint", attributeValue="Authorized"),
            variable("TxCtrlr/EVConnectionTimeOut", attributeValue="100", attributeType="Target"),
        ]
        written = await here.platform.command("SetVariables", {"setVariableData": asked})
        assert [each["attributeStatus"] for each in written["setVariableResult"]] == [
            "Accepted",
            "Rejected",
            "Rejected",
            "NotSupportedAttributeType",
        ]
        again = await here.platform.command(
            "GetVariables", {"getVariableData": [variable("TxCtrlr/EVConnectionTimeOut")]}
        )
        assert again["getVariableResult"][0]["attributeValue"] == "120"


@pytest.mark.parametrize(
    ("base", "known", "unknown"),
    [
        ("FullInventory", "Connector@2.1/ConnectorType", "Colour"),
        ("ConfigurationInventory", "SecurityCtrlr/BasicAuthPassword", "Connector@2.1/ConnectorType"),
        ("SummaryInventory", "EVSE@1/AvailabilityState", "SecurityCtrlr/BasicAuthPassword"),
    ],
)
async def test_a_report_comes_in_parts(base: str, known: str, unknown: str) -> None:
    async with street(V201) as here:
        assert await here.platform.command("GetBaseReport", {"requestId": 7, "reportBase": base}) == ACCEPTED
        await here.pass_time(0)
        parts = here.platform.told("NotifyReport")
        assert [part["seqNo"] for part in parts] == list(range(len(parts)))
        assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]
        entries = [entry for part in parts for entry in part["reportData"]]
        names = {name_of(entry) for entry in entries}
        assert known in names
        assert unknown not in names
        secrets = [entry for entry in entries if name_of(entry) == "SecurityCtrlr/BasicAuthPassword"]
        assert all("value" not in entry["variableAttribute"][0] for entry in secrets)


def name_of(entry: dict[str, Any]) -> str:
    evse = entry["component"].get("evse")
    place = "" if evse is None else "@" + ".".join(str(number) for number in evse.values())
    return f"{entry['component']['name']}{place}/{entry['variable']['name']}"


async def test_a_delivery_is_told_in_events_that_are_numbered_through() -> None:
    async with street(V201) as here:
        transaction_id = await begin(here, 30)
        await here.platform.command("TriggerMessage", {"requestedMessage": "TransactionEvent"})
        await here.pass_time(0)
        await here.platform.command("RequestStopTransaction", {"transactionId": transaction_id})
        await here.pass_time(0)
        events = here.platform.told("TransactionEvent")
        assert [(told["eventType"], told["triggerReason"], told["seqNo"]) for told in events] == [
            ("Started", "RemoteStart", 0),
            ("Updated", "MeterValuePeriodic", 1),
            ("Updated", "MeterValuePeriodic", 2),
            ("Updated", "Trigger", 3),
            ("Ended", "RemoteStop", 4),
        ]
        assert {told["transactionInfo"]["transactionId"] for told in events} == {transaction_id}
        assert (events[0]["idToken"], events[0]["transactionInfo"]["remoteStartId"]) == (ID_TOKEN, 77)
        registers = [told["meterValue"][0]["sampledValue"][0] for told in events]
        assert [value["context"] for value in registers] == [
            "Transaction.Begin",
            *2 * ["Sample.Periodic"],
            "Trigger",
            "Transaction.End",
        ]
        assert [value["value"] for value in registers] == [0, 50, 100, 100, 100]


async def test_a_limit_of_nothing_suspends_the_delivery() -> None:
    async with street(V201) as here:
        transaction_id = await begin(here)
        told = {"evseId": 1, "chargingProfile": profile(0, "TxProfile") | {"transactionId": transaction_id}}
        assert await here.platform.command("SetChargingProfile", told) == ACCEPTED
        await here.pass_time(0)
        last = here.platform.told("TransactionEvent")[-1]
        assert (last["triggerReason"], last["transactionInfo"]["chargingState"]) == (
            "ChargingStateChanged",
            "SuspendedEVSE",
        )
        status = await here.platform.command("GetTransactionStatus", {"transactionId": transaction_id})
        assert status == {"ongoingIndicator": True, "messagesInQueue": False}
        of_purpose = {"chargingProfileCriteria": {"evseId": 1, "chargingProfilePurpose": "TxProfile"}}
        assert await here.platform.command("ClearChargingProfile", of_purpose) == ACCEPTED
        await here.pass_time(0)
        assert here.platform.told("TransactionEvent")[-1]["transactionInfo"]["chargingState"] == "Charging"


async def test_a_connector_is_not_unlocked_while_it_delivers() -> None:
    async with street(V201) as here:
        await begin(here)
        unlocked = await here.platform.command("UnlockConnector", {"evseId": 1, "connectorId": 1})
        assert unlocked == {"status": "OngoingAuthorizedTransaction"}


async def test_a_reset_on_idle_waits_for_the_delivery() -> None:
    async with street(V201) as here:
        transaction_id = await begin(here)
        assert await here.platform.command("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
        await here.pass_time(60)
        assert len(here.platform.told("BootNotification")) == 1
        await here.platform.command("RequestStopTransaction", {"transactionId": transaction_id})
        await here.pass_time(10)
        assert [told["reason"] for told in here.platform.told("BootNotification")] == ["PowerUp", "ScheduledReset"]


async def test_a_message_stands_on_the_display_until_it_is_cleared() -> None:
    async with street(V201) as here:
        assert await here.platform.command("SetDisplayMessage", {"message": MESSAGE}) == ACCEPTED
        assert await here.platform.command("GetDisplayMessages", {"requestId": 5, "id": [3]}) == ACCEPTED
        await here.pass_time(0)
        assert here.platform.told("NotifyDisplayMessages") == [{"requestId": 5, "messageInfo": [MESSAGE]}]
        other = {"requestId": 6, "priority": "AlwaysFront"}
        assert await here.platform.command("GetDisplayMessages", other) == {"status": "Unknown"}
        assert await here.platform.command("ClearDisplayMessage", {"id": 3}) == ACCEPTED
        assert await here.platform.command("GetDisplayMessages", {"requestId": 7}) == {"status": "Unknown"}


async def test_a_local_list_is_kept_by_its_version() -> None:
    async with street(V201) as here:
        entry = {"idToken": ID_TOKEN, "idTokenInfo": {"status": "Accepted"}}
        full = {"versionNumber": 4, "updateType": "Full", "localAuthorizationList": [entry]}
        assert await here.platform.command("SendLocalList", full) == ACCEPTED
        late = full | {"updateType": "Differential"}
        assert await here.platform.command("SendLocalList", late) == {"status": "VersionMismatch"}
        assert await here.platform.command("GetLocalListVersion", {}) == {"versionNumber": 4}
        assert await here.platform.command("SendLocalList", {"versionNumber": 5, "updateType": "Full"}) == ACCEPTED
        asked = {"getVariableData": [variable("LocalAuthListCtrlr/Entries")]}
        read = await here.platform.command("GetVariables", asked)
        assert read["getVariableResult"][0]["attributeValue"] == "0"


async def test_what_is_triggered_is_told_after_the_answer() -> None:
    async with street(V201) as here:
        for message in ("BootNotification", "Heartbeat", "MeterValues", "StatusNotification"):
            before = len(here.platform.heard)
            assert await here.platform.command("TriggerMessage", {"requestedMessage": message}) == ACCEPTED
            await here.pass_time(0)
            assert {action for action, _ in here.platform.heard[before:]} == {message}
        assert here.platform.told("BootNotification")[-1]["reason"] == "Triggered"


async def test_too_many_errands_are_rejected() -> None:
    async with street(V201) as here:
        asked = {"requestId": 7, "reportBase": "FullInventory"}
        statuses = [(await here.platform.command("GetBaseReport", asked))["status"] for _ in range(30)]
        assert statuses[0] == "Accepted"
        assert statuses[-1] == "Rejected"
