"""The devices that stay signed in: shown, ended one by one or all at once, and how soon that is felt."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.identity import service as identity
from chalicelib.identity.model import MAX_WRONG_PASSWORDS
from chalicelib.identity.model.audit import AuditFilter
from chalicelib.identity.model.devices import MAX_LABEL, device_label
from chalicelib.identity.model.logins import MAX_SIGN_INS
from chalicelib.identity.service.sign_ins import LOOKED_AT_EVERY_S
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.identity.doors import ADMIN, BROWSER, PHONE, colleague, first_admin, log, refresh, sign_in
from tests.world import PASSWORD, SECRETS, World


@pytest.fixture
def admin(world: World) -> str:
    return first_admin(world)


def listed(world: World, token: str) -> list[dict[str, Any]]:
    answer = world.rest.get("/v1/me/sign-ins", token=token)
    assert answer.status == 200, answer.body
    data: list[dict[str, Any]] = answer.body["data"]
    return data


def in_another_process(world: World) -> Context:
    """A warm process beside this one: the same tables and clock, caches of its own."""
    return Context(world.ctx.settings, world.clock, SECRETS)


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [
        (BROWSER, "Chrome on Windows"),
        (PHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox on Linux"),
        ("okhttp/4.12.0", "App"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
        ("Ünïcode ☂ \x00 thing", "n code thing"),
        ("x" * 500, "x" * MAX_LABEL),
    ],
)
def test_a_device_is_called_what_people_know_it_by(user_agent: str, label: str) -> None:
    assert device_label(user_agent) == label


def test_devices_are_shown_with_the_current_one_marked(world: World, admin: str) -> None:
    here = sign_in(world, headers={"User-Agent": BROWSER}, source_ip="192.0.2.10").body
    world.advance(60)
    sign_in(world, headers={"User-Agent": PHONE}, source_ip="192.0.2.20")
    phone, browser = listed(world, here["access_token"])
    assert (phone["device"], phone["source_ip"], phone["current"]) == ("Safari on iPhone", "192.0.2.20", False)
    assert (browser["device"], browser["source_ip"], browser["current"]) == ("Chrome on Windows", "192.0.2.10", True)
    world.advance(60)
    refresh(world, here["refresh_token"], source_ip="192.0.2.11", headers={"User-Agent": BROWSER})
    browser, phone = listed(world, here["access_token"])
    assert (browser["source_ip"], browser["current"]) == ("192.0.2.11", True)
    assert browser["last_used_at"] > browser["created_at"]


def test_one_device_is_ended_and_at_once(world: World, admin: str) -> None:
    here, there = sign_in(world).body, sign_in(world).body
    [other] = [one for one in listed(world, here["access_token"]) if not one["current"]]
    path = f"/v1/me/sign-ins/{other['sign_in_id']}"
    assert world.rest.delete(path, token=here["access_token"]).status == 204
    assert world.rest.delete(path, token=here["access_token"]).status == 404, "it is over"
    assert refresh(world, there["refresh_token"]).body["code"] == "auth.refresh_invalid"
    assert world.rest.get("/v1/me", token=there["access_token"]).body["code"] == "auth.sign_in_ended"
    assert [one["current"] for one in listed(world, here["access_token"])] == [True]


def test_other_processes_feel_it_within_half_a_minute(world: World, admin: str) -> None:
    here, there = sign_in(world).body, sign_in(world).body
    beside = in_another_process(world)
    assert identity.authenticate(beside, there["access_token"], "").login_id
    assert world.rest.delete("/v1/me/sign-ins", token=here["access_token"]).status == 204
    assert identity.authenticate(beside, there["access_token"], "").login_id, "it has just looked"
    world.advance(LOOKED_AT_EVERY_S)
    with pytest.raises(Exception, match=r"auth\.sign_in_ended"):
        identity.authenticate(beside, there["access_token"], "")
    assert identity.authenticate(beside, here["access_token"], "").login_id


def test_somebody_else_s_device_is_not_there(world: World, admin: str) -> None:
    mine = sign_in(world).body
    [one] = listed(world, mine["access_token"])
    colleague(world, world.operator())
    bob = world.sign_in("bob@operator.example")
    assert world.rest.delete(f"/v1/me/sign-ins/{one['sign_in_id']}", token=bob).status == 404
    assert len(listed(world, mine["access_token"])) == 1


def test_a_new_password_ends_all_devices_this_one_too(world: World, admin: str) -> None:
    here, there = sign_in(world).body, sign_in(world).body
    change = {"old_password": PASSWORD, "new_password": "a new password"}
    assert world.rest.post("/v1/me/password", change, token=here["access_token"]).status == 204
    for tokens in (here, there):
        assert world.rest.get("/v1/me", token=tokens["access_token"]).status == 401
        assert refresh(world, tokens["refresh_token"]).status == 401


def test_a_refresh_that_is_on_its_way_does_not_bring_an_ended_device_back(world: World, admin: str) -> None:
    tokens = sign_in(world).body

    def late(uow: UnitOfWork) -> None:
        identity.refresh(uow, tokens["refresh_token"])
        world.rest.delete("/v1/auth/sessions", token=tokens["access_token"])

    with pytest.raises(Exception, match=r"auth\.refresh_invalid"):
        world.commit(late)
    assert refresh(world, tokens["refresh_token"]).status == 401


def test_the_oldest_device_makes_room(world: World, admin: str) -> None:
    first = sign_in(world).body
    for _ in range(MAX_SIGN_INS - 1):
        world.advance(1)
        kept = sign_in(world).body
    assert len(listed(world, kept["access_token"])) == MAX_SIGN_INS
    world.advance(1)
    assert refresh(world, first["refresh_token"]).status == 200, "the first is used again"
    sign_in(world)
    assert len(listed(world, kept["access_token"])) == MAX_SIGN_INS
    assert world.rest.get("/v1/me", token=first["access_token"]).status == 200


def test_what_is_over_is_swept_away(world: World, admin: str) -> None:
    for _ in range(3):
        token = sign_in(world).body["access_token"]
        world.rest.delete("/v1/auth/sessions", token=token)
    world.advance(31 * 24 * 3600)
    sign_in(world)
    rows = world.engine.execute("Scan", {"TableName": "wattfare-identity"})["Items"]
    assert sum(1 for row in rows if row["sk"]["S"].startswith("sign_in#")) == 1


def test_an_ended_device_keeps_nothing_of_its_owner(world: World, admin: str) -> None:
    token = sign_in(world, headers={"User-Agent": BROWSER}, source_ip="192.0.2.77").body["access_token"]
    world.rest.delete("/v1/auth/sessions", token=token)
    rows = world.engine.execute("Scan", {"TableName": "wattfare-identity"})["Items"]
    [row] = [row for row in rows if row["sk"]["S"].startswith("sign_in#")]
    assert ADMIN not in str(row)
    assert "192.0.2.77" not in str(row)
    assert "Chrome" not in str(row)


def test_sign_ins_and_lock_outs_of_users_are_in_their_organisation_s_log(world: World) -> None:
    operator = world.operator()
    bob = colleague(world, operator)
    world.advance(1)
    sign_in(world, "bob@operator.example", headers={"User-Agent": PHONE}, source_ip="192.0.2.30")
    action, after = log(world, operator.operator_id)[0]
    assert action == "sign_in"
    assert (after["device"], after["second_factor"]) == ("Safari on iPhone", False)
    world.advance(1)
    for _ in range(MAX_WRONG_PASSWORDS):
        sign_in(world, "bob@operator.example", "not the password")
        sign_in(world, "nobody@operator.example", "not the password")
    world.run_events()
    events = identity.list_audit_events(
        world.ctx, operator.operator_id, AuditFilter(actor_id=bob["user_id"]), limit=50, cursor=None
    ).data
    assert [event.after.get("outcome") for event in events if event.action == "sign_in"] == ["locked_out", None]
    assert events[0].source_ip == "192.0.2.1"


def test_a_lock_out_is_told_in_the_same_way_for_names_that_nobody_has(world: World, admin: str) -> None:
    """The same writes in the same commits: how long the answer takes does not tell who is known."""
    told = []
    for email in (ADMIN, "nobody@platform.example"):
        before = len(world.pending_events())
        for _ in range(MAX_WRONG_PASSWORDS):
            sign_in(world, email, "not the password", source_ip="198.51.100.1")
        told.append([event.type for event in world.pending_events()[before:]])
    assert told == [["sign_in.locked_out"], ["sign_in.locked_out"]]


def test_a_password_that_was_changed_or_reset_is_in_the_log(world: World) -> None:
    operator = world.operator()
    colleague(world, operator)
    token = world.sign_in("bob@operator.example")
    world.advance(1)
    change = {"old_password": PASSWORD, "new_password": "a new password"}
    world.rest.post("/v1/me/password", change, token=token)
    assert log(world, operator.operator_id)[0] == ("change_password", {"password": "***"})


def test_the_devices_are_on_one_page(world: World, admin: str) -> None:
    body = world.rest.get("/v1/me/sign-ins", token=sign_in(world).body["access_token"]).body
    assert (len(body["data"]) > 0, body["has_more"], body["next_cursor"]) == (True, False, None)
