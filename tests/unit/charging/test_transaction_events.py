"""Transactions in pieces (OCPP 2.x): whatever order they come in, one delivery is one session with its energy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from chalicelib.charging import lookup, service, views
from chalicelib.charging.model import (
    MeterSample,
)
from chalicelib.drivers import service as drivers
from chalicelib.kernel.money import Money
from tests.site import CARD, Site
from tests.unit.charging.teller import OTHER_CARD, Teller, commands, ends_right


@pytest.fixture
def teller(site: Site) -> Teller:
    return Teller(site)


def test_a_transaction_in_three_pieces(teller: Teller) -> None:
    outcome = teller.tell(teller.started())
    assert outcome.authorization is not None
    assert outcome.authorization.status == "accepted"
    assert teller.tell(teller.updated(1100)).total_cost == Money(4, "EUR")
    assert teller.tell(teller.ended()).total_cost == Money(7, "EUR")
    ends_right(teller)


STARTED, UPDATED, ENDED = range(3)


@pytest.mark.parametrize("order", list(permutations((STARTED, UPDATED, ENDED))))
@pytest.mark.parametrize("times", [1, 2], ids=["once", "each twice"])
def test_in_any_order(teller: Teller, order: tuple[int, ...], times: int) -> None:
    events = [teller.started(), teller.updated(1100), teller.ended()]
    for place in order:
        teller.tell(*[events[place]] * times)
    ends_right(teller)


@pytest.mark.parametrize("times", [1, 2], ids=["once", "each twice"])
def test_an_end_that_comes_before_its_start(teller: Teller, times: int) -> None:
    """It is listed until the start comes, then it is a session like any other."""
    teller.tell(*[teller.ended()] * times)
    assert [(orphan.transaction_id, orphan.meter_stop_wh) for orphan in teller.orphans()] == [("TX-1", 1200)]
    assert teller.site.sessions() == []
    teller.tell(*[teller.started()] * times)
    ends_right(teller)


def test_nothing_but_an_end_with_everything_in_it(teller: Teller) -> None:
    """A charger that was offline all the time and kept the last piece only."""
    at = teller.began + timedelta(minutes=2)
    samples = [MeterSample(teller.began, energy_wh=1000), MeterSample(at, energy_wh=1200)]
    end = teller.ended(samples=samples, begin_wh=1000, id_token=CARD, id_token_kind="ISO14443", offline=True)
    outcome = teller.tell(end, end)
    assert outcome.authorization is not None
    assert outcome.authorization.status == "accepted"
    assert outcome.total_cost == Money(7, "EUR")
    ends_right(teller)


def test_plugged_in_first_and_authorised_later(teller: Teller) -> None:
    """Q79: the transaction begins with the cable. Nobody pays for standing there."""
    plugged = teller.started(1000, id_token=None, id_token_kind=None, charging_state="EVConnected", begin_wh=None)
    assert teller.tell(plugged, plugged).authorization is None
    assert teller.site.sessions() == []
    outcome = teller.tell(
        teller.updated(1000, 1, id_token=CARD, id_token_kind="ISO14443", charging_state="EVConnected")
    )
    assert outcome.authorization is not None
    assert outcome.authorization.status == "accepted"
    session = teller.session()
    assert (session.state, session.started_at) == ("charging", teller.began + timedelta(minutes=1))
    teller.tell(teller.updated(1100, 2), teller.ended(1200, 3))
    assert (teller.session().energy_wh, teller.session().captured) == (200, 7)


def test_a_car_that_was_plugged_in_for_nothing_is_no_order(teller: Teller) -> None:
    plugged = teller.started(1000, id_token=None, id_token_kind=None, charging_state="EVConnected")
    teller.tell(plugged, teller.updated(1000, 1, charging_state="SuspendedEVSE"), teller.ended(1000))
    assert teller.site.sessions() == []
    assert teller.orphans() == []


def test_energy_that_nobody_asked_for_is_a_session_of_nobody(teller: Teller) -> None:
    plugged = teller.started(1000, id_token=None, id_token_kind=None, charging_state="EVConnected")
    teller.tell(plugged, teller.updated(1010, 1, charging_state="SuspendedEV"))
    assert (teller.session().state, teller.session().origin) == ("charging", "unknown")
    teller.tell(teller.ended(1200))
    assert (teller.session().energy_wh, teller.session().captured) == (200, 0)


def test_who_is_named_while_it_runs_pays_for_all_of_it(teller: Teller) -> None:
    nobody = teller.started(1000, id_token=None, id_token_kind=None, charging_state="Charging")
    teller.tell(nobody)
    assert teller.session().driver_id is None
    outcome = teller.tell(teller.updated(1100, 1, id_token=CARD.lower(), id_token_kind="ISO14443"))
    assert outcome.authorization is not None
    assert outcome.authorization.status == "accepted"
    assert (teller.session().driver_id, teller.session().held) == (teller.site.driver.driver_id, 2000)
    teller.tell(teller.ended())
    ends_right(teller)


def test_the_end_that_names_who_pays(teller: Teller) -> None:
    """Hold and capture cannot share a commit; the driver pays all the same, and once."""
    nobody = teller.started(1000, id_token=None, id_token_kind=None, charging_state="Charging")
    end = teller.ended(id_token=CARD, id_token_kind="ISO14443")
    teller.tell(nobody, end, end)
    ends_right(teller)


def test_a_second_token_does_not_change_who_pays(teller: Teller) -> None:
    site = teller.site
    teller.tell(teller.started())
    outcome = teller.tell(teller.updated(1100, 1, id_token=OTHER_CARD, id_token_kind="ISO14443"))
    assert outcome.authorization is not None
    assert outcome.authorization.status == "invalid"
    assert (teller.session().driver_id, teller.session().id_token) == (site.driver.driver_id, CARD)
    teller.tell(teller.ended(id_token=OTHER_CARD, id_token_kind="ISO14443"))
    ends_right(teller)


@pytest.mark.parametrize("which", ["the same card", "another card of the driver"])
def test_the_payer_may_end_it_though_all_the_money_is_reserved(teller: Teller, which: str) -> None:
    site = teller.site
    driver = drivers.require_driver(site.world.ctx, site.driver.driver_id)
    operator_id = site.charger.operator_id
    site.world.commit(lambda uow: drivers.add_card(uow, id_token=OTHER_CARD, operator_id=operator_id, driver=driver))
    teller.tell(teller.started())
    assert site.available() == 0
    token = CARD if which == "the same card" else OTHER_CARD
    outcome = teller.tell(teller.updated(1100, 1, id_token=token, id_token_kind="ISO14443"))
    assert outcome.authorization is not None
    assert outcome.authorization.status == "accepted"


def test_q77_events_out_of_order(teller: Teller) -> None:
    """Updated 8 before Ended 6; the next transaction starts at 7, without a token and without its EVSE."""
    teller.tell(
        teller.started(),
        teller.updated(1250, 8, at=teller.began + timedelta(minutes=5)),
        teller.ended(1200, 6, at=teller.began + timedelta(minutes=4)),
    )
    ended = teller.session()
    assert (ended.state, ended.stopped_at) == ("settled", teller.began + timedelta(minutes=4))
    assert views.operator_detail(teller.site.world.ctx, ended).missing_seq_nos == [1, 2, 3, 4, 5]
    following = replace(
        teller.event("started", 7, charging_state="Charging", evse_no=None, trigger="Authorized"),
        transaction_id="TX-2",
    )
    teller.tell(following)
    before, running = teller.site.sessions()
    assert before == ended
    assert (running.state, running.transaction_id, running.evse_no) == ("charging", "TX-2", 0)


@pytest.mark.parametrize("numbers", [(0, 1, 0, 1), (2**31 - 3, 2**31 - 2, 2**31 - 1, 2**31), (5, 5, 5, 5)])
def test_q79_numbers_that_restart_leap_or_stand_still(teller: Teller, numbers: tuple[int, ...]) -> None:
    at = [teller.began + timedelta(minutes=minute) for minute in (0, 0.5, 1, 2)]
    teller.tell(
        teller.started(seq_no=numbers[0], at=at[0]),
        teller.updated(1100, numbers[1], at=at[1]),
        teller.updated(1150, numbers[2], at=at[2]),
        teller.ended(seq_no=numbers[3], at=at[3]),
    )
    ends_right(teller)
    assert views.operator_detail(teller.site.world.ctx, teller.session()).missing_seq_nos == []


def test_q80_a_charger_that_asks_nobody_is_free(teller: Teller) -> None:
    button: dict[str, Any] = {"id_token": "", "id_token_kind": "NoAuthorization"}
    outcome = teller.tell(teller.started(1460, charging_state="EVConnected", **button))
    assert outcome.authorization is not None
    assert outcome.authorization.status == "accepted"
    outcome = teller.tell(teller.updated(5000), teller.ended(9460, **button))
    assert outcome.authorization is not None
    assert outcome.authorization.status == "accepted"
    session = teller.session()
    assert (session.energy_wh, session.cost, session.state) == (8000, 0, "settled")
    assert (session.driver_id, session.authorization) == (None, "accepted")
    assert teller.site.lines() == [("top_up", 2000)]
    assert commands(teller) == []


def test_an_empty_token_is_invalid_and_no_token(teller: Teller) -> None:
    outcome = teller.tell(teller.started(id_token="", id_token_kind="ISO14443"))
    assert outcome.authorization is not None
    assert outcome.authorization.status == "invalid"
    assert teller.site.sessions() == []


def test_q82_an_evse_that_is_named_late_is_not_guessed(teller: Teller) -> None:
    teller.tell(teller.started(evse_no=None))
    assert teller.session().evse_no == 0
    occupancies = lookup.list_occupancies(teller.site.world.ctx, "cp-001")
    assert occupancies == []
    teller.tell(teller.updated(1100, evse_no=2))
    assert teller.session().evse_no == 2
    assert [found.evse_no for found in lookup.list_occupancies(teller.site.world.ctx, "cp-001")] == [2]
    teller.tell(teller.ended(evse_no=None))
    assert (teller.session().evse_no, teller.session().energy_wh) == (2, 200)


def test_an_evse_that_is_never_named_costs_no_energy(teller: Teller) -> None:
    teller.tell(teller.started(evse_no=None), teller.updated(1100, evse_no=None), teller.ended(evse_no=None))
    assert (teller.session().evse_no, teller.session().captured) == (0, 7)


def test_the_start_of_a_request_names_its_number_not_its_token(teller: Teller) -> None:
    site = teller.site
    asked = site.request(500)
    [command] = commands(teller)
    assert command["remote_start_id"] == asked.remote_start_id
    assert 1 <= asked.remote_start_id < 2**31
    odd: dict[str, Any] = {"id_token": "X" + asked.id_token.lower(), "id_token_kind": "Local", "evse_no": None}
    outcome = teller.tell(teller.started(remote_start_id=asked.remote_start_id, **odd))
    assert outcome.authorization is not None
    assert outcome.authorization.status == "accepted"
    session = teller.session()
    assert (session.session_id, session.state, session.evse_no) == (asked.session_id, "charging", 1)
    assert outcome.limits is not None
    assert outcome.limits.cost == Money(500, "EUR")
    repeated = teller.tell(teller.updated(1100, **odd))
    assert repeated.authorization is not None
    assert repeated.authorization.status == "accepted"
    teller.tell(teller.ended(**odd))
    assert site.lines() == [("top_up", 2000), ("consumption", -500), ("refund", 493)]


def test_the_register_at_the_begin_is_told_late(teller: Teller) -> None:
    teller.tell(teller.started(None), teller.updated(1050, 1))
    assert teller.session().meter_start_wh == 1050
    teller.tell(teller.updated(1100, 2, begin_wh=1000), teller.ended(1200, 3))
    session = teller.session()
    assert (session.meter_start_wh, session.energy_wh, session.abnormal_cause) == (1000, 200, None)


@pytest.mark.parametrize(
    ("begin", "between", "end", "energy_wh", "cause"),
    [
        (None, None, None, 0, "meter_missing"),
        (1000, None, None, 0, "meter_stop_missing"),
        (None, None, 1200, 0, "meter_start_missing"),
        (None, 1100, 1200, 100, "meter_start_missing"),
        (1000, 1100, None, 100, "meter_stop_missing"),
        (1000, None, 1200, 200, None),
        (1000, None, 900, 0, "meter_backwards"),
    ],
)
def test_registers_that_are_missing(
    teller: Teller, begin: int | None, between: int | None, end: int | None, energy_wh: int, cause: str | None
) -> None:
    """Nobody pays for what nobody saw, and the order says so."""
    teller.tell(teller.started(begin), teller.updated(between), teller.ended(end))
    session = teller.session()
    assert (session.state, session.energy_wh, session.abnormal_cause) == ("settled", energy_wh, cause)


def test_the_end_of_a_session_that_was_given_up_is_billed_once(teller: Teller) -> None:
    teller.tell(teller.started(), teller.updated(1100))
    given_up = teller.session()
    teller.site.world.commit(lambda uow: service.give_up_session(uow, given_up.session_id, "stop_missing"))
    teller.tell(teller.ended(), teller.ended())
    assert teller.orphans() == []
    session = teller.session()
    assert (session.state, session.energy_wh, session.cost, session.captured) == ("abnormal", 200, 7, 7)
    assert teller.site.lines()[-1] == ("correction", -3)


def test_the_end_of_a_session_that_was_given_up_and_says_nothing_is_listed(teller: Teller) -> None:
    teller.tell(teller.started(), teller.updated(1100))
    given_up = teller.session()
    teller.site.world.commit(lambda uow: service.give_up_session(uow, given_up.session_id, "stop_missing"))
    teller.tell(teller.ended(None), teller.ended(None))
    [orphan] = teller.orphans()
    assert (orphan.session_id, orphan.cause) == (given_up.session_id, "session_over")
    assert (teller.session().state, teller.session().energy_wh) == ("abnormal", 100)


def test_a_charger_that_forgot_its_transactions_counts_from_the_beginning(teller: Teller) -> None:
    teller.tell(teller.started(), teller.ended())
    again = Teller(teller.site)
    again.began = teller.began + timedelta(hours=3)
    again.tell(again.started(1200, message_id="other"), again.updated(1300), again.ended(1400))
    assert [session.energy_wh for session in teller.site.sessions()] == [200, 200]
    assert teller.site.income() == 14


def test_a_start_that_comes_again_after_an_end_without_energy_begins_nothing(teller: Teller) -> None:
    """The meter stands where it stood; the time of the start tells that it is the old one."""
    teller.tell(teller.started(), teller.ended(1000))
    teller.tell(teller.started(message_id="another"))
    assert [session.energy_wh for session in teller.site.sessions()] == [0]


def test_an_end_that_tells_nothing_at_all_is_listed(teller: Teller) -> None:
    teller.tell(teller.ended(None))
    [orphan] = teller.orphans()
    assert (orphan.meter_stop_wh, orphan.cause) == (None, "unknown_transaction")


def test_a_new_transaction_ends_the_one_whose_end_was_lost(teller: Teller) -> None:
    following = Teller(teller.site, "TX-2")
    following.began = teller.began + timedelta(hours=1)
    teller.tell(teller.started(), teller.updated(1100))
    following.tell(following.started(1500))
    lost, running = teller.site.sessions()
    assert (lost.state, lost.energy_wh, lost.abnormal_cause) == ("abnormal", 100, "stop_missing")
    assert (running.state, running.meter_start_wh) == ("charging", 1500)


def test_an_offline_transaction_leaves_the_running_one_alone(teller: Teller) -> None:
    late = Teller(teller.site, "TX-0")
    late.began = teller.began - timedelta(hours=5)
    teller.tell(teller.started(2000))
    late.tell(late.started(1000, id_token=OTHER_CARD, offline=True), late.ended(1900, offline=True))
    teller.tell(teller.updated(2100), teller.ended(2200))
    assert {(s.id_token, s.state, s.energy_wh) for s in teller.site.sessions()} == {
        (CARD, "settled", 200),
        (OTHER_CARD, "settled", 900),
    }


def test_a_charger_that_delivers_though_it_was_told_not_to_is_stopped_once(teller: Teller) -> None:
    outcome = teller.tell(teller.started(id_token=OTHER_CARD))
    assert outcome.authorization is not None
    assert outcome.authorization.status == "invalid"
    teller.tell(teller.updated(1000, 1))
    assert commands(teller) == []
    teller.tell(teller.updated(1100, 2))
    assert commands(teller) == [{"transaction_id": "TX-1"}]
    session_id = teller.session().session_id
    teller.site.world.commit(lambda uow: service.handle_remote_stop_answer(uow, session_id=session_id, accepted=False))
    teller.site.advance(30)
    teller.tell(teller.updated(1150, 3), teller.ended(1200, 4))
    assert len(commands(teller)) == 1
    assert (teller.session().state, teller.session().energy_wh) == ("settled", 200)


def test_an_update_that_only_meters_is_one_write(teller: Teller) -> None:
    teller.tell(teller.started(), teller.updated(1050, 1))
    before = dict(teller.site.world.engine.consumed)
    teller.tell(teller.updated(1100, 2, id_token=CARD, id_token_kind="ISO14443"))
    used = {key: amount - before.get(key, 0) for key, amount in teller.site.world.engine.consumed.items()}
    assert sum(amount for (_, kind), amount in used.items() if kind == "write") <= 2
    assert sum(amount for (_, kind), amount in used.items() if kind == "read") == 0


@pytest.mark.parametrize(("told", "most_wru", "least_wru"), [("started", 16, 12), ("updated", 1, 1), ("ended", 18, 14)])
def test_what_a_transaction_costs(teller: Teller, told: str, most_wru: int, least_wru: int) -> None:
    """Held like the budgets of 1.6; the least says that money is in it."""
    pieces = [teller.started(), teller.updated(1100), teller.ended()]
    which = ["started", "updated", "ended"].index(told)
    teller.tell(*pieces[:which])
    before = dict(teller.site.world.engine.consumed)
    teller.tell(pieces[which])
    used = teller.site.world.engine.consumed
    written = sum(amount - before.get(key, 0) for key, amount in used.items() if key[1] == "write")
    assert least_wru <= written <= most_wru
