"""Tiers of energy, power and duration; flat fees; the examples of OCPI 2.2.1."""

from __future__ import annotations

import pytest

from chalicelib.tariffs.rating import rate, total_cost
from tests.unit.tariffs.conftest import component
from tests.unit.tariffs.prices import bill, element, tariff_of, used

MONDAY = "2026-03-02T08:00"


def test_the_first_kwh_is_free_to_the_wh() -> None:
    """OCPI 2.2.1, "First hour free energy example", its energy."""
    priced = tariff_of(
        element(component("ENERGY", "0"), max_kwh="1"), element(component("ENERGY", "0.20"), min_kwh="1")
    )
    rated = rate(priced, used(MONDAY, 7, 20_000))
    assert bill(rated) == [("ENERGY", "1", "0", 0), ("ENERGY", "19", "0.20", 380)]
    assert total_cost(priced, used(MONDAY, 0, 1_001)).amount == 0
    assert total_cost(priced, used(MONDAY, 0, 1_050)).amount == 1


def test_prices_by_power() -> None:
    """OCPI 2.2.1, "Tariff with max_power": 1 kWh at 6 kW, 40 at 48 kW, 0.5 at 4 kW."""
    priced = tariff_of(
        element(component("ENERGY", "0.20"), max_power="16"),
        element(component("ENERGY", "0.35"), max_power="32"),
        element(component("ENERGY", "0.50")),
    )
    averages = used(MONDAY, 600 + 3000 + 450, 41_500, [(600, 1_000), (3600, 41_000)])
    assert bill(rate(priced, averages)) == [("ENERGY", "1.5", "0.20", 30), ("ENERGY", "40", "0.50", 2000)]
    told = used(MONDAY, 60, 300, [(0, 0, 16_000), (20, 100, 15_999), (40, 200, 32_000)])
    assert bill(rate(priced, told)) == [
        ("ENERGY", "0.1", "0.20", 2),
        ("ENERGY", "0.1", "0.35", 4),
        ("ENERGY", "0.1", "0.50", 5),
    ]


def test_prices_by_duration() -> None:
    """OCPI 2.2.1, "Tariff with max_duration": 5 kWh in the first half hour, 1.2 in the ten minutes after it."""
    priced = tariff_of(
        element(component("ENERGY", "0"), max_duration=1800),
        element(component("ENERGY", "0.25"), max_duration=3600),
        element(component("ENERGY", "0.40")),
    )
    rated = rate(priced, used(MONDAY, 2400, 6_200, [(1800, 5_000)]))
    assert rated.total.amount == 30
    assert bill(rated) == [("ENERGY", "5", "0", 0), ("ENERGY", "1.2", "0.25", 30)]


def test_duration_and_energy_count_from_the_start_of_the_session() -> None:
    priced = tariff_of(element(component("TIME", "6"), min_duration=600, max_duration=1200))
    assert total_cost(priced, used(MONDAY, 3600, 100)).amount == 100
    assert total_cost(priced, used(MONDAY, 600, 100)).amount == 0
    assert total_cost(priced, used(MONDAY, 660, 100)).amount == 10


def test_a_tier_that_is_just_reached_has_not_begun() -> None:
    priced = tariff_of(element(component("FLAT", "1"), min_kwh="10"))
    assert total_cost(priced, used(MONDAY, 3600, 10_000)).amount == 0
    assert total_cost(priced, used(MONDAY, 3600, 10_001)).amount == 100


def test_a_flat_fee_is_paid_once_and_the_first_that_applies_is_it() -> None:
    """At 22:00 the night's fee would apply; the day's was paid. From 22:00 on, the night's alone is."""
    priced = tariff_of(
        element(component("FLAT", "1"), start_time="22:00", end_time="06:00"), element(component("FLAT", "3"))
    )
    assert bill(rate(priced, used("2026-03-02T20:00", 7200, 10))) == [("FLAT", "1", "3", 300)]
    assert bill(rate(priced, used("2026-03-02T21:00", 12 * 3600, 10))) == [("FLAT", "1", "1", 100)]


