"""Groups: built-in ones, an organisation's copies of them and its own, and who may tick what."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.identity.permissions import ALL_PERMISSIONS, KEYS_OF_THE_HOUSE, grantable
from tests.unit.identity.trees import member, planted
from tests.world import Operator, Reply, World

GROUPS = "/v1/user-groups"
RIGHTS_AGE_S = 31


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


def add(world: World, token: str, **fields: Any) -> Reply:
    return world.rest.post(GROUPS, {"name": "Readers", "permissions": ["drivers:read"], **fields}, token=token)


def listed(world: World, token: str) -> dict[str, Any]:
    return {group["group_id"]: group for group in world.rest.get(GROUPS, token=token).body["data"]}


def refusal(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.body["code"]


def test_permissions_are_listed_with_those_of_the_system_off(world: World, operator: Operator) -> None:
    data = world.rest.get("/v1/permissions", token=operator.access_token).body["data"]
    assert {permission["name"] for permission in data} == grantable("operator")
    assert {permission["section"] for permission in data if not permission["default_on"]} == {"system"}
    assert all(permission["title"] for permission in data)
    everything = world.rest.get("/v1/permissions", token=world.platform_admin()).body["data"]
    assert {permission["name"] for permission in everything} == ALL_PERMISSIONS


def test_built_in_groups_are_there_from_the_start(world: World, operator: Operator) -> None:
    groups = listed(world, operator.access_token)
    assert list(groups) == ["operator_admin", "finance", "support", "om_engineer", "vendor", "sts_engineer", "auditor"]
    assert all(group["built_in"] and not group["changed"] for group in groups.values())
    assert groups["operator_admin"]["locked_permissions"] == sorted(KEYS_OF_THE_HOUSE)
    assert groups["finance"]["locked_permissions"] == []


def test_a_new_group_may_nothing_until_something_is_ticked(world: World, operator: Operator) -> None:
    reply = world.rest.post(GROUPS, {"name": "Leser 读者"}, token=operator.access_token)
    assert (reply.status, reply.body["permissions"], reply.body["built_in"]) == (201, [], False)
    group_id = reply.body["group_id"]
    assert group_id.startswith("grp_")
    _, token = member(world, operator.access_token, "bob@x.example", [group_id])
    assert world.rest.get("/v1/drivers", token=token).status == 403
    path = f"{GROUPS}/{group_id}"
    assert world.rest.patch(path, {"permissions": ["drivers:read"]}, token=operator.access_token).status == 200
    world.advance(RIGHTS_AGE_S)
    assert world.rest.get("/v1/drivers", token=token).status == 200


def test_a_group_is_changed_by_who_has_read_it_as_it_is(world: World, operator: Operator) -> None:
    made = add(world, operator.access_token)
    path = f"{GROUPS}/{made.body['group_id']}"
    read = world.rest.get(path, token=operator.access_token)
    assert read.headers["etag"] == made.headers["etag"]

    def put(name: str, etag: str) -> Reply:
        body = {"name": name, "permissions": []}
        return world.rest.put(path, body, token=operator.access_token, headers={"If-Match": etag})

    first = put("One", read.headers["etag"])
    assert first.status == 200
    assert first.headers["etag"] != read.headers["etag"]
    for etag in (read.headers["etag"], '"x"', "1", '""', "²"):
        assert refusal(put("Two", etag)) == (412, "user_group.changed")
    stale = world.rest.delete(path, token=operator.access_token, headers={"If-Match": read.headers["etag"]})
    assert refusal(stale) == (412, "user_group.changed")
    assert put("Two", first.headers["etag"]).body["name"] == "Two"
    assert put("Three", "*").body["name"] == "Three"


def test_a_built_in_group_is_changed_here_and_nowhere_else(world: World, operator: Operator) -> None:
    other = world.operator()
    before = listed(world, operator.access_token)["support"]
    _, token = member(world, operator.access_token, "sup@x.example", ["support"])
    changed = world.rest.patch(f"{GROUPS}/support", {"permissions": ["drivers:read"]}, token=operator.access_token)
    assert (changed.status, changed.body["changed"], changed.body["built_in"]) == (200, True, True)
    world.advance(RIGHTS_AGE_S)
    assert world.rest.get("/v1/me", token=token).body["permissions"] == ["drivers:read"]
    assert listed(world, other.access_token)["support"] == before
    assert world.rest.delete(f"{GROUPS}/support", token=operator.access_token).status == 204
    assert listed(world, operator.access_token)["support"] == before
    again = world.rest.delete(f"{GROUPS}/support", token=operator.access_token)
    assert refusal(again) == (409, "user_group.built_in")


def test_a_group_goes_when_nobody_is_in_it(world: World, operator: Operator) -> None:
    group_id = add(world, operator.access_token).body["group_id"]
    user_id, _ = member(world, operator.access_token, "bob@x.example", [group_id])
    path = f"{GROUPS}/{group_id}"
    assert refusal(world.rest.delete(path, token=operator.access_token)) == (409, "user_group.in_use")
    world.rest.patch(f"/v1/users/{user_id}", {"groups": ["support"]}, token=operator.access_token)
    assert world.rest.delete(path, token=operator.access_token).status == 204
    assert world.rest.get(path, token=operator.access_token).status == 404
    assert world.rest.delete(path, token=operator.access_token).status == 404
    assert add(world, operator.access_token).status == 201, "its name is free again"


def test_one_name_is_one_group(world: World, operator: Operator) -> None:
    assert add(world, operator.access_token).status == 201
    for name in ("readers", " Readers ", "finance"):
        assert refusal(add(world, operator.access_token, name=name)) == (409, "name.taken")
    other = add(world, operator.access_token, name="Others").body["group_id"]
    taken = world.rest.patch(f"{GROUPS}/{other}", {"name": "READERS"}, token=operator.access_token)
    assert refusal(taken) == (409, "name.taken")
    assert world.rest.patch(f"{GROUPS}/{other}", {"name": "others"}, token=operator.access_token).status == 200


@pytest.mark.parametrize(
    ("permissions", "code", "pointer"),
    [
        (["drivers:read", "organizations:*"], "permission.unknown", "/permissions/1"),
        (["*"], "permission.unknown", "/permissions/0"),
        (["drivers:fly"], "permission.unknown", "/permissions/0"),
    ],
)
def test_what_is_no_permission_is_pointed_at(
    world: World, operator: Operator, permissions: list[str], code: str, pointer: str
) -> None:
    reply = add(world, operator.access_token, permissions=permissions)
    [error] = reply.body["errors"]
    assert (reply.status, error["code"], error["pointer"]) == (422, code, pointer)


def test_a_permission_that_the_kind_may_not_hold(world: World) -> None:
    tree = planted(world)
    reply = add(world, tree.dealer.token, permissions=["tariffs:write"])
    assert refusal(reply) == (422, "permission.not_for_kind")
    below = {"organization_id": tree.operator.organization_id}
    body = {"name": "Prices", "permissions": ["tariffs:write"]}
    made = world.rest.post(GROUPS, body, token=tree.dealer.token, query=below)
    assert made.status == 201, "an administrator from above may give what operators' people may hold"
    path = f"{GROUPS}/{made.body['group_id']}"
    assert world.rest.get(path, token=tree.operator.token).status == 200
    assert world.rest.get(path, token=tree.dealer.token, query=below).status == 200
    assert world.rest.get(path, token=tree.dealer.token).status == 404


def test_the_administrators_keep_the_keys_and_what_they_let_go_comes_back(world: World, operator: Operator) -> None:
    path = f"{GROUPS}/operator_admin"
    lost = world.rest.patch(path, {"permissions": ["drivers:read"]}, token=operator.access_token)
    assert refusal(lost) == (422, "user_group.keys")
    kept = sorted(KEYS_OF_THE_HOUSE)
    assert world.rest.patch(path, {"permissions": kept}, token=operator.access_token).status == 200
    world.advance(RIGHTS_AGE_S)
    assert world.rest.get("/v1/me", token=operator.access_token).body["permissions"] == kept
    back = world.rest.patch(path, {"permissions": [*kept, "tariffs:write"]}, token=operator.access_token)
    assert back.status == 200, "who is in the administrators' group gives it back to them"
    assert world.rest.delete(path, token=operator.access_token).status == 204
    world.advance(RIGHTS_AGE_S)
    assert set(world.rest.get("/v1/me", token=operator.access_token).body["permissions"]) == grantable("operator")


def test_who_is_no_administrator_ticks_only_what_they_hold(world: World, operator: Operator) -> None:
    keepers = add(world, operator.access_token, name="Keepers", permissions=[*KEYS_OF_THE_HOUSE, "drivers:read"])
    wide = add(world, operator.access_token, name="Wide", permissions=["wallets:write"])
    _, token = member(world, operator.access_token, "k@x.example", [keepers.body["group_id"]])
    beyond = (403, "permission.beyond_own")
    assert refusal(add(world, token, permissions=["wallets:write"])) == beyond
    own = f"{GROUPS}/{keepers.body['group_id']}"
    raised = world.rest.patch(own, {"permissions": [*KEYS_OF_THE_HOUSE, "wallets:write"]}, token=token)
    assert refusal(raised) == beyond
    path = f"{GROUPS}/{wide.body['group_id']}"
    assert world.rest.patch(path, {"description": "Money"}, token=token).status == 200, "that gives nothing"
    assert world.rest.patch(path, {"permissions": []}, token=token).status == 200
    assert refusal(world.rest.patch(path, {"permissions": ["wallets:write"]}, token=token)) == beyond
    world.rest.patch(f"{GROUPS}/finance", {"permissions": []}, token=operator.access_token)
    assert refusal(world.rest.delete(f"{GROUPS}/finance", token=token)) == beyond


def test_who_has_only_the_keys_does_not_become_an_administrator(world: World, operator: Operator) -> None:
    """The administrators can give themselves everything: whoever comes among them has everything."""
    keepers = add(world, operator.access_token, name="Keepers", permissions=sorted(KEYS_OF_THE_HOUSE))
    _, token = member(world, operator.access_token, "k@x.example", [keepers.body["group_id"]])
    path = f"{GROUPS}/operator_admin"
    bare = {"permissions": sorted(KEYS_OF_THE_HOUSE)}
    beyond = (403, "permission.beyond_own")
    assert refusal(world.rest.patch(path, bare, token=token)) == beyond, "nobody else takes from the administrators"
    assert world.rest.patch(path, bare, token=operator.access_token).status == 200
    world.advance(RIGHTS_AGE_S)
    accomplice = {"email": "z@x.example", "full_name": "Z", "groups": ["operator_admin"]}
    assert refusal(world.rest.post("/v1/users", accomplice, token=token)) == beyond
    administrator = f"/v1/users/{operator.user.user_id}"
    assert refusal(world.rest.delete(administrator, token=token)) == beyond
    assert world.rest.post("/v1/users", accomplice, token=operator.access_token).status == 201


def test_another_organisation_s_groups_are_not_there(world: World, operator: Operator) -> None:
    other = world.operator()
    path = f"{GROUPS}/{add(world, operator.access_token).body['group_id']}"
    query = {"organization_id": operator.operator_id}
    for method in ("GET", "DELETE"):
        assert world.rest.request(method, path, token=other.access_token).status == 404
        assert world.rest.request(method, path, token=other.access_token, query=query).status == 404
    group_id = path.rpartition("/")[2]
    stolen = world.rest.post(
        "/v1/users",
        {"email": "e@x.example", "full_name": "E", "groups": [group_id]},
        token=other.access_token,
    )
    assert (stolen.status, stolen.body["errors"][0]["pointer"]) == (422, "/groups/0")


def test_a_taken_name_is_pointed_at(world: World) -> None:
    token = world.operator().access_token
    for _ in range(2):
        reply = world.rest.post("/v1/user-groups", {"name": "Night shift"}, token=token)
    assert (reply.status, reply.body["code"], reply.body["errors"][0]["pointer"]) == (409, "name.taken", "/name")


def test_the_permissions_are_on_one_page(world: World) -> None:
    body = world.rest.get("/v1/permissions", token=world.operator().access_token).body
    assert body["data"]
    assert (body["has_more"], body["next_cursor"]) == (False, None)
