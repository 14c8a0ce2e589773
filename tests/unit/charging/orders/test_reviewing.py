"""An abnormal order from its opening to its end: who is asked, who is stopped, who closes it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.charging import lookup, order_jobs, order_lookup
from chalicelib.charging.model import SessionFilter
from chalicelib.charging.model.orders import OrderFilter
from chalicelib.charging.service import reviewing
from chalicelib.kernel.errors import DomainError
from tests.site import Site
from tests.unit.charging.orders.episodes import lost, stop_late

DAY_S = timedelta(days=1).total_seconds()
STRANGER = "0BADCAFE99"


def orders(site: Site, wanted: OrderFilter | None = None) -> list[str]:
    ctx, operator_id = site.world.ctx, site.charger.operator_id
    page = order_lookup.list_orders(ctx, operator_id, wanted or OrderFilter(), limit=100, cursor=None)
    return [order.session_id for order in page.data]


def abnormal_sessions(site: Site) -> list[str]:
    ctx, operator_id = site.world.ctx, site.charger.operator_id
    wanted = SessionFilter(group="abnormal")
    page = lookup.find_sessions(ctx, operator_id=operator_id, wanted=wanted, limit=100, cursor=None)
    return [session.session_id for session in page.data]


def test_a_lost_session_opens_an_order_that_asks_its_driver(site: Site) -> None:
    episode = lost(site)
    order = episode.order
    assert (order.state, order.causes, order.asks_driver) == ("open", ["stop_missing"], True)
    assert (order.order_no, order.driver_id) == (episode.session.order_no, site.driver.driver_id)
    # What is certain is paid, the rest is back: nobody's money is a hostage.
    assert (episode.session.captured, site.available()) == (35, 1965)


def test_the_lists_of_orders_and_of_abnormal_sessions_agree(site: Site) -> None:
    lost(site)
    good = site.start(meter_wh=5000, message_id="good")
    site.advance(5)
    site.stop(good.transaction_id, 6000)
    backwards = site.start(meter_wh=9000, message_id="backwards")
    site.advance(5)
    site.stop(backwards.transaction_id, 8000)
    nothing = site.start(meter_wh=9000, message_id="nothing")
    site.advance(16)
    site.stop(nothing.transaction_id, 9000)
    unknown = site.start(STRANGER, meter_wh=9000, message_id="unknown")
    site.advance(5)
    site.stop(unknown.transaction_id, 9500)
    assert orders(site) == abnormal_sessions(site)
    causes = [session.abnormal_cause for session in site.sessions()]
    assert causes == ["stop_missing", None, "meter_backwards", "nothing_delivered", "not_authorized"]


def test_what_is_not_begun_is_no_order(site: Site) -> None:
    session = site.request(500)
    site.world.commit(lambda uow: reviewing.note_readings(uow, session.session_id, ["readings_gap"]))
    assert orders(site) == []


def test_no_start_from_the_app_until_the_driver_has_said_what_happened(site: Site) -> None:
    site.top_up(2000)
    episode = lost(site)
    with pytest.raises(DomainError, match=r"order\.statement_due") as refusal:
        site.request(500)
    assert episode.session.order_no in refusal.value.detail
    token = site.world.driver_token(site.driver.driver_id)
    wish = {"charger_id": site.charger.charger_id, "evse_no": 2}
    reply = site.world.rest.post("/v1/driver/sessions", wish, token=token, key="again")
    assert (reply.status, reply.body["code"]) == (409, "order.statement_due")
    assert reply.body["session_id"] == episode.session_id
    assert site.start(meter_wh=2000, message_id="card").authorization.status == "accepted"
    episode.state()
    assert site.request(500, evse_no=2).state == "requested"


def test_an_order_whose_amount_is_sure_asks_nobody_and_is_closed_by_its_resolution(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    stopped_at = site.world.clock.now() + timedelta(minutes=30)
    site.advance_s(DAY_S)
    site.stop(outcome.transaction_id, 1000, at=stopped_at)
    [session] = site.sessions()
    order = order_lookup.require_order(site.world.ctx, session)
    assert (order.causes, order.asks_driver) == (["told_late"], False)
    assert site.request(500).state == "requested"


def test_a_statement_is_made_once_and_may_be_told_again(site: Site) -> None:
    episode = lost(site)
    assert episode.state().state == "stated"
    revision = episode.order.revision
    episode.state()
    assert episode.order.revision == revision
    with pytest.raises(DomainError, match=r"order\.stated"):
        episode.state("Something else.")


def test_statement_and_resolution_close_the_order_in_either_sequence(site: Site) -> None:
    first = lost(site)
    first.state()
    assert first.resolve(kind="as_billed").state == "closed"
    second = lost(site)
    assert second.resolve(kind="as_billed").state == "resolved"
    assert second.state().state == "closed"
    assert second.order.closed_at is not None
    with pytest.raises(DomainError, match=r"order\.stated"):
        second.state("Once more.")


def test_what_was_resolved_is_closed_after_two_weeks_without_a_word(site: Site) -> None:
    episode = lost(site)
    episode.resolve(kind="as_billed")
    site.advance_s(14 * DAY_S - 60)
    assert site.world.run_job(order_jobs.close_orders) == {"closed": 0}
    site.advance_s(120)
    assert site.world.run_job(order_jobs.close_orders) == {"closed": 1}
    assert episode.order.state == "closed"
    assert site.world.run_job(order_jobs.close_orders) == {"closed": 0}
    assert site.request(500).state == "requested"
    with pytest.raises(DomainError, match=r"order\.closed"):
        episode.state()


def test_what_nobody_resolves_stays_open_and_listed(site: Site) -> None:
    episode = lost(site)
    site.advance_s(100 * DAY_S)
    assert site.world.run_job(order_jobs.close_orders) == {"closed": 0}
    assert orders(site, OrderFilter(state="open")) == [episode.session_id]


def test_orders_are_found_by_what_people_know_of_them(site: Site) -> None:
    episode, other = lost(site), lost(site)
    other.state()
    order_no = episode.session.order_no
    assert orders(site, OrderFilter(order_no=f" {order_no.lower()} ")) == [episode.session_id]
    assert orders(site, OrderFilter(state="stated")) == [other.session_id]
    assert orders(site, OrderFilter(cause="meter_missing")) == []
    assert orders(site, OrderFilter(statement_due=True)) == [episode.session_id]
    assert len(orders(site, OrderFilter(driver_id=site.driver.driver_id, cause="stop_missing"))) == 2
    of_driver = order_lookup.list_orders_of_driver(
        site.world.ctx, site.driver.driver_id, OrderFilter(), limit=1, cursor=None
    )
    assert [order.session_id for order in of_driver.data] == [other.session_id]
    assert of_driver.next_cursor is not None


def test_a_charger_that_was_offline_meanwhile_is_an_order_of_which_all_is_known(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    taken_at = site.world.clock.now() + timedelta(minutes=5)
    site.meter(outcome.transaction_id, 100)
    site.advance(50)
    site.meter(outcome.transaction_id, 200, at=taken_at)
    site.stop(outcome.transaction_id, 300)
    site.world.run_events()
    [session] = site.sessions()
    assert (session.state, session.abnormal_cause) == ("settled", "charger_offline")
    order = order_lookup.require_order(site.world.ctx, session)
    assert (order.state, order.asks_driver) == ("open", False)
    assert orders(site) == abnormal_sessions(site)


def test_a_meter_that_ran_backwards_between_its_readings_asks_the_driver(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    for register_wh in (3000, 1000):
        site.advance(10)
        site.meter(outcome.transaction_id, register_wh)
    site.advance(10)
    site.stop(outcome.transaction_id, 500)
    site.world.run_events()
    [session] = site.sessions()
    order = order_lookup.require_order(site.world.ctx, session)
    assert (session.state, session.abnormal_cause, session.captured) == ("settled", "meter_backwards", 18)
    assert (order.causes, order.is_statement_due) == (["meter_backwards"], True)
    assert [mail.subject for mail in site.world.mails(site.driver.email)] == [
        f"Order {session.order_no}: please tell us what happened"
    ]


def test_a_doubt_that_comes_later_asks_the_driver_after_all(site: Site) -> None:
    outcome = site.start(meter_wh=0)
    for register_wh in (3000, 1000):
        site.advance(10)
        site.meter(outcome.transaction_id, register_wh)
    stopped_at = site.world.clock.now()
    site.advance_s(DAY_S)
    site.stop(outcome.transaction_id, 500, at=stopped_at)
    [session] = site.sessions()
    assert session.abnormal_cause == "told_late"
    for _ in range(2):
        site.world.run_events()
    order = order_lookup.require_order(site.world.ctx, session)
    assert (order.causes, order.is_statement_due) == (["meter_backwards", "told_late"], True)
    assert site.session(session.session_id).abnormal_cause == "meter_backwards"
    with pytest.raises(DomainError, match=r"order\.statement_due"):
        site.request(500)
    assert len(site.world.mails(site.driver.email)) == 1


def test_what_the_readings_show_is_added_to_an_open_order_once(site: Site) -> None:
    episode = lost(site)
    for _ in range(2):
        site.world.commit(lambda uow: reviewing.note_readings(uow, episode.session_id, ["readings_gap"]))
    assert (episode.order.causes, episode.order.revision) == (["stop_missing", "readings_gap"], 1)


def test_the_driver_is_asked_by_mail_and_told_how_it_ended(site: Site) -> None:
    episode = lost(site)
    site.world.run_events()
    assert [mail.subject for mail in site.world.mails(site.driver.email)] == [
        f"Order {episode.session.order_no}: please tell us what happened"
    ]
    episode.resolve(kind="order_fee", energy_wh=3000, reason="By the register")
    site.world.run_events()
    text = str(site.world.mails(site.driver.email)[0].text)
    assert "Deducted now: 0.70 EUR" in text
    assert "Given back" not in text
    assert "By the register" in text


def test_the_end_that_is_told_late_lets_the_driver_charge_again(site: Site) -> None:
    episode = lost(site)
    stop_late(episode, 1000)
    assert episode.order.state == "closed"
    assert site.request(500).state == "requested"
