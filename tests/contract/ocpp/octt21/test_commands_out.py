"""Cases of 2.1 that are one question and its answer, with what the operator sees of it; table by table."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.octt201.station import Station
from tests.contract.ocpp.octt201.test_certificates import install, installed

NETWORK: Final = {
    "configurationSlot": 1,
    "connectionData": {
        "ocppInterface": "Any",
        "ocppTransport": "JSON",
        "messageTimeout": 30,
        "ocppCsmsUrl": "wss://csms.example/ocpp",
        "securityProfile": 1,
        "identity": "OCTT-1",
        "basicAuthPassword": "0123456789abcdef",
    },
}
TEXT: Final = {"id": 3, "priority": "InFront", "message": {"format": "UTF8", "language": "xx", "content": "Hello"}}
TO_HTTP: Final = {"remoteLocation": "http://user:word@logs.example/upload"}
TO_HTTPS: Final = {"remoteLocation": "https://user:word@logs.example/upload"}

TARIFF: Final = {"tariffId": "day", "currency": "EUR", "energy": {"prices": [{"priceKwh": 0.35}]}}
BY_NIGHT: Final = {"startTimeOfDay": "22:00", "endTimeOfDay": "06:00"}
BY_TIME: Final = {
    **TARIFF,
    "energy": {"prices": [{"priceKwh": 0.35}, {"priceKwh": 0.2, "conditions": BY_NIGHT}]},
}
DEFAULT: Final[dict[str, Any]] = {"evseId": 0, "tariff": BY_TIME}


def profile(*, schedule: dict[str, Any] | None = None, period: dict[str, Any] | None = None, **facts: Any) -> Any:
    """SetChargingProfile of 16 A on EVSE 1, with what 2.1 adds to the profile, its schedule or its period."""
    periods = [{"startPeriod": 0, "limit": 16.0, **(period or {})}]
    return {
        "evseId": 1,
        "chargingProfile": {
            "id": 7,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": [
                {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": periods, **(schedule or {})}
            ],
            **facts,
        },
    }


QUESTIONS: Final[dict[str, tuple[str, dict[str, Any], str, str]]] = {
    "TC_B_100": ("SetNetworkProfile", NETWORK, "Accepted", "accepted"),
    "TC_F_100": (
        "TriggerMessage",
        {"requestedMessage": "CustomTrigger", "customTrigger": "SelfTest"},
        "Accepted",
        "accepted",
    ),
    "TC_I_101": ("SetDefaultTariff", DEFAULT, "Accepted", "accepted"),
    "TC_I_102": ("SetDefaultTariff", DEFAULT, "TooManyElements", "rejected"),
    "TC_I_105": ("SetDefaultTariff", DEFAULT, "ConditionNotSupported", "rejected"),
    "TC_I_106": ("SetDefaultTariff", DEFAULT, "DuplicateTariffId", "rejected"),
    "TC_K_100": (
        "SetChargingProfile",
        profile(maxOfflineDuration=600, invalidAfterOfflineDuration=True),
        "Accepted",
        "accepted",
    ),
    "TC_K_101": ("SetChargingProfile", profile(period={"operationMode": "ChargingOnly"}), "Accepted", "accepted"),
    "TC_K_102": (
        "SetChargingProfile",
        profile(schedule={"limitAtSoC": {"soc": 80, "limit": 8.0}}),
        "Accepted",
        "accepted",
    ),
    "TC_K_104": (
        "SetChargingProfile",
        profile(chargingProfilePurpose="PriorityCharging"),
        "Accepted",
        "accepted",
    ),
    "TC_K_106": ("SetChargingProfile", profile(schedule={"randomizedDelay": 60}), "Accepted", "accepted"),
    "TC_N_100": ("GetLog", {"logType": "DataCollectorLog", "log": TO_HTTPS}, "Accepted", "accepted"),
    "TC_N_102": ("GetLog", {"logType": "DiagnosticsLog", "log": TO_HTTP}, "Accepted", "accepted"),
    "TC_N_102_2": ("GetLog", {"logType": "DiagnosticsLog", "log": TO_HTTPS}, "Accepted", "accepted"),
    "TC_O_100": ("SetDisplayMessage", {"message": TEXT}, "LanguageNotSupported", "rejected"),
}


@pytest.mark.parametrize("case", QUESTIONS)
def test_a_question_and_its_answer(station: Station, case: str) -> None:
    """Sent as it was asked, answered with the station's word, and ended as that word means."""
    action, payload, word, state = QUESTIONS[case]
    asked = station.ask(action, payload)
    assert {name: asked.payload[name] for name in payload} == payload
    assert asked.reply(word) == state
    if action == "GetLog":
        for status in ("Uploading", "Uploaded"):
            station.call("LogStatusNotification", {"status": status, "requestId": asked.payload["requestId"]})
        assert asked.progress() == ["Uploading", "Uploaded"]
    if action == "SetChargingProfile":
        [row] = station.kept("charging-profiles")["data"]
        assert row["profile"] == payload["chargingProfile"]


