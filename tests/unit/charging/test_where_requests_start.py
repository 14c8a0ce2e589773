"""A request of the app and the delivery that answers it, wherever and however the charger tells of it: one hold, one
session, and no money but what was asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.charging import lookup, service
from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from tests.site import CARD, Site
from tests.unit.charging.teller import OTHER_CARD, Teller, commands


@pytest.fixture
def teller(site: Site) -> Teller:
    return Teller(site)


def of_the_app(asked: ChargingSession, **more: Any) -> dict[str, Any]:
    return {
        "id_token": asked.id_token,
        "id_token_kind": "Central",
        "remote_start_id": asked.remote_start_id,
        "at": asked.created_at + timedelta(seconds=5),
        **more,
    }


def paid_as_asked(site: Site, asked: ChargingSession, evse_no: int) -> None:
    [session] = site.sessions()
    assert (session.session_id, session.state, session.evse_no) == (asked.session_id, "settled", evse_no)
    assert (session.energy_wh, session.captured) == (200, 7)
    assert site.lines() == [("top_up", 2000), ("consumption", -500), ("refund", 493)]


def test_2_x_starts_it_at_another_evse(teller: Teller) -> None:
    asked = teller.site.request(500, evse_no=1)
    teller.tell(teller.started(evse_no=2, **of_the_app(asked)))
    assert teller.site.available() == 1500
    teller.tell(teller.ended(evse_no=2))
    paid_as_asked(teller.site, asked, 2)


def test_2_x_starts_it_and_does_not_say_where(teller: Teller) -> None:
    asked = teller.site.request(500, evse_no=2)
    start = of_the_app(asked, remote_start_id=None)
    teller.tell(teller.started(evse_no=None, **start), teller.ended(evse_no=None))
    paid_as_asked(teller.site, asked, 2)


def test_1_6_starts_it_at_another_connector(site: Site) -> None:
    asked = site.request(500, evse_no=1)
    outcome = site.start_from_app(evse_no=2)
    again = site.start_from_app(evse_no=2, at=site.session(asked.session_id).started_at)
    assert (again.transaction_id, site.available()) == (outcome.transaction_id, 1500)
    site.stop(outcome.transaction_id, 1200)
    paid_as_asked(site, asked, 2)


def test_where_it_was_asked_for_is_free_again(site: Site) -> None:
    """The charge is at connector 2 now: connector 1 takes the next one, and nobody's charge ends by it."""
    site.request(500, evse_no=1)
    elsewhere = site.start_from_app(evse_no=2)
    card = site.start(evse_no=1, meter_wh=50)
    assert {(s.evse_no, s.state) for s in site.sessions()} == {(1, "charging"), (2, "charging")}
    site.stop(0, 1200, at=site.world.clock.now())  # a stop that names nobody: two are running
    assert {s.state for s in site.sessions()} == {"charging"}
    site.stop(card.transaction_id, 250)
    site.stop(0, 1200)
    assert {(s.evse_no, s.state, s.energy_wh) for s in site.sessions()} == {(1, "settled", 200), (2, "settled", 200)}
    assert site.session(site.sessions()[0].session_id).transaction_id == elsewhere.transaction_id


def test_each_of_two_requests_has_its_own_start(site: Site) -> None:
    first, second = site.request(500, evse_no=1), site.request(700, evse_no=2)
    two = site.start_from_app(evse_no=2)
    one = site.start_from_app(evse_no=1, message_id="start-2")
    assert site.session(first.session_id).transaction_id == one.transaction_id
    assert site.session(second.session_id).transaction_id == two.transaction_id
    assert site.available() == 800


def test_the_apps_token_begins_nothing_beside_its_charge(site: Site) -> None:
    """It may end a charge; a second one at the next connector was not asked for."""
    site.request(500, evse_no=1)
    site.start_from_app(evse_no=1)
    beside = site.start_from_app(evse_no=2, meter_wh=0, message_id="start-2")
    assert (beside.authorization.status, site.available()) == ("invalid", 1500)
    site.stop(beside.transaction_id, 9000)
    assert site.available() == 1500


