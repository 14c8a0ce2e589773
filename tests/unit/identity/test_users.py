"""Users: who adds and changes whom, under which names, and narrowed to where."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.identity import service as identity
from chalicelib.identity.service.users import MAX_KNOWN_ADDRESSES
from chalicelib.kernel.errors import DomainError
from tests.unit.identity.trees import Tree, member, planted
from tests.world import Operator, World

RIGHTS_AGE_S = 31


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


def new(email: str, **fields: Any) -> dict[str, Any]:
    return {"email": email, "full_name": "New", **fields}


def refusal(reply: Any) -> tuple[int, str]:
    return reply.status, reply.body["code"]


def test_a_user_has_all_the_fields_of_the_screen(world: World, operator: Operator) -> None:
    sent = new("bob@x.example", user_name="Bob.B", phone="+49 1", groups=["support", "auditor"], language="de")
    bob = world.rest.post("/v1/users", sent, token=operator.access_token).body
    assert (bob["user_name"], bob["phone"], bob["language"]) == ("Bob.B", "+49 1", "de")
    assert bob["groups"] == ["auditor", "support"]
    path = f"/v1/users/{bob['user_id']}"
    changed = world.rest.patch(path, {"phone": None, "user_name": "bobby"}, token=operator.access_token).body
    assert world.rest.get(path, token=operator.access_token).body == changed
    assert (changed["phone"], changed["user_name"]) == (None, "bobby")


@pytest.mark.parametrize("user_name", ["ab", "x" * 41, "bob@x.example", "bob b", "böb", "bob\n", ""])
def test_user_names_that_cannot_be(world: World, operator: Operator, user_name: str) -> None:
    reply = world.rest.post("/v1/users", new("b@x.example", user_name=user_name), token=operator.access_token)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/user_name")


def test_a_user_name_is_one_user_s_on_the_whole_platform_however_it_is_cased(world: World) -> None:
    mine, other = world.operator(), world.operator()
    bob = world.rest.post("/v1/users", new("b@x.example", user_name="Bob"), token=mine.access_token).body
    taken = world.rest.post("/v1/users", new("c@x.example", user_name="bOB"), token=other.access_token)
    assert refusal(taken) == (409, "user.user_name_taken")
    assert identity.find_login(world.ctx, "c@x.example") is None
    found = identity.find_user_by_name(world.ctx, "BOB")
    assert found is not None
    assert found.user_id == bob["user_id"]
    path = f"/v1/users/{bob['user_id']}"
    assert world.rest.patch(path, {"user_name": "BOB"}, token=mine.access_token).body["user_name"] == "BOB"
    assert world.rest.patch(path, {"user_name": "bert"}, token=mine.access_token).status == 200
    assert identity.find_user_by_name(world.ctx, "bob") is None
    assert world.rest.post("/v1/users", new("c@x.example", user_name="bob"), token=other.access_token).status == 201
    assert refusal(world.rest.patch(path, {"user_name": "Bob"}, token=mine.access_token)) == (
        409,
        "user.user_name_taken",
    )
    assert world.rest.patch(path, {"user_name": None}, token=mine.access_token).body["user_name"] is None
    assert identity.find_user_by_name(world.ctx, "bert") is None


def test_two_names_given_at_once_leave_one_pointer(world: World, operator: Operator) -> None:
    bob = world.rest.post("/v1/users", new("b@x.example", user_name="old"), token=operator.access_token).body
    organization = operator.organization
    raced = False

    def rename(uow: Any, name: str) -> None:
        user = identity.get_user(world.ctx, bob["user_id"])
        identity.update_user(uow, user, organization, {"user_name": name}, by="")

    def overtaken(uow: Any) -> None:
        nonlocal raced
        rename(uow, "slow")
        if not raced:
            raced = True
            world.commit(lambda other: rename(other, "fast"))

    world.commit(overtaken)
    names = [name for name in ("old", "fast", "slow") if identity.find_user_by_name(world.ctx, name)]
    assert names == ["slow"]


def test_a_deactivated_user_has_no_rights_until_restored(world: World, operator: Operator) -> None:
    user_id, token = member(world, operator.access_token, "bob@x.example", ["support"])
    path = f"/v1/users/{user_id}"
    assert world.rest.get("/v1/drivers", token=token).status == 200
    assert world.rest.delete(path, token=operator.access_token).status == 204
    assert world.rest.delete(path, token=operator.access_token).status == 204
    assert world.rest.get("/v1/drivers", token=token).status == 403, "in this process at once"
    assert world.rest.get("/v1/users", token=operator.access_token, query={"state": "inactive"}).body["data"]
    assert world.rest.post(f"{path}/restore", token=operator.access_token).body["state"] == "active"
    assert world.rest.get("/v1/drivers", token=token).status == 200


def test_a_list_is_filtered(world: World, operator: Operator) -> None:
    member(world, operator.access_token, "bob@x.example", ["support"], user_name="bobby")
    member(world, operator.access_token, "cem@x.example", ["finance"])

    def found(**query: str) -> list[str]:
        data = world.rest.get("/v1/users", token=operator.access_token, query=query).body["data"]
        return [user["email"] for user in data]

    assert found(group_id="support") == ["bob@x.example"]
    assert found(q="BOBBY x.example") == ["bob@x.example"]
    assert found(state="inactive") == []
    assert len(found(state="active")) == 3


# -- nobody gives what they do not hold -------------------------------------------------------------------------------


@pytest.fixture
def clerk(world: World, operator: Operator) -> str:
    """Somebody who looks after users and drivers, and may do nothing else."""
    permissions = ["users:read", "users:write", "user_groups:read", "user_groups:write", "drivers:read"]
    group = {"name": "Clerks", "permissions": permissions}
    group_id = world.rest.post("/v1/user-groups", group, token=operator.access_token).body["group_id"]
    return member(world, operator.access_token, "clerk@x.example", [group_id])[1]


def test_a_clerk_makes_no_administrator(world: World, operator: Operator, clerk: str) -> None:
    for groups in ([], ["operator_admin"], ["support"]):
        refused = world.rest.post("/v1/users", new("eve@x.example", groups=groups), token=clerk)
        assert refusal(refused) == (403, "permission.beyond_own")
    assert identity.find_login(world.ctx, "eve@x.example") is None


def test_a_clerk_s_colleagues_can_be_made_but_not_raised(world: World, operator: Operator, clerk: str) -> None:
    small = {"name": "Readers", "permissions": ["drivers:read"]}
    readers = world.rest.post("/v1/user-groups", small, token=clerk).body["group_id"]
    user_id, _ = member(world, clerk, "eve@x.example", [readers])
    raised = world.rest.patch(f"/v1/users/{user_id}", {"groups": [readers, "finance"]}, token=clerk)
    assert refusal(raised) == (403, "permission.beyond_own")
    ticked = world.rest.patch(
        f"/v1/user-groups/{readers}", {"permissions": ["drivers:read", "wallets:write"]}, token=clerk
    )
    assert refusal(ticked) == (403, "permission.beyond_own")


@pytest.mark.parametrize("change", [{"state": "inactive"}, {"groups": ["support"]}, {"user_name": "hers"}])
def test_a_clerk_leaves_the_administrator_alone(
    world: World, operator: Operator, clerk: str, change: dict[str, Any]
) -> None:
    path = f"/v1/users/{operator.user.user_id}"
    assert refusal(world.rest.patch(path, change, token=clerk)) == (403, "permission.beyond_own")
    assert refusal(world.rest.delete(path, token=clerk)) == (403, "permission.beyond_own")
    assert world.rest.get(path, token=operator.access_token).body["state"] == "active"


def test_those_above_look_after_the_users_below(world: World) -> None:
    tree: Tree = planted(world)
    below = {"organization_id": tree.operator.organization_id}
    made = world.rest.post("/v1/users", new("fin@x.example", groups=["finance"]), token=tree.dealer.token, query=below)
    assert made.status == 201, made.body
    assert made.body["organization_id"] == tree.operator.organization_id
    listed = world.rest.get("/v1/users", token=tree.dealer.token, query=below).body["data"]
    assert {user["user_id"] for user in listed} == {tree.operator.admin_id, made.body["user_id"]}
    path = f"/v1/users/{made.body['user_id']}"
    assert world.rest.patch(path, {"groups": ["operator_admin"]}, token=tree.manufacturer.token).status == 200
    assert world.rest.patch(path, {"full_name": "Eve"}, token=tree.agency.token).status == 404
    assert world.rest.delete(f"/v1/users/{tree.dealer.admin_id}", token=tree.operator.token).status == 404


def test_a_dealer_s_clerk_gives_an_operator_s_people_no_more_than_clerks_hold(world: World) -> None:
    """Also not the operator's prices, which nobody of a dealer can hold."""
    tree = planted(world)
    group = {"name": "Clerks", "permissions": ["users:read", "users:write"]}
    group_id = world.rest.post("/v1/user-groups", group, token=tree.dealer.token).body["group_id"]
    _, clerk = member(world, tree.dealer.token, "clerk@x.example", [group_id])
    below = {"organization_id": tree.operator.organization_id}
    prices = {"name": "Prices", "permissions": ["tariffs:write"]}
    prices_id = world.rest.post("/v1/user-groups", prices, token=tree.operator.token).body["group_id"]
    for groups in (["operator_admin"], [prices_id], ["finance"]):
        refused = world.rest.post("/v1/users", new("e@x.example", groups=groups), token=clerk, query=below)
        assert refusal(refused) == (403, "permission.beyond_own"), groups


