"""What chargers do in the field: repeat, forget, mix up, come back late. No session twice, no energy lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.charging import lookup, service, views
from chalicelib.charging.model import MeterSample, OrphanStop
from tests.site import CARD, Site, build_site
from tests.world import World

OTHER_CARD = "0BADCAFE01"


@pytest.mark.parametrize("message_id", ["start-1", "start-2"])
def test_a_start_that_is_sent_again_is_the_same_session(site: Site, message_id: str) -> None:
    """SteVe #1294, MicroOcpp #237: the retry comes under a new message id."""
    at = site.world.clock.now()
    first = site.start(at=at)
    again = site.start(at=at, message_id=message_id)
    assert again.transaction_id == first.transaction_id
    assert len(site.sessions()) == 1
    assert site.available() == 0


def test_the_answer_to_a_start_that_got_lost_is_given_again_after_the_stop(site: Site) -> None:
    at = site.world.clock.now()
    first = site.start(at=at)
    site.stop(first.transaction_id, 1200)
    assert site.start(at=at).transaction_id == first.transaction_id
    assert len(site.sessions()) == 1


def test_a_clock_that_stands_still_does_not_hide_a_second_session(site: Site) -> None:
    at = site.world.clock.now()
    first = site.start(at=at, message_id="a")
    site.stop(first.transaction_id, 1000)
    second = site.start(at=at, message_id="b")
    assert second.transaction_id != first.transaction_id
    assert len(site.sessions()) == 2


def test_a_charger_without_a_clock_repeats_its_start(site: Site) -> None:
    """A clock of 1970 is replaced by the time of receipt, which is another one when the same message comes again."""
    first = site.start(message_id="m1")
    site.advance(0.3)
    assert site.start(message_id="m1").transaction_id == first.transaction_id
    assert len(site.sessions()) == 1
    site.stop(first.transaction_id, 1200)
    site.start(message_id="m1", meter_wh=1200)
    assert len(site.sessions()) == 2


def test_a_stop_that_is_sent_again_changes_nothing(site: Site) -> None:
    outcome = site.start()
    site.stop(outcome.transaction_id, 1200)
    lines = site.lines()
    site.stop(outcome.transaction_id, 1900)
    assert site.lines() == lines
    assert site.sessions()[0].energy_wh == 200


@pytest.mark.parametrize("wrong_id", [0, -1, 987654])
def test_a_stop_with_a_wrong_id_ends_the_only_session(site: Site, wrong_id: int) -> None:
    """SteVe #156: transaction id 0 or -1 after a lost StartTransaction.conf."""
    site.start()
    site.stop(wrong_id, 1200)
    assert [session.state for session in site.sessions()] == ["settled"]


def test_a_stop_with_a_wrong_id_does_not_choose_between_two_sessions(site: Site) -> None:
    site.start(evse_no=1)
    site.start(OTHER_CARD, evse_no=2, message_id="start-2")
    site.stop(-1, 1200)
    assert {session.state for session in site.sessions()} == {"charging"}
    site.stop(-1, 1300)
    assert [kept.meter_stop_wh for kept in orphans(site)] == [1200, 1300]


def orphans(site: Site) -> list[OrphanStop]:
    """The stops that found no session, oldest first."""
    return lookup.list_orphan_stops(site.world.ctx, site.charger.operator_id, limit=10, cursor=None).data[::-1]


