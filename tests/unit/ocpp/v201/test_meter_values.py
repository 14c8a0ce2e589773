"""Readings of 2.x: JSON numbers, a unit and a power of ten beside them. What cannot be read is missing, never zero."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ocpp.readings import ENERGY, MAX_ENERGY_WH, POWER, STATE_OF_CHARGE
from chalicelib.ocpp.v201.meter_values import BEGIN, END, read_samples, register_at

RECEIVED = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
AT = "2026-03-02T07:59:00Z"


def element(*values: dict[str, Any], timestamp: str = AT) -> dict[str, Any]:
    return {"timestamp": timestamp, "sampledValue": list(values)}


def sample(*values: dict[str, Any]) -> Any:
    [read] = read_samples([element(*values)], RECEIVED)
    return read


def energy(value: float, unit: str | None = None, multiplier: int | None = None, **more: Any) -> dict[str, Any]:
    of = {name: told for name, told in (("unit", unit), ("multiplier", multiplier)) if told is not None}
    return {"value": value, "measurand": ENERGY, **({"unitOfMeasure": of} if of else {}), **more}


@pytest.mark.parametrize(
    ("values", "wh"),
    [
        ([{"value": 1387}], 1387),
        ([{"value": 1387.0}], 1387),
        ([energy(1387.4)], 1387),
        ([energy(1387.5)], 1388),
        ([energy(1.387, "kWh")], 1387),
        ([energy(1.387, multiplier=3)], 1387),
        ([energy(1387, "Wh", 0)], 1387),
        ([energy(13870, "Wh", -1)], 1387),
        ([energy(0.0011, "kWh", 3)], 1100),
        ([energy(1387, "A")], None),
        ([energy(1387, multiplier=400)], None),
        ([energy(-1)], None),
        ([energy(MAX_ENERGY_WH + 1)], None),
        ([energy(1e400)], None),
        ([energy(10), energy(25, context=END)], 25),
        ([energy(10, location="Inlet"), energy(25, location="Outlet")], 25),
        ([energy(10, phase="L1"), energy(20, phase="L2"), energy(30, phase="L3")], 60),
        ([energy(10, phase="L1-L2")], None),
        ([{"value": 7, "measurand": "Voltage"}], None),
    ],
)
def test_energy(values: list[dict[str, Any]], wh: int | None) -> None:
    assert sample(*values).energy_wh == wh


def test_a_signed_value_is_read_and_kept_as_it_came() -> None:
    signed = energy(1387, signedMeterValue={"signedMeterData": "T0NNRg==", "encodingMethod": "OCMF"})
    assert sample(signed).energy_wh == 1387
    assert sample(signed).values == [signed]


def test_power_and_state_of_charge() -> None:
    read = sample(
        {"value": 11.04, "measurand": POWER, "unitOfMeasure": {"unit": "kW"}},
        {"value": 80, "measurand": STATE_OF_CHARGE, "unitOfMeasure": {"unit": "Percent"}},
    )
    assert (read.energy_wh, read.power_w, read.soc_percent) == (None, 11040, 80)


def test_the_registers_of_begin_and_end_are_told_apart() -> None:
    values = [
        element(energy(100, context=BEGIN), energy(7, context="Sample.Periodic")),
        element(energy(9.5, "kWh", context=END)),
    ]
    assert (register_at(BEGIN, values), register_at(END, values)) == (100, 9500)
    assert register_at(BEGIN, values[1:]) is None
    assert register_at(END, []) is None


def test_a_value_whose_time_cannot_be_read_is_of_now() -> None:
    [read] = read_samples([element(energy(1), timestamp="noon")], RECEIVED)
    assert read.taken_at == RECEIVED


@given(
    st.floats(allow_nan=False) | st.integers(),
    st.none() | st.integers(-400, 400),
    st.none() | st.sampled_from(["Wh", "kWh", "MWh", "furlong", ""]),
)
def test_no_number_breaks_it(value: float, multiplier: int | None, unit: str | None) -> None:
    read = sample(energy(value, unit, multiplier)).energy_wh
    assert read is None or 0 <= read <= MAX_ENERGY_WH
