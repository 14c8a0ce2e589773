"""What holds for every tariff and every delivery, and a second way to compute it, minute by minute."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chalicelib.kernel.money import currency_exponent
from chalicelib.tariffs.model import Consumption, Reading, Restrictions, TariffVersion
from chalicelib.tariffs.rating import rate, total_cost
from chalicelib.tariffs.rating.quantities import billed_quantities
from chalicelib.tariffs.restrictions.day_of_week import DAYS
from tests.unit.tariffs.conftest import component
from tests.unit.tariffs.prices import element
from tests.unit.tariffs.rating.strategies import ZONES, deliveries, prefix, restrictions, tariffs

CALENDAR_FREE = restrictions().map(
    lambda given: replace(given, start_time=None, end_time=None, start_date=None, end_date=None, day_of_week=())
)
OF_ENERGY = restrictions().map(lambda given: Restrictions(min_kwh=given.min_kwh, max_kwh=given.max_kwh))
of_many = settings(max_examples=50, deadline=None)
EVERYTHING = element(
    component("ENERGY", "1"), component("FLAT", "1"), component("PARKING_TIME", "1"), component("TIME", "1")
)


@of_many
@given(tariffs(max_step=2000), deliveries())
def test_lines_and_taxes_sum_and_nothing_is_negative(tariff: TariffVersion, delivery: Consumption) -> None:
    rated = rate(tariff, delivery)
    assert sum(line.amount.amount for line in rated.lines) == rated.total.amount
    assert rated.net + rated.tax == rated.total
    assert all(line.quantity > 0 for line in rated.lines)
    assert 0 <= rated.net.amount <= rated.total.amount
    assert rated.total.amount % tariff.rounding.step == 0
    assert total_cost(tariff, delivery) == rated.total


@of_many
@given(tariffs(max_step=2000), deliveries())
def test_each_line_is_its_quantity_times_its_price_and_no_rate_of_tax_is_below_nothing(
    tariff: TariffVersion, delivery: Consumption
) -> None:
    rated = rate(tariff, delivery)
    minor = 10 ** currency_exponent(tariff.currency)
    by_vat: Counter[Decimal | None] = Counter()
    for line in rated.lines:
        by_vat[line.vat] += line.amount.amount
        on_top = Fraction(1) if tariff.tax_included else 1 + Fraction(line.vat or 0) / 100
        if line.dimension in ("MIN_PRICE", "MAX_PRICE", "ROUNDING"):
            assert line.price == line.amount.to_decimal() != 0
            continue
        shown = Fraction(line.quantity) * Fraction(line.price) * on_top * minor
        assert abs(line.amount.amount - shown) < 1 + minor * Fraction(line.price) / 10**6
    assert sum(by_vat.values()) == rated.total.amount
    assert all(amount >= 0 for amount in by_vat.values())


@of_many
@given(tariffs(max_step=2000), deliveries())
def test_a_maximum_caps_and_a_minimum_lifts_what_was_delivered(tariff: TariffVersion, delivery: Consumption) -> None:
    rated = rate(tariff, delivery)
    low, high = tariff.min_price, tariff.max_price
    step = tariff.rounding.step
    if high is not None and high.incl_vat is not None and high.excl_vat is not None:
        assert rated.total.to_decimal() <= high.incl_vat
        assert rated.net.to_decimal() <= high.excl_vat
    if low is not None and low.incl_vat is not None and delivery.energy_wh > 0:
        below = low.incl_vat.scaleb(currency_exponent(tariff.currency)) - rated.total.amount
        assert below < (step if high is not None else 1)
    if delivery.energy_wh <= 0 and low is not None:
        assert rated == rate(replace(tariff, min_price=None), delivery)


@of_many
@given(tariffs(), deliveries(min_readings=3), st.data())
def test_another_reading_never_makes_it_cheaper(
    tariff: TariffVersion, delivery: Consumption, data: st.DataObject
) -> None:
    """Without steps, whatever the restrictions: what was billed stays billed. Live cost only grows."""
    count = data.draw(st.integers(1, len(delivery.readings) - 1))
    less, more = prefix(delivery, count), prefix(delivery, min(count + 1, len(delivery.readings) - 1))
    assert total_cost(tariff, less) <= total_cost(tariff, more) <= total_cost(tariff, delivery)


@of_many
@given(tariffs(max_step=2000), deliveries(), st.data())
def test_a_reading_on_the_straight_line_changes_nothing(
    tariff: TariffVersion, delivery: Consumption, data: st.DataObject
) -> None:
    """Between two of which the later says no more than the line does."""
    parts = data.draw(st.integers(2, 6))
    took_s, took_wh = data.draw(st.integers(1, 5000)), data.draw(st.integers(0, 3000))
    told = data.draw(st.sampled_from([(None, None), (5_000, None), (None, True), (0, False)]))
    end_s, end_wh = parts * took_s, delivery.energy_wh + parts * took_wh
    begin = delivery.started_at + timedelta(seconds=delivery.duration_s)
    joint = Reading(begin, delivery.energy_wh, *told)
    whole = replace(
        delivery,
        ended_at=begin + timedelta(seconds=end_s),
        energy_wh=end_wh,
        readings=(*delivery.readings, joint),
    )
    place = data.draw(st.integers(1, parts - 1))
    on_the_line = Reading(begin + timedelta(seconds=place * took_s), delivery.energy_wh + place * took_wh, *told)
    assume(delivery.duration_s > 0)
    assert rate(tariff, replace(whole, readings=(*whole.readings, on_the_line))) == rate(tariff, whole)


@of_many
@given(tariffs(max_step=2000, limits=CALENDAR_FREE), deliveries(), st.sampled_from(ZONES))
def test_without_rules_of_the_calendar_the_zone_does_not_matter(
    tariff: TariffVersion, delivery: Consumption, zone: str
) -> None:
    assert rate(tariff, replace(delivery, time_zone=zone)) == rate(tariff, delivery)


@of_many
@given(tariffs(max_step=2000, limits=OF_ENERGY), deliveries())
def test_who_needs_no_readings_bills_the_same_without_them(tariff: TariffVersion, delivery: Consumption) -> None:
    if not tariff.needs_readings:
        assert rate(tariff, replace(delivery, readings=())) == rate(tariff, delivery)


@of_many
@given(tariffs(), deliveries())
def test_all_energy_and_all_time_is_billed_where_all_is_priced(tariff: TariffVersion, delivery: Consumption) -> None:
    plain = replace(tariff, elements=(*tariff.elements, EVERYTHING), idle_grace_s=0)
    counted: Counter[str] = Counter()
    for number, amount in billed_quantities(plain, delivery).items():
        counted[plain.plan.components[number].type] += amount
    assert counted["ENERGY"] == delivery.energy_wh
    assert counted["TIME"] + counted["PARKING_TIME"] == delivery.duration_s
    assert counted["FLAT"] == (1 if delivery.energy_wh or delivery.duration_s else 0)


@of_many
@given(tariffs(limits=restrictions(with_tiers_of_energy=False)), deliveries(max_minutes=900, whole_minutes=True))
def test_cutting_agrees_with_going_minute_by_minute(tariff: TariffVersion, delivery: Consumption) -> None:
    """The other way asks the zone for each minute's local time, and each element whether it applies."""
    tariff = replace(tariff, idle_grace_s=0)
    assert billed_quantities(tariff, delivery) == _minute_by_minute(tariff, delivery)


