"""Cards by REST: typed by people, searched, retired, claimed at most so often; and who sees which."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import MAX_CLAIMS_A_DAY, Driver, app_token, driver_group
from tests.unit.drivers.conftest import add_driver, reread, token
from tests.world import Operator, Reply, World


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


@pytest.fixture
def driver(world: World, operator: Operator) -> Driver:
    return add_driver(world, operator_id=operator.operator_id)


@pytest.fixture
def mine(world: World, driver: Driver) -> str:
    """The driver's access token."""
    return world.driver_token(driver.driver_id, driver.email)


def configure(world: World, operator: Operator, number: str, **more: Any) -> Any:
    reply = world.rest.post("/v1/id-tokens", {"id_token": number, **more}, token=operator.access_token)
    assert reply.status == 201, reply.body
    return reply.body


def claim(world: World, access_token: str, number: str) -> Reply:
    return world.rest.post("/v1/driver/id-tokens", {"id_token": number}, token=access_token)


def numbers(world: World, access_token: str, **query: Any) -> list[str]:
    reply = world.rest.get("/v1/id-tokens", token=access_token, query=query)
    assert reply.status == 200, reply.body
    return [card["id_token"] for card in reply.body["data"]]


# -- what people type -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed", ["04:A2:b3 C4", "04-a2-b3-c4", " 04 A2 B3 C4 ", "０４Ａ２Ｂ３Ｃ４", "٠٤A٢B٣C٤", "04a2b3c4"]
)
def test_a_number_as_it_is_printed(world: World, operator: Operator, driver: Driver, mine: str, typed: str) -> None:
    configure(world, operator, "04A2B3C4")
    assert claim(world, mine, typed).body["id_token"] == "04A2B3C4"
    assert token(world, "04A2B3C4").driver_id == driver.driver_id


def test_a_new_number_is_kept_as_readers_tell_it(world: World, driver: Driver, mine: str) -> None:
    assert claim(world, mine, "04:a2:b3:c4:d5:e6:f7").body["id_token"] == "04A2B3C4D5E6F7"
    assert claim(world, mine, "fleet-card-7").body["id_token"] == "fleet-card-7"


def test_what_stands_between_the_digits_may_be_meant(world: World, operator: Operator, mine: str) -> None:
    """A system of old has colons in its numbers: typed as they are, they are found as they are."""
    configure(world, operator, "04:A2:B3:C4")
    assert claim(world, mine, "04:a2:b3:c4").body["id_token"] == "04:A2:B3:C4"


@pytest.mark.parametrize("typed", ["", " ", "two words", "x" * 37, "naïve", "卡号一二三"])
def test_what_is_no_number(world: World, driver: Driver, mine: str, typed: str) -> None:
    reply = claim(world, mine, typed)
    assert (reply.status, reread(world, driver).id_tokens) == (422, [])


@pytest.mark.parametrize("make", [app_token, driver_group])
def test_numbers_of_the_platform_are_nobodys_card(world: World, operator: Operator, mine: str, make: Any) -> None:
    theirs = make("drv_of_tomorrow")
    assert claim(world, mine, theirs).body["code"] == "id_token.reserved"
    reply = world.rest.post("/v1/id-tokens", {"id_token": theirs.lower()}, token=operator.access_token)
    assert (reply.status, reply.body["code"]) == (422, "id_token.reserved")


# -- claims ---------------------------------------------------------------------------------------------------------


def test_nobody_tries_numbers_all_day(world: World, operator: Operator, driver: Driver, mine: str) -> None:
    """Refused ones count, too; the next day it goes on."""
    theirs = add_driver(world)
    world.commit(lambda uow: drivers.claim_card(uow, theirs, "THEIRS"))
    for _ in range(MAX_CLAIMS_A_DAY):
        assert claim(world, mine, "THEIRS").status == 409
    configure(world, operator, "DRAWER")
    refused = claim(world, mine, "DRAWER")
    assert (refused.status, refused.body["code"]) == (429, "id_token.too_many_claims")
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    assert token(world, "DRAWER").driver_id is None
    world.advance(86_400)
    mine = world.access_token(driver.email)
    assert claim(world, mine, "DRAWER").status == 201