def test_the_late_stop_of_a_session_that_was_given_up_bills_what_was_delivered(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    [session] = site.sessions()
    site.world.commit(lambda uow: service.give_up_session(uow, session.session_id, "stop_missing"))
    lines = site.lines()
    site.stop(outcome.transaction_id, 9000)
    assert site.lines() == [*lines, ("correction", -280)]
    assert orphans(site) == []


def test_the_late_stop_without_a_register_of_a_session_that_was_given_up_is_kept(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    [session] = site.sessions()
    site.world.commit(lambda uow: service.give_up_session(uow, session.session_id, "stop_missing"))
    lines = site.lines()
    site.stop(outcome.transaction_id, None)
    assert site.lines() == lines
    assert [kept.session_id for kept in orphans(site)] == [session.session_id]


@pytest.mark.parametrize("began_years_ago", [9, 1])
def test_a_clock_that_was_set_during_the_charge_is_not_billed_by_the_year(world: World, began_years_ago: int) -> None:
    """Firmware that begins at its build date until it is told the time: plausible, and years off."""
    site = build_site(world, price="3.60", dimension="TIME")  # 0.1 cent a second
    outcome = site.start(at=world.clock.now() - timedelta(days=365 * began_years_ago))
    site.advance(10)
    site.meter(outcome.transaction_id, 1100)
    assert [session.state for session in site.sessions()] == ["charging"]
    site.stop(outcome.transaction_id, 1200)
    [session] = site.sessions()
    assert session.cost == 60


def test_an_offline_charge_of_impossible_length_is_billed_no_time_and_told(world: World) -> None:
    """A clock of 2024 that was set during the delivery: two years at a price by the hour would empty a wallet."""
    site = build_site(world, price="0.36", dimension="TIME")  # 1 cent in 100 seconds
    began = world.clock.now() - timedelta(days=5)
    outcome = site.start(at=began)
    site.stop(outcome.transaction_id, 1200, at=began + timedelta(days=3))
    [session] = site.sessions()
    assert (session.cost, session.abnormal_cause) == (0, "clock_implausible")


@pytest.mark.parametrize("meter_stop_wh", [2**32 - 1, 2**53 - 1])
def test_a_meter_that_leaps_costs_nothing_and_is_told(site: Site, meter_stop_wh: int) -> None:
    outcome = site.start(meter_wh=1000)
    site.meter(outcome.transaction_id, meter_stop_wh)
    site.stop(outcome.transaction_id, meter_stop_wh)
    [session] = site.sessions()
    assert (session.state, session.energy_wh, session.abnormal_cause) == ("settled", 0, "meter_implausible")
    assert site.available() == 2000


def test_a_leap_that_no_socket_could_deliver_empties_no_wallet(site: Site) -> None:
    """10 MWh in ten minutes: less than a register's overflow, and more than a house pays in a year."""
    site.top_up(1_000_000)
    outcome = site.start(meter_wh=0)
    site.advance(5)
    site.meter(outcome.transaction_id, 1000)
    site.advance(5)
    site.stop(outcome.transaction_id, 9_999_000)
    [session] = site.sessions()
    assert (session.energy_wh, session.captured, session.abnormal_cause) == (1000, 35, "meter_implausible")


def test_a_lost_stop_bills_the_last_known_register_and_no_time_without_a_sign_of_life(world: World) -> None:
    site = build_site(world, price="36", dimension="TIME")  # 1 cent a second
    site.start(meter_wh=1000)
    site.advance(60)
    [session] = site.sessions()
    world.commit(lambda uow: service.give_up_session(uow, session.session_id, "stop_missing"))
    assert site.session(session.session_id).cost == 0


def test_a_reading_without_the_register_does_not_hide_the_one_before(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    site.meter(outcome.transaction_id, 1400)
    site.advance(1)
    site.meter(outcome.transaction_id, None)
    [session] = site.sessions()
    assert views.session_detail(site.world.ctx, session).energy_wh == 400
    site.world.commit(lambda uow: service.give_up_session(uow, session.session_id, "stop_missing"))
    assert site.session(session.session_id).energy_wh == 400


def test_a_stop_with_more_data_than_a_row_holds_is_stored_with_its_begin_and_end(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    at = site.world.clock.now()
    samples = [MeterSample(at + timedelta(microseconds=n), energy_wh=1000 + n) for n in range(4000)]
    site.world.commit(
        lambda uow: service.stop_by_charger(
            uow,
            charger=site.charger,
            transaction_id=outcome.transaction_id,
            meter_stop_wh=4999,
            stopped_at=at,
            reason=None,
            id_token=None,
            samples=samples,
        )
    )
    [session] = site.sessions()
    assert session.state == "settled"
    reading = lookup.latest_reading(site.world.ctx, session)
    assert reading is not None
    assert [sample.energy_wh for sample in reading.samples] == [1000, 4999]


def test_a_new_start_closes_the_session_whose_stop_was_lost(site: Site) -> None:
    first = site.start(meter_wh=1000)
    site.advance(10)
    site.meter(first.transaction_id, 1400)
    site.advance(10)
    second = site.start(meter_wh=1500, message_id="start-2")
    lost, present = site.sessions()
    assert (lost.state, lost.abnormal_cause, lost.energy_wh) == ("abnormal", "stop_missing", 400)
    assert lost.captured == 14
    assert (present.state, present.transaction_id) == ("charging", second.transaction_id)
    site.stop(second.transaction_id, 1700)
    assert site.income() == 14 + 7
    assert site.available() == 2000 - 21


def test_the_late_stop_of_a_replaced_session_finds_it_and_changes_nothing(site: Site) -> None:
    first = site.start(meter_wh=1000)
    site.advance(1)
    second = site.start(meter_wh=1500, message_id="start-2")
    site.stop(first.transaction_id, 1490)
    assert site.sessions()[1].state == "charging"
    site.stop(second.transaction_id, 1700)
    assert site.sessions()[1].energy_wh == 200


def test_an_offline_session_is_replayed_hours_later(site: Site) -> None:
    began = site.world.clock.now() - timedelta(hours=5)
    outcome = site.start(at=began, meter_wh=1000)
    site.stop(outcome.transaction_id, 2000, at=began + timedelta(hours=1))
    [session] = site.sessions()
    assert session.started_at == began
    assert session.stopped_at == began + timedelta(hours=1)
    assert session.captured == 35


def test_two_connectors_in_one_second_are_two_sessions(site: Site) -> None:
    """EVtivity gave the second connector the first one's transaction."""
    at = site.world.clock.now()
    left = site.start(CARD, evse_no=1, at=at)
    right = site.start(OTHER_CARD, evse_no=2, at=at, message_id="start-2")
    assert left.transaction_id != right.transaction_id
    site.stop(right.transaction_id, 1100)
    assert [(s.evse_no, s.state) for s in site.sessions()] == [(1, "charging"), (2, "settled")]


def test_a_meter_that_runs_backwards_costs_nothing_and_is_told(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    site.stop(outcome.transaction_id, 900)
    [session] = site.sessions()
    assert (session.energy_wh, session.cost, session.abnormal_cause) == (0, 0, "meter_backwards")
    assert site.available() == 2000


def test_meter_values_without_a_transaction_belong_to_the_connectors_session(site: Site) -> None:
    site.start(meter_wh=1000)
    site.meter(None, 1300)
    [session] = site.sessions()
    reading = lookup.latest_reading(site.world.ctx, session)
    assert reading is not None
    assert reading.energy_wh == 1300


@pytest.mark.parametrize("wrong_connector", [0, 2])
def test_meter_values_follow_their_transaction_to_its_connector(site: Site, wrong_connector: int) -> None:
    """Firmware that names connector 0, or the other one."""
    session = site.request(7)
    outcome = site.start_from_app(meter_wh=1000)
    site.meter(outcome.transaction_id, 1300, evse_no=wrong_connector)
    assert site.session(session.session_id).state == "stopping"


def test_meter_values_of_nobody_are_kept_with_the_charger(site: Site) -> None:
    site.meter(None, 1300)
    page = site.world.engine.execute(
        "Query",
        {
            "TableName": "wattfare-charging",
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :meter)",
            "ExpressionAttributeValues": {":pk": {"S": "charger#cp-001"}, ":meter": {"S": "meter#"}},
        },
    )
    assert page["Count"] == 1


def test_the_same_meter_frame_twice_is_one_reading(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    site.meter(outcome.transaction_id, 1100)
    site.meter(outcome.transaction_id, 1100)
    [session] = site.sessions()
    assert len(lookup.list_readings(site.world.ctx, session, limit=10, cursor=None).data) == 1


def test_another_card_takes_the_connector_and_the_request_gets_its_money_back(site: Site) -> None:
    asked = site.request(500)
    assert site.available() == 1500
    site.start("DEADBEEF")
    assert site.session(asked.session_id).state == "expired"
    assert site.available() == 2000


@pytest.mark.parametrize(
    ("begin", "end", "energy_wh", "cause"),
    [
        (None, 1300, 200, "meter_start_missing"),
        (1000, None, 200, "meter_stop_missing"),
        (None, None, 100, "meter_start_missing"),
    ],
)
def test_a_register_that_was_not_told_is_taken_from_the_readings(
    site: Site, begin: int | None, end: int | None, energy_wh: int, cause: str | None
) -> None:
    """StartTransaction without meterStart, StopTransaction without meterStop: what the readings bound is billed."""
    outcome = site.start(meter_wh=begin)
    site.meter(outcome.transaction_id, 1100)
    site.advance_s(1)
    site.meter(outcome.transaction_id, 1200)
    site.stop(outcome.transaction_id, end)
    [session] = site.sessions()
    assert (session.state, session.energy_wh) == ("settled", energy_wh)
    assert session.abnormal_cause == cause


def test_a_start_without_a_register_that_is_sent_again_is_the_same_session(site: Site) -> None:
    at = site.world.clock.now()
    first = site.start(meter_wh=None, at=at)
    assert site.start(meter_wh=None, at=at, message_id="start-2").transaction_id == first.transaction_id
    assert len(site.sessions()) == 1


def test_a_lost_session_without_a_first_register_is_billed_between_its_readings(site: Site) -> None:
    outcome = site.start(meter_wh=None)
    site.meter(outcome.transaction_id, 1100)
    site.advance_s(1)
    site.meter(outcome.transaction_id, 1200)
    [session] = site.sessions()
    site.world.commit(lambda uow: service.give_up_session(uow, session.session_id, "stop_missing"))
    assert site.session(session.session_id).energy_wh == 100
