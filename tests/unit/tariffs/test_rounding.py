"""The rounding of costs: an operator's setting, frozen into the versions of its tariffs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.money import CostRounding
from chalicelib.tariffs.rating import rate, round_cost, total_cost
from tests.site import Site
from tests.unit.tariffs.conftest import component, consumption, tariff
from tests.unit.tariffs.test_rating import ENERGY, SECONDS, TARIFFS

ROUNDINGS = st.builds(CostRounding, mode=st.sampled_from(["half_up", "up", "down"]), step=st.integers(1, 1000))


@pytest.mark.parametrize(
    ("mode", "step", "minor"),
    [
        ("half_up", 1, 1232),
        ("up", 1, 1233),
        ("down", 1, 1232),
        ("half_up", 5, 1230),
        ("up", 5, 1235),
        ("down", 5, 1230),
        ("half_up", 10, 1230),
        ("half_up", 100, 1200),
        ("up", 100, 1300),
        ("down", 1000, 1000),
    ],
)
def test_twelve_francs_thirty_two_and_a_bit(mode: Any, step: int, minor: int) -> None:
    assert round_cost(Fraction("1232.4"), CostRounding(mode, step)) == minor


@pytest.mark.parametrize(("exact", "minor"), [("1232.5", 1235), ("1232.4", 1230), ("1237.5", 1240), ("2.5", 5)])
def test_half_a_step_goes_up(exact: str, minor: int) -> None:
    assert round_cost(Fraction(exact), CostRounding("half_up", 5)) == minor


@given(TARIFFS, ROUNDINGS, ENERGY, SECONDS)
def test_a_bill_adds_up_however_it_is_rounded(any_tariff: Any, rounding: CostRounding, energy: int, used: int) -> None:
    rated = rate(replace(any_tariff, rounding=rounding), consumption(energy, used, used // 3))
    assert rated.total.amount % rounding.step == 0
    assert sum(line.amount.amount for line in rated.lines) == rated.total.amount
    assert all(line.amount.amount >= 0 for line in rated.lines if line.dimension != "ROUNDING")
    assert rated.net + rated.tax == rated.total
    assert rated.net.amount >= 0
    assert rated.tax.amount >= 0


@given(TARIFFS, ROUNDINGS, ENERGY, SECONDS)
def test_what_is_shown_on_the_way_is_what_is_billed(
    any_tariff: Any, rounding: CostRounding, energy: int, used: int
) -> None:
    rounded = replace(any_tariff, rounding=rounding)
    assert total_cost(rounded, consumption(energy, used)) == rate(rounded, consumption(energy, used)).total


@given(ROUNDINGS, st.integers(0, 500_000), st.integers(0, 500_000))
def test_more_energy_never_costs_less(rounding: CostRounding, one: int, other: int) -> None:
    rounded = replace(tariff(component("ENERGY", "0.3333")), rounding=rounding)
    less, more = (total_cost(rounded, consumption(energy)).amount for energy in sorted((one, other)))
    assert less <= more


@given(st.fractions(min_value=0, max_value=10**7, max_denominator=3600), ROUNDINGS)
def test_a_step_away_at_most_and_to_the_side_that_the_mode_says(amount: Fraction, rounding: CostRounding) -> None:
    rounded = round_cost(amount, rounding)
    assert abs(rounded - amount) < rounding.step
    if rounding.mode == "up":
        assert rounded >= amount
    if rounding.mode == "down":
        assert rounded <= amount
    if rounding.mode == "half_up":
        assert 2 * abs(rounded - amount) <= rounding.step


def put(site: Site, **setting: Any) -> Any:
    reply = site.world.rest.put("/v1/settings/rounding", setting, token=site.operator.access_token)
    assert reply.status == 200, reply.body
    site.world.run_events()
    return reply.body


def current(site: Site) -> Any:
    path = f"/v1/tariffs/{site.tariff.tariff_id}"
    return site.world.rest.get(path, token=site.operator.access_token).body


def test_a_setting_counts_for_what_starts_after_it(site: Site) -> None:
    """0.35 a kWh, 1 kWh: 35 cents, to the next half euro 50; what had begun before stays at 35."""
    site.top_up(2000)
    before = site.start(meter_wh=1000)
    assert put(site, mode="up", step=50) == {"mode": "up", "step": 50}
    site.stop(before.transaction_id, 2000)
    after = site.start(meter_wh=2000, message_id="start-2")
    site.stop(after.transaction_id, 3000)
    assert [session.cost for session in site.sessions()] == [35, 50]
    assert [session.tariff_version for session in site.sessions()] == [1, 2]
    quote = {"energy_wh": 1000, "started_at": "2026-03-02T08:00:00Z", "duration_s": 60}
    path = f"/v1/tariffs/{site.tariff.tariff_id}/quotes"
    quoted = site.world.rest.post(path, quote, token=site.operator.access_token).body
    assert quoted["total"] == {"amount": 50, "currency": "EUR"}


def test_a_tariff_gets_one_version_per_change_however_often_it_is_told(site: Site) -> None:
    put(site, mode="half_up", step=5)
    assert (current(site)["version"], current(site)["rounding"]) == (2, {"mode": "half_up", "step": 5})
    put(site, mode="half_up", step=5)
    assert current(site)["version"] == 2
    put(site)
    assert (current(site)["version"], current(site)["rounding"]) == (3, {"mode": "half_up", "step": 1})


def test_new_tariffs_round_so_in_the_operator_s_own_currency(site: Site) -> None:
    put(site, mode="half_up", step=5)
    elements = [{"price_components": [{"type": "ENERGY", "price": "0.35"}]}]

    def made(currency: str) -> Any:
        body = {"name": "New", "currency": currency, "elements": elements}
        return site.world.rest.post("/v1/tariffs", body, token=site.operator.access_token).body["rounding"]

    assert made("EUR") == {"mode": "half_up", "step": 5}
    assert made("CHF") == {"mode": "half_up", "step": 1}


@pytest.mark.parametrize("setting", [{"step": 0}, {"step": 1001}, {"mode": "sideways"}, {"step": "5"}])
def test_roundings_that_cannot_be(site: Site, setting: dict[str, Any]) -> None:
    reply = site.world.rest.put("/v1/settings/rounding", setting, token=site.operator.access_token)
    assert reply.status == 422


def test_who_charges_nobody_rounds_nothing(site: Site) -> None:
    refused = site.world.rest.put("/v1/settings/rounding", {"step": 5}, token=site.world.platform_admin())
    assert (refused.status, refused.body["code"]) == (422, "setting.not_for_kind")