def test_who_was_raised_meanwhile_is_out_of_a_clerk_s_reach(world: World, operator: Operator, clerk: str) -> None:
    """The clerk decided from groups that are another's by the time of the commit."""
    group = {"name": "Readers", "permissions": ["drivers:read"]}
    group_id = world.rest.post("/v1/user-groups", group, token=operator.access_token).body["group_id"]
    user_id, _ = member(world, clerk, "eve@x.example", [group_id])
    actor = identity.authenticate(world.ctx, clerk, "192.0.2.1")
    raced = False

    def deactivate(uow: Any) -> None:
        nonlocal raced
        user = identity.get_user(world.ctx, user_id)
        identity.update_user(uow, user, operator.organization, {"state": "inactive"}, by="clerk", actor=actor)
        if not raced:
            raced = True
            raised = {"groups": ["operator_admin"]}
            assert world.rest.patch(f"/v1/users/{user_id}", raised, token=operator.access_token).status == 200

    with pytest.raises(DomainError) as caught:
        world.commit(deactivate)
    assert caught.value.code == "permission.beyond_own"
    assert identity.get_user(world.ctx, user_id).state == "active"


# -- places -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def regions(world: World, operator: Operator) -> dict[str, str]:
    """A country, a province in it, a city in that, and another country."""

    def add(name: str, parent_id: str | None) -> str:
        body = {"name": name} | ({"parent_id": parent_id} if parent_id else {})
        reply = world.rest.post("/v1/regions", body, token=operator.access_token)
        assert reply.status == 201, reply.body
        return str(reply.body["region_id"])

    country = add("Deutschland", None)
    province = add("Holstein", country)
    return {"country": country, "province": province, "city": add("Kiel", province), "abroad": add("中国", None)}


