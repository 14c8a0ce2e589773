"""A charge for an amount from the phone: hold, start, meter, early stop, refund."""

from __future__ import annotations

import pytest

from chalicelib.charging import lookup, views
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from tests.site import Site
from tests.world import World


def test_five_euro_two_hundred_watt_hours(site: Site) -> None:
    session = site.request(500)
    assert site.available() == 1500
    outcome = site.start_from_app(meter_wh=1000)
    assert outcome.authorization.status == "accepted"
    site.advance(5)
    site.meter(outcome.transaction_id, 1100)
    live = views.session_detail(site.world.ctx, site.session(session.session_id))
    assert (live.energy_wh, live.power_w, live.cost) == (100, 7000, Money(4, "EUR"))
    site.advance(5)
    site.stop(outcome.transaction_id, 1200)

    ended = site.session(session.session_id)
    assert (ended.state, ended.energy_wh, ended.cost, ended.captured) == ("settled", 200, 7, 7)
    assert site.lines() == [("top_up", 2000), ("consumption", -500), ("refund", 493)]
    assert site.available() == 1993
    assert site.income() == 7
    cdr = lookup.find_cdr(site.world.ctx, session.session_id)
    assert cdr is not None
    assert (cdr.energy_wh, cdr.total_cost, cdr.uncollected) == (200, Money(7, "EUR"), Money(0, "EUR"))


def test_the_charger_is_told_to_start_with_the_apps_token(site: Site) -> None:
    session = site.request(500, evse_no=2)
    page = [event for event in site.world.pending_events() if event.type == "command.queued"]
    assert [event.payload["charger_id"] for event in page] == [site.charger.charger_id]
    assert session.id_token
    assert len(session.id_token) <= 20


def test_more_than_the_wallet_holds_is_refused_and_nothing_is_written(site: Site) -> None:
    before = site.world.engine.consumed.copy()
    with pytest.raises(DomainError) as refused:
        site.request(2001)
    assert refused.value.code == "ledger.insufficient_funds"
    assert site.sessions() == []
    writes = {key: units for key, units in site.world.engine.consumed.items() if key[1] == "write"}
    assert writes == {key: units for key, units in before.items() if key[1] == "write"}


def test_cost_above_the_amount_is_not_asked_of_the_driver(site: Site) -> None:
    session = site.request(5)
    outcome = site.start_from_app(meter_wh=0)
    site.stop(outcome.transaction_id, 1000)
    ended = site.session(session.session_id)
    assert (ended.cost, ended.captured) == (35, 5)
    cdr = lookup.find_cdr(site.world.ctx, session.session_id)
    assert cdr is not None
    assert cdr.uncollected == Money(30, "EUR")
    assert site.available() == 1995


def test_the_charger_is_told_to_stop_once_when_the_amount_is_used_up(site: Site) -> None:
    session = site.request(7)
    outcome = site.start_from_app(meter_wh=0)
    site.world.run_events({})
    site.meter(outcome.transaction_id, 199)
    assert site.session(session.session_id).state == "stopping"  # 0.06965 is 0.07 when it is billed
    site.advance(1)
    site.meter(outcome.transaction_id, 230)
    queued = [event for event in site.world.pending_events() if event.type == "command.queued"]
    assert len(queued) == 1


@pytest.mark.parametrize("amount", [0, -5])
def test_an_amount_is_positive(site: Site, amount: int) -> None:
    with pytest.raises(DomainError) as refused:
        site.request(amount)
    assert refused.value.code == "charging_session.amount"


def test_no_tariff_no_start(world: World, site: Site) -> None:
    from chalicelib.tariffs import service as tariffs

    world.commit(
        lambda uow: tariffs.unassign_tariff(
            uow, operator_id=site.charger.operator_id, kind="location", target_id=site.location.location_id
        )
    )
    with pytest.raises(DomainError) as refused:
        site.request(500)
    assert refused.value.code == "tariff.none"


def test_an_offline_charger_is_not_asked(site: Site) -> None:
    from chalicelib.chargers import service as chargers
    from tests.site import CONNECTION_ID

    site.world.commit(lambda uow: chargers.close_connection(uow, CONNECTION_ID))
    with pytest.raises(DomainError) as refused:
        site.request(500)
    assert refused.value.code == "charger.offline"


def test_an_occupied_connector_is_not_given_twice(site: Site) -> None:
    site.request(500, evse_no=1)
    with pytest.raises(DomainError) as refused:
        site.request(500, evse_no=1)
    assert refused.value.code == "evse.busy"
    site.request(500, evse_no=2)
    assert site.available() == 1000


@pytest.mark.parametrize("evse_no", [0, 3, -1])
def test_a_connector_must_exist(site: Site, evse_no: int) -> None:
    with pytest.raises(DomainError) as refused:
        site.request(500, evse_no=evse_no)
    assert refused.value.code == "evse.unknown"
