"""A simulated charger can be brought to what the platform expects of every charger, and does not lie about it."""

from __future__ import annotations

import pytest

from chalicelib.chargers.model.built_in import BUILT_IN as EXPECTED
from chalicelib.chargers.model.templates import Setting
from infra.local.simulators import device_model
from infra.local.simulators.device_model import MEASURANDS, PASSWORD, DeviceModel, Variable


@pytest.fixture
def model() -> DeviceModel:
    return DeviceModel(lambda: [Variable("EVSE@1/Power", None, "11000")], {})


@pytest.mark.parametrize("setting", EXPECTED.settings, ids=lambda setting: setting.name)
def test_what_the_platform_expects_is_there_and_is_so_or_can_be_made_so(model: DeviceModel, setting: Setting) -> None:
    is_name = "/" in setting.name
    variable = model.find(name=setting.name) if is_name else model.find(key=setting.name)
    assert variable is not None
    # Of the measurands the state of charge is the one that an AC charger does not have.
    wanted = (setting.value or "").removesuffix(",SoC")
    assert variable.value == wanted or (variable.check is not None and variable.check(wanted))


def test_a_value_is_the_same_under_both_names(model: DeviceModel) -> None:
    variable = model.find(key="metervaluesampleinterval")
    assert variable is not None
    assert model.write(variable, "60")
    assert model["SampledDataCtrlr/TxUpdatedInterval"] == "60"
    again = model.find(name="sampleddatactrlr/txupdatedinterval")
    assert again is not None
    assert again.value == "60"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OCPPCommCtrlr/HeartbeatInterval", "0"),
        ("OCPPCommCtrlr/HeartbeatInterval", "-20"),
        ("OCPPCommCtrlr/HeartbeatInterval", "²0"),
        ("OCPPCommCtrlr/HeartbeatInterval", "9" * 5000),
        ("AlignedDataCtrlr/Interval", "0"),
        ("EVSE@1/Power", "1"),
        (MEASURANDS, ""),
        (MEASURANDS, "Energy.Active.Import.Register,SoC"),
        (MEASURANDS, "Power.Active.Import,Power.Active.Import"),
        (PASSWORD, "too short"),
    ],
)
def test_what_it_cannot_do_it_does_not_take(model: DeviceModel, name: str, value: str) -> None:
    variable = model.find(name=name)
    assert variable is not None
    before = variable.value
    assert not model.write(variable, value)
    after = model.find(name=name)
    assert after is not None
    assert after.value == before


def test_a_password_is_taken_and_not_shown(model: DeviceModel) -> None:
    variable = model.find(name=PASSWORD)
    assert variable is not None
    assert model.write(variable, "sixteen characters")
    assert "sixteen characters" not in [known.value for known in model.all()]
    assert variable.mutability == "WriteOnly"


def test_each_name_and_key_is_there_once() -> None:
    names = [variable.name for variable in device_model.BUILT_IN if variable.name]
    keys = [variable.key for variable in device_model.BUILT_IN if variable.key]
    assert (len(set(names)), len(set(keys))) == (len(names), len(keys))
