"""One-time passwords of dynamic QR codes (OCPP 2.1 C25)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.chargers.model.web_payments import (
    LENGTH,
    VALIDITY_S,
    is_password,
    password_at,
    settings,
    shared_secret,
)

SECRET = "secure!Charging!"
NOON = datetime(2026, 3, 2, 12, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("epoch_s", "validity_s", "length", "password"),
    [
        (1_716_423_785, 30, 8, "CN63y502"),
        (1_716_423_785, 30, 12, "CN63y502maVh"),
        (1_716_423_785, 60, 12, "XJZr0L1DGKn0"),
        (1_716_423_785, 3600, 6, "Ik0dNs"),
        (1_718_611_200, 30, 12, "akF3c7qY2uiu"),
        (1_718_611_199, 30, 12, "QT1cCdKsIb9e"),
        (1_716_423_785, 30, 23, "CN63y502maVhAsv27Sd7JlE"),
        (1_718_611_200, 30, 64, "akF3c7qY2uiuO4rpyU0SC0W8VFE6nvxz" * 2),
        (0, 30, 12, "u5CoKdo5HUS1"),
    ],
)
def test_passwords_are_those_of_the_published_vectors(
    epoch_s: int, validity_s: int, length: int, password: str
) -> None:
    """Open Charging Cloud TOTP Token Format 1.0, whose profile "OCPP v1" is the algorithm of C25."""
    moment = datetime.fromtimestamp(epoch_s, UTC)
    assert password_at(SECRET, moment, validity_s=validity_s, length=length) == password


def test_the_secret_is_text_in_utf_8() -> None:
    moment = datetime.fromtimestamp(1_716_423_785, UTC)
    assert password_at("sécürè!Chärgîng!", moment, validity_s=30, length=12) == "SLuwWQOYh3g0"


@pytest.mark.parametrize(
    ("age_s", "good"), [(0, True), (VALIDITY_S, True), (-VALIDITY_S, True), (2 * VALIDITY_S, False)]
)
def test_a_password_is_good_for_its_interval_and_the_ones_beside_it(age_s: int, good: bool) -> None:
    password = password_at(SECRET, NOON - timedelta(seconds=age_s))
    assert is_password(password, SECRET, NOON) is good


@pytest.mark.parametrize("text", ["", "x", "0" * LENGTH, "ü" * LENGTH, password_at("another secret", NOON)])
def test_anything_else_is_none(text: str) -> None:
    assert not is_password(text, SECRET, NOON)


def test_every_charger_has_a_secret_of_its_own_that_is_always_the_same() -> None:
    assert shared_secret("cp-1", b"key") == shared_secret("cp-1", b"key")
    assert len({shared_secret("cp-1", b"key"), shared_secret("cp-2", b"key"), shared_secret("cp-1", b"other")}) == 3


def test_what_a_charger_is_told() -> None:
    told = settings("s" * 64, "https://drive.example")
    template = told["WebPaymentsCtrlr/URLTemplate"]
    assert template == "https://drive.example/pay/{chargingstationid}/{evse}/{totp}/{version}"
    assert told["WebPaymentsCtrlr/SharedSecret"] == "s" * 64
    assert 6 <= int(told["WebPaymentsCtrlr/ValidityTime"]) <= 3600
    assert int(told["WebPaymentsCtrlr/Length"]) >= 6
