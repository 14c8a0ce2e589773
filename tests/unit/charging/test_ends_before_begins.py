"""An end that overtakes its begin: kept until the begin says who pays and from where on, for a while, and in
nobody's way."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.charging import jobs, lookup, service
from chalicelib.charging.model import BEGIN_TIMEOUT, ChargingSession, EventOutcome
from tests.site import CARD, Site
from tests.unit.charging.teller import CHARGED_SEVEN, OTHER_CARD, Teller, commands, ends_right


@pytest.fixture
def teller(site: Site) -> Teller:
    return Teller(site)


@pytest.fixture
def waiting(teller: Teller) -> ChargingSession:
    """Energy, then the end: 100 of 200 Wh were seen, and nobody's card."""
    teller.tell(teller.updated(1100), teller.ended())
    session = teller.session()
    assert (session.state, session.awaits_begin, session.driver_id) == ("stopping", True, None)
    return session


def give_up(site: Site, session: ChargingSession) -> None:
    site.world.commit(partial(service.give_up_session, session_id=session.session_id, cause="stop_missing"))


def test_the_begin_completes_it(teller: Teller, waiting: ChargingSession) -> None:
    outcome = teller.tell(teller.started())
    assert outcome.authorization is not None
    assert outcome.authorization.status == "accepted"
    ends_right(teller)


def test_what_else_comes_late_leaves_it_waiting(teller: Teller, waiting: ChargingSession) -> None:
    teller.tell(teller.updated(1050), teller.ended(), teller.ended(message_id="again"))
    assert teller.session().awaits_begin
    assert commands(teller) == []
    teller.tell(teller.started())
    ends_right(teller)


def test_an_end_that_was_listed_is_no_orphan_any_more(teller: Teller) -> None:
    """First the end alone, then a reading: told once more, the end shows that energy flowed."""
    teller.tell(teller.ended(), teller.updated(1100, charging_state=None))
    assert (teller.site.sessions(), len(teller.orphans())) == ([], 1)
    teller.tell(teller.ended())
    assert (teller.session().awaits_begin, teller.orphans()) == (True, [])
    teller.tell(teller.started())
    ends_right(teller)


def test_who_pays_is_known_and_from_where_on_is_not(teller: Teller) -> None:
    teller.tell(teller.updated(1100, id_token=CARD, id_token_kind="ISO14443"), teller.ended())
    assert (teller.session().awaits_begin, teller.site.available()) == (True, 0)
    teller.tell(teller.started(id_token=None, id_token_kind=None))
    session = teller.session()
    assert (session.state, session.energy_wh, session.abnormal_cause) == ("settled", 200, None)
    assert teller.site.lines() == CHARGED_SEVEN


@pytest.mark.parametrize(
    ("told", "energy_wh", "cause"), [({}, 100, "meter_start_missing"), ({"begin_wh": 1000}, 200, "start_missing")]
)
def test_the_begin_never_comes(teller: Teller, told: dict[str, Any], energy_wh: int, cause: str) -> None:
    """An abnormal order of nobody, with the energy that was seen; a begin that comes even later opens nothing."""
    teller.tell(teller.updated(1100), teller.ended(**told))
    for _ in range(2):
        give_up(teller.site, teller.session())
    session = teller.session()
    assert (session.state, session.energy_wh, session.abnormal_cause) == ("settled", energy_wh, cause)
    assert (session.stopped_at, session.stop_reason) == (teller.began + timedelta(minutes=2), "Local")
    teller.tell(teller.started(), teller.ended())
    assert teller.session() == session
    assert teller.site.lines() == [("top_up", 2000)]
    assert teller.orphans() == []


def test_the_payer_of_a_begin_that_never_comes_pays_what_was_seen(teller: Teller) -> None:
    teller.tell(teller.updated(1100, id_token=CARD, id_token_kind="ISO14443"), teller.ended())
    give_up(teller.site, teller.session())
    assert (teller.session().energy_wh, teller.session().captured, teller.site.available()) == (100, 4, 1996)


