"""Customers in the console: the list with its tabs, search, balances and total; entered and edited by the operator."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.drivers.service import welcoming
from chalicelib.identity import service as identity
from chalicelib.identity.model import User
from chalicelib.kernel.money import Money
from chalicelib.wallets import service as wallets
from tests.unit.drivers.conftest import add_driver, reread
from tests.world import PASSWORD, Operator, Reply, World

NEW = {"email": "Zoe@Driver.example", "full_name": "Zoë  Драйвер 司机", "city": "Köln", "country": "DE"}


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator("Stadtwerke", language="de")


def listed(world: World, token: str, **query: Any) -> Any:
    reply = world.rest.get("/v1/drivers", token=token, query=query)
    assert reply.status == 200, reply.body
    return reply.body


def pay_in(world: World, operator: Operator, driver_id: str, amount: int) -> None:
    world.commit(
        lambda uow: wallets.adjust_wallet(
            uow,
            entry_id=world.ctx.new_id("ent"),
            driver_id=driver_id,
            operator_id=operator.operator_id,
            direction="top_up",
            amount=Money(amount, "EUR"),
            reason="cash",
            business_day="2026-03-02",
        )
    )


def enter(world: World, operator: Operator, **changes: Any) -> Reply:
    return world.rest.post("/v1/drivers", NEW | changes, token=operator.access_token)


# -- the list ---------------------------------------------------------------------------------------------------------


def test_the_list_shows_balances_in_the_operators_currency(world: World, operator: Operator) -> None:
    rich = add_driver(world, "Rich", operator.operator_id)
    add_driver(world, "Poor", operator.operator_id)
    pay_in(world, operator, rich.driver_id, 1234)
    balances = {driver["full_name"]: driver["balance"] for driver in listed(world, operator.access_token)["data"]}
    assert balances == {"Rich": {"amount": 1234, "currency": "EUR"}, "Poor": {"amount": 0, "currency": "EUR"}}


def test_who_may_not_see_balances_sees_none(world: World, operator: Operator) -> None:
    mine = add_driver(world, "Dora", operator.operator_id)
    pay_in(world, operator, mine.driver_id, 1234)
    email = "helper@stadtwerke.example"
    new = identity.NewUser(email=email, full_name="Hal", groups=["support"])
    user: User = world.commit(lambda uow: identity.create_user(uow, operator.organization, new))
    assert user.groups == ["support"]
    assert listed(world, world.access_token(email))["data"][0]["balance"] is not None
    agent = agency_of(world, operator)
    world.commit(lambda uow: drivers.link_operator(uow, agent.organization_id or "", mine.driver_id))
    [shown] = listed(world, world.access_token("anna@agency.example"))["data"]
    assert shown["balance"] is None


def agency_of(world: World, operator: Operator) -> User:
    admin = identity.NewUser(email="anna@agency.example", full_name="Anna Agent")
    new = identity.NewOrganization(
        name="Agency", email=admin.email, kind="agency", currency="EUR", time_zone="Europe/Berlin", admin=admin
    )
    _, user = world.commit(lambda uow: identity.create_organization(uow, new, operator.organization))
    return user  # type: ignore[no-any-return]


def test_an_agency_sees_the_standing_that_its_operator_gave(world: World, operator: Operator) -> None:
    agent = agency_of(world, operator)
    token = world.access_token("anna@agency.example")
    mine = add_driver(world, "Dora", operator.operator_id)
    world.commit(lambda uow: drivers.link_operator(uow, agent.organization_id or "", mine.driver_id))
    add_driver(world, "Elsewhere", operator.operator_id)
    assert world.rest.delete(f"/v1/drivers/{mine.driver_id}", token=operator.access_token).status == 204
    assert [driver["full_name"] for driver in listed(world, token, state="inactive")["data"]] == ["Dora"]
    assert world.rest.get(f"/v1/drivers/{mine.driver_id}", token=token).body["state"] == "inactive"
    assert world.rest.patch(f"/v1/drivers/{mine.driver_id}", {"phone": "1"}, token=token).status == 403


def test_the_total_counts_what_the_pages_give(world: World, operator: Operator) -> None:
    made = [add_driver(world, name, operator.operator_id) for name in ("Anna", "Berta", "Cäsar", "Dora", "Emil")]
    token = operator.access_token
    assert world.rest.delete(f"/v1/drivers/{made[0].driver_id}", token=token).status == 204
    assert listed(world, token)["total"] is None
    assert listed(world, token, include_total="true", limit=2)["total"] == 5
    assert listed(world, token, include_total="true", state="active")["total"] == 4
    assert listed(world, token, include_total="true", state="inactive")["total"] == 1
    assert listed(world, token, include_total="true", q="casar")["total"] == 1
    page = listed(world, token, include_total="true", state="active", limit=3)
    following = listed(world, token, state="active", limit=3, cursor=page["next_cursor"])
    assert len(page["data"]) + len(following["data"]) == page["total"]


def test_the_search_does_not_mind_accents(world: World, operator: Operator) -> None:
    add_driver(world, "José Núñez", operator.operator_id)
    add_driver(world, "Josef", operator.operator_id)
    found = listed(world, operator.access_token, q="JOSE nunez")["data"]
    assert [driver["full_name"] for driver in found] == ["José Núñez"]


def test_being_listed_again_writes_nothing(world: World, operator: Operator) -> None:
    mine = add_driver(world, "Dora", operator.operator_id)
    before = world.engine.consumed[("wattfare-drivers", "write")]
    world.commit(lambda uow: drivers.link_operator(uow, operator.operator_id, mine.driver_id))
    assert world.engine.consumed[("wattfare-drivers", "write")] == before


# -- edited -----------------------------------------------------------------------------------------------------------


def test_an_operator_edits_a_driver_of_its_list_and_the_log_says_who(world: World, operator: Operator) -> None:
    mine = add_driver(world, "Dora", operator.operator_id)
    path, token = f"/v1/drivers/{mine.driver_id}", operator.access_token
    patch = {"full_name": " Dora  Neu ", "phone": "+49 1", "city": "Bonn"}
    for _ in range(2):
        status, body = world.rest.patch(path, patch, token=token)
        assert (status, body["full_name"], body["phone"]) == (200, "Dora Neu", "+49 1")
    world.advance(1)  # what happens in one millisecond has no order
    assert world.rest.patch(path, {"phone": None}, token=token).body["phone"] is None
    events = world.rest.get("/v1/audit-events", token=token).body["data"]
    edits = [event for event in events if event["action"] == "update_driver"]
    assert len(edits) == 2
    assert edits[1]["before"]["full_name"] == "Dora"
    assert edits[1]["after"]["full_name"] == "Dora Neu"
    assert edits[0]["actor"]["id"] == operator.user.user_id


@pytest.mark.parametrize(
    ("patch", "pointer"),
    [
        ({"email": "x@y.example"}, ""),
        ({"full_name": "  "}, "/full_name"),
        ({"full_name": None}, "/full_name"),
        ({"country": "Germany"}, "/country"),
        ({"state": "inactive"}, ""),
    ],
)
def test_bad_edits_change_nothing(world: World, operator: Operator, patch: dict[str, Any], pointer: str) -> None:
    mine = add_driver(world, "Dora", operator.operator_id)
    reply = world.rest.patch(f"/v1/drivers/{mine.driver_id}", patch, token=operator.access_token)
    assert reply.status == 422
    assert reply.body["errors"][0]["pointer"].startswith(pointer)
    assert reread(world, mine) == mine


def test_a_stranger_is_not_edited(world: World, operator: Operator) -> None:
    stranger = add_driver(world, "Eve")
    reply = world.rest.patch(f"/v1/drivers/{stranger.driver_id}", {"city": "Bonn"}, token=operator.access_token)
    assert reply.status == 404
    assert reread(world, stranger) == stranger


# -- entered ----------------------------------------------------------------------------------------------------------


def test_a_customer_is_entered_at_the_counter_and_chooses_a_password(world: World, operator: Operator) -> None:
    status, made = enter(world, operator)
    assert (status, made["full_name"], made["state"]) == (201, "Zoë Драйвер 司机", "active")
    assert made["balance"] == {"amount": 0, "currency": "EUR"}
    assert listed(world, operator.access_token)["data"] == [made]
    world.run_events()
    [mail] = world.mails("Zoe@Driver.example")
    assert "Stadtwerke" in mail.subject
    assert "Guten Tag Zoë Драйвер 司机" in mail.text
    body = {"email": "zoe@driver.example", "purpose": "password_reset"}
    assert world.rest.post("/v1/auth/verification-codes", body).status == 202
    [event] = [event for event in world.pending_events() if event.type == "verification_code.issued"]
    reset = {"email": body["email"], "code": event.payload["code"], "new_password": PASSWORD}
    assert world.rest.post("/v1/auth/password-resets", reset).status in (200, 201, 204)
    token = world.sign_in("zoe@driver.example", PASSWORD)
    assert world.rest.get("/v1/driver/me", token=token).body["driver_id"] == made["driver_id"]


def test_a_taken_address_is_refused_in_the_same_words_wherever_the_driver_is(world: World, operator: Operator) -> None:
    assert enter(world, operator).status == 201
    other = world.operator("Elsewhere")
    own = enter(world, operator, email="ZOE@driver.example")
    foreign = enter(world, other)
    assert (own.status, own.body["code"], own.body["errors"][0]["pointer"]) == (409, "driver.email_taken", "/email")
    assert (foreign.status, foreign.body["errors"]) == (409, own.body["errors"])
    assert listed(world, other.access_token)["data"] == []


def test_a_list_of_addresses_is_not_tried_out(world: World, operator: Operator) -> None:
    assert enter(world, operator).status == 201
    other = world.operator("Nosy")
    for _ in range(welcoming.MAX_STRANGERS):
        assert enter(world, other).status == 409
    assert enter(world, other).status == 429
    assert enter(world, operator).status == 409  # one's own are not counted
    # Else what is refused would still tell which addresses are known.
    assert enter(world, other, email="new@driver.example").status == 429
    world.advance(welcoming.STRANGERS_WINDOW.total_seconds() + 1)
    renewed = world.access_token(other.user.email)
    assert world.rest.post("/v1/drivers", NEW, token=renewed).status == 409


def test_somebody_who_works_for_an_organization_becomes_a_driver_besides(world: World, operator: Operator) -> None:
    email = operator.user.email
    assert enter(world, operator, email=email).status == 201
    login = identity.find_login(world.ctx, email)
    assert login is not None
    assert (login.user_id, login.driver_id is not None) == (operator.user.user_id, True)


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"email": "nobody"}, "/email"), ({"full_name": " "}, "/full_name"), ({"country": "Germany"}, "/country")],
)
def test_bad_customers_leave_nothing(world: World, operator: Operator, changes: dict[str, Any], pointer: str) -> None:
    refused = enter(world, operator, **changes)
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, pointer)
    assert identity.find_login(world.ctx, NEW["email"]) is None
    assert listed(world, operator.access_token)["data"] == []


def test_the_platform_names_the_operator(world: World, operator: Operator) -> None:
    token = world.platform_admin()
    assert world.rest.post("/v1/drivers", NEW, token=token).body["code"] == "operator_id.missing"
    named = NEW | {"operator_id": operator.operator_id}
    assert world.rest.post("/v1/drivers", named, token=token).status == 201
    assert len(listed(world, operator.access_token)["data"]) == 1