def test_energy_before_the_name_of_the_request_is_the_requests(teller: Teller) -> None:
    """The pieces overtake each other: nobody's energy does not call off what the driver asked for."""
    asked = teller.site.request(500)
    at = asked.created_at + timedelta(seconds=20)
    teller.tell(teller.updated(1100, at=at))
    assert [session.state for session in teller.site.sessions()] == ["requested"]
    teller.tell(teller.started(**of_the_app(asked)), teller.ended())
    paid_as_asked(teller.site, asked, 1)


def test_its_end_before_its_begin(teller: Teller) -> None:
    asked = teller.site.request(500)
    end = teller.ended(at=asked.created_at + timedelta(seconds=60))
    teller.tell(teller.updated(1100, at=asked.created_at + timedelta(seconds=20)), end)
    assert teller.site.available() == 1500
    teller.tell(teller.started(**of_the_app(asked)))
    paid_as_asked(teller.site, asked, 1)


def test_its_begin_is_told_when_the_request_is_over(teller: Teller) -> None:
    """It began in time: the driver pays, and no more than was asked."""
    asked = teller.site.request(500)
    teller.tell(teller.updated(1100, at=asked.created_at + timedelta(seconds=20)))
    teller.site.world.commit(lambda uow: service.expire_request(uow, asked.session_id))
    teller.tell(teller.updated(1150, 2, at=asked.created_at + timedelta(seconds=40)))
    teller.tell(teller.started(**of_the_app(asked, at=asked.created_at)), teller.ended(51_000, 3))
    before, late = teller.site.sessions()
    assert (before.state, late.state, late.origin, late.captured) == ("expired", "settled", "app", 500)
    assert teller.site.available() == 1500


def test_energy_that_stays_without_a_name_is_a_session_in_the_end(teller: Teller) -> None:
    asked = teller.site.request(500)
    teller.tell(teller.updated(1100))
    teller.site.world.commit(lambda uow: service.expire_request(uow, asked.session_id))
    teller.site.advance(31)
    teller.tell(teller.updated(1150, 32))
    _, nobodys = teller.site.sessions()
    assert (nobodys.state, nobodys.origin, nobodys.meter_start_wh) == ("charging", "unknown", 1100)
    assert teller.site.available() == 2000


@pytest.mark.parametrize("by", ["2.x", "1.6"])
def test_an_offline_memory_does_not_call_off_a_request(site: Site, by: str) -> None:
    """A charger comes back and tells of a card's charge of the morning, while a driver has just asked for one."""
    asked = site.request(500)
    morning = asked.created_at - timedelta(hours=3)
    if by == "2.x":
        teller = Teller(site, "TX-0")
        teller.tell(teller.started(1000, at=morning, id_token=OTHER_CARD, offline=True))
        teller.tell(teller.ended(1900, at=morning + timedelta(hours=1), offline=True))
    else:
        outcome = site.start(OTHER_CARD, at=morning, message_id="offline")
        site.stop(outcome.transaction_id, 1900, at=morning + timedelta(hours=1))
    assert site.session(asked.session_id).state == "requested"
    started = site.start_from_app()
    assert (started.authorization.status, site.available()) == ("accepted", 1500)
    assert {(s.id_token, s.state, s.energy_wh) for s in site.sessions()} == {
        (OTHER_CARD, "settled", 900),
        (asked.id_token, "charging", None),
    }


def test_another_card_at_the_charger_calls_the_request_off(site: Site) -> None:
    asked = site.request(500)
    site.start()
    assert site.session(asked.session_id).state == "expired"
    assert [s.held for s in site.sessions() if s.is_open] == [2000]


def test_the_number_of_another_chargers_request_is_nobodys(teller: Teller) -> None:
    other = Teller(teller.site, "TX-9")
    number: dict[str, Any] = {"remote_start_id": 7, "id_token": None, "id_token_kind": None}
    other.tell(other.started(**number), other.ended())
    [session] = teller.site.sessions()
    assert (session.driver_id, session.captured, commands(teller)) == (None, 0, [])


