"""The token of the driver's app is no card: it pays only what the driver asked for, where it was asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.charging import service
from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.kernel.errors import DomainError
from tests.site import Site


def authorize(site: Site) -> str:
    id_token = drivers.app_token(site.driver.driver_id)
    return service.authorize_id_token(site.world.ctx, charger=site.charger, id_token=id_token).status


def expire(site: Site, session: ChargingSession) -> None:
    site.world.commit(lambda uow: service.expire_request(uow, session.session_id))


def test_it_is_accepted_while_its_request_is_open(site: Site) -> None:
    assert authorize(site) == "invalid"
    session = site.request(2000)  # the wallet is empty now: the money is in the hold
    assert authorize(site) == "accepted"
    site.start_from_app()
    assert authorize(site) == "accepted"
    expire(site, session)
    assert authorize(site) == "accepted"


def test_it_is_refused_when_the_request_is_over(site: Site) -> None:
    session = site.request(500)
    expire(site, session)
    assert authorize(site) == "invalid"


def test_a_stranger_who_presents_it_as_a_card_spends_nothing(site: Site) -> None:
    outcome = site.start_from_app(meter_wh=0)
    assert outcome.authorization.status == "invalid"
    site.stop(outcome.transaction_id, 10_000)
    assert site.available() == 2000


def test_a_start_that_the_charger_tells_too_late_is_paid_for_no_more_than_was_asked(site: Site) -> None:
    session = site.request(500)
    began = site.world.clock.now() + timedelta(seconds=30)
    site.advance(3)
    expire(site, session)
    site.advance(30)
    outcome = site.start_from_app(at=began, meter_wh=0)
    assert outcome.authorization.status == "accepted"
    assert site.available() == 1500
    site.stop(outcome.transaction_id, 100_000)
    assert site.available() == 1500
    assert site.income() == 500


def test_a_start_after_the_driver_called_it_off_is_told_to_stop(site: Site) -> None:
    session = site.request(500)
    site.world.commit(lambda uow: service.cancel_or_stop(uow, session, requested_by="driver"))
    site.advance(1)
    outcome = site.start_from_app(meter_wh=0)
    assert outcome.authorization.status == "blocked"
    site.stop(outcome.transaction_id, 200)
    assert site.available() == 1993


def test_a_stranger_who_presents_it_after_the_drivers_own_charge_spends_nothing(site: Site) -> None:
    site.request(500)
    own = site.start_from_app(meter_wh=0)
    site.stop(own.transaction_id, 1000)
    left = site.available()
    stranger = site.start_from_app(meter_wh=1000, message_id="start-2")
    assert stranger.authorization.status == "invalid"
    site.stop(stranger.transaction_id, 9000)
    assert site.available() == left


def test_a_start_that_is_told_too_late_has_a_workflow_of_its_own(site: Site) -> None:
    """The request's own one has ended: without another, nobody would watch the session or send its receipt."""
    asked = site.request(500)
    expire(site, asked)
    site.world.run_events()
    site.start_from_app(at=site.world.clock.now(), meter_wh=0)
    site.world.run_events()
    started = [call["name"] for call in site.world.aws_calls("stepfunctions", "StartExecution")]
    assert started == [session.session_id for session in site.sessions()]
    assert len(started) == 2


def turn_away(site: Site, operator_id: str | None) -> None:
    driver = drivers.require_driver(site.world.ctx, site.driver.driver_id)
    site.world.commit(lambda uow: drivers.set_driver_state(uow, driver, "inactive", operator_id=operator_id))


@pytest.mark.parametrize("by_platform", [True, False])
def test_a_driver_who_was_turned_away_charges_with_no_phone_either(site: Site, by_platform: bool) -> None:
    turn_away(site, None if by_platform else site.charger.operator_id)
    with pytest.raises(DomainError) as refused:
        site.request(500)
    assert refused.value.code == "driver.inactive"
    assert site.available() == 2000


def test_another_operators_refusal_does_not_count_here(site: Site) -> None:
    turn_away(site, "org_other")
    site.request(500)


def test_a_driver_who_is_turned_away_before_plugging_in_is_not_authorized(site: Site) -> None:
    site.request(500)
    turn_away(site, site.charger.operator_id)
    assert authorize(site) == "blocked"
