"""What the answers to an operator's commands tell is kept; what they do not tell changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Command
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.v201.commands.routes import COMMANDS
from chalicelib.ocpp.version import Answer
from tests.site import Site

HEARTBEAT = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
TIMEOUT = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "MessageTimeout"}}
HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa" * 32, "issuerKeyHash": "bb" * 32, "serialNumber": "01"}
PROFILE = {"id": 7, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile", "chargingProfileKind": "Relative"}
MONITOR = {"value": 10.0, "type": "Delta", "severity": 5, **HEARTBEAT}
MESSAGE = {"id": 3, "priority": "InFront", "message": {"format": "UTF8", "content": "Hello"}}


@pytest.fixture(autouse=True)
def connected(site: Site) -> None:
    """By 2.0.1."""
    site.world.commit(lambda uow: chargers.open_connection(uow, site.charger, "conn-2=", "ocpp2.0.1"))


def told(site: Site, action: str, asked: dict[str, Any], answer: dict[str, Any], *, accepted: bool = True) -> None:
    """The charger answers a command that an operator asked for."""
    now = site.world.ctx.now()
    command = Command("cmd_1", site.charger.charger_id, site.charger.operator_id, action, asked, "usr_1", now, now)
    keep = COMMANDS[action].on_answer
    assert keep is not None
    site.world.commit(lambda uow: keep(uow, command, Answer(accepted, "", answer)))


def variables(site: Site) -> dict[str, str | None]:
    known = chargers.get_configuration(site.world.ctx, site.charger).known
    return {variable.name: variable.value for variable in known.values()}


def keys(site: Site, noun: Any) -> list[str]:
    return list(maintenance.list_entries(site.world.ctx, site.charger.charger_id, noun).entries)


ASKED: dict[str, tuple[dict[str, Any], Any]] = {
    "ClearChargingProfile": ({"chargingProfileId": 7}, "charging_profile"),
    "ClearDisplayMessage": ({"id": 3}, "display_message"),
    "ClearVariableMonitoring": ({"id": [4]}, "monitor"),
    "DeleteCertificate": ({"certificateHashData": HASHES}, "certificate"),
}
GONE: dict[str, dict[str, Any]] = {
    "ClearChargingProfile": {"status": "Unknown"},
    "ClearDisplayMessage": {"status": "Unknown"},
    "ClearVariableMonitoring": {"clearMonitoringResult": [{"id": 4, "status": "NotFound"}]},
    "DeleteCertificate": {"status": "NotFound"},
}
KEPT: dict[str, dict[str, Any]] = {
    "ClearVariableMonitoring": {"clearMonitoringResult": [{"id": 4, "status": "Rejected"}]},
    "DeleteCertificate": {"status": "Failed"},
}


@pytest.fixture
def stocked(site: Site) -> Site:
    """The charger has one of each."""
    told(site, "SetChargingProfile", {"evseId": 1, "chargingProfile": PROFILE}, {"status": "Accepted"})
    told(site, "SetDisplayMessage", {"message": MESSAGE}, {"status": "Accepted"})
    result = {"id": 4, "status": "Accepted", "type": "Delta", "severity": 5, **HEARTBEAT}
    told(site, "SetVariableMonitoring", {"setMonitoringData": [MONITOR]}, {"setMonitoringResult": [result]})
    chain = {"certificateType": "CSMSRootCertificate", "certificateHashData": HASHES}
    told(site, "GetInstalledCertificateIds", {}, {"status": "Accepted", "certificateHashDataChain": [chain]})
    assert all(len(keys(site, noun)) == 1 for _, noun in ASKED.values())
    return site


@pytest.mark.parametrize("action", ASKED)
def test_what_the_charger_does_not_know_is_forgotten(stocked: Site, action: str) -> None:
    asked, noun = ASKED[action]
    told(stocked, action, asked, GONE[action], accepted=False)
    assert keys(stocked, noun) == []


@pytest.mark.parametrize("action", ASKED)
def test_silence_and_refusals_change_nothing(stocked: Site, action: str) -> None:
    asked, noun = ASKED[action]
    told(stocked, action, asked, KEPT.get(action, {}), accepted=False)
    told(stocked, action, asked, {}, accepted=False)
    assert len(keys(stocked, noun)) == 1


@pytest.mark.parametrize("action", [action for action, route in COMMANDS.items() if route.on_answer is not None])
def test_no_answer_is_survived_by_all(site: Site, action: str) -> None:
    told(site, action, {}, {}, accepted=False)


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({}, []),
        ({"chargingProfileId": [7]}, []),
        ({"stackLevel": 1}, ["7"]),
        ({"chargingProfileId": [7, 8]}, ["7"]),
        ({"chargingLimitSource": ["EMS"]}, ["7"]),
    ],
)
def test_profiles_that_are_not_found_are_not_there(stocked: Site, criteria: dict[str, Any], left: list[str]) -> None:
    told(stocked, "GetChargingProfiles", {"requestId": 1, "chargingProfile": criteria}, {"status": "NoProfiles"})
    assert keys(stocked, "charging_profile") == left


def test_a_monitor_is_kept_with_what_it_watches_for(stocked: Site) -> None:
    inventory = maintenance.list_entries(stocked.world.ctx, stocked.charger.charger_id, "monitor")
    assert inventory.entries["4"].data["value"] == 10.0


def test_values_that_were_read_are_kept(site: Site) -> None:
    results = [
        {**HEARTBEAT, "attributeStatus": "Accepted", "attributeValue": "540"},
        {**HEARTBEAT, "attributeStatus": "Accepted", "attributeValue": "9", "attributeType": "Target"},
        {**TIMEOUT, "attributeStatus": "Rejected"},
    ]
    told(site, "GetVariables", {"getVariableData": []}, {"getVariableResult": results})
    assert variables(site) == {"OCPPCommCtrlr/HeartbeatInterval": "540"}


def test_values_that_were_taken_at_once_are_kept(site: Site) -> None:
    """Of three, one is taken, one waits for a reboot, one is a bound and not a value."""
    asked = [
        {**HEARTBEAT, "attributeValue": "540"},
        {**TIMEOUT, "attributeValue": "30"},
        {**TIMEOUT, "attributeValue": "60", "attributeType": "MaxSet"},
    ]
    results = [
        {**HEARTBEAT, "attributeStatus": "Accepted"},
        {**TIMEOUT, "attributeStatus": "RebootRequired"},
        {**TIMEOUT, "attributeStatus": "Accepted", "attributeType": "MaxSet"},
    ]
    told(site, "SetVariables", {"setVariableData": asked}, {"setVariableResult": results})
    assert variables(site) == {"OCPPCommCtrlr/HeartbeatInterval": "540"}


@pytest.mark.parametrize(("status", "expected"), [("Accepted", 2), ("Rejected", None)])
def test_a_network_profile_raises_what_is_expected(site: Site, status: str, expected: int | None) -> None:
    asked = {"configurationSlot": 1, "connectionData": {"securityProfile": 2}}
    told(site, "SetNetworkProfile", asked, {"status": status}, accepted=status == "Accepted")
    charger = chargers.require_charger(site.world.ctx, site.charger.charger_id)
    assert charger.next_security_profile == expected


def test_a_charger_that_is_gone_is_nobodys_trouble(site: Site) -> None:
    now = site.world.ctx.now()
    command = Command("cmd_1", "NOBODY", site.charger.operator_id, "ClearDisplayMessage", {"id": 3}, "usr_1", now, now)
    keep = COMMANDS["ClearDisplayMessage"].on_answer
    assert keep is not None
    site.world.commit(lambda uow: keep(uow, command, Answer(True, "", {"status": "Accepted"})))