def test_the_apps_token_is_no_card_for_a_delivery_that_runs(teller: Teller) -> None:
    """Begun by nobody at EVSE 1; the token of a request at EVSE 2 does not make its driver pay for that, too."""
    teller.tell(teller.started(id_token=None, id_token_kind=None, charging_state="Charging"))
    asked = teller.site.request(500, evse_no=2)
    outcome = teller.tell(teller.updated(1100, id_token=asked.id_token, id_token_kind="Central"))
    assert outcome.authorization is not None
    assert (outcome.authorization.status, teller.site.available()) == ("invalid", 1500)


def test_a_charger_that_asks_nobody_is_free_in_any_order(teller: Teller) -> None:
    button: dict[str, Any] = {"id_token": "", "id_token_kind": "NoAuthorization"}
    teller.tell(teller.updated(1100), teller.started(**button), teller.ended())
    [session] = teller.site.sessions()
    assert (session.energy_wh, session.cost, session.authorization) == (200, 0, "accepted")
    teller.tell(teller.updated(1150, 3, id_token=CARD, id_token_kind="ISO14443"))
    assert teller.site.lines() == [("top_up", 2000)]


@pytest.mark.parametrize(("evse_no", "begin_wh"), [(1, 5000), (2, 5000), (2, 500)])
def test_a_charger_that_forgot_a_transaction_that_runs(teller: Teller, evse_no: int, begin_wh: int) -> None:
    """A power cut, and it counts from the beginning: who came behind it is not paid for by who was there before."""
    teller.tell(teller.started(), teller.updated(1100))
    again = Teller(teller.site)
    again.began = teller.began + timedelta(hours=3)
    again.tell(again.started(begin_wh, message_id="other", id_token=OTHER_CARD, evse_no=evse_no))
    again.tell(again.updated(begin_wh + 500, evse_no=evse_no), again.ended(begin_wh + 1000, evse_no=evse_no))
    first, second = teller.site.sessions()
    assert (first.state, first.energy_wh, first.abnormal_cause) == ("abnormal", 100, "stop_missing")
    assert (second.state, second.energy_wh, second.id_token) == ("settled", 1000, OTHER_CARD)
    assert teller.site.available() == 2000 - 4
    assert lookup.find_occupancy(teller.site.world.ctx, "cp-001", evse_no) is not None


def test_a_start_told_again_with_a_mended_clock_is_the_same_start(teller: Teller) -> None:
    teller.tell(teller.started(), teller.updated(1100))
    teller.tell(teller.started(message_id="other", at=teller.began + timedelta(hours=1)))
    teller.tell(teller.ended())
    assert [session.energy_wh for session in teller.site.sessions()] == [200]


def test_the_driver_is_known_by_the_app_token(site: Site) -> None:
    """What the tests above rest on."""
    assert site.request(500).id_token == drivers.app_token(site.driver.driver_id)


def test_a_slow_clock_beside_a_request_makes_no_second_session(site: Site) -> None:
    """The card's start looks like one of the morning, and is told again under another message id."""
    asked = site.request(500)
    at = asked.created_at - timedelta(hours=3)
    first = site.start(at=at)
    again = site.start(at=at, message_id="start-1-again")
    assert (again.transaction_id, len(site.sessions())) == (first.transaction_id, 2)
    site.stop(first.transaction_id, 1200)
    assert {(s.state, s.energy_wh) for s in site.sessions()} == {("requested", None), ("settled", 200)}
    assert site.available() == 1493


def test_an_old_start_where_a_request_moved_away_begins_nothing(site: Site) -> None:
    at = site.world.clock.now()
    old = site.start(OTHER_CARD, at=at)
    site.stop(old.transaction_id, 1200)
    site.request(500, evse_no=1)
    site.start_from_app(evse_no=2, message_id="start-2")
    again = site.start(OTHER_CARD, at=at, message_id="start-1-again")
    assert (again.transaction_id, len(site.sessions())) == (old.transaction_id, 2)


def test_readings_without_a_transaction_are_not_those_of_who_moved_away(site: Site) -> None:
    asked = site.request(500, evse_no=1)
    site.start_from_app(evse_no=2)
    site.meter(None, 999_000, evse_no=1)
    assert lookup.latest_reading(site.world.ctx, site.session(asked.session_id)) is None
    site.meter(None, 1100, evse_no=2)
    reading = lookup.latest_reading(site.world.ctx, site.session(asked.session_id))
    assert reading is not None
    assert reading.energy_wh == 1100
