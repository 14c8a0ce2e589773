"""Block N, first part: variables that are watched, and what they report."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tests.contract.ocpp.octt201.station import Station

POWER: Final = {"component": {"name": "ChargingStation"}, "variable": {"name": "Power"}}
EVSE_POWER: Final = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Power"}}
DELTA: Final = {"monitoringCriteria": ["DeltaMonitoring"]}

REPORTS: Final[dict[str, list[dict[str, Any]]]] = {
    "TC_N_01": [DELTA, {"monitoringCriteria": ["ThresholdMonitoring"]}, {"monitoringCriteria": ["PeriodicMonitoring"]}],
    "TC_N_02": [{"componentVariable": [POWER]}, {"componentVariable": [EVSE_POWER]}],
    "TC_N_03": [{**DELTA, "componentVariable": [EVSE_POWER]}],
    "TC_N_47": [{}],
    "TC_N_60": [{**DELTA, "componentVariable": [POWER, EVSE_POWER]}],
}


@pytest.mark.parametrize("case", REPORTS)
def test_monitors_are_asked_for(station: Station, case: str) -> None:
    """By kind, by variable, by both, or all: each question says just that, and its report is kept."""
    for number, request in enumerate(REPORTS[case], start=1):
        asked = station.ask("GetMonitoringReport", request)
        request_id = asked.payload["requestId"]
        assert asked.payload == {"requestId": request_id, **request}
        assert asked.reply() == "accepted"
        monitor = {"id": number, "transaction": False, "value": 1.0, "type": "Delta", "severity": 5}
        part = {
            "requestId": request_id,
            "generatedAt": station.now(),
            "seqNo": 0,
            "monitor": [{**POWER, "variableMonitoring": [monitor]}],
        }
        assert station.call("NotifyMonitoringReport", part) == {}
        assert asked.progress() != []
    assert watched(station) == [*range(1, len(REPORTS[case]) + 1)]


def watched(station: Station) -> list[int]:
    return sorted(row["monitor_id"] for row in station.kept("monitors")["data"])


def test_tc_n_05_which_monitors_are_active(station: Station) -> None:
    """All, those of the factory, those that are wired: each is told, and accepted."""
    for base in ("All", "FactoryDefault", "HardWiredOnly"):
        asked = station.ask("SetMonitoringBase", {"monitoringBase": base})
        assert asked.payload == {"monitoringBase": base}
        assert asked.reply() == "accepted"


def watch(station: Station, *items: dict[str, Any]) -> str:
    """The station gives the monitors the numbers 1, 2 ..."""
    asked = station.ask("SetVariableMonitoring", {"setMonitoringData": list(items)})
    results = [
        {
            "id": number,
            "status": "Accepted",
            **{name: item[name] for name in ("type", "severity", "component", "variable")},
        }
        for number, item in enumerate(items, start=1)
    ]
    return asked.reply({"setMonitoringResult": results})


def monitor(address: dict[str, Any] = POWER, kind: str = "Delta", value: float = 1) -> dict[str, Any]:
    return {"value": value, "type": kind, "severity": 8, **address}


MONITORS: Final[dict[str, list[dict[str, Any]]]] = {
    "TC_N_08": [monitor()],
    "TC_N_09": [monitor(), monitor(EVSE_POWER, "UpperThreshold", 11000)],
}


@pytest.mark.parametrize("case", MONITORS)
def test_monitors_are_set(station: Station, case: str) -> None:
    """One or several in a message; they are kept under the station's numbers, with what they watch for."""
    assert watch(station, *MONITORS[case]) == "accepted"
    rows = station.kept("monitors")["data"]
    assert [row["monitor_id"] for row in rows] == [*range(1, len(MONITORS[case]) + 1)]
    assert [row["monitor"]["value"] for row in rows] == [item["value"] for item in MONITORS[case]]


LEVELS: Final[dict[str, tuple[int, str, str]]] = {
    "TC_N_16": (4, "Accepted", "accepted"),
    "TC_N_17": (10, "Rejected", "rejected"),
}


@pytest.mark.parametrize("case", LEVELS)
def test_a_level_is_set(station: Station, case: str) -> None:
    """Which severities are reported; a level that does not exist is rejected by the station."""
    severity, status, state = LEVELS[case]
    assert station.ask("SetMonitoringLevel", {"severity": severity}).reply(status) == state


def clear(station: Station, *ids: int, status: str = "Accepted") -> str:
    asked = station.ask("ClearVariableMonitoring", {"id": list(ids)})
    return asked.reply({"clearMonitoringResult": [{"id": number, "status": status} for number in ids]})


def test_tc_n_18_cleared_in_two_messages(station: Station) -> None:
    """For a station that takes one number at a time, two are cleared in two messages."""
    assert watch(station, monitor(), monitor(EVSE_POWER)) == "accepted"
    assert clear(station, 1) == "accepted"
    assert watched(station) == [2]
    assert clear(station, 2) == "accepted"
    assert watched(station) == []


def test_tc_n_44_not_cleared(station: Station) -> None:
    """The station keeps a monitor; the operator sees which, and it stays in the list."""
    assert watch(station, monitor()) == "accepted"
    assert clear(station, 1, status="Rejected") == "rejected"
    assert watched(station) == [1]


EVENTS: Final[dict[str, dict[str, Any]]] = {
    "TC_N_21": {"trigger": "Alerting", "eventNotificationType": "HardWiredMonitor"},
    "TC_N_24": {"trigger": "Periodic", "eventNotificationType": "CustomMonitor", "variableMonitoringId": 1},
    "TC_N_48": {"trigger": "Delta", "eventNotificationType": "CustomMonitor", "actualValue": ""},
    "TC_N_49": {"trigger": "Alerting", "eventNotificationType": "CustomMonitor", "cleared": True},
    "TC_N_50": {"trigger": "Periodic", "eventNotificationType": "CustomMonitor", "variableMonitoringId": 1},
}


@pytest.mark.parametrize("case", EVENTS)
def test_a_monitor_reports(station: Station, case: str) -> None:
    """An alert, a period, a change of a variable that cannot be read, an alert that is over after a reboot: answered
    with nothing, and in the station's journal."""
    if case == "TC_N_24":
        assert watch(station, monitor(kind="Periodic", value=60)) == "accepted"
    if case in ("TC_N_49", "TC_N_50"):
        station.reboot("PowerUp")
    event = {"eventId": 1, "timestamp": station.now(), "actualValue": "11000", **POWER, **EVENTS[case]}
    assert station.call("NotifyEvent", {"generatedAt": station.now(), "seqNo": 0, "eventData": [event]}) == {}
    [kept] = station.kept("events?kind=device")["data"]
    assert "ChargingStation/Power" in kept["summary"]
