"""The cost that a driver sees while charging is the one that is billed in the end, for the same meter values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.charging import lookup, service, views
from chalicelib.charging.model import Cdr, MeterSample
from chalicelib.kernel.money import Money
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import PriceComponent, Restrictions, TariffElement
from tests import world as worlds
from tests.site import Site, build_site
from tests.unit.charging.teller import Teller
from tests.world import SECRETS, WorldContext


def priced(price: str, dimension: Any = "ENERGY", **restrictions: Any) -> TariffElement:
    limits = Restrictions(**restrictions) if restrictions else None
    return TariffElement((PriceComponent(dimension, Decimal(price), Decimal(19)),), limits)


DAY_AND_NIGHT = (
    priced("0.40", start_time=time(9, 30), end_time=time(12)),
    priced("0.55", min_power=Decimal(11)),
    priced("0.29"),
    priced("3.60", "TIME"),
    priced("6.00", "PARKING_TIME"),
)
"""The world begins at 09:00 in Berlin."""


def sell_by(site: Site, *elements: TariffElement, idle_grace_s: int = 0) -> None:
    tariff = site.world.commit(
        lambda uow: tariffs.create_tariff(
            uow,
            operator_id=site.charger.operator_id,
            name="Day and night",
            currency="EUR",
            tax_included=True,
            elements=elements,
            idle_grace_s=idle_grace_s,
        )
    )
    location_id = site.location.location_id
    site.world.commit(lambda uow: tariffs.assign_tariff(uow, tariff, kind="location", target_id=location_id))


def live(site: Site, session_id: str) -> Money:
    return views.session_detail(site.world.ctx, site.session(session_id)).cost


def billed(site: Site, session_id: str) -> Cdr:
    cdr = lookup.find_cdr(site.world.ctx, session_id)
    assert cdr is not None
    return cdr


@contextmanager
def a_site() -> Iterator[Site]:
    world = worlds.build()
    try:
        yield build_site(world, money=50_000)
    finally:
        world.close()


steps = st.tuples(
    st.integers(1, 40),  # minutes since the one before
    st.none() | st.integers(-200, 4000),  # Wh more; None: nothing of the register
    st.none() | st.integers(0, 22_000),  # W
    st.sampled_from(["now", "now", "now", "late", "again"]),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(steps, min_size=1, max_size=8), st.booleans(), st.integers(0, 900))
def test_the_last_live_cost_is_the_bill(told: list[Any], looked_at: bool, grace_s: int) -> None:
    with a_site() as site:
        sell_by(site, *DAY_AND_NIGHT, idle_grace_s=grace_s)
        session = site.request(20_000)
        outcome = site.start_from_app(meter_wh=1000)
        register_wh, waiting = 1000, []
        for minutes, more_wh, power_w, how in told:
            site.advance(minutes)
            register_wh += more_wh or 0
            sample = MeterSample(site.world.clock.now(), None if more_wh is None else register_wh, power_w)
            waiting.append(sample)
            for each in [] if how == "late" else [*waiting, sample] if how == "again" else waiting:
                tell(site, outcome.transaction_id, each)
            waiting = waiting if how == "late" else []
            if looked_at:
                live(site, session.session_id)
        site.advance(1)
        tell(site, outcome.transaction_id, *waiting, MeterSample(site.world.clock.now(), register_wh))
        seen, at = live(site, session.session_id), site.world.clock.now()
        site.stop(outcome.transaction_id, register_wh, at=at)
        assert billed(site, session.session_id).total_cost == seen


def tell(site: Site, transaction_id: int, *samples: MeterSample) -> None:
    site.world.commit(
        lambda uow: service.record_meter_values(
            uow, charger=site.charger, evse_no=1, transaction_id=transaction_id, samples=list(samples)
        )
    )


def test_the_time_of_day_is_billed_by_what_was_metered_in_it(site: Site) -> None:
    """1 kWh before 09:30, 3 kWh behind it; evenly spread it would be 2 and 2."""
    sell_by(site, priced("0.40", start_time=time(9, 30), end_time=time(12)), priced("0.20"))
    outcome = site.start(meter_wh=0, at=site.world.clock.now())
    began = site.world.clock.now() - timedelta(seconds=1)
    site.advance_s(30 * 60 - 1)
    site.meter(outcome.transaction_id, 1000)
    [session] = site.sessions()
    assert live(site, session.session_id) == Money(20, "EUR")
    site.stop(outcome.transaction_id, 4000, at=began + timedelta(minutes=60))
    cdr = billed(site, session.session_id)
    assert cdr.total_cost == Money(20 + 120, "EUR")
    assert sum(line["amount"]["amount"] for line in cdr.lines) == 140


def test_what_comes_with_the_end_is_billed_too(site: Site) -> None:
    """1.6 chargers may keep all readings for the StopTransaction."""
    sell_by(site, priced("0.40", start_time=time(9, 30), end_time=time(12)), priced("0.20"))
    began = site.world.clock.now()
    outcome = site.start(meter_wh=0, at=began)
    site.advance(60)
    site.world.commit(
        lambda uow: service.stop_by_charger(
            uow,
            charger=site.charger,
            transaction_id=outcome.transaction_id,
            meter_stop_wh=4000,
            stopped_at=began + timedelta(minutes=60),
            reason="Local",
            id_token=None,
            samples=[MeterSample(began + timedelta(minutes=30), energy_wh=1000)],
        )
    )
    [session] = site.sessions()
    assert billed(site, session.session_id).total_cost == Money(140, "EUR")


def test_a_car_that_is_full_pays_for_the_place(site: Site) -> None:
    """OCPP 2.x tells when it stops taking energy, without a register."""
    sell_by(site, priced("0.30"), priced("12.00", "PARKING_TIME"), idle_grace_s=600)
    teller = Teller(site)
    suspended = teller.updated(None, seq_no=30, charging_state="SuspendedEV", trigger="ChargingStateChanged")
    teller.tell(teller.started(), suspended)
    site.advance(60)
    teller.tell(teller.ended(seq_no=60))
    [session] = site.sessions()
    cdr = billed(site, session.session_id)
    parked = [line for line in cdr.lines if line["dimension"] == "PARKING_TIME"]
    assert [line["amount"]["amount"] for line in parked] == [400], "20 of the 30 minutes, 10 are free"


def test_a_price_of_energy_alone_reads_no_readings(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    site.advance(1)
    site.meter(outcome.transaction_id, 1100)
    read = site.world.engine.consumed.copy()
    site.meter(outcome.transaction_id, 1200)
    after = site.world.engine.consumed
    assert {
        key: after[key] - read.get(key, 0) for key in after if key[1] == "read" and after[key] != read.get(key)
    } == {}


def test_a_warm_process_reads_only_what_is_new(site: Site) -> None:
    sell_by(site, *DAY_AND_NIGHT)
    site.top_up(50_000)
    outcome = site.start(meter_wh=0)
    [session] = site.sessions()
    for minute in range(240):
        site.advance(1)
        site.meter(outcome.transaction_id, minute * 10)

    def units() -> float:
        return sum(amount for (table, kind), amount in site.world.engine.consumed.items() if kind == "read")

    live(site, session.session_id)
    before = units()
    live(site, session.session_id)
    assert units() - before < 8
    site.advance(11)
    live(site, session.session_id)  # everything anew
    site.stop(outcome.transaction_id, 2400)
    assert billed(site, session.session_id).energy_wh == 2400


@pytest.mark.parametrize(("vat", "amount", "tax"), [("19", 500, 6), ("19", 20, 3), ("0", 500, 0)])
def test_the_cdr_says_how_much_of_what_was_taken_is_tax(site: Site, vat: str, amount: int, tax: int) -> None:
    """1 kWh of 0.35, of which 0.06 is tax; where only 0.20 could be taken, twenty thirty-fifths of it."""
    sell_by(site, TariffElement((PriceComponent("ENERGY", Decimal("0.35"), Decimal(vat)),)))
    session = site.request(amount)
    outcome = site.start_from_app(meter_wh=0)
    site.stop(outcome.transaction_id, 1000)
    cdr = billed(site, session.session_id)
    assert (cdr.captured, cdr.captured_tax) == (Money(min(amount, 35), "EUR"), Money(tax, "EUR"))


events = st.tuples(
    st.none() | st.integers(0, 3000), st.sampled_from(["Charging", "SuspendedEV", "SuspendedEVSE", None])
)


@settings(max_examples=20, deadline=None)
@given(st.lists(events, min_size=1, max_size=8), st.booleans())
def test_what_a_charger_was_told_last_is_the_bill(told: list[Any], cold: bool) -> None:
    """OCPP 2.x is answered with the running cost, and tells when the car takes energy and when not."""
    with a_site() as site:
        sell_by(site, *DAY_AND_NIGHT, idle_grace_s=300)
        teller, register_wh = Teller(site), 1000
        teller.tell(teller.started())
        for number, (more_wh, state) in enumerate(told, start=1):
            register_wh += more_wh or 0
            known_wh = None if more_wh is None else register_wh
            teller.tell(teller.updated(known_wh, number * 10, charging_state=state))
            if cold:
                forget_everything(site)
        minute = 10 * len(told) + 5
        running = teller.tell(teller.updated(register_wh, minute)).total_cost
        final = teller.tell(teller.ended(register_wh, minute + 1, at=teller.began + timedelta(minutes=minute)))
        assert running == final.total_cost == billed(site, teller.session().session_id).total_cost


def forget_everything(site: Site) -> None:
    """The next piece goes to another process, which is cold."""
    site.world.ctx = WorldContext(site.world.ctx.settings, site.world.clock, SECRETS)
