"""Security profiles 0 to 3, decided purely: what a handshake proves, and that less than agreed is a downgrade."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from chalicelib.chargers.model import Accepted, Charger, Refused, Viewer, decide_handshake, password_hash
from chalicelib.chargers.model.handshake import common_name
from tests.unit.chargers.conftest import basic

KEY = b"key"
PASSWORD = "the-right-password-20"
RIGHT = basic("CP-1", PASSWORD)
WRONG = basic("CP-1", "the-wrong-password-20")
PLAIN, TLS = Viewer(is_secure=False), Viewer(is_secure=True)
OURS, STRANGERS = Viewer(True, "CN=CP-1,O=Wattfare"), Viewer(True, "CN=CP-2,O=Wattfare")

CHARGER = Charger("CP-1", "org_1", 1, password_hash(PASSWORD.encode(), KEY), datetime(2026, 1, 1, tzinfo=UTC))


def decide(profile: int, authorization: str | None, viewer: Viewer, charger: Charger = CHARGER) -> Accepted | Refused:
    return decide_handshake(
        replace(charger, security_profile=profile),
        identity="CP-1",
        authorization=authorization,
        offered=("ocpp1.6",),
        key=KEY,
        viewer=viewer,
    )


@pytest.mark.parametrize(
    ("profile", "authorization", "viewer", "outcome"),
    [
        (0, None, PLAIN, 0),
        (0, None, TLS, 0),
        (0, RIGHT, PLAIN, 1),
        (0, WRONG, PLAIN, 0),
        (1, None, TLS, "password_missing"),
        (1, WRONG, TLS, "password_wrong"),
        (1, RIGHT, PLAIN, 1),
        (1, RIGHT, TLS, 2),
        (1, None, OURS, 3),
        (2, RIGHT, PLAIN, "tls_missing"),
        (2, RIGHT, TLS, 2),
        (2, WRONG, TLS, "password_wrong"),
        (2, None, OURS, 3),
        (3, RIGHT, TLS, "certificate_missing"),
        (3, RIGHT, PLAIN, "certificate_missing"),
        (3, None, OURS, 3),
        (3, WRONG, OURS, 3),
        (3, RIGHT, STRANGERS, "certificate_differs"),
        (1, RIGHT, STRANGERS, "certificate_differs"),
    ],
)
def test_what_is_proven_must_reach_the_profile(
    profile: int, authorization: str | None, viewer: Viewer, outcome: int | str
) -> None:
    decided = decide(profile, authorization, viewer)
    if isinstance(outcome, int):
        assert isinstance(decided, Accepted)
        assert decided.profile == outcome
    else:
        assert isinstance(decided, Refused)
        assert (decided.status, decided.reason) == (401, outcome)


def test_a_wrong_password_that_nobody_asked_for_is_told_to_the_installer() -> None:
    decided = decide(0, WRONG, TLS)
    assert isinstance(decided, Accepted)
    assert [reason for reason, _ in decided.oddities] == ["password_wrong"]


def test_old_and_new_password_are_let_in_while_the_new_one_has_not_been_seen() -> None:
    rotating = replace(CHARGER, new_password_hash=password_hash(b"the-new-password-of-24", KEY))
    old, new = decide(1, RIGHT, TLS, rotating), decide(1, basic("CP-1", "the-new-password-of-24"), TLS, rotating)
    assert isinstance(old, Accepted)
    assert isinstance(new, Accepted)
    assert (old.saw_new_password, new.saw_new_password) == (False, True)
    assert [reason for reason, _ in old.oddities] == ["old_password"]
    assert new.oddities == ()


def test_an_empty_password_is_not_the_new_one_of_a_charger_that_has_none() -> None:
    assert isinstance(decide(1, basic("CP-1", ""), TLS), Refused)
    no_password = replace(CHARGER, password_hash="")
    assert isinstance(decide(1, basic("CP-1", ""), TLS, no_password), Refused)


def test_a_charger_may_have_a_user_name_of_its_own() -> None:
    """Some firmware sends a fixed user name, or the serial number."""
    odd = replace(CHARGER, basic_auth_user="vendor-user")
    assert isinstance(decide(1, basic("vendor-user", PASSWORD), TLS, odd), Accepted)
    assert isinstance(decide(1, RIGHT, TLS, odd), Refused)


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("CN=CP-1", "CP-1"),
        ("O=Wattfare, cn=CP-1 ,C=DE", "CP-1"),
        (r"O=Watt\, fare,CN=DE\*ABC\,1,C=DE", "DE*ABC,1"),
        ("O=CN=CP-1", None),
        ("", None),
    ],
)
def test_the_common_name_of_a_subject(subject: str, name: str | None) -> None:
    assert common_name(subject) == name
