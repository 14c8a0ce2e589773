"""Id tokens and what they may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.drivers.model import Driver, IdToken, app_token, check_id_token, id_token_key, matches_search
from chalicelib.kernel.errors import DomainError

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CARD = IdToken("04A1B2C3", "card", "active", NOW, driver_id="drv_1")


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "accepted"),
        ({"driver_id": None}, "invalid"),
        ({"status": "blocked"}, "blocked"),
        ({"driver_active": False}, "blocked"),
        ({"refused_by": ["org_1"]}, "blocked"),
        ({"refused_by": ["org_2"]}, "accepted"),
        ({"expires_at": NOW}, "expired"),
        ({"expires_at": NOW + timedelta(seconds=1)}, "accepted"),
        ({"expires_at": NOW, "status": "blocked"}, "blocked"),
    ],
)
def test_may_it_charge_at_the_chargers_of_an_operator(changes: dict[str, Any], verdict: str) -> None:
    assert replace(CARD, **changes).verdict("org_1", NOW) == verdict


def test_app_tokens_fit_ocpp_and_belong_to_one_driver() -> None:
    tokens = {app_token(f"drv_{number}") for number in range(500)}
    assert len(tokens) == 500
    assert all(len(token) == 19 and check_id_token(token) == token for token in tokens)
    assert app_token("drv_1") == app_token("drv_1")


def test_id_tokens_are_compared_without_case() -> None:
    assert id_token_key("04a1b2c3") == id_token_key("04A1B2C3")


@pytest.mark.parametrize("text", ["", "   ", "x" * 37, "a b", "ä", "a\nb", "a\x00"])
def test_what_no_charger_could_send(text: str) -> None:
    with pytest.raises(DomainError) as refused:
        check_id_token(text)
    assert refused.value.code == "id_token.invalid"


def test_blanks_around_are_taken_off() -> None:
    assert check_id_token(" 04A1 ") == "04A1"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", True),
        ("dora", True),
        ("DRIVER dora", True),
        ("dora@", True),
        ("drv_1", True),
        ("+49", True),
        ("max", False),
    ],
)
def test_search(words: str, found: bool) -> None:
    driver = Driver("drv_1", "dora@driver.example", "Dora Driver", NOW, phone="+49 30 1")
    assert matches_search(driver, words) is found
