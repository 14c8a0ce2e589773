"""The rules of identity without a store: addresses, guessing, codes, rotation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.identity import model
from chalicelib.identity.model import Attempts, SignIn, VerificationCode
from chalicelib.identity.permissions import ALL_PERMISSIONS, GROUPS
from chalicelib.identity.service import passwords
from chalicelib.kernel.errors import DomainError

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("email", ["ada@example.com", " Ada.L+ev@sub.example.co ", "ädä@exämple.de", "a@b.co"])
def test_addresses_that_are_taken(email: str) -> None:
    assert model.check_email(email) == email.strip()


@pytest.mark.parametrize(
    "email",
    ["", "ada", "ada@", "@example.com", "ada@example", "a b@example.com", "a@b@c.com", "ada@example..com",
     "ada@example.com\nBcc: x@example.com", "ada@example.com,eve@example.com", "<ada@example.com>",
     "a" * 250 + "@example.com"],
)  # fmt: skip
def test_addresses_that_are_refused(email: str) -> None:
    with pytest.raises(DomainError) as caught:
        model.check_email(email)
    assert caught.value.code == "email.invalid"


@pytest.mark.parametrize(("password", "code"), [("seven77", "password.too_short"), ("x" * 129, "password.too_long")])
def test_passwords_that_are_refused(password: str, code: str) -> None:
    with pytest.raises(DomainError) as caught:
        model.check_password(password)
    assert caught.value.code == code


def test_passwords_are_counted_in_characters_and_kept_whole() -> None:
    assert model.check_password("ñ" * 8) == "ñ" * 8
    assert model.check_password("x" * 128) == "x" * 128


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "europe/berlin", "", "../etc/passwd", "CEST", "UTC+1", "localtime", "Factory"]
)
def test_zones_that_iana_does_not_have_are_refused(name: str) -> None:
    with pytest.raises(DomainError):
        model.check_time_zone(name)


def test_an_attempt_beyond_the_limit_is_refused_until_the_window_is_over() -> None:
    known: Attempts | None = None
    for _ in range(3):
        known = model.after_attempt(known, "x", NOW, 3, timedelta(minutes=15))
    with pytest.raises(DomainError) as caught:
        model.after_attempt(known, "x", NOW + timedelta(minutes=14), 3, timedelta(minutes=15))
    assert caught.value.retry_after_s == 60
    after = model.after_attempt(known, "x", NOW + timedelta(minutes=15), 3, timedelta(minutes=15))
    assert after.made == 1


def _code(**changes: object) -> VerificationCode:
    return replace(model.next_code(None, "Ada@Example.com", "sign_up", "hash", NOW), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "after_s", "usable"),
    [
        ({}, 0, True),
        ({}, 599, True),
        ({}, 600, False),
        ({"tries": 4}, 0, True),
        ({"tries": 5}, 0, False),
        ({"code_hash": None}, 0, False),
    ],
)
def test_when_a_code_is_usable(changes: dict[str, object], after_s: int, usable: bool) -> None:
    assert model.code_usable(_code(**changes), NOW + timedelta(seconds=after_s)) is usable


def test_a_day_has_ten_codes_and_then_they_wait_for_the_next() -> None:
    code, now = _code(), NOW
    for _ in range(9):
        now += timedelta(seconds=60)
        assert model.wait_before_code_s(code, now) == 0
        code = model.next_code(code, code.email, code.purpose, "hash", now)
    assert code.issued == 10
    assert model.wait_before_code_s(code, now + timedelta(seconds=60)) == 86_400 - 600
    after = NOW + timedelta(days=1)
    assert model.wait_before_code_s(code, after) == 0
    assert model.next_code(code, code.email, code.purpose, "hash", after).issued == 1


def _sign_in(**changes: object) -> SignIn:
    expires = int((NOW + model.SIGN_IN_LIFE).timestamp())
    sign_in = SignIn("sgn_1", "lgn_1", "ada@example.com", 1, NOW, NOW, expires, generation=7)
    return replace(sign_in, **changes)  # type: ignore[arg-type]


def test_the_newest_refresh_token_makes_the_next_and_prolongs_the_sign_in() -> None:
    later = NOW + timedelta(days=3)
    rotated = model.rotate(_sign_in(), 7, later)
    assert rotated is not None
    assert (rotated.generation, rotated.rotated_at) == (8, later)
    assert rotated.expires_at == int((later + model.SIGN_IN_LIFE).timestamp())


@pytest.mark.parametrize(
    ("presented", "after_s", "kept"), [(6, 0, True), (6, 30, True), (6, 31, False), (5, 0, False), (8, 0, False)]
)
def test_an_older_refresh_token_is_either_a_lost_answer_or_a_theft(presented: int, after_s: int, kept: bool) -> None:
    sign_in = _sign_in()
    assert model.rotate(sign_in, presented, NOW + timedelta(seconds=after_s)) == (sign_in if kept else None)


def test_a_sign_in_ends_after_thirty_days_of_silence() -> None:
    with pytest.raises(DomainError) as caught:
        model.rotate(_sign_in(), 7, NOW + model.SIGN_IN_LIFE)
    assert caught.value.code == "auth.refresh_invalid"


def test_the_dummy_hash_costs_what_a_real_one_costs() -> None:
    assert not passwords.is_outdated(passwords.DUMMY_HASH)
    assert passwords.is_outdated(passwords.DUMMY_HASH.replace("t=2", "t=1"))


def test_groups_grant_what_they_say_and_unknown_ones_nothing() -> None:
    assert all(group.permissions <= ALL_PERMISSIONS for group in GROUPS.values())
