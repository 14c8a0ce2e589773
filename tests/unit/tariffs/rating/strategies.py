"""Any tariff with restrictions, and any delivery with readings."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from chalicelib.kernel.money import CostRounding
from chalicelib.tariffs.components import COMPONENTS
from chalicelib.tariffs.model import (
    Consumption,
    Price,
    PriceComponent,
    Reading,
    Restrictions,
    TariffElement,
    TariffVersion,
)
from chalicelib.tariffs.restrictions.day_of_week import DAYS
from tests.unit.tariffs.conftest import START
from tests.unit.tariffs.prices import at

CHANGES_OF_THE_CLOCK = (
    ("Europe/Berlin", "2026-03-29T01:00"),
    ("Europe/Berlin", "2026-10-25T01:00"),
    ("America/New_York", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00"),  # half an hour
    ("Asia/Kolkata", "2026-05-01T18:30"),  # none
)
ZONES = tuple(sorted({zone for zone, _ in CHANGES_OF_THE_CLOCK}))

_TIME = st.builds(time, st.integers(0, 23), st.sampled_from([0, 0, 15, 30]))
_DATE = st.dates(date(2026, 3, 28), date(2026, 3, 31))
_KILO = st.integers(0, 60).map(lambda value: Decimal(value) / 2)


def restrictions(*, with_maxima: bool = True, with_tiers_of_energy: bool = True) -> st.SearchStrategy[Restrictions]:
    """Not all of them ever hold."""
    below = st.none() | _KILO if with_maxima else st.none()
    from_ = st.none() | _KILO
    energy = from_ if with_tiers_of_energy else st.none()
    until = st.none() | st.integers(1, 2000).map(lambda minutes: minutes * 60) if with_maxima else st.none()
    return st.builds(
        Restrictions,
        start_time=st.none() | _TIME,
        end_time=st.none() | _TIME,
        start_date=st.none() | _DATE,
        end_date=st.none() | _DATE,
        min_kwh=energy,
        max_kwh=below if with_tiers_of_energy else st.none(),
        min_power=from_,
        max_power=below,
        min_duration=st.none() | st.integers(0, 600).map(lambda minutes: minutes * 60),
        max_duration=until,
        day_of_week=st.lists(st.sampled_from(DAYS), max_size=3, unique=True).map(tuple),
    )


def components(*, max_step: int = 1) -> st.SearchStrategy[PriceComponent]:
    return st.builds(
        PriceComponent,
        type=st.sampled_from(sorted(COMPONENTS)),
        price=st.decimals(min_value=0, max_value=100, places=3, allow_nan=False),
        vat=st.none() | st.sampled_from([Decimal(0), Decimal(7), Decimal(19), Decimal("8.25")]),
        step_size=st.integers(1, max_step),
    )


def elements(limits: st.SearchStrategy[Restrictions], *, max_step: int = 1) -> st.SearchStrategy[TariffElement]:
    parts = st.lists(components(max_step=max_step), min_size=1, max_size=3, unique_by=lambda part: part.type).map(tuple)
    return st.builds(TariffElement, parts, st.none() | limits)


def bounds() -> st.SearchStrategy[tuple[Price | None, Price | None]]:
    """A minimum and a maximum that do not cross, with equal shares of tax."""

    def price(with_tax: int, share: int) -> Price:
        return Price(Decimal(with_tax) * share / 100, Decimal(with_tax))

    pairs = st.tuples(st.integers(0, 50), st.integers(0, 200), st.sampled_from([50, 80, 100]))
    both = pairs.map(lambda pair: (price(pair[0], pair[2]), price(pair[0] + pair[1], pair[2])))
    return both.flatmap(lambda pair: st.sampled_from([pair, (pair[0], None), (None, pair[1]), (None, None)]))


@st.composite
def tariffs(
    draw: st.DrawFn, *, max_step: int = 1, limits: st.SearchStrategy[Restrictions] | None = None
) -> TariffVersion:
    low, high = draw(bounds())
    return TariffVersion(
        "trf_1",
        1,
        "org_1",
        "Any",
        draw(st.sampled_from(["EUR", "KWD"])),
        draw(st.booleans()),
        tuple(
            draw(
                st.lists(
                    elements(restrictions() if limits is None else limits, max_step=max_step), min_size=1, max_size=5
                )
            )
        ),
        START,
        rounding=draw(st.builds(CostRounding, st.sampled_from(["half_up", "up", "down"]), st.sampled_from([1, 1, 5]))),
        min_price=low,
        max_price=high,
        idle_grace_s=draw(st.sampled_from([0, 0, 900])),
    )


@st.composite
def deliveries(
    draw: st.DrawFn, *, max_minutes: int = 1500, whole_minutes: bool = False, min_readings: int = 0
) -> Consumption:
    """Around a change of the clock more often than not; readings in order, most of them truthful."""
    zone, change = draw(st.sampled_from(CHANGES_OF_THE_CLOCK))
    step_s = 60 if whole_minutes else 1
    start = at(change) - timedelta(minutes=draw(st.integers(0, max_minutes)))
    if not whole_minutes:
        start += timedelta(milliseconds=draw(st.integers(0, 59_999)))
    duration = draw(st.integers(0, max_minutes * 60 // step_s))
    offsets = sorted(draw(st.lists(st.integers(0, duration), min_size=min_readings, max_size=12)))
    energies = sorted(draw(st.lists(st.integers(0, 40_000), min_size=len(offsets) + 1, max_size=len(offsets) + 1)))
    readings = [
        Reading(
            start + timedelta(seconds=offset * step_s),
            energy_wh,
            draw(st.none() | st.integers(0, 30_000)),
            draw(st.sampled_from([None, None, True, False])),
        )
        for offset, energy_wh in zip(offsets, energies, strict=False)
    ]
    ended_at = start + timedelta(seconds=duration * step_s)
    return Consumption(start, ended_at, energies[-1], zone, readings=tuple(readings))


def prefix(delivery: Consumption, count: int) -> Consumption:
    """What was known when the reading of that number came: it is the end, those before it are the readings."""
    last: Reading = delivery.readings[count]
    moment: datetime = last.taken_at
    return Consumption(
        delivery.started_at, moment, last.energy_wh, delivery.time_zone, readings=delivery.readings[:count]
    )