def test_a_card_that_is_not_to_be_claimed_looks_like_somebody_elses(
    world: World, operator: Operator, driver: Driver, mine: str
) -> None:
    other = add_driver(world)
    world.commit(lambda uow: drivers.claim_card(uow, other, "CARD-1"))
    configure(world, operator, "CARD-2", claimable=False)
    first, second = (claim(world, mine, number) for number in ("CARD-1", "CARD-2"))
    assert (first.status, first.body["code"]) == (second.status, second.body["code"]) == (409, "id_token.bound")
    assert first.body["detail"].replace("CARD-1", "") == second.body["detail"].replace("CARD-2", "")
    bound = world.rest.put("/v1/id-tokens/CARD-2/driver", {"driver_id": driver.driver_id}, token=operator.access_token)
    assert bound.status == 200, "the operator hands it out"


# -- the operator's list --------------------------------------------------------------------------------------------


def test_filters(world: World, operator: Operator, driver: Driver) -> None:
    configure(world, operator, "CARD-1", note="Blue Škoda", visual_number="0001")
    configure(world, operator, "CARD-2", driver_id=driver.driver_id, visual_number="0002")
    configure(world, operator, "OTHER")
    access = operator.access_token
    assert numbers(world, access) == ["CARD-1", "CARD-2", "OTHER"]
    assert numbers(world, access, bound="true") == ["CARD-2"]
    assert numbers(world, access, bound="false") == ["CARD-1", "OTHER"]
    assert numbers(world, access, q="card-") == ["CARD-1", "CARD-2"]
    assert numbers(world, access, q="0002") == ["CARD-2"]
    assert numbers(world, access, q="card škoda") == ["CARD-1"]
    assert numbers(world, access, q="ARD") == []
    assert world.rest.get("/v1/id-tokens", token=access, query={"bound": "perhaps"}).status == 422


def test_retired_and_restored(world: World, operator: Operator, driver: Driver) -> None:
    configure(world, operator, "CARD-1", note="Blue")
    rest, access = world.rest, {"token": operator.access_token}
    for _ in range(2):
        assert rest.delete("/v1/id-tokens/card-1", **access).status == 204
    assert numbers(world, operator.access_token) == []
    assert numbers(world, operator.access_token, status="retired") == ["CARD-1"]
    for refused in (
        rest.patch("/v1/id-tokens/CARD-1", {"status": "active"}, **access),
        rest.put("/v1/id-tokens/CARD-1/driver", {"driver_id": driver.driver_id}, **access),
    ):
        assert (refused.status, refused.body["code"]) == (409, "id_token.retired")
    for _ in range(2):
        assert rest.post("/v1/id-tokens/CARD-1/restore", **access).body["status"] == "active"
    assert rest.get("/v1/id-tokens/CARD-1", **access).body["note"] == "Blue"


def test_a_drivers_card_is_not_retired(world: World, operator: Operator, driver: Driver) -> None:
    configure(world, operator, "CARD-1", driver_id=driver.driver_id)
    refused = world.rest.delete("/v1/id-tokens/CARD-1", token=operator.access_token)
    assert (refused.status, refused.body["code"]) == (409, "id_token.bound")
    assert token(world, "CARD-1").status == "active"


def test_the_number_of_a_retired_card_is_free(world: World, operator: Operator, mine: str, driver: Driver) -> None:
    other = world.operator()
    for number in ("CARD-1", "CARD-2"):
        configure(world, operator, number, note="Ours")
        world.rest.delete(f"/v1/id-tokens/{number}", token=operator.access_token)
    assert configure(world, other, "CARD-1")["note"] is None
    assert world.rest.get("/v1/id-tokens/CARD-1", token=operator.access_token).status == 404
    assert claim(world, mine, "CARD-2").status == 201
    assert token(world, "CARD-2").operator_id is None
    assert world.rest.post("/v1/id-tokens/CARD-2/restore", token=operator.access_token).status == 404


