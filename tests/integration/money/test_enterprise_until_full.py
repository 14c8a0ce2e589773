"""A charge until full that an enterprise pays: more of its credit is reserved as it is used, within its limits."""

from __future__ import annotations

from tests.integration.money.paying import found_fleet, prove
from tests.site import build_site
from tests.world import World


def test_what_is_reserved_besides_counts_against_credit_and_month(world: World) -> None:
    site = build_site(world, price="1.00")
    fleet = found_fleet(site)
    outcome = site.start(meter_wh=0)
    site.advance(1)
    site.meter(outcome.transaction_id, 16_000)
    assert (site.sessions()[-1].held, fleet.used(), fleet.used_by_member()) == (4000, 4000, 4000)
    site.stop(outcome.transaction_id, 17_000)
    assert (fleet.used(), fleet.used_by_member(), site.available()) == (1700, 1700, 2000)
    prove(site)


def test_no_more_is_reserved_than_the_member_may_take_at_once(world: World) -> None:
    site = build_site(world, price="1.00")
    fleet = found_fleet(site)
    fleet.set_member(per_session_limit=2500)
    outcome = site.start(meter_wh=0)
    for register_wh in (16_000, 24_000):
        site.advance(1)
        site.meter(outcome.transaction_id, register_wh)
        assert (site.sessions()[-1].held, site.sessions()[-1].state) == (2500, "charging")
    site.advance(1)
    site.meter(outcome.transaction_id, 25_000)
    assert (site.sessions()[-1].held, site.sessions()[-1].state) == (2500, "stopping")
    prove(site)
