"""A charger that is not public: who charges there from the phone."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.drivers import service as drivers
from tests.site import CHARGER_ID, Site, build_site
from tests.world import Reply, World

GROUPS = "/v1/charger-groups"


@pytest.fixture
def site(world: World) -> Site:
    built = build_site(world)
    world.commit(lambda uow: drivers.link_operator(uow, built.operator.operator_id, built.driver.driver_id))
    return built


@pytest.fixture
def driver_token(site: Site) -> str:
    return site.world.driver_token(site.driver.driver_id)


def add_group(site: Site, name: str, parent_id: str | None = None) -> str:
    body = {"name": name, "parent_id": parent_id}
    return str(site.world.rest.post(GROUPS, body, token=site.operator.access_token).body["charger_group_id"])


def change_charger(site: Site, **changes: Any) -> None:
    reply = site.world.rest.patch(f"/v1/chargers/{CHARGER_ID}", changes, token=site.operator.access_token)
    assert reply.status == 200, reply.body


def member(site: Site, method: str, group_id: str) -> Reply:
    path = f"{GROUPS}/{group_id}/drivers/{site.driver.driver_id}"
    return site.world.rest.request(method, path, token=site.operator.access_token)


def start(site: Site, token: str, key: str) -> Reply:
    body = {"charger_id": CHARGER_ID, "evse_no": 1, "amount": {"amount": 500, "currency": "EUR"}}
    return site.world.rest.post("/v1/driver/sessions", body, token=token, key=key)


def may_start(site: Site, token: str) -> bool:
    return bool(site.world.rest.get(f"/v1/driver/chargers/{CHARGER_ID}", token=token).body["may_start"])


def test_a_charger_that_is_not_public_is_for_the_drivers_of_its_groups(site: Site, driver_token: str) -> None:
    everybody, staff = add_group(site, "Everybody"), add_group(site, "Somebody else")
    below = add_group(site, "Yard", everybody)
    assert may_start(site, driver_token)
    change_charger(site, charge_with_qr=False)
    assert not may_start(site, driver_token)
    assert start(site, driver_token, "k1").body["code"] == "charger.not_public"
    # In no group, in another one, in one below: none of these opens it.
    change_charger(site, charger_group_id=everybody)
    for group_id in (staff, below):
        assert member(site, "PUT", group_id).status == 200
        assert not may_start(site, driver_token)
        assert start(site, driver_token, f"k-{group_id}").body["code"] == "charger.not_public"
    # A member of the group above is one of the sub-group.
    assert member(site, "DELETE", below).status == 204
    change_charger(site, charger_group_id=below)
    assert member(site, "PUT", everybody).status == 200
    assert may_start(site, driver_token)
    assert start(site, driver_token, "k2").status == 201


def test_reservations_from_the_phone_follow_the_same_rule(site: Site, driver_token: str) -> None:
    change_charger(site, charge_with_qr=False)
    until = {"charger_id": CHARGER_ID, "evse_no": 2, "expires_at": "2026-03-02T12:00:00Z"}

    def reserve(key: str) -> Reply:
        return site.world.rest.post("/v1/driver/reservations", until, token=driver_token, key=key)

    assert reserve("k1").body["code"] == "charger.not_public"
    group_id = add_group(site, "Staff")
    change_charger(site, charger_group_id=group_id)
    member(site, "PUT", group_id)
    assert reserve("k2").status == 201


def test_members_come_and_go_once(site: Site) -> None:
    group_id = add_group(site, "Staff")
    path = f"{GROUPS}/{group_id}/drivers"
    first = member(site, "PUT", group_id)
    site.world.advance(5)
    again = member(site, "PUT", group_id)
    assert (again.status, again.body) == (200, first.body)
    listed = site.world.rest.get(path, token=site.operator.access_token).body["data"]
    assert [(entry["driver_id"], entry["full_name"]) for entry in listed] == [(site.driver.driver_id, "Dana Driver")]
    for _ in range(2):
        assert member(site, "DELETE", group_id).status == 204
    assert site.world.rest.get(path, token=site.operator.access_token).body["data"] == []


def test_only_drivers_of_the_operators_list(world: World, site: Site) -> None:
    other = world.operator()
    group_id = str(world.rest.post(GROUPS, {"name": "Theirs"}, token=other.access_token).body["charger_group_id"])
    path = f"{GROUPS}/{group_id}/drivers/{site.driver.driver_id}"
    refused = world.rest.put(path, token=other.access_token)
    assert (refused.status, refused.body["code"]) == (404, "driver.not_found")
    assert member(site, "PUT", group_id).status == 404
    own = add_group(site, "Ours")
    assert world.rest.put(f"{GROUPS}/{own}/drivers/drv_nobody", token=site.operator.access_token).status == 404
    assert world.rest.delete(f"{GROUPS}/{own}/drivers/drv_nobody", token=site.operator.access_token).status == 404


def test_a_group_goes_with_its_members(world: World, site: Site) -> None:
    group_id = add_group(site, "Staff")
    member(site, "PUT", group_id)
    assert world.rest.delete(f"{GROUPS}/{group_id}", token=site.operator.access_token).status == 204
    assert chargers.get_member(world.ctx, group_id, site.driver.driver_id) is None
