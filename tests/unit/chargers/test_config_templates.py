"""Which template a charger gets, and what it is expected to be set to."""

from __future__ import annotations

import pytest

from chalicelib.chargers.model.built_in import BUILT_IN, PLUG_IN_TIMEOUT_S
from chalicelib.chargers.model.templates import (
    ChargerTemplate,
    Expected,
    Setting,
    basis_of,
    check_setting,
    check_settings,
    choose_template,
    expected_settings,
    matches,
)
from chalicelib.charging.model import START_TIMEOUT
from chalicelib.kernel.errors import DomainError
from tests.world import START


def template(template_id: str, vendor: str = "*", model: str = "*", *settings: Setting) -> ChargerTemplate:
    return ChargerTemplate(template_id, "org_1", template_id, START, vendor, model, list(settings))


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True),
        ("*", "anything", True),
        ("ABB", "abb", True),
        ("ABB", "abb ", False),
        ("AB*", "abb", True),
        ("*BB", "abb", True),
        ("*b*", "abb", True),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("ab*ba", "aba", False),
        ("a*a", "a", False),
        ("a*b*b", "ab", False),
        ("a.c", "abc", False),
        ("[a]", "a", False),
    ],
)
def test_patterns(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


def test_no_pattern_takes_long() -> None:
    assert not matches("*a" * 50 + "b", "a" * 255)


def test_the_most_specific_template_wins() -> None:
    both, model, vendor, default = (
        template("d", "Acme", "M*"),
        template("c", "*", "M1"),
        template("b", "Acme"),
        template("a"),
    )
    order = [both, model, vendor, default]
    for place in range(4):
        assert choose_template(reversed(order[place:]), "ACME", "m1") is order[place]
    assert choose_template([both], "Acme", "X") is None


def test_among_equals_the_longer_pattern_then_the_older_template() -> None:
    short, long, twin = template("1", "Ac*"), template("2", "Acm*"), template("3", "Acm*")
    assert choose_template([twin, short, long], "Acme", None) is long


def test_a_charger_that_said_nothing_of_itself_gets_the_default() -> None:
    assert choose_template([template("a", "Acme"), template("b")], None, None) == template("b")


def test_layers_and_versions() -> None:
    platform = [Setting("A", "1"), Setting("B", "1"), Setting("C", "1"), Setting("X/Y", "1")]
    over = template("t", "*", "*", Setting("b", "2"), Setting("C", None))
    expected = expected_settings(platform, over, [Setting("A", "3")], "ocpp1.6")
    assert expected == {"a": Expected("A", "3", "charger"), "b": Expected("b", "2", "template")}
    assert {*expected_settings(platform, over, [], "ocpp2.0.1")} == {"x/y"}
    assert {*expected_settings(platform, over, [], "ocpp2.1")} == {"x/y"}


def test_the_basis_changes_with_what_is_expected_and_what_the_charger_is() -> None:
    one = {"a": Expected("A", "1", "platform")}
    bases = {
        basis_of(one, "fw1", "ocpp1.6"),
        basis_of(one, "fw2", "ocpp1.6"),
        basis_of(one, "fw1", "ocpp2.1"),
        basis_of({"a": Expected("A", "2", "platform")}, "fw1", "ocpp1.6"),
        basis_of({}, "fw1", "ocpp1.6"),
    }
    assert len(bases) == 5
    assert basis_of({"a": Expected("a", "1", "template")}, "fw1", "ocpp1.6") == basis_of(one, "fw1", "ocpp1.6")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("AuthorizationKey", "x", "setting.secret"),
        ("SecurityCtrlr/BasicAuthPassword", "x", "setting.secret"),
        (" Key", "x", "setting.name"),
        ("K" * 51, "x", "setting.name"),
        ("K\n", "x", "setting.name"),
        ("Key", "x" * 501, "setting.value"),
        ("Component/", "x", "setting.name"),
        ("A/B/C", "x", "setting.name"),
        ("A@one/B", "x", "setting.name"),
    ],
)
def test_what_is_no_setting(name: str, value: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        check_setting(Setting(name, value), "")
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["K" * 50, "A key", "Component/Variable", "C.left@1.2/V.max"])
def test_what_is_a_setting(name: str) -> None:
    check_setting(Setting(name, None), "")


def test_a_name_is_there_once() -> None:
    with pytest.raises(DomainError) as refused:
        check_settings([Setting("A", "1"), Setting("a", "2")], "/settings")
    assert refused.value.code == "setting.repeated"
    assert refused.value.fields[0].pointer == "/settings/1/name"


def test_the_platforms_template_is_one_that_an_operator_could_have_written() -> None:
    check_settings(BUILT_IN.settings, "/settings")


def test_the_platforms_template_says_the_same_to_both_versions() -> None:
    values = {setting.name: setting.value for setting in BUILT_IN.settings}
    for key, variable in [
        ("HeartbeatInterval", "OCPPCommCtrlr/HeartbeatInterval"),
        ("MeterValueSampleInterval", "SampledDataCtrlr/TxUpdatedInterval"),
        ("MeterValuesSampledData", "SampledDataCtrlr/TxUpdatedMeasurands"),
        ("ClockAlignedDataInterval", "AlignedDataCtrlr/Interval"),
        ("ConnectionTimeOut", "TxCtrlr/EVConnectionTimeOut"),
        ("StopTransactionOnInvalidId", "TxCtrlr/StopTxOnInvalidId"),
        ("StopTransactionOnEVSideDisconnect", "TxCtrlr/StopTxOnEVSideDisconnect"),
        ("LocalPreAuthorize", "AuthCtrlr/LocalPreAuthorize"),
        ("AuthorizeRemoteTxRequests", "AuthCtrlr/AuthorizeRemoteStart"),
        ("AllowOfflineTxForUnknownId", "AuthCtrlr/OfflineTxForUnknownIdEnabled"),
    ]:
        assert values[key] == values[variable]


def test_chargers_wait_for_a_plug_as_long_as_the_platform_does() -> None:
    assert START_TIMEOUT.total_seconds() == PLUG_IN_TIMEOUT_S
