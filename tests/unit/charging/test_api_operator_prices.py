"""What tariffs apply to, over REST: assigned, listed, explained, taken away; and the log."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.identity.model import PLATFORM_ID
from tests.site import CHARGER_ID, Site
from tests.world import Reply

PATH = "/v1/tariff-assignments"
ELEMENTS = [{"price_components": [{"type": "ENERGY", "price": "0.20"}]}]


@pytest.fixture
def things(site: Site) -> dict[str, str]:
    """One of each that a tariff can be assigned to."""
    rest, token = site.world.rest, site.operator.access_token
    site.world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    charger_group_id = rest.post("/v1/charger-groups", {"name": "North"}, token=token).body["charger_group_id"]
    group = rest.post("/v1/driver-groups", {"name": "Staff"}, token=token).body
    driver_path = f"/v1/driver-groups/{group['driver_group_id']}/drivers/{site.driver.driver_id}"
    assert rest.put(driver_path, token=token).status == 200
    assert rest.patch(f"/v1/chargers/{CHARGER_ID}", {"charger_group_id": charger_group_id}, token=token).status == 200
    return {
        "charger_id": CHARGER_ID,
        "charger_group_id": charger_group_id,
        "location_id": site.location.location_id,
        "driver_group_id": group["driver_group_id"],
    }


def create(site: Site, token: str = "", **fields: Any) -> str:
    body = {"name": "T", "currency": "EUR", "elements": ELEMENTS, **fields}
    reply = site.world.rest.post("/v1/tariffs", body, token=token or site.operator.access_token)
    assert reply.status == 201, reply.body
    return str(reply.body["tariff_id"])


def assign(site: Site, tariff_id: str, token: str = "", **target: str) -> Reply:
    body = {"tariff_id": tariff_id, **target}
    return site.world.rest.put(PATH, body, token=token or site.operator.access_token)


def listed(site: Site, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.world.rest.get(PATH, token=site.operator.access_token, query=query).body["data"]
    return found


def effective(site: Site, **query: str) -> dict[str, Any]:
    reply = site.world.rest.get(
        f"{PATH}/effective", token=site.operator.access_token, query={"charger_id": CHARGER_ID, **query}
    )
    assert reply.status == 200, reply.body
    return dict(reply.body)


@pytest.mark.parametrize("kind", ["charger", "charger_group", "location", "driver_group", "operator"])
def test_assigning_listing_and_taking_away(site: Site, things: dict[str, str], kind: str) -> None:
    token, tariff_id = site.operator.access_token, create(site)
    target = {} if kind == "operator" else {f"{kind}_id": things[f"{kind}_id"]}
    reply = assign(site, tariff_id, **target)
    assert reply.status == 200, reply.body
    assert (reply.body["kind"], reply.body["purpose"]) == (kind, "selling")
    assert {name: reply.body[name] for name in things} == dict.fromkeys(things) | target
    assert [entry["kind"] for entry in listed(site, tariff_id=tariff_id)] == [kind]
    assert site.world.rest.delete(PATH, token=token, query=target).status == 204
    assert site.world.rest.delete(PATH, token=token, query=target).status == 404
    assert listed(site, tariff_id=tariff_id) == []


def test_a_charger_is_the_same_in_any_case(site: Site, things: dict[str, str]) -> None:
    assign(site, create(site), charger_id=CHARGER_ID)
    query = {"charger_id": CHARGER_ID.lower()}
    assert site.world.rest.delete(PATH, token=site.operator.access_token, query=query).status == 204


def test_one_thing_is_named_at_a_time(site: Site, things: dict[str, str]) -> None:
    reply = assign(site, create(site), charger_id=CHARGER_ID, location_id=things["location_id"])
    assert (reply.status, reply.body["code"]) == (422, "assignment.target")
    assert reply.body["errors"][0]["pointer"] == "/location_id"


@pytest.mark.parametrize("kind", ["charger", "charger_group", "location", "driver_group"])
def test_what_is_another_operators_is_not_there(site: Site, things: dict[str, str], kind: str) -> None:
    other = site.world.operator()
    tariff_id = create(site, other.access_token)
    reply = assign(site, tariff_id, other.access_token, **{f"{kind}_id": things[f"{kind}_id"]})
    assert reply.status == 404
    assert assign(site, create(site), **{f"{kind}_id": "no-such-thing"}).status == 404
    mine = assign(site, tariff_id)
    assert (mine.status, mine.body["code"]) == (404, "tariff.not_found")


def test_not_even_the_platform_mixes_two_operators(site: Site, things: dict[str, str]) -> None:
    other, admin = site.world.operator(), site.world.platform_admin()
    tariff_id = create(site, other.access_token)
    for name, target_id in things.items():
        assert assign(site, tariff_id, admin, **{name: target_id}).status == 404, name


def test_what_applies_and_why(site: Site, things: dict[str, str]) -> None:
    group_price, driver_price = create(site, name="Group"), create(site, name="Staff")
    assign(site, group_price, charger_group_id=things["charger_group_id"])
    assign(site, driver_price, driver_group_id=things["driver_group_id"])
    anybody = effective(site)
    assert anybody["tariff"]["tariff_id"] == group_price
    told = [(found["tariff_name"], found["assignment"]["kind"], found["verdict"]) for found in anybody["candidates"]]
    assert told == [("Group", "charger_group", "applies"), ("Day", "location", "farther")]
    of_driver = effective(site, driver_id=site.driver.driver_id)
    assert of_driver["tariff"]["tariff_id"] == driver_price
    assert [found["verdict"] for found in of_driver["candidates"]] == ["applies", "farther", "farther"]


def test_where_nothing_applies_that_is_the_answer(site: Site) -> None:
    query = {"location_id": site.location.location_id}
    site.world.rest.delete(PATH, token=site.operator.access_token, query=query)
    told = effective(site)
    assert (told["tariff"], told["candidates"]) == (None, [])


def test_nobody_asks_about_what_is_not_theirs(site: Site, things: dict[str, str]) -> None:
    rest, other = site.world.rest, site.world.operator()
    query = {"charger_id": CHARGER_ID}
    assert rest.get(f"{PATH}/effective", token=other.access_token, query=query).status == 404
    stranger = {"charger_id": CHARGER_ID, "driver_id": "drv_nobody"}
    assert rest.get(f"{PATH}/effective", token=site.operator.access_token, query=stranger).status == 404


def test_the_platforms_own_tariff_is_offered_to_all_and_read_by_operators(site: Site) -> None:
    rest, admin, token = site.world.rest, site.world.platform_admin(), site.operator.access_token
    tariff_id = create(site, admin, operator_id=PLATFORM_ID)
    reply = assign(site, tariff_id, admin)
    assert (reply.status, reply.body["kind"]) == (200, "organization")
    assert [found["verdict"] for found in effective(site)["candidates"]] == ["applies", "farther"]
    rest.delete(PATH, token=token, query={"location_id": site.location.location_id})
    assert effective(site)["tariff"]["tariff_id"] == tariff_id
    assert rest.get(f"/v1/tariffs/{tariff_id}", token=token).status == 200
    assert rest.put(f"/v1/tariffs/{tariff_id}", {"name": "M", "elements": ELEMENTS}, token=token).status == 404
    assert assign(site, tariff_id).status == 404
    assert rest.delete(PATH, token=token, query={"operator_id": PLATFORM_ID}).status == 404


def test_the_price_of_energy_is_assigned_beside_the_selling_price(site: Site, things: dict[str, str]) -> None:
    energy = create(site, purpose="energy_cost")
    reply = assign(site, energy, location_id=things["location_id"])
    assert (reply.status, reply.body["purpose"]) == (200, "energy_cost")
    assert effective(site)["tariff"]["tariff_id"] == site.tariff.tariff_id
    assert effective(site, purpose="energy_cost")["tariff"]["tariff_id"] == energy
    assert [entry["tariff_id"] for entry in listed(site, purpose="energy_cost")] == [energy]
    query = {"purpose": "energy_cost"}
    found = site.world.rest.get("/v1/tariffs", token=site.operator.access_token, query=query).body["data"]
    assert [tariff["tariff_id"] for tariff in found] == [energy]
    refused = assign(site, energy, driver_group_id=things["driver_group_id"])
    assert (refused.status, refused.body["code"]) == (409, "tariff.purpose")
    query = {"location_id": things["location_id"], "purpose": "energy_cost"}
    assert site.world.rest.delete(PATH, token=site.operator.access_token, query=query).status == 204
    assert effective(site)["tariff"]["tariff_id"] == site.tariff.tariff_id


def test_the_log_says_what_applied_before(site: Site, things: dict[str, str]) -> None:
    first, second = create(site), create(site)
    assign(site, first, charger_id=CHARGER_ID)
    site.world.advance(1)
    assign(site, second, charger_id=CHARGER_ID)
    query = {"object_type": "tariff_assignment", "object_id": f"charger:{CHARGER_ID}"}
    events = site.world.rest.get("/v1/audit-events", token=site.operator.access_token, query=query).body["data"]
    assert [event["action"] for event in events] == ["assign_tariff", "assign_tariff"]
    assert [event["before"].get("tariff_id") for event in events] == [first, None]
    assert events[0]["after"]["tariff_id"] == second


def test_who_works_at_some_places_prices_these_and_nothing_wider(site: Site, things: dict[str, str]) -> None:
    rest, by = site.world.rest, site.operator.access_token
    country = rest.post("/v1/regions", {"name": "Germany", "country_code": "DE"}, token=by).body["region_id"]
    norway = rest.post("/v1/regions", {"name": "Norway", "country_code": "NO"}, token=by).body["region_id"]
    tariff_id, location = create(site), site.location.location_id
    assert rest.patch(f"/v1/locations/{location}", {"region_id": country}, token=by).status == 200
    expected = {"location_id": 200, "charger_id": 200, "charger_group_id": 403, "driver_group_id": 403}
    for region_id, statuses in ((country, expected), (norway, expected | {"location_id": 404, "charger_id": 404})):
        email = f"nora@{region_id.lower().replace('_', '-')}.example"
        user = {"email": email, "full_name": "Nora", "groups": ["operator_admin"], "region_ids": [region_id]}
        assert rest.post("/v1/users", user, token=by).status == 201
        token = site.world.access_token(email)
        assert assign(site, tariff_id, token).status == 403
        assert {name: assign(site, tariff_id, token, **{name: things[name]}).status for name in things} == statuses
        assert rest.delete(PATH, token=token, query={"driver_group_id": things["driver_group_id"]}).status == 403
