"""API keys: what they may do, where and how long, and that none is a way to more."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.identity import service as identity
from chalicelib.identity.model import MAX_WRONG_PASSWORDS_PER_IP
from chalicelib.identity.model.api_keys import (
    MAX_KEYS,
    NEVER_HELD,
    ApiKey,
    check_allowed_ips,
    check_may_hand_out,
    check_permissions,
    parse_bearer_text,
)
from chalicelib.identity.permissions import ALL_PERMISSIONS, grantable
from chalicelib.identity.service.api_keys import KEY_AGE_S
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from tests.unit.identity.doors import colleague, log
from tests.world import SECRETS, START, Operator, Reply, World

READING = ["locations:read", "chargers:read"]


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


def make(world: World, token: str, **fields: Any) -> Reply:
    return world.rest.post("/v1/api-keys", {"name": "Till", "permissions": READING, **fields}, token=token)


def made(world: World, operator: Operator, **fields: Any) -> dict[str, Any]:
    reply = make(world, operator.access_token, **fields)
    assert reply.status == 201, reply.body
    body: dict[str, Any] = reply.body
    return body


def ask(world: World, key: str, path: str = "/v1/locations", **options: Any) -> Reply:
    return world.rest.get(path, token=key, **options)


def test_a_key_does_what_it_was_made_for_and_no_more(world: World, operator: Operator) -> None:
    key = made(world, operator)
    assert key["api_key"].startswith(f"{key['prefix']}_")
    assert ask(world, key["api_key"]).status == 200
    place = {"name": "North", "address": "Nordweg 1", "city": "Kiel", "country": "DE", "time_zone": "Europe/Berlin"}
    assert world.rest.post("/v1/locations", place, token=key["api_key"]).status == 403
    assert ask(world, key["api_key"], "/v1/users").status == 403


def test_a_key_is_nobody_s_sign_in(world: World, operator: Operator) -> None:
    key = made(world, operator)["api_key"]
    for method, path in (("GET", "/v1/me"), ("GET", "/v1/me/sign-ins"), ("DELETE", "/v1/auth/sessions")):
        refused = world.rest.request(method, path, token=key)
        assert (refused.status, refused.body["code"]) == (403, "forbidden")
    assert ask(world, key, "/v1/driver/me").status == 403


def test_what_a_machine_changes_is_in_the_log_under_its_key(world: World, operator: Operator) -> None:
    key = made(world, operator, permissions=["locations:read", "locations:write"])
    place = {"name": "North", "address": "Nordweg 1", "city": "Kiel", "country": "DE", "time_zone": "Europe/Berlin"}
    assert world.rest.post("/v1/locations", place, token=key["api_key"]).status == 201
    query = {"api_key_id": key["api_key_id"]}
    [event] = world.rest.get("/v1/audit-events", token=operator.access_token, query=query).body["data"]
    assert event["action"] == "create_location"


def test_it_is_shown_once_and_the_store_cannot_tell_it(world: World, operator: Operator) -> None:
    key = made(world, operator)
    secret = key["api_key"].rpartition("_")[2]
    assert len(secret) == 48
    path = f"/v1/api-keys/{key['api_key_id']}"
    shown = world.rest.get(path, token=operator.access_token).body
    assert "api_key" not in shown
    [listed] = world.rest.get("/v1/api-keys", token=operator.access_token).body["data"]
    assert listed == shown
    stored = json.dumps(world.engine.execute("Scan", {"TableName": "wattfare-identity"})["Items"])
    assert secret not in stored
    assert key["api_key_id"] in stored


@pytest.mark.parametrize(
    ("permissions", "code"),
    [
        ([], "api_key.permissions_missing"),
        (["locations:fly"], "permission.unknown"),
        (["organizations:create"], "permission.not_for_keys"),
        (["users:write"], "permission.not_for_keys"),
        (["user_groups:write"], "permission.not_for_keys"),
        (["api_keys:write"], "permission.not_for_keys"),
    ],
)
def test_what_no_key_may_hold(world: World, operator: Operator, permissions: list[str], code: str) -> None:
    refused = make(world, operator.access_token, permissions=permissions)
    assert (refused.status, refused.body["code"]) == (422, code)
    assert refused.body["errors"][0]["pointer"].startswith("/permissions")


@given(held=st.sets(st.sampled_from(sorted(ALL_PERMISSIONS))), wanted=st.sets(st.sampled_from(sorted(ALL_PERMISSIONS))))
def test_a_key_never_does_what_its_maker_may_not(held: set[str], wanted: set[str]) -> None:
    maker = Actor("person", organization_id="org_1", organization_kind="operator", permissions=frozenset(held))
    try:
        given_permissions = check_permissions(sorted(wanted), maker)
    except DomainError:
        assert not wanted or wanted & NEVER_HELD or not wanted <= held & grantable("operator")
    else:
        assert set(given_permissions) == wanted <= held - NEVER_HELD


def test_who_may_do_less_makes_a_smaller_key_and_gets_no_bigger_one(world: World, operator: Operator) -> None:
    big = made(world, operator)
    group = {"name": "Machines", "permissions": ["api_keys:read", "api_keys:write", "locations:read"]}
    machines = world.rest.post("/v1/user-groups", group, token=operator.access_token).body["group_id"]
    colleague(world, operator, groups=[machines])
    bob = world.sign_in("bob@operator.example")
    assert make(world, bob).status == 403
    assert make(world, bob, permissions=["locations:read"]).status == 201
    rotation = world.rest.post(f"/v1/api-keys/{big['api_key_id']}/rotation", {}, token=bob)
    assert rotation.status == 403, "its new secret would do more than he may"
    assert world.rest.delete(f"/v1/api-keys/{big['api_key_id']}", token=bob).status == 204


def test_who_works_in_one_region_hands_out_keys_for_that_region(world: World, operator: Operator) -> None:
    token = operator.access_token
    country = world.rest.post("/v1/regions", {"name": "Germany", "country_code": "DE"}, token=token).body["region_id"]
    wide = made(world, operator, permissions=["locations:read"])
    colleague(world, operator, region_ids=[country])
    bob = world.sign_in("bob@operator.example")
    key = make(world, bob, permissions=["locations:read"])
    assert key.status == 201, key.body
    assert key.body["region_ids"] == [country]
    actor = identity.authenticate(world.ctx, key.body["api_key"], "192.0.2.1")
    assert actor.region_ids == frozenset({country})
    assert world.rest.post(f"/v1/api-keys/{wide['api_key_id']}/rotation", {}, token=bob).status == 403
    assert world.rest.post(f"/v1/api-keys/{key.body['api_key_id']}/rotation", {}, token=bob).status == 201


def test_a_key_outlives_its_maker_and_not_its_organisation(world: World, operator: Operator) -> None:
    bob = colleague(world, operator)
    key = make(world, world.sign_in("bob@operator.example")).body
    assert key["created_by"] == bob["user_id"]
    world.rest.delete(f"/v1/users/{bob['user_id']}", token=operator.access_token)
    world.advance(KEY_AGE_S)
    assert ask(world, key["api_key"]).status == 200
    path = f"/v1/organizations/{operator.operator_id}"
    assert world.rest.patch(path, {"state": "inactive"}, token=world.platform_admin()).status == 200
    world.advance(KEY_AGE_S)
    assert ask(world, key["api_key"]).body["code"] == "auth.api_key_invalid"


def test_a_revoked_key_is_refused_at_once_here_and_soon_elsewhere(world: World, operator: Operator) -> None:
    key = made(world, operator)
    beside = Context(world.ctx.settings, world.clock, SECRETS)
    assert identity.authenticate(beside, key["api_key"], "").kind == "api_key"
    assert ask(world, key["api_key"]).status == 200
    path = f"/v1/api-keys/{key['api_key_id']}"
    assert world.rest.delete(path, token=operator.access_token).status == 204
    assert world.rest.delete(path, token=operator.access_token).status == 204, "the second click changes nothing"
    assert ask(world, key["api_key"]).body["code"] == "auth.api_key_invalid"
    assert world.rest.get(path, token=operator.access_token).body["state"] == "revoked"
    world.advance(KEY_AGE_S)
    with pytest.raises(DomainError, match="api_key_invalid"):
        identity.authenticate(beside, key["api_key"], "")
    rotation = world.rest.post(f"{path}/rotation", {}, token=operator.access_token)
    assert (rotation.status, rotation.body["code"]) == (409, "api_key.not_active")


def test_a_key_ends_when_it_was_to(world: World, operator: Operator) -> None:
    end = world.clock.now() + timedelta(minutes=10)
    key = made(world, operator, expires_at=to_rfc3339(end))
    assert ask(world, key["api_key"]).status == 200
    world.advance(600)
    assert ask(world, key["api_key"]).status == 401
    [listed] = world.rest.get("/v1/api-keys", token=operator.access_token, query={"state": "expired"}).body["data"]
    assert listed["api_key_id"] == key["api_key_id"]
    late = make(world, operator.access_token, expires_at=to_rfc3339(end))
    assert (late.status, late.body["code"]) == (422, "api_key.expires_at")


def test_after_a_rotation_both_secrets_are_good_for_a_while(world: World, operator: Operator) -> None:
    key = made(world, operator)
    path = f"/v1/api-keys/{key['api_key_id']}/rotation"
    second = world.rest.post(path, {"grace_s": 600}, token=operator.access_token).body
    assert second["api_key"] != key["api_key"]
    assert second["prefix"] == key["prefix"]
    for text in (key["api_key"], second["api_key"]):
        assert ask(world, text).status == 200
    third = world.rest.post(path, {"grace_s": 0}, token=operator.access_token).body
    for text, status in ((key["api_key"], 401), (second["api_key"], 401), (third["api_key"], 200)):
        assert ask(world, text).status == status
    world.rest.post(path, {"grace_s": 600}, token=operator.access_token)
    world.advance(600)
    assert ask(world, third["api_key"]).status == 401


@pytest.mark.parametrize(
    ("allowed", "source_ip", "status"),
    [
        (["192.0.2.0/24"], "192.0.2.200", 200),
        (["192.0.2.7/24"], "192.0.2.200", 200),
        (["192.0.2.7"], "192.0.2.8", 403),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["2001:db8::/32"], "192.0.2.1", 403),
    ],
)
def test_a_key_is_good_from_where_it_is_allowed(
    world: World, operator: Operator, allowed: list[str], source_ip: str, status: int
) -> None:
    key = made(world, operator, allowed_ips=allowed)
    assert ask(world, key["api_key"], source_ip=source_ip).status == status


def test_what_is_no_address_is_refused_with_its_place(world: World, operator: Operator) -> None:
    refused = make(world, operator.access_token, allowed_ips=["192.0.2.1", "everywhere"])
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/allowed_ips/1")
    assert check_allowed_ips([" 192.0.2.7/24", "192.0.2.0/24"]) == ["192.0.2.0/24"]


def test_the_last_use_is_told_to_the_hour_and_written_once(world: World, operator: Operator) -> None:
    key = made(world, operator)
    path = f"/v1/api-keys/{key['api_key_id']}"
    world.advance(1234)

    def used() -> str | None:
        world.ctx.afterwards.settle()
        token = world.access_token(operator.user.email)
        shown: str | None = world.rest.get(path, token=token).body["last_used_at"]
        return shown

    assert used() is None
    ask(world, key["api_key"])
    assert used() == "2026-03-02T08:00:00Z"
    world.engine.consumed.clear()
    for _ in range(5):
        ask(world, key["api_key"])
    world.ctx.afterwards.settle()
    assert ("wattfare-identity", "write") not in world.engine.consumed
    world.advance(3600)
    ask(world, key["api_key"])
    world.ctx.afterwards.settle()
    stored = json.dumps(world.engine.execute("Scan", {"TableName": "wattfare-identity"})["Items"])
    assert "2026-03-02T09:00:00" in stored


@pytest.mark.parametrize("text", ["wfk_", "wfk__", "wfk_01_", "wfk_é_x", "wfk_01_é", "wfk_01_x_y", "wfk_01", "wfk_ _x"])
def test_what_looks_like_a_key_and_is_none(world: World, text: str) -> None:
    assert parse_bearer_text(text) is None
    assert ask(world, text).body["code"] == "auth.api_key_invalid"


def test_wrong_keys_are_counted_by_ip_and_right_ones_go_on(world: World, operator: Operator) -> None:
    key = made(world, operator)["api_key"]
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    for _ in range(MAX_WRONG_PASSWORDS_PER_IP):
        assert ask(world, wrong, source_ip="198.51.100.9").status == 401
    assert ask(world, wrong, source_ip="198.51.100.9").status == 429
    assert ask(world, key, source_ip="198.51.100.9").status == 200
    assert ask(world, wrong, source_ip="198.51.100.10").status == 401


def test_another_organisation_s_key_is_not_there(world: World, operator: Operator) -> None:
    key = made(world, operator)
    stranger = world.operator()
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/rotation")):
        body = {} if path else None
        answer = world.rest.request(
            method, f"/v1/api-keys/{key['api_key_id']}{path}", body, token=stranger.access_token
        )
        assert answer.status == 404
    assert world.rest.get("/v1/api-keys", token=stranger.access_token).body["data"] == []
    assert ask(world, key["api_key"]).status == 200


def test_an_organisation_has_so_many_keys(world: World, operator: Operator) -> None:
    first = made(world, operator)
    for _ in range(MAX_KEYS - 1):
        made(world, operator)
    refused = make(world, operator.access_token)
    assert (refused.status, refused.body["code"]) == (409, "api_key.too_many")
    world.rest.delete(f"/v1/api-keys/{first['api_key_id']}", token=operator.access_token)
    assert make(world, operator.access_token).status == 201


def test_making_and_revoking_are_in_the_log_without_the_secret(world: World, operator: Operator) -> None:
    key = made(world, operator)
    world.rest.post(f"/v1/api-keys/{key['api_key_id']}/rotation", {}, token=operator.access_token)
    world.rest.delete(f"/v1/api-keys/{key['api_key_id']}", token=operator.access_token)
    told = log(world, operator.operator_id)
    assert {"create_api_key", "rotate_api_key", "revoke_api_key"} <= {action for action, _ in told}
    assert key["api_key"].rpartition("_")[2] not in str(told)


@given(
    held=st.sets(st.sampled_from(READING)),
    own=st.none() | st.frozensets(st.sampled_from("abc"), min_size=1),
    keys=st.lists(st.sampled_from("abc"), unique=True),
)
def test_a_secret_is_handed_to_who_could_do_it_all(held: set[str], own: frozenset[str] | None, keys: list[str]) -> None:
    key = ApiKey("key_1", "org_1", "Till", READING, "", START, "usr_1", region_ids=keys)
    actor = Actor("person", permissions=frozenset(held), region_ids=own)
    could = held >= set(READING) and (own is None or (bool(keys) and own >= set(keys)))
    if could:
        check_may_hand_out(key, actor)
        return
    with pytest.raises(DomainError, match="forbidden"):
        check_may_hand_out(key, actor)