def test_a_flat_fee_for_who_stays_long() -> None:
    priced = tariff_of(element(component("FLAT", "5"), min_duration=14_400))
    assert total_cost(priced, used(MONDAY, 14_400, 10)).amount == 0
    assert total_cost(priced, used(MONDAY, 14_401, 10)).amount == 500


def test_all_restrictions_of_an_element_must_hold() -> None:
    priced = tariff_of(
        element(component("ENERGY", "1"), start_time="08:00", end_time="10:00", min_power="10", max_kwh="5")
    )
    quick = used("2026-03-02T07:00", 3600, 10_000)  # 08:00 to 09:00 in Berlin, 10 kW
    assert total_cost(priced, quick).amount == 500
    assert total_cost(priced, used("2026-03-02T07:00", 3600, 9_999)).amount == 0
    assert total_cost(priced, used("2026-03-02T09:00", 3600, 10_000)).amount == 0


def test_a_delivery_without_any_time_has_no_power() -> None:
    """A clock that jumped back: what it delivered is not the dearest for that."""
    priced = tariff_of(element(component("ENERGY", "9"), min_power="100"), element(component("ENERGY", "1")))
    assert total_cost(priced, used(MONDAY, 0, 1_000)).amount == 100


def test_lines_of_one_price_are_one_line() -> None:
    """Before eight and after ten costs the same; what is between stands between."""
    cheap = component("ENERGY", "0.20")
    priced = tariff_of(
        element(cheap, end_time="08:00"), element(component("ENERGY", "0.50"), end_time="10:00"), element(cheap)
    )
    assert bill(rate(priced, used("2026-03-02T06:00", 4 * 3600, 4_000))) == [
        ("ENERGY", "2", "0.20", 40),
        ("ENERGY", "2", "0.50", 100),
    ]


@pytest.mark.parametrize(("currency", "amount"), [("EUR", 300), ("JPY", 3), ("KWD", 3_000)])
def test_tiers_in_currencies_with_other_minor_units(currency: str, amount: int) -> None:
    priced = tariff_of(
        element(component("ENERGY", "0.5"), max_kwh="2"), element(component("ENERGY", "1")), currency=currency
    )
    assert total_cost(priced, used(MONDAY, 3600, 4_000)).amount == amount


def test_an_amount_of_energy_and_a_time_within_one_stretch() -> None:
    """21:00 to 23:00 in Berlin, 20 kWh evenly: five are reached at half past nine, ten o'clock comes after it."""
    priced = tariff_of(
        element(component("ENERGY", "0.10"), component("TIME", "1"), max_kwh="5"),
        element(component("ENERGY", "0.20"), end_time="22:00"),
        element(component("ENERGY", "0.40")),
    )
    assert bill(rate(priced, used("2026-03-02T20:00", 7200, 20_000))) == [
        ("ENERGY", "5", "0.10", 50),
        ("TIME", "0.5", "1", 50),
        ("ENERGY", "5", "0.20", 100),
        ("ENERGY", "10", "0.40", 400),
    ]


@pytest.mark.parametrize(
    ("readings", "kwh"),
    [
        ([(600, 5_000), (1200, 3_000)], ["5", "5"]),  # backwards, and then from where it was
        ([(600, 5_000), (1200, 12_000)], ["5", "5"]),  # more than there was in the end
        ([(600, 5_000), (300, 9_000), (1200, 5_000)], ["5", "5"]),  # out of order
        ([(600, 5_000), (1200, 5_000), (4000, 9_000)], ["5", "5"]),  # after the end
        ([(-60, 4_000), (600, 5_000), (1200, 5_000)], ["5", "5"]),  # before the start
        ([(600, 5_000), (1200, 6_000)], ["5", "1", "4"]),  # as it should be
    ],
)
def test_readings_that_cannot_be_bill_no_energy_twice(readings: list[tuple[int, int]], kwh: list[str]) -> None:
    priced = tariff_of(
        element(component("ENERGY", "1"), max_duration=600),
        element(component("ENERGY", "2"), max_duration=1200),
        element(component("ENERGY", "3")),
    )
    rated = rate(priced, used(MONDAY, 3600, 10_000, readings))
    assert [quantity for _, quantity, _, _ in bill(rated)] == kwh
