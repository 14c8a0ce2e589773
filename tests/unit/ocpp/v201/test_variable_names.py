"""Names of variables of the device model: text and address are the same thing said twice."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ocpp.v201.variable_names import address_of, name_of

PARTS = st.text(alphabet="aZ09*-_=:+|@./%", min_size=1, max_size=50)


def part(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, **more}


@pytest.mark.parametrize(
    ("name", "component", "variable"),
    [
        ("OCPPCommCtrlr/HeartbeatInterval", part("OCPPCommCtrlr"), part("HeartbeatInterval")),
        ("EVSE@1/AvailabilityState", part("EVSE", evse={"id": 1}), part("AvailabilityState")),
        ("Connector@2.1/Type", part("Connector", evse={"id": 2, "connectorId": 1}), part("Type")),
        ("Meter.main@1/Energy.sum", part("Meter", instance="main", evse={"id": 1}), part("Energy", instance="sum")),
        ("Ctl%2ETemp/a%40b%2Fc%25", part("Ctl.Temp"), part("a@b/c%")),
    ],
)
def test_a_name_is_an_address(name: str, component: dict[str, Any], variable: dict[str, Any]) -> None:
    assert name_of(component, variable) == name
    assert address_of(name) == {"component": component, "variable": variable}


@pytest.mark.parametrize("name", ["", "HeartbeatInterval", "/x", "x/", "a/b/c", "a@/b", "a@x/b", "a@1.b/c", "a.b.c/d"])
def test_what_is_no_name_has_no_address(name: str) -> None:
    assert address_of(name) is None


@given(component=PARTS, instance=st.none() | PARTS, variable=PARTS)
def test_there_and_back(component: str, instance: str | None, variable: str) -> None:
    address = {"component": {"name": component}, "variable": {"name": variable}}
    if instance is not None:
        address["component"]["instance"] = instance
    assert address_of(name_of(address["component"], address["variable"])) == address
