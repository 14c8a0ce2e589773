"""Local authorization list: what the charger may accept while it is offline."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from tests.contract.ocpp import people
from tests.contract.ocpp.octt16.scripted import CARD, ScriptedCharger

FULL = {
    "listVersion": 1,
    "localAuthorizationList": [{"idTag": CARD, "idTagInfo": {"status": "Accepted"}}],
    "updateType": "Full",
}


def local_list(charger: ScriptedCharger) -> Any:
    """What the operator sees of it."""
    return charger.read("/v1/chargers/WIRE-1/local-list")


def test_tc_042_1_csms(charger: ScriptedCharger) -> None:
    """A charger that keeps no list says -1, and is known for it."""
    assert charger.ask("GetLocalListVersion").reply({"listVersion": -1}) == "accepted"
    assert local_list(charger)["state"] == "not_supported"


def test_tc_042_2_csms(charger: ScriptedCharger) -> None:
    """A charger whose list is empty says 0."""
    assert charger.ask("GetLocalListVersion").reply({"listVersion": 0}) == "accepted"
    assert (local_list(charger)["version"], local_list(charger)["entry_count"]) == (0, 0)


def test_tc_043_1_csms(charger: ScriptedCharger) -> None:
    """A list for a charger that keeps none."""
    assert charger.ask("SendLocalList", FULL).reply({"status": "NotSupported"}) == "rejected"
    assert local_list(charger)["version"] == 0


def test_tc_043_3_csms(charger: ScriptedCharger) -> None:
    """The charger could not store the list."""
    assert charger.ask("SendLocalList", FULL).reply({"status": "Failed"}) == "rejected"
    assert local_list(charger)["version"] == 0


def test_tc_043_4_csms(charger: ScriptedCharger) -> None:
    """A whole list, in the place of whatever the charger had."""
    assert charger.ask("SendLocalList", FULL).reply({"status": "Accepted"}) == "accepted"
    assert local_list(charger)["version"] == 1


def test_tc_043_5_csms(charger: ScriptedCharger) -> None:
    """A whole list, then one with a higher version that carries the one change. The order of the members is kept."""
    assert charger.ask("SendLocalList", FULL).reply({"status": "Accepted"}) == "accepted"
    change = {
        "listVersion": 2,
        "localAuthorizationList": [{"idTag": "CARD-2", "idTagInfo": {"status": "Blocked"}}],
        "updateType": "Differential",
    }
    asked = charger.ask("SendLocalList", change)
    assert list(asked.payload) == ["listVersion", "localAuthorizationList", "updateType"]
    assert asked.payload == change
    assert asked.reply({"status": "Accepted"}) == "accepted"
    assert local_list(charger)["version"] == 2


def synchronize(charger: ScriptedCharger) -> Any:
    """The operator has the charger told which cards are active; gives the CALL."""
    path = "/v1/chargers/WIRE-1/local-list"
    reply = charger.world.rest.post(path, {}, token=charger.operator.access_token)
    assert (reply.status, reply.body["state"]) == (202, "synchronizing")
    [call] = charger.received()
    assert call[2] == "SendLocalList"
    assert list(call[3]) == ["listVersion", "localAuthorizationList", "updateType"]
    return call


def test_the_active_cards_are_the_list(charger: ScriptedCharger) -> None:
    """What the charger accepted is what it is shown to have; the next time only what changed is sent."""
    call = synchronize(charger)
    [entry] = call[3]["localAuthorizationList"]
    assert call[3] == {**FULL, "localAuthorizationList": [entry]}
    assert (entry["idTag"], entry["idTagInfo"]["status"]) == (CARD, "Accepted")
    charger.wire.reply(call, {"status": "Accepted"})
    shown = local_list(charger)
    assert (shown["state"], shown["version"], shown["entry_count"]) == ("synchronized", 1, 1)
    person = people.driver(charger.world, charger.operator, cents=100, card="CARD-2")
    group = drivers.driver_group(person.driver_id)
    added = {"idTag": "CARD-2", "idTagInfo": {"status": "Accepted", "parentIdTag": group}}
    changed = {"listVersion": 2, "localAuthorizationList": [added], "updateType": "Differential"}
    assert synchronize(charger)[3] == changed


@pytest.mark.parametrize(("answer", "state"), [("NotSupported", "not_supported"), ("Rejected", "failed")])
def test_a_list_that_did_not_land_is_not_shown(charger: ScriptedCharger, answer: str, state: str) -> None:
    """What the charger refused, or did not understand, is not what it has."""
    call = synchronize(charger)
    charger.wire.send(json.dumps([3, call[1], {"status": answer}]))
    shown = local_list(charger)
    assert (shown["state"], shown["version"]) == (state, 0)


def test_a_list_that_the_operator_wrote_is_known_to_be_there(charger: ScriptedCharger) -> None:
    """Version and all: it is not ours any more."""
    charger.wire.reply(synchronize(charger), {"status": "Accepted"})
    charger.ask("SendLocalList", {**FULL, "listVersion": 7}).reply({"status": "Accepted"})
    assert (local_list(charger)["state"], local_list(charger)["version"]) == ("outdated", 7)


def test_a_charger_that_lost_its_list_is_found_out(charger: ScriptedCharger) -> None:
    charger.wire.reply(synchronize(charger), {"status": "Accepted"})
    charger.ask("GetLocalListVersion").reply({"listVersion": 0})
    assert (local_list(charger)["state"], local_list(charger)["version"]) == ("outdated", 0)
