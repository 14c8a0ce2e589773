"""Organisations, users, and one address that is both: who may open, see and change what."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.identity import service as identity
from chalicelib.identity.permissions import grantable
from chalicelib.kernel.errors import DomainError
from tests.world import PASSWORD, World

NEW: dict[str, Any] = {
    "name": "Volt & Söhne",
    "email": "office@volt.example",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "country": "DE",
    "admin": {"email": "ada@volt.example", "full_name": "Ada", "password": PASSWORD},
}


def test_the_platform_opens_an_operator_whose_administrator_signs_in(world: World) -> None:
    status, created = world.rest.post("/v1/organizations", NEW, token=world.platform_admin())
    assert status == 201
    assert (created["kind"], created["state"], created["language"]) == ("operator", "active", "en")
    token = world.sign_in("ada@volt.example")
    me = world.rest.get("/v1/me", token=token).body
    assert me["organization"]["organization_id"] == created["organization_id"]
    assert me["user_id"] == created["admin_user_id"]
    assert me["groups"] == ["operator_admin"]
    assert set(me["permissions"]) == grantable("operator")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"time_zone": "Europe/Bielefeld"}, "/time_zone"),
        ({"currency": "eur"}, "/currency"),
        ({"email": "office"}, "/email"),
        ({"country": "Germany"}, "/country"),
        ({"country": "DE\n"}, "/country"),
        ({"country": "ZZ"}, "/country"),
        ({"language": "english"}, "/language"),
        ({"name": ""}, "/name"),
        ({"nmae": "x"}, "/nmae"),
        ({"kind": "platform"}, "/kind"),
        ({"admin": {"email": "ada@volt", "full_name": "Ada"}}, "/admin/email"),
        ({"admin": {"email": "ada@volt.example", "full_name": "Ada", "password": "short"}}, "/admin/password"),
    ],
)
def test_bad_operators_are_refused_with_a_pointer_and_leave_nothing(
    world: World, change: dict[str, Any], pointer: str
) -> None:
    token = world.platform_admin()
    status, problem = world.rest.post("/v1/organizations", {**NEW, **change}, token=token)
    assert status == 422
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert world.rest.get("/v1/organizations", token=token).body["data"] == []


def test_the_second_click_opens_no_second_operator(world: World) -> None:
    token = world.platform_admin()
    assert world.rest.post("/v1/organizations", NEW, token=token).status == 201
    again = world.rest.post("/v1/organizations", NEW, token=token)
    assert (again.status, again.body["code"]) == (409, "user.email_taken")
    assert len(world.rest.get("/v1/organizations", token=token).body["data"]) == 1


def test_an_administrator_without_a_password_is_invited_by_mail(world: World) -> None:
    admin = {"email": "ada@volt.example", "full_name": "Ada"}
    world.rest.post("/v1/organizations", {**NEW, "admin": admin}, token=world.platform_admin())
    world.run_events()
    (mail,) = world.mails(to="ada@volt.example")
    assert mail.subject == "Your sign-in for Volt & Söhne"
    assert "Volt &amp; Söhne" in (mail.html or "")


def test_an_operator_sees_and_changes_only_itself(world: World) -> None:
    mine, other = world.operator(), world.operator()
    assert world.rest.get("/v1/organizations", token=mine.access_token).body["data"] == [], "it has no agencies"
    own = world.rest.get(f"/v1/organizations/{mine.operator_id}", token=mine.access_token)
    assert own.body["organization_id"] == mine.operator_id
    path = f"/v1/organizations/{other.operator_id}"
    assert world.rest.get(path, token=mine.access_token).status == 404
    assert world.rest.patch(path, {"name": "Mine now"}, token=mine.access_token).status == 404
    assert world.rest.get(path, token=world.platform_admin()).body["name"] == other.organization.name
    beside = {**NEW, "kind": "operator"}
    assert world.rest.post("/v1/organizations", beside, token=mine.access_token).status == 422
    below_other = {**NEW, "parent_id": other.operator_id}
    assert world.rest.post("/v1/organizations", below_other, token=mine.access_token).status == 404


def test_a_merge_patch_sets_clears_and_leaves_alone(world: World) -> None:
    operator = world.operator(phone="+49 30 1234")
    path = f"/v1/organizations/{operator.operator_id}"
    patched = world.rest.patch(path, {"name": "Renamed", "phone": None}, token=operator.access_token)
    assert patched.status == 200
    stored = world.rest.get(path, token=operator.access_token).body
    assert stored == patched.body
    assert (stored["name"], stored["phone"], stored["country"]) == ("Renamed", None, "DE")
    assert world.rest.patch(path, {}, token=operator.access_token).body == stored
    assert world.rest.patch(path, {"name": None}, token=operator.access_token).status == 422
    assert world.rest.patch(path, {"currency": "USD"}, token=operator.access_token).status == 422
    assert world.rest.patch(path, {"state": "inactive"}, token=operator.access_token).status == 403


def test_the_platform_pages_through_its_operators_oldest_first(world: World) -> None:
    ids = []
    for _ in range(5):
        ids.append(world.operator().operator_id)
        world.advance(1)
    token, seen, cursor = world.platform_admin(), [], None
    for _ in range(3):
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = world.rest.get("/v1/organizations", token=token, query=query).body
        seen += [o["organization_id"] for o in page["data"]]
        cursor = page["next_cursor"]
    assert seen == ids
    assert not page["has_more"]


def test_users_belong_to_one_organisation_and_others_cannot_see_them(world: World) -> None:
    mine, other = world.operator(), world.operator()
    new = {"email": "bob@mine.example", "full_name": "Bob"}
    bob = world.rest.post("/v1/users", new, token=mine.access_token).body
    assert bob["groups"] == ["operator_admin"]
    path = f"/v1/users/{bob['user_id']}"
    assert world.rest.get(path, token=mine.access_token).body == bob
    assert world.rest.get(path, token=other.access_token).status == 404
    assert world.rest.patch(path, {"full_name": "Eve"}, token=other.access_token).status == 404
    listed = world.rest.get("/v1/users", token=mine.access_token).body["data"]
    assert {u["user_id"] for u in listed} == {mine.user.user_id, bob["user_id"]}
    groups = world.rest.get("/v1/user-groups", token=mine.access_token).body["data"]
    assert groups[0]["group_id"] == "operator_admin"


def test_nobody_takes_their_own_rights_away(world: World) -> None:
    operator = world.operator()
    path = f"/v1/users/{operator.user.user_id}"
    refused = world.rest.patch(path, {"state": "inactive"}, token=operator.access_token)
    assert (refused.status, refused.body["code"]) == (409, "user.own_rights")
    assert (
        world.rest.patch("/v1/me", {"full_name": "Ada L."}, token=operator.access_token).body["full_name"] == "Ada L."
    )
    assert world.rest.get(path, token=operator.access_token).body["full_name"] == "Ada L."


def test_a_user_s_address_is_taken_for_every_organisation(world: World) -> None:
    mine, other = world.operator(), world.operator()
    new = {"email": mine.user.email.upper(), "full_name": "Bob"}
    assert world.rest.post("/v1/users", new, token=other.access_token).status == 409


def test_a_driver_becomes_a_user_and_keeps_the_password(world: World) -> None:
    world.commit(
        lambda uow: identity.create_driver_login(uow, email="d@x.example", password=PASSWORD, driver_id="drv_1")
    )
    operator = world.operator()
    new = {"email": "d@x.example", "full_name": "Dora", "password": "somebody else's"}
    refused = world.rest.post("/v1/users", new, token=operator.access_token)
    assert (refused.status, refused.body["code"]) == (409, "user.password_not_settable")
    del new["password"]
    assert world.rest.post("/v1/users", new, token=operator.access_token).status == 201
    me = world.rest.get("/v1/me", token=world.sign_in("d@x.example")).body
    assert me["driver_id"] == "drv_1"
    assert me["organization"]["organization_id"] == operator.operator_id


def test_a_user_becomes_a_driver_with_the_password_they_have(world: World) -> None:
    world.rest.post("/v1/organizations", NEW, token=world.platform_admin())
    email = NEW["admin"]["email"]

    def sign_up(password: str) -> str:
        return str(
            world.commit(
                lambda uow: identity.create_driver_login(uow, email=email, password=password, driver_id="drv_1")
            )
        )

    with pytest.raises(DomainError) as caught:
        sign_up("another password")
    assert caught.value.code == "login.password_differs"
    sign_up(PASSWORD)
    with pytest.raises(DomainError) as caught:
        sign_up(PASSWORD)
    assert caught.value.code == "verification.code_invalid"
    assert world.rest.get("/v1/me", token=world.sign_in(email)).body["driver_id"] == "drv_1"


def test_two_sign_ups_at_once_make_one_login(world: World) -> None:
    def decide(driver_id: str) -> None:
        world.commit(
            lambda uow: identity.create_driver_login(uow, email="d@x.example", password=None, driver_id=driver_id)
        )

    raced = False

    def overtaken(uow: Any) -> None:
        nonlocal raced
        identity.create_driver_login(uow, email="d@x.example", password=None, driver_id="drv_slow")
        if not raced:
            raced = True
            decide("drv_fast")

    with pytest.raises(DomainError) as caught:
        world.commit(overtaken)
    assert caught.value.code == "verification.code_invalid"
    login = identity.find_login(world.ctx, "d@x.example")
    assert login is not None
    assert login.driver_id == "drv_fast"


def test_a_driver_is_nobody_s_user(world: World) -> None:
    token = world.driver_token("drv_1")
    assert world.rest.get("/v1/me", token=token).body["permissions"] == []
    assert world.rest.get("/v1/users", token=token).status == 403
    assert world.rest.patch("/v1/me", {"full_name": "x"}, token=token).status == 422


def test_a_taken_address_is_pointed_at(world: World) -> None:
    token = world.platform_admin()
    world.rest.post("/v1/organizations", NEW, token=token)
    again = world.rest.post("/v1/organizations", NEW, token=token)
    assert [error["pointer"] for error in again.body["errors"]] == ["/admin/email"]


def test_a_country_must_exist(world: World) -> None:
    operator = world.operator()
    path = f"/v1/organizations/{operator.operator_id}"
    reply = world.rest.patch(path, {"country": "QQ"}, token=operator.access_token)
    assert (reply.status, reply.body["code"], reply.body["errors"][0]["pointer"]) == (
        422,
        "country.unknown",
        "/country",
    )
    assert world.rest.patch(path, {"country": "AT"}, token=operator.access_token).status == 200