def test_a_user_is_narrowed_to_regions_that_exist(world: World, operator: Operator, regions: dict[str, str]) -> None:
    sent = new("bob@x.example", groups=["support"], region_ids=[regions["city"], regions["abroad"]])
    bob = world.rest.post("/v1/users", sent, token=operator.access_token).body
    assert bob["region_ids"] == sorted(sent["region_ids"])
    wrong = {**sent, "email": "c@x.example", "region_ids": [regions["city"], "reg_nowhere"]}
    reply = world.rest.post("/v1/users", wrong, token=operator.access_token)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/region_ids/1")
    stranger = world.operator()
    reply = world.rest.post("/v1/users", {**sent, "email": "c@x.example"}, token=stranger.access_token)
    assert (reply.status, reply.body["code"]) == (422, "region.unknown")
    missing = {**sent, "email": "c@x.example", "vending_point_ids": ["vpt_none"]}
    reply = world.rest.post("/v1/users", missing, token=operator.access_token)
    assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/vending_point_ids/0")
    path = f"/v1/users/{bob['user_id']}"
    assert world.rest.patch(path, {"region_ids": []}, token=operator.access_token).body["region_ids"] == []


def test_only_an_operator_s_users_are_narrowed(world: World) -> None:
    tree = planted(world)
    for node in (tree.dealer, tree.agency):
        reply = world.rest.post("/v1/users", new("b@x.example", region_ids=["reg_1"]), token=node.token)
        assert reply.status == 422
        assert reply.body["errors"][0]["pointer"].startswith("/region_ids")