def test_when_it_was_used(world: World, operator: Operator, driver: Driver) -> None:
    configure(world, operator, "CARD-1", driver_id=driver.driver_id)
    began = world.clock.now()
    for later_s, written in ((0, True), (1800, False), (3600, True)):
        world.advance(later_s and later_s - (world.clock.now() - began).total_seconds())
        at = world.clock.now()
        world.commit(lambda uow, at=at: drivers.note_card_used(uow, "card-1", at))
        assert (token(world, "CARD-1").last_used_at == at) is written
    for nothing in ("NOBODYS", app_token(driver.driver_id)):
        world.commit(lambda uow, nothing=nothing: drivers.note_card_used(uow, nothing, began))


# -- cards of drivers -----------------------------------------------------------------------------------------------


@pytest.fixture
def agency(world: World, operator: Operator) -> tuple[str, str]:
    """An agency of the operator: its id and its administrator's access token."""
    admin = {"email": "amy@agency.example", "full_name": "Amy Agent"}
    body = {"name": "Agency", "email": "agency@agency.example", "admin": admin}
    reply = world.rest.post("/v1/organizations", body, token=operator.access_token)
    assert reply.status == 201, reply.body
    return reply.body["organization_id"], world.access_token("amy@agency.example")


def test_an_agency_sees_the_cards_of_the_drivers_on_its_list(
    world: World, operator: Operator, agency: tuple[str, str]
) -> None:
    """Not those of the operator's other drivers, not the drawer, and it changes none."""
    agency_id, access = agency
    hers, not_hers = (add_driver(world, operator_id=operator.operator_id) for _ in range(2))
    world.commit(lambda uow: drivers.link_operator(uow, agency_id, hers.driver_id))
    configure(world, operator, "OPERATORS", driver_id=hers.driver_id, note="Ours alone")
    configure(world, operator, "DRAWER")
    world.commit(lambda uow: drivers.claim_card(uow, reread(world, hers), "OWN"))
    world.commit(lambda uow: drivers.claim_card(uow, not_hers, "ELSEWHERE"))
    assert numbers(world, access) == ["OPERATORS", "OWN"]
    assert numbers(world, access, whose="configured") == ["OPERATORS", "OWN"]
    assert world.rest.get("/v1/id-tokens/OWN", token=access).body["driver_id"] == hers.driver_id
    shown = world.rest.get("/v1/id-tokens/OPERATORS", token=access).body
    assert (shown["note"], shown["operator_id"], shown["claimable"]) == (None, None, None)
    for number in ("DRAWER", "ELSEWHERE"):
        assert world.rest.get(f"/v1/id-tokens/{number}", token=access).status == 404
    assert world.rest.patch("/v1/id-tokens/OWN", {"status": "blocked"}, token=access).status in (403, 404)


def test_page_after_page_of_drivers_cards(world: World, operator: Operator) -> None:
    """A page may end amid a driver's cards."""
    expected = []
    for count in (0, 3, 1, 0, 2):
        world.advance(1)  # the list is by time of sign-up
        driver = add_driver(world, operator_id=operator.operator_id)
        for _ in range(count):
            expected.append(f"CARD-{len(expected)}")
            world.commit(lambda uow, driver=driver: drivers.claim_card(uow, reread(world, driver), expected[-1]))
    for limit in (1, 2, 3, 50):
        seen: list[str] = []
        query: dict[str, Any] = {"whose": "drivers", "limit": limit}
        for _ in range(20):
            body = world.rest.get("/v1/id-tokens", token=operator.access_token, query=query).body
            seen += [card["id_token"] for card in body["data"]]
            if not body["has_more"]:
                break
            query["cursor"] = body["next_cursor"]
        assert seen == expected


@pytest.mark.parametrize("cursor", ["x", "e30", "eyJpZF90b2tlbiI6eyJTIjoiWCJ9fQ", "eyJpZF90b2tlbiI6eyJOIjoiMSJ9fQ"])
def test_a_cursor_from_elsewhere(world: World, operator: Operator, cursor: str) -> None:
    query = {"whose": "drivers", "cursor": cursor}
    assert world.rest.get("/v1/id-tokens", token=operator.access_token, query=query).status in (200, 400)


