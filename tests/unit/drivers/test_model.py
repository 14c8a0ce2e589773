"""Id tokens and what they may do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.drivers.model import (
    MAX_CLAIMS_A_DAY,
    ClaimCount,
    Driver,
    IdToken,
    after_claim,
    app_token,
    check_id_token,
    check_not_reserved,
    driver_group,
    id_token_key,
    is_id_token,
    matches_search,
    numbers_meant,
)
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


# -- groups and numbers that people type ----------------------------------------------------------------------------


def test_a_drivers_group_is_no_token_and_fits_every_version() -> None:
    group = driver_group("drv_1")
    assert (len(group), driver_group("drv_1")) == (19, group)
    assert group not in (app_token("drv_1"), driver_group("drv_2"))
    for reserved in (group, group.lower(), app_token("drv_9")):
        with pytest.raises(DomainError) as refused:
            check_not_reserved(reserved)
        assert refused.value.code == "id_token.reserved"
    check_not_reserved("DRV-100")


def test_the_operators_group_goes_before_the_drivers() -> None:
    assert CARD.group == driver_group("drv_1")
    assert replace(CARD, group_id="FLEET").group == "FLEET"
    assert replace(CARD, driver_id=None).group is None


UIDS = st.sampled_from((8, 14, 16, 20)).flatmap(
    lambda size: st.text("0123456789abcdefABCDEF", min_size=size, max_size=size)
)


@given(UIDS, st.lists(st.sampled_from([" ", ":", "-", ".", "_", ": ", "\u00a0", "\u2009"]), min_size=20, max_size=20))
def test_a_uid_is_read_whatever_stands_between_its_bytes(uid: str, between: list[str]) -> None:
    typed = "".join(uid[place : place + 2] + between[place // 2] for place in range(0, len(uid), 2))
    assert numbers_meant(typed)[-1] == uid.upper()
    assert numbers_meant(uid) == [uid]


@given(st.text(max_size=70))
def test_whatever_is_typed_means_at_most_two_numbers_the_typed_one_first(typed: str) -> None:
    meant = numbers_meant(typed)
    assert 1 <= len(meant) <= 2
    if is_id_token(typed):
        assert meant[0] == typed
    assert all(is_id_token(number) for number in meant[1:])


def test_claims_are_counted_by_the_day() -> None:
    count = None
    for _ in range(MAX_CLAIMS_A_DAY):
        count = after_claim(count, "drv_1", NOW)
    assert count == ClaimCount("drv_1", NOW, MAX_CLAIMS_A_DAY)
    with pytest.raises(DomainError) as refused:
        after_claim(count, "drv_1", NOW + timedelta(hours=23))
    assert (refused.value.code, refused.value.retry_after_s) == ("id_token.too_many_claims", 3600)
    tomorrow = NOW + timedelta(days=1)
    assert after_claim(count, "drv_1", tomorrow) == ClaimCount("drv_1", tomorrow, 1)