def test_who_is_narrowed_looks_after_nobody_beyond(world: World, operator: Operator, regions: dict[str, str]) -> None:
    _, local = member(world, operator.access_token, "l@x.example", ["operator_admin"], region_ids=[regions["province"]])
    everywhere, _ = member(world, operator.access_token, "e@x.example", ["support"])
    sent = new("n@x.example", groups=["support"])
    for region_ids in ([], [regions["country"]], [regions["city"], regions["abroad"]]):
        refused = world.rest.post("/v1/users", {**sent, "region_ids": region_ids}, token=local)
        assert refusal(refused) == (403, "forbidden"), region_ids
    made = world.rest.post("/v1/users", {**sent, "region_ids": [regions["city"]]}, token=local)
    assert made.status == 201, made.body
    path = f"/v1/users/{made.body['user_id']}"
    assert refusal(world.rest.patch(path, {"region_ids": []}, token=local)) == (403, "forbidden")
    assert world.rest.patch(path, {"full_name": "Renamed"}, token=local).status == 200
    assert world.rest.delete(f"/v1/users/{everywhere}", token=local).status == 403


def test_nobody_moves_themselves(world: World, operator: Operator, regions: dict[str, str]) -> None:
    user_id, token = member(
        world, operator.access_token, "l@x.example", ["operator_admin"], region_ids=[regions["city"]]
    )
    refused = world.rest.patch(f"/v1/users/{user_id}", {"region_ids": []}, token=token)
    assert refusal(refused) == (409, "user.own_rights")


def test_a_list_of_addresses_is_not_tried_out_by_adding_users(world: World, operator: Operator) -> None:
    """A driver's address and a user's are refused in different words: what is refused is counted, and then all are."""
    world.driver_token("drv_1", "known@driver.example")
    nosy = world.operator("Nosy").access_token
    guess = new("known@driver.example", password="a long enough password")
    for _ in range(MAX_KNOWN_ADDRESSES):
        assert refusal(world.rest.post("/v1/users", guess, token=nosy))[0] == 409
    assert world.rest.post("/v1/users", guess, token=nosy).status == 429
    assert world.rest.post("/v1/users", new("unknown@driver.example"), token=nosy).status == 429
    assert world.rest.post("/v1/users", new("unknown@driver.example"), token=operator.access_token).status == 201


def test_what_is_taken_is_pointed_at(world: World, operator: Operator) -> None:
    assert world.rest.post("/v1/users", new("b@x.example", user_name="bob"), token=operator.access_token).status == 201
    for user, pointer in ((new("b@x.example"), "/email"), (new("c@x.example", user_name="BOB"), "/user_name")):
        reply = world.rest.post("/v1/users", user, token=operator.access_token)
        assert (reply.status, [error["pointer"] for error in reply.body["errors"]]) == (409, [pointer])
