"""Which cards chargers are to know, and that they are told without being asked for: once for many changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model.configuration import Variable
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.money import Money
from chalicelib.maintenance import jobs
from chalicelib.maintenance.store import DUES_PK, TABLE
from chalicelib.wallets import service as wallets
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from tests.contract.ocpp import people
from tests.contract.ocpp.wire import Wire, place
from tests.unit.maintenance.conftest import Told
from tests.unit.maintenance.test_local_lists import add_cards, add_driver, answer, lists, run, standing, tokens

MINUTE = 60
DUES = {"TableName": TABLE, "KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": DUES_PK}}}


@pytest.fixture
def driver(told: Told) -> Driver:
    return add_driver(told)


def card(told: Told, driver: Driver, number: str, *, own: bool = False) -> None:
    """As an operator (or the driver) would: with what it sets going."""
    operator_id = None if own else told.operator.operator_id

    def decide(uow: Any) -> None:
        known = drivers.require_driver(told.world.ctx, driver.driver_id)
        drivers.add_card(uow, id_token=number, operator_id=operator_id, driver=known)

    told.world.commit(decide)


def change(told: Told, number: str, **changes: Any) -> None:
    found = drivers.require_card(told.world.ctx, number)
    told.world.commit(lambda uow: drivers.change_card(uow, found, changes))


def minute(told: Told) -> Any:
    """A minute passes; the job runs."""
    told.world.run_events()
    told.world.advance(MINUTE)
    begun = told.world.run_job(jobs.begin_local_lists)
    told.world.run_events()
    return begun


def told_tokens(told: Told) -> list[list[str]]:
    """The lists that go out in the next minute, accepted page by page."""
    minute(told)
    return [tokens(payload) for payload in run(told)]


def policy(told: Told, **body: Any) -> Any:
    reply = told.world.rest.put("/v1/local-list-policy", {"enabled": True, **body}, token=told.token)
    assert reply.status == 200, reply.body
    return reply.body


def pay_out(told: Told, driver: Driver, cents: int) -> None:
    world = told.world
    world.commit(
        lambda uow: wallets.adjust_wallet(
            uow,
            entry_id=world.ctx.new_id("ent"),
            driver_id=driver.driver_id,
            operator_id=told.operator.operator_id,
            direction="withdrawal",
            amount=Money(cents, "EUR"),
            reason="cash",
            business_day="2026-03-02",
        )
    )


# -- what sets it going -----------------------------------------------------------------------------------------


def test_a_new_card_reaches_the_charger(told: Told, driver: Driver) -> None:
    card(told, driver, "A")
    assert told_tokens(told) == [["A"]]
    assert standing(told) == ("synchronized", 1, 1)
    assert told_tokens(told) == [], "and nothing more is sent"


@pytest.mark.parametrize("changes", [{"status": "blocked"}, {"group_id": "FLEET"}, {"expires_at": "tomorrow"}], ids=str)
def test_what_chargers_are_told_of_a_card(told: Told, driver: Driver, changes: dict[str, Any]) -> None:
    card(told, driver, "A")
    told_tokens(told)
    if "expires_at" in changes:
        changes = {"expires_at": told.world.ctx.now() + timedelta(days=1)}
    change(told, "A", **changes)
    assert told_tokens(told) == [["A"]]
    assert standing(told)[0] == "synchronized"


def test_a_note_is_nothing_to_a_charger(told: Told, driver: Driver) -> None:
    card(told, driver, "A")
    told_tokens(told)
    change(told, "A", note="Blue", visual_number="1")
    assert told_tokens(told) == []


def test_bound_and_taken_back(told: Told, driver: Driver) -> None:
    told.world.commit(
        lambda uow: drivers.add_card(uow, id_token="A", operator_id=told.operator.operator_id, driver=None)
    )
    assert told_tokens(told) == []
    assert standing(told)[0] == "unknown", "a charger that never had a list is not bothered with an empty one"
    found = drivers.require_card(told.world.ctx, "A")
    told.world.commit(lambda uow: drivers.bind_card(uow, found, driver))
    assert told_tokens(told) == [["A"]]
    bound = drivers.require_card(told.world.ctx, "A")
    told.world.commit(lambda uow: drivers.unbind_card(uow, bound))
    assert told_tokens(told) == [["A"]]
    assert standing(told) == ("synchronized", 2, 0)


@pytest.mark.parametrize("by_platform", [True, False])
def test_a_driver_who_is_turned_away(told: Told, driver: Driver, by_platform: bool) -> None:
    card(told, driver, "A")
    told_tokens(told)
    operator_id = None if by_platform else told.operator.operator_id
    for state, count in (("inactive", 0), ("active", 1)):
        known = drivers.require_driver(told.world.ctx, driver.driver_id)
        told.world.commit(
            lambda uow, known=known, state=state: drivers.set_driver_state(uow, known, state, operator_id=operator_id)
        )
        told_tokens(told)
        assert standing(told)[2] == count


def test_many_changes_are_one_synchronisation(told: Told, driver: Driver) -> None:
    """Ten cards within a minute, though the job looks in between."""
    for number in range(10):
        card(told, driver, f"CARD-{number}")
        told.world.run_events()
        told.world.advance(6)
        assert told.world.run_job(jobs.begin_local_lists)["begun"] == 0
    assert told_tokens(told) == [[f"CARD-{number}" for number in range(10)]]


def test_but_not_for_ever(told: Told, driver: Driver) -> None:
    """Somebody imports for an hour: every five minutes the chargers are told."""
    begun = 0
    for number in range(18):
        card(told, driver, f"CARD-{number}")
        told.world.run_events()
        told.world.advance(20)
        begun += told.world.run_job(jobs.begin_local_lists)["begun"]
    assert begun == 1


def test_an_event_that_is_delivered_twice_sends_once(told: Told, driver: Driver) -> None:
    card(told, driver, "A")
    told.world.run_events()
    told.world.advance(MINUTE)
    told.world.run_job(jobs.begin_local_lists)
    [event] = [event for event in told.world.pending_events() if event.type == "local_lists.due"]
    for _ in range(3):
        jobs.on_local_lists_due(told.world.ctx, event)
    assert len(lists(told)) == 1


# -- whose cards ------------------------------------------------------------------------------------------------


def test_a_drivers_own_card_where_he_or_she_charges(told: Told, driver: Driver) -> None:
    card(told, driver, "OWN", own=True)
    assert told_tokens(told) == [], "never seen here"
    told.world.commit(lambda uow: drivers.link_operator(uow, told.operator.operator_id, driver.driver_id))
    assert told_tokens(told) == [["OWN"]]
    card(told, driver, "OWN-2", own=True)
    assert told_tokens(told) == [["OWN-2"]]
    policy(told, drivers_cards=False)
    assert told_tokens(told) == [["OWN", "OWN-2"]]
    assert standing(told)[2] == 0


def test_nobody_without_money(told: Told) -> None:
    """Offline nobody can be asked: the card of an empty wallet is not on the list, whatever it was when configured."""
    poor, rich = add_driver(told, cents=0), add_driver(told, cents=500)
    card(told, poor, "POOR")
    card(told, rich, "RICH")
    assert told_tokens(told) == [["RICH"]]
    policy(told, min_balance=501)
    assert told_tokens(told) == [["RICH"]]
    assert standing(told)[2] == 0
    policy(told, min_balance=0)
    assert told_tokens(told) == [["POOR", "RICH"]]


def test_each_night_wallets_are_looked_at_again(told: Told, driver: Driver) -> None:
    card(told, driver, "A")
    told_tokens(told)
    pay_out(told, driver, 100)
    assert told_tokens(told) == []
    assert told.world.run_job(jobs.refresh_local_lists)["marked"] == 1
    assert told_tokens(told) == [["A"]]
    assert standing(told)[2] == 0


def test_another_operators_cards_are_not_told(told: Told) -> None:
    other = told.world.operator()
    stranger = people.driver(told.world, other, cents=100, card="THEIRS")
    told.world.commit(lambda uow: drivers.link_operator(uow, told.operator.operator_id, stranger.driver_id))
    card(told, add_driver(told), "OURS")
    assert told_tokens(told) == [["OURS"]]


# -- which chargers ---------------------------------------------------------------------------------------------


def test_switched_off_for_all_or_for_one(told: Told, driver: Driver) -> None:
    policy(told, enabled=False)
    card(told, driver, "A")
    assert told_tokens(told) == []
    assert told.world.rest.get("/v1/local-list-policy", token=told.token).body["enabled"] is False
    policy(told)
    path = "/v1/chargers/CP-001/local-list"
    assert told.world.rest.patch(path, {"automatic": False}, token=told.token).body["automatic"] is False
    assert told_tokens(told) == []
    assert told.world.rest.patch(path, {"automatic": True}, token=told.token).body["automatic"] is True
    assert told_tokens(told) == [["A"]]


def test_one_that_is_not_placed_is_told_nothing(told: Told, driver: Driver) -> None:
    told.world.commit(lambda uow: chargers.place_charger(uow, told.charger, None))
    card(told, driver, "A")
    assert told_tokens(told) == []


def test_one_that_keeps_no_lists_is_asked_once_per_firmware(told: Told, driver: Driver) -> None:
    boot = {"chargePointVendor": "Wire", "chargePointModel": "One", "firmwareVersion": "1"}
    told.wire.call("BootNotification", boot)
    told.send_queued()
    card(told, driver, "A")
    minute(told)
    [sent] = lists(told)
    answer(told, sent, "NotSupported")
    card(told, driver, "B")
    assert told_tokens(told) == []
    told.wire.call("BootNotification", boot)
    assert told_tokens(told) == []
    told.wire.call("BootNotification", {**boot, "firmwareVersion": "2"})
    assert told_tokens(told) == [["A", "B"]]


def test_one_that_says_so_is_not_even_asked(told: Told, driver: Driver) -> None:
    told.tell(chargers.record_configuration, [Variable("SupportedFeatureProfiles", "Core,RemoteTrigger", True)])
    card(told, driver, "A")
    assert told_tokens(told) == []
    assert standing(told)[0] == "not_supported"


def test_offline_it_has_its_turn_when_it_is_heard_again(told: Told, driver: Driver) -> None:
    told.wire.close()
    card(told, driver, "A")
    assert told_tokens(told) == []
    seen = told.see("local-list")
    assert (seen["state"], seen["detail"]) == ("outdated", "the charger is offline")
    told.world.advance(10 * MINUTE)
    told.wire.connect()
    minute(told)
    assert lists(told) == []
    told.world.advance(5 * MINUTE)
    assert told_tokens(told) == [["A"]]


def test_or_when_it_boots(told: Told, driver: Driver) -> None:
    told.wire.close()
    card(told, driver, "A")
    told_tokens(told)
    told.world.advance(3 * 86_400)
    told.world.run_job(jobs.begin_local_lists)
    told.wire.connect()
    told.wire.boot()
    assert told_tokens(told) == [["A"]]
    told.world.advance(2 * MINUTE)
    assert told_tokens(told) == []
    told.wire.boot()
    told.world.run_events()
    assert told.world.engine.execute("Query", DUES)["Items"] == [], "it has missed nothing"


def test_a_charger_that_was_moved_forgets_the_cards_of_whose_it_was(told: Told, driver: Driver) -> None:
    """At its first boot with the new operator they are taken off its list, though the new one has no cards."""
    card(told, driver, "OURS")
    assert told_tokens(told) == [["OURS"]]
    other = told.world.operator()
    taken_away = told.world.commit(lambda uow: chargers.place_charger(uow, told.charger, None))
    told.world.commit(lambda uow: chargers.move_charger(uow, taken_away, other.operator_id))
    moved = chargers.require_charger(told.world.ctx, "CP-001")
    location = replace(chargers.require_location(told.world.ctx, told.charger.location_id or ""), location_id="loc_new")
    location = replace(location, operator_id=other.operator_id)
    told.world.commit(lambda uow: chargers.add_location(uow, location))
    told.world.commit(lambda uow: chargers.place_charger(uow, moved, location))
    told.wire.connect()
    told.wire.boot()
    minute(told)
    [sent] = lists(told)
    assert (sent[1]["updateType"], sent[1]["localAuthorizationList"]) == ("Differential", [{"idTag": "OURS"}])


def test_a_change_while_it_is_being_told(told: Told, driver: Driver) -> None:
    card(told, driver, "A")
    minute(told)
    [first] = lists(told)
    card(told, driver, "B")
    minute(told)
    assert lists(told) == []
    answer(told, first)
    told.world.advance(MINUTE)
    assert told_tokens(told) == [["B"]]


def test_page_after_page_of_chargers(told: Told, driver: Driver) -> None:
    wires = []
    for number in range(30):
        charger = place(told.world, told.operator, f"CP-1{number:02d}")
        wires.append(Wire(told.world, charger.charger_id))
        wires[-1].connect()
    card(told, driver, "A")
    minute(told)
    sent = [command[2] for wire in wires for command in wire.commands()]
    assert sent.count("SendLocalList") == 30


def test_one_chargers_trouble_is_not_the_others(told: Told, driver: Driver) -> None:
    second = Wire(told.world, place(told.world, told.operator, "CP-002").charger_id)
    second.connect()
    told.wire.close()
    for _ in range(20):
        told.wire.queue("ClearCache", {})
    told.world.run_events({})
    told.wire.connect()
    card(told, driver, "A")
    minute(told)
    assert "SendLocalList" in [command[2] for command in second.commands()]


# -- the policy -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [{}, {"enabled": True, "min_balance": -1}, {"enabled": True, "min_balance": 10**9}])
def test_a_policy_that_is_none(told: Told, body: dict[str, Any]) -> None:
    reply = told.world.rest.put("/v1/local-list-policy", body, token=told.token)
    assert reply.status == 422
    assert told.world.rest.get("/v1/local-list-policy", token=told.token).body["changed_at"] is None


def test_the_second_click_changes_nothing(told: Told) -> None:
    first = policy(told, min_balance=7)
    told.world.advance(5)
    assert policy(told, min_balance=7) == first


def test_cards_straight_into_the_table_are_found_by_the_night(told: Told, driver: Driver) -> None:
    add_cards(told, driver, "A")
    assert told_tokens(told) == []
    told.world.run_job(jobs.refresh_local_lists)
    assert told_tokens(told) == [["A"]]


def test_one_operators_trouble_is_not_anothers_and_somebody_hears_of_it(told: Told, driver: Driver) -> None:
    """The job fails as a whole, so that its alarm goes off; whose round could begin has it begun."""
    world = told.world
    card(told, driver, "CARD01")
    other = {"operator_id": world.operator().operator_id, "driver": add_driver(told)}
    world.commit(lambda uow: drivers.add_card(uow, id_token="CARD02", **other))
    world.run_events()
    world.advance(MINUTE)

    def execute(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "TransactWriteItems" and told.operator.operator_id in str(request):
            raise AwsError("ValidationException", "not this one")
        return world.engine.execute(operation, request)

    restore = aws_hooks.register("dynamodb", execute)
    with pytest.raises(RuntimeError, match="not begun for 1"):
        world.run_job(jobs.begin_local_lists)
    restore()
    [left] = world.engine.execute("Query", DUES)["Items"]
    assert told.operator.operator_id in str(left)
    assert world.run_job(jobs.begin_local_lists)["begun"] == 1
