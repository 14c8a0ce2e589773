"""The life of a simulated charger, the same behind either protocol: boots, charges, loses power and connection."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.local.simulators.charger import SimulatedCharger
from infra.local.simulators.evse import CAR_TAKES_WH
from tests.unit.infra.local.simulators.scripted_platform import NOON, PASSWORD, ScriptedPlatform, Street, street

V16, V201 = "ocpp1.6", "ocpp2.0.1"
both = pytest.mark.parametrize("version", [V16, V201])
EVENTS = {
    "begin": [*2 * [("Started", 0)], ("Updated", 1)],
    "meter": [("Started", 0), *2 * [("Updated", 1)], ("Updated", 2)],
    "end": [("Started", 0), *2 * [("Ended", 1)]],
}
"""What is told of a delivery of 30 to 40 seconds whose connection is lost at that moment."""
UNREACHABLE = "ws://127.0.0.1:1/ocpp/X"


async def start(here: Street, evse_no: int = 1, id_token: str = "APP1") -> Any:
    if here.platform.subprotocol == V16:
        return await here.platform.command("RemoteStartTransaction", {"connectorId": evse_no, "idTag": id_token})
    payload = {"evseId": evse_no, "remoteStartId": 77, "idToken": {"idToken": id_token, "type": "Central"}}
    return await here.platform.command("RequestStartTransaction", payload)


async def stop(here: Street) -> Any:
    if here.platform.subprotocol == V16:
        return await here.platform.command("RemoteStopTransaction", {"transactionId": 4711})
    return await here.platform.command("RequestStopTransaction", {"transactionId": transaction_id(here.platform)})


def transaction_id(platform: ScriptedPlatform) -> str:
    return str(platform.told("TransactionEvent")[0]["transactionInfo"]["transactionId"])


def ending(platform: ScriptedPlatform) -> list[tuple[str, int]]:
    """(reason, register) of each end that was told."""
    of_16 = [(told["reason"], told["meterStop"]) for told in platform.told("StopTransaction")]
    events = [told for told in platform.told("TransactionEvent") if told["eventType"] == "Ended"]
    return of_16 + [
        (told["transactionInfo"]["stoppedReason"], told["meterValue"][0]["sampledValue"][0]["value"]) for told in events
    ]


@both
async def test_a_charge_from_the_order_to_the_end(version: str) -> None:
    async with street(version) as here:
        assert await start(here) == {"status": "Accepted"}
        assert await start(here) == {"status": "Rejected"}
        await here.pass_time(3 + 360)
        assert await stop(here) == {"status": "Accepted"}
        await here.pass_time(0)
        assert await stop(here) == {"status": "Rejected"}
        assert ending(here.platform) == [("Remote", 1200)]
        in_between = {V16: ["Preparing", "Charging", "Finishing"], V201: ["Occupied"]}[version]
        assert here.platform.statuses() == ["Available", *in_between, "Available"]
        assert here.platform.statuses(2) == ["Available"]


@both
async def test_a_car_that_is_full_ends_its_charge(version: str) -> None:
    async with street(version) as here:
        await start(here)
        await here.pass_time(4 * 3600)
        reason = {V16: "Local", V201: "StoppedByEV"}[version]
        [(told, register_wh)] = ending(here.platform)
        assert told == reason
        assert CAR_TAKES_WH <= register_wh <= CAR_TAKES_WH + 50


@both
@pytest.mark.parametrize("moment", ["begin", "meter", "end"])
async def test_what_was_not_answered_is_told_again_and_says_the_same(version: str, moment: str) -> None:
    action = {"begin": "StartTransaction", "meter": "MeterValues", "end": "StopTransaction"}[moment]
    if version == V201:
        action = "TransactionEvent"
    async with street(version) as here:
        await start(here)
        if moment != "begin":
            await here.pass_time(10)
        if moment == "end":
            await stop(here)
        before = len(here.platform.told(action))
        here.platform.hangs_up_on.add(action)
        await here.pass_time(30)
        first, again = here.platform.told(action)[before : before + 2]
        if version == V16 and moment != "begin":
            # 1.6 knows it by the transaction: only the time has gone on.
            first, again = ({name: told.get(name) for name in ("transactionId", "reason")} for told in (first, again))
        assert again == first
        if version == V201:
            events = [(told["eventType"], told["seqNo"]) for told in here.platform.told(action)]
            assert events == EVENTS[moment]


@both
async def test_who_may_not_charge_is_stopped(version: str) -> None:
    async with street(version) as here:
        blocked = {"status": "Blocked"}
        here.platform.answers["StartTransaction"] = {"transactionId": 4711, "idTagInfo": blocked}
        here.platform.answers["TransactionEvent"] = {"idTokenInfo": blocked}
        await start(here)
        await here.pass_time(60)
        assert ending(here.platform) == [("DeAuthorized", 0)]
        assert here.platform.statuses()[-1] == "Available"


@both
async def test_a_power_loss_is_told_after_the_next_boot(version: str, tmp_path: Path) -> None:
    memory = tmp_path / "charger.json"
    async with street(version, memory=memory) as here:
        await start(here)
        await here.pass_time(3 + 360)
        running = 4711 if version == V16 else transaction_id(here.platform)
        events = here.platform.told("TransactionEvent")
    async with street(version, memory=memory) as here:
        assert [action for action, _ in here.platform.heard[:2]] == [
            "BootNotification",
            {V16: "StopTransaction", V201: "TransactionEvent"}[version],
        ]
        told = here.platform.heard[1][1]
        assert told.get("transactionId", told.get("transactionInfo", {}).get("transactionId")) == running
        assert told.get("seqNo", 0) == len(events)
        assert ending(here.platform) == [("PowerLoss", 1200)]
    async with street(version, memory=memory) as here:
        assert ending(here.platform) == []


@both
async def test_a_pending_charger_boots_again_and_does_nothing_else(version: str) -> None:
    async with street(version, boots=False) as here:
        answers = here.platform.answers
        accepted = answers["BootNotification"]
        answers["BootNotification"] = accepted | {"status": "Pending", "interval": 60}
        await here.pass_time(59)
        assert [action for action, _ in here.platform.heard] == ["BootNotification"]
        answers["BootNotification"] = accepted
        asked = await here.platform.command("TriggerMessage", {"requestedMessage": "BootNotification"})
        assert asked == {"status": "Accepted"}
        await here.pass_time(0)
        assert [action for action, _ in here.platform.heard[1:]] == ["BootNotification", *2 * ["StatusNotification"]]


@both
async def test_a_reset_ends_what_is_charging_and_boots_again(version: str) -> None:
    async with street(version) as here:
        await start(here)
        await here.pass_time(60)
        kind, reason = {V16: ("Hard", "HardReset"), V201: ("Immediate", "ImmediateReset")}[version]
        assert await here.platform.command("Reset", {"type": kind}) == {"status": "Accepted"}
        assert await start(here, 2) == {"status": "Rejected"}
        await here.pass_time(10)
        assert [told for told, _ in ending(here.platform)] == [reason]
        boots = here.platform.told("BootNotification")
        assert len(boots) == 2
        assert boots[-1].get("reason", "RemoteReset") == "RemoteReset"
        assert await start(here, 2) == {"status": "Accepted"}


@both
async def test_a_new_password_is_used_from_then_on(version: str, tmp_path: Path) -> None:
    password = "0123456789abcdef-new"
    memory = tmp_path / "charger.json"
    async with street(version, memory=memory) as here:
        if version == V16:
            told = {"key": "AuthorizationKey", "value": password.encode().hex()}
            assert await here.platform.command("ChangeConfiguration", told) == {"status": "Accepted"}
        else:
            address = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
            asked = {"setVariableData": [address | {"attributeValue": password}]}
            answer = await here.platform.command("SetVariables", asked)
            assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
        await here.pass_time(5)
        assert here.platform.passwords == [PASSWORD, password]
        assert len(here.platform.told("BootNotification")) == 1
    async with street(version, memory=memory) as here:
        assert here.platform.passwords == [password]


@both
async def test_a_reservation_keeps_the_place_for_one_and_lapses(version: str) -> None:
    async with street(version) as here:
        if version == V16:
            expiry = {"connectorId": 1, "expiryDate": "2026-03-02T12:30:00Z", "idTag": "HERS", "reservationId": 5}
        else:
            id_token = {"idToken": "HERS", "type": "Central"}
            expiry = {"evseId": 1, "expiryDateTime": "2026-03-02T12:30:00Z", "idToken": id_token, "id": 5}
        assert await here.platform.command("ReserveNow", expiry) == {"status": "Accepted"}
        assert await start(here, 1, "HIS") == {"status": "Rejected"}
        await here.pass_time(1801)
        assert here.platform.statuses() == ["Available", "Reserved", "Available"]
        expired = [{"reservationId": 5, "reservationUpdateStatus": "Expired"}]
        assert here.platform.told("ReservationStatusUpdate") == {V16: [], V201: expired}[version]
        assert await start(here, 1, "HIS") == {"status": "Accepted"}


@both
async def test_what_is_set_is_done_and_kept(version: str, tmp_path: Path) -> None:
    memory = tmp_path / "charger.json"
    async with street(version, memory=memory) as here:
        if version == V16:
            told = {"key": "MeterValueSampleInterval", "value": "100"}
            assert await here.platform.command("ChangeConfiguration", told) == {"status": "Accepted"}
        else:
            address = {"component": {"name": "SampledDataCtrlr"}, "variable": {"name": "TxUpdatedInterval"}}
            await here.platform.command("SetVariables", {"setVariableData": [address | {"attributeValue": "100"}]})
    async with street(version, memory=memory) as here:
        await start(here)
        await here.pass_time(3 + 350)
        updates = [told for told in here.platform.told("TransactionEvent") if told["eventType"] == "Updated"]
        assert len(here.platform.told("MeterValues") + updates) == 3


@both
async def test_it_shows_life_as_often_as_the_platform_says(version: str) -> None:
    async with street(version) as here:
        await here.pass_time(5 * 540)
        assert len(here.platform.told("Heartbeat")) == 5


@both
async def test_a_lost_connection_is_made_again_without_a_boot(version: str) -> None:
    async with street(version) as here:
        await here.cut_the_line()
        await here.pass_time(10)
        assert len(here.platform.told("BootNotification")) == 1
        assert here.platform.statuses() == ["Available", "Available"]


async def test_a_platform_that_is_not_there_is_tried_again_ever_later() -> None:
    charger = SimulatedCharger(UNREACHABLE, "X", "secret", lambda: NOON, None)
    waits = []
    for _ in range(9):
        await charger.act()
        waits.append((charger.next_due() - NOON).total_seconds())
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_an_event_that_is_refused_again_and_again_is_given_up() -> None:
    async with street(V201) as here:
        await start(here)
        await here.pass_time(5)
        here.platform.refuses.add("TransactionEvent")
        await here.pass_time(120)
        numbers = [told["seqNo"] for told in here.platform.told("TransactionEvent")]
        assert numbers[:5] == [0, 1, 1, 1, 2]