def _minute_by_minute(tariff: TariffVersion, delivery: Consumption) -> dict[int, int]:
    """Whole minutes only; one that no time takes is not met here."""
    zone = ZoneInfo(delivery.time_zone)
    idle_at_first = None if delivery.readings else False
    stops: list[tuple[datetime, int, int | None, bool | None]] = [(delivery.started_at, 0, None, idle_at_first)]
    for told in delivery.readings:
        if told.taken_at == delivery.started_at:
            stops[-1] = (told.taken_at, 0, told.power_w, told.is_idle)
        elif told.taken_at <= delivery.ended_at:
            stops.append((told.taken_at, told.energy_wh, told.power_w, told.is_idle))
    ends = [*stops[1:], (delivery.ended_at, delivery.energy_wh, None, None)]
    counted: Counter[int] = Counter()
    done: set[str] = set()
    for (begin, begin_wh, told_w, told_idle), (end, end_wh, _, _) in zip(stops, ends, strict=True):
        minutes = int((end - begin).total_seconds()) // 60
        energy_wh = end_wh - begin_wh
        if not minutes and not energy_wh:
            continue
        average_w = Fraction(energy_wh * 60, minutes) if minutes else Fraction(0)
        power_w = average_w if told_w is None else Fraction(told_w)
        idle = (energy_wh == 0 and (told_w or 0) <= 100) if told_idle is None else told_idle
        for minute in range(max(1, minutes)):
            moment = begin + timedelta(minutes=minute)
            wh = energy_wh if not minutes else energy_wh * (minute + 1) // minutes - energy_wh * minute // minutes
            took_s = 60 if minutes else 0
            amounts = {"ENERGY": wh, "FLAT": 1, "PARKING_TIME": took_s * idle, "TIME": took_s * (not idle)}
            passed_s = int((moment - delivery.started_at).total_seconds())
            for dimension, number in _first(tariff, moment.astimezone(zone), passed_s, power_w).items():
                if amounts[dimension] and not (dimension == "FLAT" and "FLAT" in done):
                    counted[number] += amounts[dimension]
                    done.add(dimension)
    return dict(counted)


def _first(tariff: TariffVersion, local: datetime, passed_s: int, power_w: Fraction) -> dict[str, int]:
    found: dict[str, int] = {}
    number = 0
    for priced in tariff.elements:
        applies = priced.restrictions is None or _holds(priced.restrictions, local, passed_s, power_w)
        for part in priced.price_components:
            if applies:
                found.setdefault(part.type, number)
            number += 1
    return found


def _holds(limits: Restrictions, local: datetime, passed_s: int, power_w: Fraction) -> bool:
    clock = local.strftime("%H:%M")
    begin = limits.start_time.strftime("%H:%M") if limits.start_time else "00:00"
    end = limits.end_time.strftime("%H:%M") if limits.end_time else "24:00"
    end = "24:00" if end == "00:00" else end
    in_time = begin <= clock < end if begin < end else clock >= begin or clock < end
    return (
        in_time
        and (limits.start_date is None or limits.start_date <= local.date())
        and (limits.end_date is None or local.date() < limits.end_date)
        and (not limits.day_of_week or DAYS[local.weekday()] in limits.day_of_week)
        and (limits.min_power is None or power_w >= limits.min_power * 1000)
        and (limits.max_power is None or power_w < limits.max_power * 1000)
        and (limits.min_duration is None or passed_s >= limits.min_duration)
        and (limits.max_duration is None or passed_s < limits.max_duration)
    )
