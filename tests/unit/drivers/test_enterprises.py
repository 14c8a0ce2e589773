"""Enterprises and their members over REST: what is accepted, what is refused, and what the log keeps."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers import service
from tests.unit.drivers.conftest import add_driver, reread, token
from tests.world import Operator, Reply, World

NAME = "株式会社 Ünïcode"


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


def euro(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def found(world: World, operator: Operator, **fields: Any) -> Reply:
    body = {"name": NAME, "email": "pay@fleet.example", "credit_limit": euro(5000), **fields}
    return world.rest.post("/v1/enterprises", body, token=operator.access_token)


@pytest.fixture
def path(world: World, operator: Operator) -> str:
    return f"/v1/enterprises/{found(world, operator).body['enterprise_id']}"


def test_a_new_enterprise_has_all_its_credit(world: World, operator: Operator, path: str) -> None:
    body = world.rest.get(path, token=operator.access_token).body
    assert (body["name"], body["credit_used"], body["credit_free"]) == (NAME, euro(0), euro(5000))
    listed = world.rest.get("/v1/enterprises", token=operator.access_token, query={"q": "ünïcode"}).body["data"]
    assert [each["name"] for each in listed] == [NAME]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"credit_limit": {"amount": 1, "currency": "USD"}}, "/credit_limit/currency"),
        ({"credit_limit": euro(-1)}, "/credit_limit/amount"),
        ({"credit_limit": euro(10**13)}, "/credit_limit/amount"),
        ({"email": "no address"}, "/email"),
        ({"name": " "}, "/name"),
        ({"country": "Germany"}, "/country"),
        ({"payment_days": -1}, "/payment_days"),
    ],
)
def test_what_is_wrong_is_named(world: World, operator: Operator, fields: dict[str, Any], pointer: str) -> None:
    reply = found(world, operator, **fields)
    assert reply.status in (400, 422)
    assert reply.body["errors"][0]["pointer"] == pointer
    assert world.rest.get("/v1/enterprises", token=operator.access_token).body["data"] == []


def test_the_limit_moves_with_its_ledger_entry(world: World, operator: Operator, path: str) -> None:
    for limit in (7000, 7000, 100, 0, 5000):
        reply = world.rest.patch(path, {"credit_limit": euro(limit)}, token=operator.access_token)
        assert (reply.status, reply.body["credit_free"]) == (200, euro(limit))
        assert world.rest.get(path, token=operator.access_token).body["credit_free"] == euro(limit)
        world.advance(1)


def test_the_log_says_who_changed_what(world: World, operator: Operator, path: str) -> None:
    world.rest.patch(path, {"credit_limit": euro(6000)}, token=operator.access_token)
    query = {"action": "update_enterprise"}
    [event] = world.rest.get("/v1/audit-events", token=operator.access_token, query=query).body["data"]
    assert event["object_type"] == "enterprise"


# -- members --------------------------------------------------------------------------------------------------------


def put(world: World, operator: Operator, path: str, driver_id: str, **body: Any) -> Reply:
    return world.rest.put(f"{path}/members/{driver_id}", body, token=operator.access_token)


def test_a_member_is_named_on_the_driver_and_on_all_cards(world: World, operator: Operator, path: str) -> None:
    driver = add_driver(world, operator_id=operator.operator_id)
    world.commit(lambda uow: service.add_card(uow, id_token="ONE", operator_id=None, driver=driver))
    for _ in range(2):
        assert put(world, operator, path, driver.driver_id, monthly_limit=euro(900)).status == 200
    named = {operator.operator_id: path.rpartition("/")[2]}
    assert reread(world, driver).enterprises == named
    world.commit(lambda uow: service.add_card(uow, id_token="TWO", operator_id=None, driver=reread(world, driver)))
    assert token(world, "ONE").enterprises == token(world, "TWO").enterprises == named
    world.commit(lambda uow: service.unbind_card(uow, token(world, "TWO")))
    assert world.rest.delete(f"{path}/members/{driver.driver_id}", token=operator.access_token).status == 204
    assert reread(world, driver).enterprises == token(world, "ONE").enterprises == {}
    assert world.rest.delete(f"{path}/members/{driver.driver_id}", token=operator.access_token).status == 404


def test_a_driver_is_a_member_of_one_enterprise_per_operator(world: World, operator: Operator, path: str) -> None:
    driver = add_driver(world, operator_id=operator.operator_id)
    assert put(world, operator, path, driver.driver_id).status == 200
    second = f"/v1/enterprises/{found(world, operator).body['enterprise_id']}"
    reply = put(world, operator, second, driver.driver_id)
    assert (reply.status, reply.body["code"]) == (409, "enterprise_member.elsewhere")
    other = world.operator()
    world.commit(lambda uow: service.link_operator(uow, other.operator_id, driver.driver_id))
    third = f"/v1/enterprises/{found(world, other).body['enterprise_id']}"
    assert put(world, other, third, driver.driver_id).status == 200
    assert len(reread(world, driver).enterprises) == 2


def test_a_driver_who_is_not_on_the_list_is_not_there(world: World, operator: Operator, path: str) -> None:
    stranger = add_driver(world)
    assert put(world, operator, path, stranger.driver_id).status == 404
    assert put(world, operator, path, "drv_nobody").status == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"monthly_limit": {"amount": 1, "currency": "USD"}}, "/monthly_limit/currency"),
        ({"per_session_limit": euro(-1)}, "/per_session_limit/amount"),
        ({"id_tokens": ["ELSE"]}, "/id_tokens/0"),
        ({"id_tokens": []}, "/id_tokens"),
        ({"valid_from": "2026-05-01T00:00:00Z", "valid_until": "2026-04-01T00:00:00Z"}, "/valid_until"),
        ({"valid_until": "9999-12-31T23:59:59Z"}, "/valid_until"),
    ],
)
def test_a_wrong_membership_is_refused(
    world: World, operator: Operator, path: str, body: dict[str, Any], pointer: str
) -> None:
    driver = add_driver(world, operator_id=operator.operator_id)
    reply = put(world, operator, path, driver.driver_id, **body)
    assert reply.status in (400, 422)
    assert reply.body["errors"][0]["pointer"] == pointer
    assert reread(world, driver).enterprises == {}


def test_a_card_of_somebody_else_is_unknown(world: World, operator: Operator, path: str) -> None:
    driver = add_driver(world, operator_id=operator.operator_id)
    reply = put(world, operator, path, driver.driver_id, id_tokens=["ELSE"])
    assert (reply.status, reply.body["code"]) == (422, "id_token.unknown")


def test_an_enterprise_is_in_a_country_that_exists(world: World, operator: Operator, path: str) -> None:
    new = found(world, operator, country="ZZ")
    changed = world.rest.patch(path, {"country": "QQ"}, token=operator.access_token)
    for reply in (new, changed):
        assert (reply.status, reply.body["code"], reply.body["errors"][0]["pointer"]) == (
            422,
            "country.unknown",
            "/country",
        )


def test_the_driver_sees_who_pays(world: World, operator: Operator, path: str) -> None:
    driver = add_driver(world, operator_id=operator.operator_id)
    put(world, operator, path, driver.driver_id, monthly_limit=euro(900), valid_until="2026-03-02T08:00:01Z")
    access_token = world.driver_token(driver.driver_id)
    [mine] = world.rest.get("/v1/driver/me/enterprises", token=access_token).body["data"]
    assert (mine["name"], mine["pays_now"], mine["monthly_limit"]) == (NAME, True, euro(900))
    world.advance(1)
    [mine] = world.rest.get("/v1/driver/me/enterprises", token=access_token).body["data"]
    assert mine["pays_now"] is False