CHANGES: Final[dict[str, tuple[str, str]]] = {
    "TC_I_113": ("TooManyElements", "rejected"),
    "TC_I_114": ("ConditionNotSupported", "rejected"),
    "TC_I_115": ("Accepted", "accepted"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_the_tariff_of_a_transaction_is_changed(station: Station, case: str) -> None:
    """ChangeTransactionTariff names the transaction that runs; what the driver pays us stays our own tariff's."""
    word, state = CHANGES[case]
    transaction = station.transaction().charging()
    asked = station.ask("ChangeTransactionTariff", {"transactionId": transaction.transaction_id, "tariff": BY_TIME})
    assert asked.reply(word) == state
    if state == "accepted":
        transaction.updated("TariffChanged", "Charging", wh=1100, info={"tariffId": "day"})
    transaction.finished()
    assert station.sold()


def test_tc_i_110_tariffs_are_cleared(station: Station) -> None:
    """GetTariffs shows a default tariff, ClearTariffs takes it away, and then there is none."""
    asked = station.ask("GetTariffs", {"evseId": 0})
    known = {"tariffId": "day", "tariffKind": "DefaultTariff", "evseIds": [1, 2]}
    assert asked.reply({"status": "Accepted", "tariffAssignments": [known]}) == "accepted"
    cleared = station.ask("ClearTariffs", {"tariffIds": ["day"]})
    assert cleared.reply({"clearTariffsResult": [{"tariffId": "day", "status": "Accepted"}]}) == "accepted"
    assert station.ask("GetTariffs", {"evseId": 0}).reply("NoTariff") == "accepted"


def test_tc_i_122_what_the_station_reckons(station: Station) -> None:
    """The last event tells the costs as the station reckons them; ours are what is sold."""
    transaction = station.transaction().charging()
    total = {"currency": "EUR", "typeOfCost": "NormalCost", "total": {"inclTax": 99.0}}
    details = {"totalCost": total, "totalUsage": {"energy": 200.0, "chargingTime": 60, "idleTime": 0}}
    answer = transaction.ended("EVCommunicationLost", "EVDisconnected", costDetails=details)
    assert answer["totalCost"] == 0.07
    assert station.sold()


SETTINGS: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "TC_B_105": ({"name": "NetworkConfiguration", "instance": "1"}, {"name": "OcppCsmsUrl"}),
    "TC_K_109": ({"name": "SmartChargingCtrlr"}, {"name": "MaxExternalConstraintsId"}),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_a_variable_that_2_1_adds_is_set(station: Station, case: str) -> None:
    """By SetVariables as any other; it is then shown under its name."""
    component, variable = SETTINGS[case]
    address = {"component": component, "variable": variable}
    asked = station.ask("SetVariables", {"setVariableData": [{**address, "attributeValue": "17"}]})
    assert asked.reply({"setVariableResult": [{**address, "attributeStatus": "Accepted"}]}) == "accepted"
    assert variable["name"] in str([row for row in station.kept("configuration")["data"] if row["value"] == "17"])


def test_tc_k_113_the_schedule_is_negotiated_anew(station: Station) -> None:
    """The operator sends another profile for the transaction; the car (ISO 15118-20) plans again."""
    transaction = station.transaction().charging()
    wanted = profile(chargingProfilePurpose="TxProfile", transactionId=transaction.transaction_id)
    assert station.obeys("SetChargingProfile", wanted)
    schedule = wanted["chargingProfile"]["chargingSchedule"][0]
    payload = {"timeBase": station.now(), "evseId": 1, "chargingSchedule": schedule}
    assert station.call("NotifyEVChargingSchedule", payload) == {"status": "Accepted"}
    transaction.updated("ChargingRateChanged", "Charging", wh=1100)
    transaction.finished()
    assert station.sold()


def test_tc_k_117_a_dynamic_schedule_is_adjusted(station: Station) -> None:
    """A dynamic profile is set, and its limit moved by UpdateDynamicSchedule."""
    wanted = profile(chargingProfileKind="Dynamic")
    assert station.obeys("SetChargingProfile", wanted)
    assert station.obeys("UpdateDynamicSchedule", {"chargingProfileId": 7, "scheduleUpdate": {"limit": 8.0}})


def test_tc_k_118_priority_is_asked_for(station: Station) -> None:
    """UsePriorityCharging for the transaction; the station tells when it is in force."""
    transaction = station.transaction().charging()
    payload = {"transactionId": transaction.transaction_id}
    assert station.obeys("UsePriorityCharging", {**payload, "activate": True})
    assert station.call("NotifyPriorityCharging", {**payload, "activated": True}) == {}
    transaction.finished()
    assert station.sold()


def test_tc_m_101_the_root_of_a_car_maker(station: Station) -> None:
    """InstallCertificate of the kind that 2.1 adds; it is among the station's certificates."""
    assert install(station, "OEMRootCertificate") == "accepted"
    assert installed(station) == ["OEMRootCertificate"]


POWER: Final = {"component": {"name": "ChargingStation"}, "variable": {"name": "Power"}}


def test_tc_n_104_a_monitor_that_follows_a_target(station: Station) -> None:
    """A monitor of the kind TargetDelta is set, reported, and kept."""
    item = {"value": 5.0, "type": "TargetDelta", "severity": 7, **POWER}
    asked = station.ask("SetVariableMonitoring", {"setMonitoringData": [item]})
    result = {"id": 1, "status": "Accepted", "type": "TargetDelta", "severity": 7, **POWER}
    assert asked.reply({"setMonitoringResult": [result]}) == "accepted"
    [row] = station.kept("monitors")["data"]
    assert (row["monitor"]["type"], row["monitor"]["value"]) == ("TargetDelta", 5.0)


def test_tc_n_107_streams_are_listed(station: Station) -> None:
    """GetPeriodicEventStream, with one stream and with none."""
    stream = {"id": 1, "variableMonitoringId": 2, "params": {"interval": 60}}
    assert station.ask("GetPeriodicEventStream").reply({"constantStreamData": [stream]}) == "accepted"
    assert station.ask("GetPeriodicEventStream").reply({}) == "accepted"
