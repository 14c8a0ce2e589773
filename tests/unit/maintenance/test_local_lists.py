"""A charger that knows the cards by itself: composed, sent in pages, taken up again after trouble."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model.configuration import Variable
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver, IdToken
from chalicelib.drivers.store import ID_TOKENS
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.maintenance import jobs, service
from chalicelib.maintenance.model.local_lists import (
    MAX_ENTRIES,
    PAGE_ENTRIES,
    ListLimits,
    limits_of,
)
from chalicelib.ocpp import outbound
from tests.contract.ocpp import people
from tests.unit.maintenance.conftest import Told


def add_driver(told: Told, *, cents: int = 100) -> Driver:
    return people.driver(told.world, told.operator, cents=cents)


@pytest.fixture
def driver(told: Told) -> Driver:
    return add_driver(told)


def group_of(driver: Driver) -> dict[str, str]:
    return {"parentIdTag": drivers.driver_group(driver.driver_id)}


def add_cards(told: Told, driver: Driver, *id_tokens: str, **fields: Any) -> None:
    """Straight into the table: a driver may have 40 cards, and some tests want thousands."""
    ctx = told.world.ctx
    values: dict[str, Any] = {"driver_id": driver.driver_id, "operator_id": told.operator.operator_id, **fields}
    cards = [IdToken(id_token, "card", "active", ctx.now(), **values) for id_token in id_tokens]
    for start in range(0, len(cards), 90):
        told.world.commit(
            lambda uow, start=start: [uow.put(ID_TOKENS, card) for card in cards[start : start + 90]] and None
        )


def remove_card(told: Told, id_token: str) -> None:
    card = drivers.require_card(told.world.ctx, id_token)
    told.world.commit(lambda uow: drivers.change_card(uow, card, {"status": "blocked"}))


def synchronize(told: Told, *, full: bool = False) -> dict[str, Any]:
    status, body = told.world.rest.post("/v1/chargers/CP-001/local-list", {"full": full}, token=told.token)
    assert status == 202, body
    return dict(body)


def lists(told: Told) -> list[Any]:
    """The SendLocalList that went out since the last look: `(id, payload)`."""
    return [(command[1], command[3]) for command in told.send_queued() if command[2] == "SendLocalList"]


def answer(told: Told, sent: Any, status: str = "Accepted") -> None:
    told.wire.send(json.dumps([3, sent[0], {"status": status}]))


def run(told: Told, *, most: int = 100) -> list[dict[str, Any]]:
    """Accepts page after page; the payloads."""
    payloads = []
    for _ in range(most):
        sent = lists(told)
        if not sent:
            return payloads
        [page] = sent
        payloads.append(page[1])
        answer(told, page)
    raise AssertionError("the list never ends")


def standing(told: Told) -> tuple[str, int, int]:
    seen = told.see("local-list")
    return seen["state"], seen["version"], seen["entry_count"]


def tokens(payload: dict[str, Any]) -> list[str]:
    return [entry["idTag"] for entry in payload["localAuthorizationList"]]


# -- what is on it ------------------------------------------------------------------------------------------------


def test_before_anything_was_sent(told: Told) -> None:
    assert standing(told) == ("unknown", 0, 0)


def test_only_cards_that_would_be_accepted(told: Told, driver: Driver) -> None:
    now = told.world.ctx.now()
    add_cards(told, driver, "GOOD")
    add_cards(told, driver, "FAMILY", group_id="SMITHS", expires_at=now + timedelta(days=9))
    add_cards(told, driver, "EXPIRED", expires_at=now - timedelta(seconds=1))
    add_cards(told, driver, "DRAWER", driver_id=None)
    add_cards(told, driver, "INACTIVE", driver_active=False)
    add_cards(told, driver, "TURNED-AWAY", refused_by=[told.operator.operator_id])
    add_cards(told, driver, "SOMEBODY-ELSES", operator_id="org_other")
    add_cards(told, driver, "BLOCKED")
    remove_card(told, "BLOCKED")
    synchronize(told)
    [payload] = run(told)
    assert payload == {
        "listVersion": 1,
        "updateType": "Full",
        "localAuthorizationList": [
            {
                "idTag": "FAMILY",
                "idTagInfo": {
                    "status": "Accepted",
                    "expiryDate": to_rfc3339(now + timedelta(days=9)),
                    "parentIdTag": "SMITHS",
                },
            },
            {"idTag": "GOOD", "idTagInfo": {"status": "Accepted", **group_of(driver)}},
        ],
    }
    assert standing(told) == ("synchronized", 1, 2)


def test_no_cards_clear_the_list(told: Told) -> None:
    synchronize(told)
    [payload] = run(told)
    assert (payload["updateType"], payload["localAuthorizationList"]) == ("Full", [])
    assert standing(told) == ("synchronized", 1, 0)


# -- difference ---------------------------------------------------------------------------------------------------


def test_the_second_time_only_what_differs_is_sent(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A", "B", "C")
    synchronize(told)
    run(told)
    remove_card(told, "B")
    add_cards(told, driver, "D")
    add_cards(told, driver, "A", group_id="NEW")
    assert synchronize(told)["state"] == "synchronizing"
    [payload] = run(told)
    assert payload["updateType"] == "Differential"
    assert payload["localAuthorizationList"] == [
        {"idTag": "B"},
        {"idTag": "A", "idTagInfo": {"status": "Accepted", "parentIdTag": "NEW"}},
        {"idTag": "D", "idTagInfo": {"status": "Accepted", **group_of(driver)}},
    ]
    assert standing(told) == ("synchronized", 2, 3)


def test_where_nothing_differs_nothing_is_sent(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A")
    synchronize(told)
    run(told)
    before = told.rows()
    assert synchronize(told)["state"] == "synchronized"
    assert lists(told) == []
    assert told.rows() == before


def test_the_whole_list_on_request(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A")
    synchronize(told)
    run(told)
    synchronize(told, full=True)
    [payload] = run(told)
    assert (payload["updateType"], payload["listVersion"]) == ("Full", 2)


# -- pages --------------------------------------------------------------------------------------------------------


def test_pages_follow_each_other_with_rising_versions(told: Told, driver: Driver) -> None:
    cards = [f"CARD-{number:04d}" for number in range(2 * PAGE_ENTRIES + 3)]
    add_cards(told, driver, *cards)
    assert synchronize(told)["pages"] == 3
    [first] = lists(told)
    assert lists(told) == [], "the next page waits for the answer"
    assert standing(told) == ("synchronizing", 0, 0)
    answer(told, first)
    assert standing(told) == ("synchronizing", 1, 0)
    payloads = [first[1], *run(told)]
    assert [payload["listVersion"] for payload in payloads] == [1, 2, 3]
    assert [payload["updateType"] for payload in payloads] == ["Full", "Differential", "Differential"]
    assert [card for payload in payloads for card in tokens(payload)] == cards
    assert max(len(json.dumps(payload)) for payload in payloads) < 16_000
    assert standing(told) == ("synchronized", 3, len(cards))


def test_an_event_delivered_twice_queues_one_page(told: Told, driver: Driver) -> None:
    add_cards(told, driver, *(f"CARD-{number:04d}" for number in range(PAGE_ENTRIES + 1)))
    synchronize(told)
    [first] = lists(told)
    answer(told, first)
    [event] = [event for event in told.world.pending_events() if event.type == "local_list.advanced"]
    for _ in range(3):
        jobs.on_local_list_advanced(told.world.ctx, event)
    [second] = lists(told)
    answer(told, second)
    assert lists(told) == [], "nor is it waiting again behind itself"


def test_the_second_click_while_it_runs(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A")
    first = synchronize(told)
    before = told.rows()
    assert synchronize(told, full=True) == first
    assert told.rows() == before
    assert len(run(told)) == 1


def test_a_card_added_meanwhile_is_in_the_next_synchronisation(told: Told, driver: Driver) -> None:
    add_cards(told, driver, *(f"CARD-{number:04d}" for number in range(PAGE_ENTRIES + 1)))
    synchronize(told)
    add_cards(told, driver, "AAA")
    assert len(run(told)) == 2
    synchronize(told)
    [payload] = run(told)
    assert tokens(payload) == ["AAA"]


def test_more_cards_than_a_list_can_have(told: Told, driver: Driver) -> None:
    """Those that were used longest ago, or never and are oldest, are left out; the state says how many."""
    now = told.world.ctx.now()
    add_cards(told, driver, *(f"CARD-{number:05d}" for number in range(MAX_ENTRIES)), last_used_at=now)
    add_cards(told, driver, "LONG-AGO", last_used_at=now - timedelta(days=9))
    assert (synchronize(told)["truncated"], told.see("local-list")["left_out"]) == (True, 1)
    sent = [token for payload in run(told) for token in tokens(payload)]
    assert len(sent) == MAX_ENTRIES
    assert "LONG-AGO" not in sent


def configured(told: Told, **values: str) -> None:
    variables = [Variable(name, value, True) for name, value in values.items()]
    told.tell(chargers.record_configuration, variables)


def test_a_charger_that_takes_fewer_at_once(told: Told, driver: Driver) -> None:
    configured(told, SendLocalListMaxLength="2", LocalAuthListMaxLength="5")
    add_cards(told, driver, "A", "B", "C", "D", "E")
    synchronize(told)
    assert [tokens(payload) for payload in run(told)] == [["A", "B"], ["C", "D"], ["E"]]
    told.world.advance(60)
    add_cards(told, driver, "F")
    assert synchronize(told)["left_out"] == 1
    [payload] = run(told)
    assert tokens(payload) == ["E", "F"]
    assert payload["localAuthorizationList"][0] == {"idTag": "E"}, "one of those alike makes room"


@pytest.mark.parametrize("value", ["0", "-1", "many", "", "100000"])
def test_a_limit_that_is_none(value: str) -> None:
    assert limits_of({"SendLocalListMaxLength": value}.get) == ListLimits(PAGE_ENTRIES, MAX_ENTRIES)


def test_limits_in_the_words_of_each_version() -> None:
    assert limits_of({"LocalAuthListCtrlr/ItemsPerMessage": "7"}.get) == ListLimits(7, MAX_ENTRIES)
    assert limits_of({"LocalAuthListMaxLength": "9"}.get) == ListLimits(PAGE_ENTRIES, 9)


# -- trouble ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["VersionMismatch", "Failed"])
def test_the_whole_list_again_once(told: Told, driver: Driver, status: str) -> None:
    add_cards(told, driver, "A")
    synchronize(told)
    run(told)
    add_cards(told, driver, "B")
    synchronize(told)
    [difference] = lists(told)
    answer(told, difference, status)
    [whole] = lists(told)
    assert whole[1]["updateType"] == "Full"
    assert whole[1]["listVersion"] > difference[1]["listVersion"]
    assert tokens(whole[1]) == ["A", "B"]
    answer(told, whole)
    assert standing(told) == ("synchronized", whole[1]["listVersion"], 2)


def test_but_not_twice(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A")
    synchronize(told)
    for _ in range(2):
        [sent] = lists(told)
        answer(told, sent, "VersionMismatch")
    assert lists(told) == []
    assert standing(told)[0] == "failed"
    synchronize(told)
    [again] = lists(told)
    assert again[1]["updateType"] == "Full", "nobody knows what the charger has"


def test_a_charger_without_lists(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A")
    synchronize(told)
    [sent] = lists(told)
    answer(told, sent, "NotSupported")
    assert standing(told)[0] == "not_supported"
    assert lists(told) == []


def test_a_charger_that_does_not_know_the_action(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A")
    synchronize(told)
    [sent] = lists(told)
    told.wire.send(json.dumps([4, sent[0], "NotImplemented", "", {}]))
    assert standing(told)[0] == "not_supported"


def test_a_charger_that_never_answers(told: Told, driver: Driver) -> None:
    add_cards(told, driver, *(f"CARD-{number:04d}" for number in range(PAGE_ENTRIES + 1)))
    synchronize(told)
    [first] = lists(told)
    answer(told, first)
    [_] = lists(told)
    told.world.advance(40)
    outbound.time_out_overdue(told.world.ctx, "CP-001")
    assert standing(told) == ("failed", 1, 0)
    synchronize(told)
    assert [payload["updateType"] for payload in run(told)] == ["Full", "Differential"]


def test_what_got_stuck_can_be_begun_again(told: Told, driver: Driver) -> None:
    """The event of the next page was lost for good."""
    add_cards(told, driver, *(f"CARD-{number:04d}" for number in range(PAGE_ENTRIES + 1)))
    synchronize(told)
    [first] = lists(told)
    answer(told, first)
    told.world.run_events({})
    told.world.advance(31 * 60)
    told.wire.connect()
    synchronize(told)
    assert len(run(told)) == 2
    assert standing(told)[0] == "synchronized"


# -- what the charger says by itself ------------------------------------------------------------------------------


def says_version(told: Told, version: int) -> None:
    told.world.commit(lambda uow: service.record_local_list_version(uow, "CP-001", version))


def test_another_version_than_ours_means_another_list(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A")
    synchronize(told)
    run(told)
    says_version(told, 1)
    assert standing(told)[0] == "synchronized"
    says_version(told, 40)
    assert standing(told)[:2] == ("outdated", 40)
    synchronize(told)
    [payload] = run(told)
    assert (payload["updateType"], payload["listVersion"]) == ("Full", 41)


def test_minus_one_says_there_is_none(told: Told) -> None:
    says_version(told, -1)
    assert standing(told)[0] == "not_supported"
    before = told.rows()
    says_version(told, -1)
    assert told.rows() == before


def test_a_list_that_an_operator_sent_by_hand(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A")
    synchronize(told)
    run(told)
    command = told.wire.queue("SendLocalList", {"listVersion": 9, "updateType": "Full", "localAuthorizationList": []})
    [sent] = lists(told)
    answer(told, sent)
    assert told.wire.outcome(command)[0] == "accepted"
    assert standing(told)[:2] == ("outdated", 9)
    synchronize(told)
    assert [payload["updateType"] for payload in run(told)] == ["Full"]


def test_one_of_an_unknown_charger(told: Told) -> None:
    before = told.rows()
    told.world.commit(lambda uow: service.record_local_list_version(uow, "NOBODY", 3))
    told.world.commit(lambda uow: service.record_local_list_answer(uow, "NOBODY", 3, "Accepted"))
    assert told.rows() == before
