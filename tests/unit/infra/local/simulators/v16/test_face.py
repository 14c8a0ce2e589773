"""What the simulated charger answers to the commands of OCPP 1.6. Every frame is checked against its schema."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.simulators.device_model import MAX_LIST_UPDATE, MAX_READ
from tests.unit.infra.local.simulators.scripted_platform import POWER_W, street

V16 = "ocpp1.6"
ENTRIES = "LocalAuthListCtrlr/Entries"
ACCEPTED, REJECTED = {"status": "Accepted"}, {"status": "Rejected"}


def profile(limit_w: int, purpose: str = "TxDefaultProfile") -> dict[str, Any]:
    periods = [{"startPeriod": 0, "limit": limit_w}]
    return {
        "chargingProfileId": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Relative",
        "chargingSchedule": {"chargingRateUnit": "W", "chargingSchedulePeriod": periods},
    }


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("CancelReservation", {"reservationId": 1}, REJECTED),
        ("ChangeAvailability", {"connectorId": 3, "type": "Operative"}, REJECTED),
        ("ChangeConfiguration", {"key": "Colour", "value": "red"}, {"status": "NotSupported"}),
        ("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "3"}, REJECTED),
        ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "often"}, REJECTED),
        ("ChangeConfiguration", {"key": "AuthorizationKey", "value": "no hex, but long enough"}, REJECTED),
        ("ChangeConfiguration", {"key": "AuthorizationKey", "value": "ab" * 10}, REJECTED),
        ("ClearCache", {}, ACCEPTED),
        ("ClearChargingProfile", {}, {"status": "Unknown"}),
        ("DataTransfer", {"vendorId": "x"}, {"status": "UnknownVendorId"}),
        ("GetConfiguration", {"key": ["k"] * (MAX_READ + 1)}, "OccurenceConstraintViolation"),
        ("GetLocalListVersion", {}, {"listVersion": 0}),
        ("RemoteStartTransaction", {"connectorId": 3, "idTag": "A"}, REJECTED),
        ("RemoteStartTransaction", {"idTag": "A"}, ACCEPTED),
        ("RemoteStopTransaction", {"transactionId": 1}, REJECTED),
        (
            "ReserveNow",
            {"connectorId": 0, "expiryDate": "2026-03-02T13:00:00Z", "idTag": "A", "reservationId": 1},
            REJECTED,
        ),
        (
            "ReserveNow",
            {"connectorId": 1, "expiryDate": "2026-03-02T11:00:00Z", "idTag": "A", "reservationId": 1},
            REJECTED,
        ),
        ("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile(5000, "TxProfile")}, REJECTED),
        ("SetChargingProfile", {"connectorId": 3, "csChargingProfiles": profile(5000)}, REJECTED),
        ("TriggerMessage", {"requestedMessage": "DiagnosticsStatusNotification"}, {"status": "NotImplemented"}),
        ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 3}, REJECTED),
        ("UnlockConnector", {"connectorId": 1}, {"status": "Unlocked"}),
        ("UnlockConnector", {"connectorId": 3}, {"status": "NotSupported"}),
        ("GetDiagnostics", {"location": "ftp://x"}, "NotSupported"),
        ("ExtendedTriggerMessage", {"requestedMessage": "Heartbeat"}, "NotSupported"),
        ("RequestStartTransaction", {}, "NotImplemented"),
        ("Reset", {}, "FormationViolation"),
        (
            "ReserveNow",
            {"connectorId": 1, "expiryDate": "soon", "idTag": "A", "reservationId": 1},
            "FormationViolation",
        ),
    ],
)
async def test_an_answer(action: str, payload: dict[str, Any], answer: object) -> None:
    async with street(V16) as here:
        assert await here.platform.command(action, payload) == answer


async def test_all_of_its_configuration_without_its_secret() -> None:
    async with street(V16) as here:
        told = await here.platform.command("GetConfiguration", {})
        values = {entry["key"]: entry.get("value") for entry in told["configurationKey"]}
        assert (values["NumberOfConnectors"], values["HeartbeatInterval"]) == ("2", "540")
        assert values["AuthorizationKey"] is None
        some = await here.platform.command("GetConfiguration", {"key": ["numberofconnectors", "Colour"]})
        assert some == {
            "configurationKey": [{"key": "NumberOfConnectors", "readonly": True, "value": "2"}],
            "unknownKey": ["Colour"],
        }


async def test_a_limit_is_obeyed_from_then_on_and_lifted() -> None:
    async with street(V16) as here:
        await here.platform.command("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
        await here.pass_time(3 + 60)
        for limit_w in (6000, 0):
            set_to = {"connectorId": 0, "csChargingProfiles": profile(limit_w)}
            assert await here.platform.command("SetChargingProfile", set_to) == ACCEPTED
            await here.pass_time(60)
        assert await here.platform.command("ClearChargingProfile", {"id": 1}) == ACCEPTED
        await here.pass_time(60)
        assert here.platform.statuses()[-3:] == ["Charging", "SuspendedEVSE", "Charging"]
        register_wh = here.charger.hardware.evses[1].register_wh
        assert abs(register_wh - (POWER_W + 6000 + 0 + POWER_W) // 60) <= 2


async def test_a_local_list_grows_step_by_step() -> None:
    def update(version: int, kind: str, **entries: bool) -> dict[str, Any]:
        info = {"idTagInfo": {"status": "Accepted"}}
        told = [{"idTag": id_tag} | (info if stays else {}) for id_tag, stays in entries.items()]
        return {"listVersion": version, "updateType": kind, "localAuthorizationList": told}

    async with street(V16) as here:
        send = [
            update(1, "Full", A=True, B=True),
            update(2, "Differential", A=False),
            update(2, "Differential", C=True),
            update(3, "Differential", **{f"T{number}": True for number in range(MAX_LIST_UPDATE + 1)}),
        ]
        answers = [await here.platform.command("SendLocalList", each) for each in send]
        assert [answer["status"] for answer in answers] == ["Accepted", "Accepted", "VersionMismatch", "Failed"]
        assert await here.platform.command("GetLocalListVersion", {}) == {"listVersion": 2}
        assert "1" in [known.value for known in here.charger.hardware.variables.all() if known.name == ENTRIES]


async def test_what_is_triggered_is_told_after_the_answer() -> None:
    async with street(V16) as here:
        await here.platform.command("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
        await here.pass_time(3 + 5)
        for message in ("Heartbeat", "MeterValues", "StatusNotification"):
            asked = {"requestedMessage": message}
            before = len(here.platform.heard)
            assert await here.platform.command("TriggerMessage", asked) == ACCEPTED
            await here.pass_time(0)
            assert {action for action, _ in here.platform.heard[before:]} == {message}
        first, second = here.platform.told("MeterValues")
        assert (first["connectorId"], first["transactionId"]) == (1, 4711)
        assert (second["connectorId"], "transactionId" in second) == (2, False)


async def test_an_unlocked_connector_ends_its_charge() -> None:
    async with street(V16) as here:
        await here.platform.command("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
        await here.pass_time(10)
        await here.platform.command("UnlockConnector", {"connectorId": 1})
        await here.pass_time(0)
        assert [told["reason"] for told in here.platform.told("StopTransaction")] == ["UnlockCommand"]


async def test_taken_out_of_service_after_the_charge_that_runs() -> None:
    async with street(V16) as here:
        await here.platform.command("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
        await here.pass_time(10)
        out = {"connectorId": 0, "type": "Inoperative"}
        assert await here.platform.command("ChangeAvailability", out) == {"status": "Scheduled"}
        await here.pass_time(0)
        assert (here.platform.statuses()[-1], here.platform.statuses(2)[-1]) == ("Charging", "Unavailable")
        await here.platform.command("RemoteStopTransaction", {"transactionId": 4711})
        await here.pass_time(0)
        assert here.platform.statuses()[-1] == "Unavailable"
        start = {"connectorId": 1, "idTag": "A"}
        assert await here.platform.command("RemoteStartTransaction", start) == REJECTED
        assert await here.platform.command("ChangeAvailability", out | {"type": "Operative"}) == ACCEPTED
        assert await here.platform.command("RemoteStartTransaction", start) == ACCEPTED


async def test_a_start_with_a_profile_is_limited_while_it_lasts() -> None:
    async with street(V16) as here:
        start = {"connectorId": 1, "idTag": "A", "chargingProfile": profile(6000, "TxProfile")}
        assert await here.platform.command("RemoteStartTransaction", start) == ACCEPTED
        await here.pass_time(3 + 600)
        await here.platform.command("RemoteStopTransaction", {"transactionId": 4711})
        await here.pass_time(0)
        assert [told["meterStop"] for told in here.platform.told("StopTransaction")] == [1000]
        assert await here.platform.command("ClearChargingProfile", {}) == {"status": "Unknown"}


async def test_a_reservation_is_told_with_the_start_that_it_was_for() -> None:
    async with street(V16) as here:
        reserve = {"connectorId": 1, "expiryDate": "2026-03-02T13:00:00Z", "idTag": "A", "reservationId": 9}
        assert await here.platform.command("ReserveNow", reserve) == ACCEPTED
        assert await here.platform.command("ReserveNow", reserve | {"reservationId": 8}) == {"status": "Occupied"}
        await here.platform.command("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
        await here.pass_time(5)
        assert [told["reservationId"] for told in here.platform.told("StartTransaction")] == [9]
        assert await here.platform.command("CancelReservation", {"reservationId": 9}) == REJECTED
        assert await here.platform.command("ReserveNow", reserve) == {"status": "Occupied"}