def test_a_stop_that_was_asked_for_before_the_end_came(teller: Teller) -> None:
    teller.tell(teller.updated(1100, id_token=OTHER_CARD, id_token_kind="ISO14443"), teller.updated(1150, 2))
    assert (teller.session().state, len(commands(teller))) == ("stopping", 1)
    teller.tell(teller.ended(1200, 3))
    assert teller.session().awaits_begin
    session_id = teller.session().session_id
    teller.site.world.commit(partial(service.handle_remote_stop_answer, session_id=session_id, accepted=False))
    assert teller.session().state == "stopping"


def test_nobody_can_stop_it_and_the_charger_is_not_asked(teller: Teller, waiting: ChargingSession) -> None:
    kept = teller.site.world.commit(lambda uow: service.cancel_or_stop(uow, waiting, requested_by="usr"))
    jobs.session_close({"session_id": waiting.session_id, "action": "look"}, None)
    assert kept == teller.session() == waiting
    assert commands(teller) == []


def test_its_evse_is_free_for_the_app(teller: Teller, waiting: ChargingSession) -> None:
    asked = teller.site.request(500)
    teller.tell(teller.started())
    first, second = teller.site.sessions()
    assert (first.session_id, first.state, first.captured) == (waiting.session_id, "settled", 7)
    assert (second.session_id, second.state) == (asked.session_id, "requested")


def test_its_evse_is_free_for_the_next_card(teller: Teller, waiting: ChargingSession) -> None:
    """The next one begins before the begin of this one is heard: neither ends the other."""
    teller.site.top_up(2000)
    following = Teller(teller.site, "TX-2")
    following.began = teller.began + timedelta(hours=1)
    following.tell(following.started(1200))
    teller.tell(teller.started())
    following.tell(following.updated(1300), following.ended(1400))
    assert [(s.state, s.energy_wh, s.captured) for s in teller.site.sessions()] == [("settled", 200, 7)] * 2


def test_its_evse_is_free_for_a_reservation(teller: Teller, waiting: ChargingSession) -> None:
    site = teller.site
    site.world.commit(
        partial(
            service.request_reservation,
            reservation_id=site.world.ctx.new_id("res"),
            charger=site.charger,
            evse_no=1,
            id_token=CARD,
            until=site.world.clock.now() + timedelta(hours=1),
            requested_by="usr",
        )
    )


def test_nothing_fresh_is_asked_of_it(teller: Teller) -> None:
    teller.tell(teller.updated(1100, id_token=CARD, id_token_kind="ISO14443"), teller.ended())
    teller.site.advance(5)
    service.ask_for_fresh_values(teller.site.world.ctx, teller.session(), None)
    assert commands(teller) == []


def test_a_stop_without_a_name_is_not_its_end(teller: Teller, waiting: ChargingSession) -> None:
    """OCPP 1.6 after a downgrade: what runs is ended, and what waits is not."""
    running = teller.site.start(evse_no=2, meter_wh=0)
    teller.site.stop(-1, 500)
    assert teller.site.session(waiting.session_id).awaits_begin
    states = {session.transaction_id: session.state for session in teller.site.sessions()}
    assert states[running.transaction_id] == "settled"


def test_an_end_alone_with_all_that_is_needed_does_not_wait(teller: Teller) -> None:
    outcome: EventOutcome = teller.tell(teller.ended(begin_wh=1000, id_token=CARD, id_token_kind="ISO14443"))
    assert outcome.total_cost is not None
    assert teller.session().state == "settled"


def test_it_waits_no_longer_than_a_hold_may() -> None:
    """The nightly proof calls a hold forgotten an hour after the longest delivery."""
    assert timedelta(minutes=10) < BEGIN_TIMEOUT < timedelta(hours=1)


def test_readings_stay_with_it(teller: Teller, waiting: ChargingSession) -> None:
    reading = lookup.latest_reading(teller.site.world.ctx, waiting)
    assert reading is not None
    assert reading.energy_wh == 1200
