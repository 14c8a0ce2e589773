"""Dynamic QR codes (OCPP 2.1 C25): from the operator's switch to the driver's session, at the wire and over REST."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers.model import web_payments
from tests.contract.ocpp import people
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, Reply, World

CHARGER = "QR:1"


@pytest.fixture
def wire(world: World, operator: Operator) -> Wire:
    place(world, operator, CHARGER)
    wire = Wire(world, CHARGER)
    assert wire.connect(protocols="ocpp2.1")[0] == 200
    return wire


@pytest.fixture
def driver(world: World, operator: Operator) -> str:
    people.price(world, operator)
    person = people.driver(world, operator, cents=2000)
    return world.driver_token(person.driver_id)


def enable(wire: Wire, operator: Operator) -> dict[str, str]:
    """What the charger was told, by the names of its variables."""
    status, body = wire.world.rest.post(f"/v1/chargers/{CHARGER}/web-payments", {}, token=operator.access_token)
    assert status == 202, body
    assert body["payload"] == {}
    [command] = wire.commands()
    assert command[2] == "SetVariables"
    data = command[3]["setVariableData"]
    results = [{"attributeStatus": "Accepted", "component": d["component"], "variable": d["variable"]} for d in data]
    wire.reply(command, {"setVariableResult": results})
    status, body = wire.world.rest.get(f"/v1/commands/{body['command_id']}", token=operator.access_token)
    assert (body["state"], body["payload"]) == ("accepted", {})
    return {d["variable"]["name"]: d["attributeValue"] for d in data}


def code(wire: Wire, told: dict[str, str], *, evse_no: int = 1) -> dict[str, Any]:
    """What the charger shows now, as the driver's page reads it from the URL."""
    password = web_payments.password_at(
        told["SharedSecret"], wire.world.clock.now(), validity_s=int(told["ValidityTime"]), length=int(told["Length"])
    )
    url = told["URLTemplate"]
    for name, value in (("chargingstationid", CHARGER), ("evse", evse_no), ("totp", password), ("version", "v1")):
        url = url.replace(f"{{{name}}}", str(value))
    *_, charger_id, evse, password, version = url.split("/")
    return {"charger_id": charger_id, "evse_no": int(evse), "password": password, "version": version}


def scan(wire: Wire, body: dict[str, Any], driver: str) -> Reply:
    return wire.world.rest.post("/v1/driver/web-payments", body, token=driver)


def test_a_scanned_code_leads_to_its_evse_which_is_kept(wire: Wire, operator: Operator, driver: str) -> None:
    """TC_C_131: scan, the charger is told, and the session starts from afar."""
    told = enable(wire, operator)
    status, view = scan(wire, code(wire, told, evse_no=2), driver)
    assert status == 200, view
    assert (view["charger_id"], view["evse_no"]) == (CHARGER, 2)
    [command] = wire.commands()
    assert command[2:] == ["NotifyWebPaymentStarted", {"evseId": 2, "timeout": 300}]
    wire.reply(command, {})
    status, session = wire.world.rest.post(
        "/v1/driver/sessions", {"charger_id": CHARGER, "evse_no": 2}, token=driver, key="scan-1"
    )
    assert status == 201, session
    [command] = wire.commands()
    assert (command[2], command[3]["evseId"]) == ("RequestStartTransaction", 2)


def test_a_code_may_be_a_minute_old_and_no_more(wire: Wire, operator: Operator, driver: str) -> None:
    shown = code(wire, enable(wire, operator))
    wire.world.advance(60)
    assert scan(wire, shown, driver).status == 200
    wire.world.advance(60)
    assert_refused(wire, shown, driver)


@pytest.mark.parametrize(
    "change",
    [
        {"password": "0" * 12},
        {"password": ""},
        {"version": "v2"},
        {"evse_no": 0},
        {"evse_no": 3},
        {"charger_id": "NOBODY"},
        {"charger_id": ""},
    ],
)
def test_a_forged_code_leads_nowhere(wire: Wire, operator: Operator, driver: str, change: dict[str, Any]) -> None:
    """TC_C_132, TC_C_133: wrong parameters or a wrong password; nothing is told to the charger."""
    assert_refused(wire, {**code(wire, enable(wire, operator)), **change}, driver)
    assert wire.commands() == []


def test_the_code_of_one_charger_is_not_good_at_another(
    world: World, wire: Wire, operator: Operator, driver: str
) -> None:
    place(world, operator, "QR:2")
    assert_refused(wire, {**code(wire, enable(wire, operator)), "charger_id": "QR:2"}, driver)


def test_a_charger_of_an_older_version_cannot_be_told(world: World, operator: Operator) -> None:
    place(world, operator, "OLD-2")
    wire = Wire(world, "OLD-2")
    wire.connect(protocols="ocpp2.0.1")
    _, body = world.rest.post("/v1/chargers/OLD-2/web-payments", {}, token=operator.access_token)
    assert wire.commands() == []
    _, body = world.rest.get(f"/v1/commands/{body['command_id']}", token=operator.access_token)
    assert (body["state"], body["error"]) == ("failed", "set_web_payments cannot be sent to this charger")


def test_another_operators_charger_is_not_to_be_found(world: World, wire: Wire) -> None:
    stranger = world.operator()
    assert world.rest.post(f"/v1/chargers/{CHARGER}/web-payments", {}, token=stranger.access_token).status == 404


def assert_refused(wire: Wire, body: dict[str, Any], driver: str) -> None:
    status, problem = scan(wire, body, driver)
    assert (status, problem["code"]) == (422, "web_payment.invalid")