# -- what is told of it ---------------------------------------------------------------------------------------------


def announced(world: World) -> list[str]:
    return [event.subject for event in world.pending_events() if event.type == "id_tokens.changed"]


def test_one_event_for_a_commit_with_many_cards(world: World, operator: Operator) -> None:
    owners = [add_driver(world) for _ in range(3)]
    world.run_events({})

    def decide(uow: Any) -> None:
        for place, owner in enumerate(owners):
            drivers.add_card(uow, id_token=f"CARD-{place}", operator_id=operator.operator_id, driver=owner)

    world.commit(decide)
    assert announced(world) == [operator.operator_id]


def test_the_log_says_who_did_what(world: World, operator: Operator, driver: Driver) -> None:
    configure(world, operator, "CARD-1")
    world.rest.patch("/v1/id-tokens/CARD-1", {"status": "blocked"}, token=operator.access_token)
    body = world.rest.get("/v1/audit-events", token=operator.access_token).body
    events = [event for event in body["data"] if event["object_type"] == "id_token"]
    assert {event["action"] for event in events} == {"create_id_token", "update_id_token"}
    [changed] = [event for event in events if event["action"] == "update_id_token"]
    assert (changed["before"], changed["after"]) == ({"status": "active"}, {"status": "blocked"})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("04A1B2C3", "04:a1:b2:c3"),
        ("04:A1:B2:C3", "04a1b2c3"),
        ("04-A1-B2-C3", "04:A1:B2:C3"),
        ("04A1B2C3", "04-a1-b2-c3"),
    ],
)
def test_one_uid_in_two_writings_is_one_card(world: World, operator: Operator, first: str, second: str) -> None:
    configure(world, operator, first)
    again = world.rest.post("/v1/id-tokens", {"id_token": second}, token=operator.access_token)
    assert (again.status, again.body["code"]) == (409, "id_token.exists")
    # What is no UID is compared as it is.
    configure(world, operator, "STAFF-01")
    configure(world, operator, "STAFF01")


def test_a_whole_number_is_found_at_once_among_many(world: World, operator: Operator) -> None:
    """Though it would stand on a page far behind."""
    for number in range(12):
        configure(world, operator, f"CARD{number:02}")
    page = world.rest.get("/v1/id-tokens", token=operator.access_token, query={"q": "card11", "limit": 1}).body
    assert ([card["id_token"] for card in page["data"]], page["has_more"]) == (["CARD11"], False)
    assert numbers(world, operator.access_token, q="card1") == ["CARD10", "CARD11"]
    assert numbers(world, operator.access_token, q="card11", status="blocked") == []
    assert numbers(world, world.operator().access_token, q="card11") == []


def test_a_known_number_is_pointed_at(world: World, operator: Operator) -> None:
    configure(world, operator, "04A2B3C4")
    again = world.rest.post("/v1/id-tokens", {"id_token": "04a2b3c4"}, token=operator.access_token)
    assert (again.status, again.body["errors"][0]["pointer"]) == (409, "/id_token")


def test_a_note_of_blanks_is_none(world: World, operator: Operator) -> None:
    card = configure(world, operator, "CARD1", note="   ", visual_number=" 00  42 ")
    assert (card["note"], card["visual_number"]) == (None, "00 42")
    changes = {"note": " Spare  card ", "visual_number": " \u200b"}
    reply = world.rest.patch("/v1/id-tokens/CARD1", changes, token=operator.access_token)
    assert (reply.body["note"], reply.body["visual_number"]) == ("Spare card", None)
    assert world.rest.get("/v1/id-tokens/CARD1", token=operator.access_token).body == reply.body


def test_own_cards_and_enterprises_are_on_one_page(world: World, mine: str) -> None:
    claim(world, mine, "CARD1")
    cards = world.rest.get("/v1/driver/id-tokens", token=mine).body
    assert (len(cards["data"]), cards["has_more"], cards["next_cursor"]) == (1, False, None)
    enterprises = world.rest.get("/v1/driver/me/enterprises", token=mine).body
    assert enterprises == {"data": [], "has_more": False, "next_cursor": None}
