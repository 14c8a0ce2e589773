"""Readings as chargers write them. A value that cannot be read is missing, never zero."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ocpp.readings import ENERGY, MAX_ENERGY_WH, POWER, STATE_OF_CHARGE
from chalicelib.ocpp.v16.meter_values import read_samples

RECEIVED = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def sample(*values: dict[str, Any], timestamp: str = "2026-03-02T07:59:00Z") -> Any:
    [read] = read_samples([{"timestamp": timestamp, "sampledValue": list(values)}], RECEIVED)
    return read


def energy(value: str, **more: str) -> dict[str, Any]:
    return {"value": value, "measurand": ENERGY, **more}


@pytest.mark.parametrize(
    ("values", "wh"),
    [
        ([{"value": "1387"}], 1387),
        ([energy("1387")], 1387),
        ([energy("1.387", unit="kWh")], 1387),
        ([energy("1387", unit="Wh")], 1387),
        ([energy(" 12.4 ")], 12),
        ([energy("12.5")], 13),
        ([energy("12,5", unit="kWh")], 12500),
        ([energy("1e3")], 1000),
        ([energy("1.5E+1")], 15),
        ([energy("12.3 kWh")], 12300),
        ([energy("12.3kWh", unit="Wh")], 12300),
        ([energy("7.")], 7),
        ([energy("0")], 0),
        ([energy("")], None),
        ([energy("string")], None),
        ([energy("NaN")], None),
        ([energy("Infinity")], None),
        ([energy("-5")], None),
        ([energy("1e99")], None),
        ([energy(str(MAX_ENERGY_WH + 1))], None),
        ([energy("1,234,567")], None),
        ([energy("5", unit="varh")], None),
        ([energy("5", format="SignedData")], None),
        ([{"value": "9", "measurand": "Energy.Active.Export.Register"}], None),
        ([energy("10", phase="L1"), energy("20", phase="L2"), energy("30", phase="L3")], 60),
        ([energy("10", phase="L1-N"), energy("20", phase="L2-N")], 30),
        ([energy("10", phase="L1"), energy("nonsense", phase="L2")], None),
        ([energy("10", phase="L1"), energy("20", phase="L2"), energy("31")], 31),
        ([energy("10", phase="L1-L2")], None),
        ([energy("5", phase="N")], None),
        ([energy("100", context="Transaction.Begin"), energy("900", context="Transaction.End")], 900),
        ([energy("900", context="Transaction.End"), energy("100", context="Transaction.Begin")], 900),
        ([energy("100", context="Transaction.Begin"), energy("500", context="Sample.Periodic")], 500),
        ([energy("100", context="Transaction.Begin")], 100),
        ([energy("8", location="Inlet"), energy("7", location="Outlet")], 7),
        ([energy("7"), energy("8", location="Inlet")], 7),
        ([energy("8", location="Inlet")], 8),
        ([energy("5", format="SignedData"), energy("6")], 6),
    ],
)
def test_energy(values: list[dict[str, Any]], wh: int | None) -> None:
    assert sample(*values).energy_wh == wh


def test_power_and_state_of_charge() -> None:
    read = sample(
        {"value": "7.36", "measurand": POWER, "unit": "kW"},
        {"value": "55.4", "measurand": STATE_OF_CHARGE, "unit": "Percent"},
    )
    assert (read.energy_wh, read.power_w, read.soc_percent) == (None, 7360, 55)


def test_power_is_summed_over_phases_but_state_of_charge_is_not() -> None:
    read = sample(
        {"value": "2300", "measurand": POWER, "phase": "L1"},
        {"value": "2.3", "measurand": POWER, "phase": "L2", "unit": "kW"},
        {"value": "50", "measurand": STATE_OF_CHARGE, "phase": "L1"},
    )
    assert (read.power_w, read.soc_percent) == (4600, None)


@pytest.mark.parametrize("percent", ["101", "-1"])
def test_a_state_of_charge_beyond_its_range_is_missing(percent: str) -> None:
    assert sample({"value": percent, "measurand": STATE_OF_CHARGE}).soc_percent is None


def test_raw_values_are_kept_as_they_came() -> None:
    values = [energy("x", format="SignedData"), energy("6")]
    assert sample(*values).values == values


def test_a_time_of_no_use_becomes_that_of_receipt() -> None:
    assert sample(energy("1"), timestamp="1970-01-01T00:00:00Z").taken_at == RECEIVED


def test_one_sample_per_element_in_order() -> None:
    elements = [
        {"timestamp": f"2026-03-02T07:0{minute}:00Z", "sampledValue": [energy(str(minute))]} for minute in (5, 1, 3)
    ]
    assert [read.energy_wh for read in read_samples(elements, RECEIVED)] == [5, 1, 3]


@given(st.text(max_size=30), st.sampled_from(["Wh", "kWh", "", "W", "Percent"]))
def test_whatever_the_value_the_reading_is_bounded(value: str, unit: str) -> None:
    read = sample(energy(value, unit=unit), {"value": value, "measurand": STATE_OF_CHARGE, "unit": unit})
    assert read.energy_wh is None or 0 <= read.energy_wh <= MAX_ENERGY_WH
    assert read.soc_percent is None or 0 <= read.soc_percent <= 100
