"""Drivers by REST: sign-up, their own data and cards, and the operators' lists."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver, app_token
from tests.unit.drivers.conftest import add_driver, token
from tests.world import Operator, Reply, World

SIGN_UP = {
    "email": "Dora@Driver.example",
    "password": "correct horse battery",
    "full_name": "Dora Драйвер 司机",
    "address": "Ring 1",
    "apartment": "4b",
    "city": "Köln",
    "country": "DE",
}


def request_code(world: World) -> str:
    body = {"email": SIGN_UP["email"], "purpose": "sign_up"}
    assert world.rest.post("/v1/auth/verification-codes", body).status == 202
    (event,) = [event for event in world.pending_events() if event.type == "verification_code.issued"]
    return str(event.payload["code"])


def sign_up(world: World, code: str, **changes: Any) -> Any:
    return world.rest.post("/v1/auth/sign-ups", SIGN_UP | {"code": code} | changes)


def test_a_driver_signs_up_with_the_mailed_code_and_signs_in(world: World) -> None:
    status, driver = sign_up(world, request_code(world))
    assert status == 201
    assert (driver["full_name"], driver["apartment"]) == (SIGN_UP["full_name"], "4b")
    access_token = world.sign_in("dora@driver.example", "correct horse battery")
    assert world.rest.get("/v1/driver/me", token=access_token).body == driver
    assert token(world, app_token(driver["driver_id"])).driver_id == driver["driver_id"]


def test_a_wrong_code_makes_nobody(world: World) -> None:
    code = request_code(world)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    status, body = sign_up(world, wrong)
    assert (status, body["code"]) == (422, "verification.code_invalid")
    assert sign_up(world, code).status == 201


def test_a_code_is_used_once_and_a_known_address_gets_the_answer_of_a_wrong_code(world: World) -> None:
    code = request_code(world)
    assert sign_up(world, code).status == 201
    again = sign_up(world, code)
    world.advance(120)
    stranger = sign_up(world, "000000", email="nobody@driver.example")
    assert (again.status, again.body["code"]) == (stranger.status, stranger.body["code"])


@pytest.mark.parametrize(
    "changes", [{"full_name": ""}, {"full_name": " \u3000 "}, {"country": "Germany"}, {"language": "English"}, {"x": 1}]
)
def test_bad_sign_ups_do_not_use_up_the_code(world: World, changes: dict[str, Any]) -> None:
    code = request_code(world)
    assert sign_up(world, code, **changes).status == 422
    assert sign_up(world, code).status == 201


def test_a_name_is_kept_without_blanks_around_it(world: World) -> None:
    driver = sign_up(world, request_code(world), full_name="  Dora   Driver ", street=" ", city=" Ko\u0308ln").body
    assert (driver["full_name"], driver["street"], driver["city"]) == ("Dora Driver", None, "Köln")


@pytest.fixture
def driver(world: World) -> Driver:
    return add_driver(world)


@pytest.fixture
def access_token(world: World, driver: Driver) -> str:
    return world.driver_token(driver.driver_id, driver.email)


def test_a_driver_changes_name_and_address(world: World, access_token: str) -> None:
    patch = {"full_name": "Dora New", "city": "Bonn", "phone": None}
    status, body = world.rest.patch("/v1/driver/me", patch, token=access_token)
    assert (status, body["full_name"], body["city"]) == (200, "Dora New", "Bonn")
    assert world.rest.get("/v1/driver/me", token=access_token).body == body
    assert world.rest.patch("/v1/driver/me", {"email": "x@y.example"}, token=access_token).status == 422


def test_a_driver_adds_lists_and_removes_cards(world: World, driver: Driver, access_token: str) -> None:
    status, card = world.rest.post("/v1/driver/id-tokens", {"id_token": " 04a1b2 "}, token=access_token)
    assert (status, card["id_token"], card["status"]) == (201, "04a1b2", "active")
    assert world.rest.get("/v1/driver/id-tokens", token=access_token).body["data"] == [card]
    assert world.rest.delete("/v1/driver/id-tokens/04A1B2", token=access_token).status == 204
    assert world.rest.get("/v1/driver/id-tokens", token=access_token).body["data"] == []
    assert world.rest.delete("/v1/driver/id-tokens/04A1B2", token=access_token).status == 404
    app = app_token(driver.driver_id)
    assert world.rest.delete(f"/v1/driver/id-tokens/{app}", token=access_token).status == 404


def test_another_drivers_card_is_out_of_reach(world: World, access_token: str) -> None:
    other = add_driver(world)
    world.commit(lambda uow: drivers.claim_card(uow, other, "CARD1"))
    assert world.rest.post("/v1/driver/id-tokens", {"id_token": "card1"}, token=access_token).status == 409
    assert world.rest.delete("/v1/driver/id-tokens/CARD1", token=access_token).status == 404
    assert token(world, "CARD1").driver_id == other.driver_id


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


def test_an_operator_configures_binds_and_blocks_a_card(world: World, operator: Operator) -> None:
    mine = add_driver(world, operator_id=operator.operator_id)
    rest, access = world.rest, {"token": operator.access_token}
    status, card = rest.post("/v1/id-tokens", {"id_token": "CARD1", "note": "Blue"}, **access)
    assert (status, card["driver_id"], card["note"]) == (201, None, "Blue")
    assert rest.post("/v1/id-tokens", {"id_token": "card1"}, **access).body["code"] == "id_token.exists"
    binding = {"driver_id": mine.driver_id}
    for _ in range(2):
        assert rest.put("/v1/id-tokens/card1/driver", binding, **access).body["driver_id"] == mine.driver_id
    second = add_driver(world, operator_id=operator.operator_id)
    refused = rest.put("/v1/id-tokens/CARD1/driver", {"driver_id": second.driver_id}, **access)
    assert (refused.status, refused.body["code"]) == (409, "id_token.bound")
    patch = {"status": "blocked", "note": None, "expires_at": "2027-01-01T00:00:00Z"}
    status, card = rest.patch("/v1/id-tokens/CARD1", patch, **access)
    assert (status, card["status"], card["note"], card["expires_at"]) == (200, "blocked", None, patch["expires_at"])
    assert rest.get("/v1/id-tokens", query={"status": "blocked"}, **access).body["data"] == [card]
    assert rest.get("/v1/id-tokens", query={"status": "active"}, **access).body["data"] == []
    assert rest.get("/v1/id-tokens", query=binding, **access).body["data"] == [card]
    for _ in range(2):
        assert rest.delete("/v1/id-tokens/CARD1/driver", **access).status == 204
    assert rest.get("/v1/id-tokens/CARD1", **access).body["driver_id"] is None


def test_a_card_may_be_configured_for_a_driver_at_once(world: World, operator: Operator) -> None:
    mine, stranger = add_driver(world, operator_id=operator.operator_id), add_driver(world)

    def post(who: Driver, number: str) -> Reply:
        body = {"id_token": number, "driver_id": who.driver_id}
        return world.rest.post("/v1/id-tokens", body, token=operator.access_token)

    assert post(mine, "CARD1").body["driver_id"] == mine.driver_id
    assert post(stranger, "CARD2").status == 404
    assert drivers.find_id_token(world.ctx, "CARD2", consistent=True) is None


def test_an_operator_sees_its_drivers_and_turns_one_away(world: World, operator: Operator) -> None:
    mine = add_driver(world, "Dora Driver", operator.operator_id)
    rest, access = world.rest, {"token": operator.access_token}
    path = f"/v1/drivers/{mine.driver_id}"
    assert rest.get(path, **access).body["state"] == "active"
    for _ in range(2):
        assert rest.delete(path, **access).status == 204

    def names(**query: str) -> list[str]:
        return [driver["full_name"] for driver in rest.get("/v1/drivers", query=query, **access).body["data"]]

    assert names(state="active") == []
    assert names(state="inactive") == names(q="dora") == names() == ["Dora Driver"]
    assert rest.get(path, **access).body["state"] == "inactive"
    assert token(world, app_token(mine.driver_id)).verdict(operator.operator_id, world.ctx.now()) == "blocked"
    status, body = rest.post(f"{path}/restore", **access)
    assert (status, body["state"]) == (200, "active")
    assert token(world, app_token(mine.driver_id)).verdict(operator.operator_id, world.ctx.now()) == "accepted"


def test_the_platform_deactivates_everywhere(world: World, operator: Operator) -> None:
    mine = add_driver(world, operator_id=operator.operator_id)
    assert world.rest.delete(f"/v1/drivers/{mine.driver_id}", token=world.platform_admin()).status == 204
    assert world.rest.get(f"/v1/drivers/{mine.driver_id}", token=operator.access_token).body["state"] == "inactive"


def test_what_is_another_operators_does_not_exist(world: World, operator: Operator) -> None:
    theirs = add_driver(world, operator_id=operator.operator_id)
    world.commit(lambda uow: drivers.add_card(uow, id_token="CARD1", operator_id=operator.operator_id, driver=theirs))
    other = world.operator()
    mine = add_driver(world, operator_id=other.operator_id)
    rest, access = world.rest, {"token": other.access_token}
    replies = [
        rest.get(f"/v1/drivers/{theirs.driver_id}", **access),
        rest.delete(f"/v1/drivers/{theirs.driver_id}", **access),
        rest.post(f"/v1/drivers/{theirs.driver_id}/restore", **access),
        rest.get("/v1/drivers", query={"operator_id": operator.operator_id}, **access),
        rest.get("/v1/id-tokens", query={"driver_id": theirs.driver_id}, **access),
        rest.get("/v1/id-tokens/CARD1", **access),
        rest.patch("/v1/id-tokens/CARD1", {"status": "blocked"}, **access),
        rest.put("/v1/id-tokens/CARD1/driver", {"driver_id": mine.driver_id}, **access),
        rest.delete("/v1/id-tokens/CARD1/driver", **access),
    ]
    assert [reply.status for reply in replies] == [404] * len(replies)
    assert token(world, "CARD1").driver_id == theirs.driver_id
    assert token(world, "CARD1").status == "active"
