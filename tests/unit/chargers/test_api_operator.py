"""The network by REST, as the people see it who run it."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Accepted
from tests.unit.chargers.conftest import basic
from tests.world import Operator, Reply, World, encoded

LOCATION = {
    "name": "Depot",
    "address": "Ringstraße 1",
    "city": "Köln",
    "country": "DE",
    "time_zone": "Europe/Berlin",
    "postal_code": "50667",
    "coordinates": {"latitude": "50.9413", "longitude": "6.9583"},
}


def add_location(world: World, operator: Operator, **changes: Any) -> str:
    status, body = world.rest.post("/v1/locations", LOCATION | changes, token=operator.access_token)
    assert status == 201, body
    return str(body["location_id"])


def register(world: World, operator: Operator, charger_id: str = "CP-1", **fields: Any) -> dict[str, Any]:
    status, body = world.rest.post("/v1/chargers", {"charger_id": charger_id, **fields}, token=operator.access_token)
    assert status == 201, body
    return dict(body)


def knock_without_password(world: World, identity: str) -> None:
    world.commit(
        lambda uow: chargers.check_handshake(
            uow, identity=identity, authorization=None, offered_protocols=[], source_ip="192.0.2.9"
        )
    )


def ids(body: dict[str, Any]) -> list[str]:
    return [entry["charger_id"] for entry in body["data"]]


def test_a_location_is_added_read_changed_and_listed(world: World) -> None:
    operator = world.operator()
    location_id = add_location(world, operator)
    status, body = world.rest.get(f"/v1/locations/{location_id}", token=operator.access_token)
    assert status == 200
    assert {name: body[name] for name in LOCATION} == LOCATION
    patch = {"name": "Depot 2", "postal_code": None, "coordinates": None}
    status, body = world.rest.patch(f"/v1/locations/{location_id}", patch, token=operator.access_token)
    assert (status, body["name"], body["postal_code"], body["coordinates"]) == (200, "Depot 2", None, None)
    status, body = world.rest.get("/v1/locations", token=operator.access_token)
    assert [entry["name"] for entry in body["data"]] == ["Depot 2"]
    assert body["data"][0]["city"] == "Köln"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"country": "Germany"}, "/country"),
        ({"coordinates": {"latitude": "91", "longitude": "0"}}, "/coordinates/latitude"),
        ({"coordinates": {"latitude": "90.1", "longitude": "0"}}, "/coordinates/latitude"),
        ({"coordinates": {"latitude": "0", "longitude": "-180.5"}}, "/coordinates/longitude"),
        ({"coordinates": {"latitude": "1"}}, "/coordinates/longitude"),
        ({"name": ""}, "/name"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_locations_that_are_refused(world: World, changes: dict[str, Any], pointer: str) -> None:
    operator = world.operator()
    status, body = world.rest.post("/v1/locations", LOCATION | changes, token=operator.access_token)
    assert (status, body["errors"][0]["pointer"]) == (422, pointer)
    assert world.rest.get("/v1/locations", token=operator.access_token).body["data"] == []


def test_registering_answers_with_what_the_installer_needs_and_shows_the_password_once(world: World) -> None:
    operator = world.operator()
    body = register(world, operator, "DE*ICE|1", evse_count=2, serial_number="SN1", uid="U1", region="NRW")
    connection = body["connection"]
    assert connection["identity"] == connection["username"] == "DE*ICE|1"
    assert connection["full_url"] == connection["url"] + "/" + encoded("DE*ICE|1")
    assert 20 <= len(connection["password"]) <= 40
    assert (body["registered"], body["registration_status"]) == (False, "pending")
    assert [(evse["evse_no"], evse["letter"]) for evse in body["evses"]] == [(1, "A"), (2, "B")]
    codes = {evse["qr_code"] for evse in body["evses"]}
    assert len(codes) == 2
    status, read = world.rest.get(f"/v1/chargers/{encoded('DE*ICE|1')}", token=operator.access_token)
    assert status == 200
    assert connection["password"] not in str(read)
    assert "connection" not in read


def test_the_password_that_was_shown_opens_the_door(world: World) -> None:
    password = register(world, world.operator())["connection"]["password"]
    outcome = world.commit(
        lambda uow: chargers.check_handshake(
            uow,
            identity="CP-1",
            authorization=basic("CP-1", password),
            offered_protocols=["ocpp1.6"],
            source_ip="192.0.2.1",
        )
    )
    assert isinstance(outcome, Accepted)
    assert outcome.charger.charger_id == "CP-1"


def test_a_password_may_be_brought_and_rotated(world: World) -> None:
    operator = world.operator()
    body = register(world, operator, password="brought-password-1")
    assert body["connection"]["password"] == "brought-password-1"
    status, rotated = world.rest.post("/v1/chargers/cp-1/password", {}, token=operator.access_token)
    assert status == 200
    assert rotated["identity"] == "CP-1"
    assert rotated["password"] != "brought-password-1"


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"charger_id": "a/b"}, "/charger_id"),
        ({"charger_id": ""}, "/charger_id"),
        ({"evse_count": 0}, "/evse_count"),
        ({"evse_count": 33}, "/evse_count"),
        ({"password": "short"}, "/password"),
        ({"password": "with blanks in it 1"}, "/password"),
        ({"password": "trailing-newline-1\n"}, "/password"),
    ],
)
def test_chargers_that_are_refused(world: World, fields: dict[str, Any], pointer: str) -> None:
    operator = world.operator()
    status, body = world.rest.post("/v1/chargers", {"charger_id": "CP-1"} | fields, token=operator.access_token)
    assert (status, body["errors"][0]["pointer"]) == (422, pointer)
    assert ids(world.rest.get("/v1/chargers", token=operator.access_token).body) == []


def test_32_evses_fit_one_registration(world: World) -> None:
    body = register(world, world.operator(), evse_count=32)
    assert len({evse["qr_code"] for evse in body["evses"]}) == 32


def test_an_identity_is_registered_once_whoever_has_it_and_however_it_is_written(world: World) -> None:
    first, second = world.operator(), world.operator()
    register(world, first, "CP-1")
    for operator in (first, second):
        status, body = world.rest.post("/v1/chargers", {"charger_id": "cp-1"}, token=operator.access_token)
        assert (status, body["code"]) == (409, "charger.exists")
    assert world.rest.get("/v1/chargers/CP-1", token=second.access_token).status == 404


def test_placing_and_removing(world: World) -> None:
    operator = world.operator()
    location_id = add_location(world, operator)
    register(world, operator, "CP-1")
    register(world, operator, "CP-2")

    def get(query: dict[str, str]) -> list[str]:
        return ids(world.rest.get("/v1/chargers", query=query, token=operator.access_token).body)

    assert get({"registered": "false"}) == ["CP-1", "CP-2"]
    placement = {"location_id": location_id}
    status, body = world.rest.put("/v1/chargers/CP-1/location", placement, token=operator.access_token)
    assert (status, body["location_id"], body["registration_status"]) == (200, location_id, "accepted")
    assert get({"registered": "false"}) == ["CP-2"]
    assert get({"registered": "true"}) == ["CP-1"]
    assert get({"location_id": location_id}) == ["CP-1"]
    for _ in range(2):
        assert world.rest.delete("/v1/chargers/CP-1/location", token=operator.access_token).status == 204
    assert get({"registered": "false"}) == ["CP-1", "CP-2"]


def test_lists_page_and_filter_by_status_and_connectivity(world: World) -> None:
    operator = world.operator()
    for number in range(5):
        register(world, operator, f"CP-{number}")
    world.commit(lambda uow: chargers.record_status(uow, "CP-3", 1, "Faulted", "GroundFailure"))
    charger = chargers.require_charger(world.ctx, "CP-4")
    world.commit(lambda uow: chargers.open_connection(uow, charger, "ws-1", "ocpp1.6"))

    def get(query: dict[str, Any]) -> dict[str, Any]:
        return dict(world.rest.get("/v1/chargers", query=query, token=operator.access_token).body)

    assert ids(get({"status": "Faulted"})) == ["CP-3"]
    assert ids(get({"online": "true"})) == ["CP-4"]
    assert ids(get({"online": "false"})) == ["CP-0", "CP-1", "CP-2", "CP-3"]
    page = get({"limit": 3})
    assert (ids(page), page["has_more"]) == (["CP-0", "CP-1", "CP-2"], True)
    page = get({"limit": 3, "cursor": page["next_cursor"]})
    assert (ids(page), page["has_more"]) == (["CP-3", "CP-4"], False)
    assert get({"limit": 0})["status"] == 422
    assert get({"cursor": "nonsense"})["code"] == "cursor.invalid"


def test_a_charger_is_seen_with_its_connectivity_and_last_words(world: World) -> None:
    operator = world.operator()
    register(world, operator)
    charger = chargers.require_charger(world.ctx, "CP-1")
    world.commit(lambda uow: chargers.open_connection(uow, charger, "ws-1", "ocpp1.6"))
    world.commit(lambda uow: chargers.record_boot(uow, charger, vendor="V", model="M"))
    world.commit(lambda uow: chargers.record_status(uow, "CP-1", 0, "Available", "NoError"))
    world.commit(lambda uow: chargers.record_status(uow, "CP-1", 1, "Preparing", "NoError"))
    body = world.rest.get("/v1/chargers/CP-1", token=operator.access_token).body
    assert body["connectivity"]["online"] is True
    assert body["connectivity"]["protocol"] == "ocpp1.6"
    assert (body["vendor"], body["model"], body["status"]) == ("V", "M", "Available")
    evses = world.rest.get("/v1/chargers/CP-1/evses", token=operator.access_token).body["data"]
    assert evses == body["evses"]
    assert [(evse["evse_no"], evse["status"]) for evse in evses] == [(1, "Preparing")]


def test_changing_a_charger(world: World) -> None:
    operator = world.operator()
    register(world, operator, serial_number="SN1", name="Old")
    patch = {"name": "New", "serial_number": None, "charge_with_qr": False, "accepts_missing_subprotocol": True}
    status, body = world.rest.patch("/v1/chargers/CP-1", patch, token=operator.access_token)
    assert status == 200
    assert {name: body[name] for name in patch} == patch
    assert world.rest.get("/v1/chargers/CP-1", token=operator.access_token).body == body
    for wrong in ({"charge_with_qr": None}, {"password_hash": "x"}, {"operator_id": "org_2"}):
        assert world.rest.patch("/v1/chargers/CP-1", wrong, token=operator.access_token).status == 422
    assert world.rest.patch("/v1/chargers/CP-1", {}, token=operator.access_token).body == body


def test_a_command_is_queued_and_watched(world: World) -> None:
    operator = world.operator()
    register(world, operator)
    order = {"action": "Reset", "payload": {"type": "Soft"}}
    reply = world.rest.post("/v1/chargers/cp-1/commands", order, token=operator.access_token)
    assert (reply.status, reply.body["state"], reply.body["charger_id"]) == (202, "queued", "CP-1")
    watched = world.rest.get(reply.headers["location"], token=operator.access_token)
    assert (watched.status, watched.body) == (200, reply.body)
    listed = world.rest.get("/v1/chargers/CP-1/commands", token=operator.access_token).body["data"]
    assert listed == [reply.body]


@pytest.mark.parametrize(
    "order",
    [
        {"action": "SelfDestruct"},
        {"action": "Reset", "payload": []},
        {"action": "Reset", "payload": "Soft"},
        {"payload": {}},
    ],
)
def test_commands_that_are_refused(world: World, order: dict[str, Any]) -> None:
    operator = world.operator()
    register(world, operator)
    assert world.rest.post("/v1/chargers/CP-1/commands", order, token=operator.access_token).status == 422
    assert world.rest.get("/v1/chargers/CP-1/commands", token=operator.access_token).body["data"] == []


def test_refused_handshakes_are_shown_to_whom_they_concern(world: World) -> None:
    operator, other, platform = world.operator(), world.operator(), world.platform_admin()
    register(world, operator)
    knock_without_password(world, "CP-1")
    knock_without_password(world, "CP-9")

    def get(token: str, **query: str) -> dict[str, Any]:
        return dict(world.rest.get("/v1/connection-attempts", query=query, token=token).body)

    assert [entry["reason"] for entry in get(operator.access_token)["data"]] == ["password_missing"]
    assert get(operator.access_token, charger_id="CP-2")["data"] == []
    assert get(other.access_token)["data"] == []
    assert [entry["charger_id"] for entry in get(operator.access_token, unknown="true")["data"]] == ["CP-1"]
    assert [entry["charger_id"] for entry in get(platform, unknown="true")["data"]] == ["CP-9"]
    assert [entry["charger_id"] for entry in get(platform, operator_id=operator.operator_id)["data"]] == ["CP-1"]


def test_another_operators_objects_do_not_exist(world: World) -> None:
    owner, other = world.operator(), world.operator()
    location_id = add_location(world, owner)
    others_location = add_location(world, other)
    register(world, owner)
    command = world.rest.post("/v1/chargers/CP-1/commands", {"action": "ClearCache"}, token=owner.access_token).body
    token = other.access_token
    attempts = [
        world.rest.get(f"/v1/locations/{location_id}", token=token),
        world.rest.patch(f"/v1/locations/{location_id}", {"name": "Mine"}, token=token),
        world.rest.get("/v1/chargers/CP-1", token=token),
        world.rest.get("/v1/chargers/CP-1/evses", token=token),
        world.rest.get("/v1/chargers/CP-1/commands", token=token),
        world.rest.get(f"/v1/commands/{command['command_id']}", token=token),
        world.rest.patch("/v1/chargers/CP-1", {"name": "Mine"}, token=token),
        world.rest.post("/v1/chargers/CP-1/password", {}, token=token),
        world.rest.put("/v1/chargers/CP-1/location", {"location_id": others_location}, token=token),
        world.rest.put("/v1/chargers/CP-1/location", {"location_id": others_location}, token=owner.access_token),
        world.rest.delete("/v1/chargers/CP-1/location", token=token),
        world.rest.post("/v1/chargers/CP-1/commands", {"action": "ClearCache"}, token=token),
        world.rest.get("/v1/chargers", query={"operator_id": owner.operator_id}, token=token),
        world.rest.post("/v1/chargers", {"charger_id": "X", "operator_id": owner.operator_id}, token=token),
    ]
    assert [reply.status for reply in attempts] == [404] * len(attempts)
    assert ids(world.rest.get("/v1/chargers", token=token).body) == []


def test_the_platforms_people_name_the_operator(world: World) -> None:
    operator, platform = world.operator(), world.platform_admin()

    def post(fields: dict[str, str]) -> Reply:
        return world.rest.post("/v1/chargers", {"charger_id": "CP-1"} | fields, token=platform)

    assert post({}).body["code"] == "operator_id.missing"
    assert post({"operator_id": "org_nobody"}).status == 404
    assert post({"operator_id": operator.operator_id}).body["operator_id"] == operator.operator_id
    query = {"operator_id": operator.operator_id}
    assert ids(world.rest.get("/v1/chargers", query=query, token=platform).body) == ["CP-1"]
    assert world.rest.get("/v1/chargers/CP-1", token=platform).status == 200
    assert ids(world.rest.get("/v1/chargers", token=operator.access_token).body) == ["CP-1"]
