"""What of a change may be kept: no secret, no more than a row bears, nothing that stayed as it was."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.changes import MASK, MAX_RECORDED_BYTES, TOO_LONG, Change, is_secret, masked
from chalicelib.kernel.http import Shape

SENTINEL = "hunter2-hunter2"
SECRET_NAMES = [
    "password",
    "new_password",
    "Password",
    "oldPassword",
    "password_hash",
    "secret",
    "client_secret",
    "secret_hash",
    "code",
    "totp_code",
    "api_key",
    "apiKey",
    "access_token",
    "refresh_token",
    "content",
    "AuthorizationKey",
    "BasicAuthPassword",
    "private_key",
    "simPin",
]
PLAIN_NAMES = ["name", "id_token", "api_key_id", "country", "charger_id", "email", "postal_code", "token_count"]
BOUND = 65_536
"""16 KB of members, and the names of those that are left out."""

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(PLAIN_NAMES), inner, max_size=4),
    max_leaves=10,
)
hidden = st.recursive(
    st.just(SENTINEL),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text(max_size=5), inner, min_size=1),
    max_leaves=4,
)
secret_member = st.dictionaries(st.sampled_from(SECRET_NAMES), hidden, min_size=1, max_size=3)
named_secret = st.sampled_from(SECRET_NAMES).flatmap(
    lambda name: st.sampled_from([{"name": name, "value": SENTINEL}, {"key": name, "value": SENTINEL}])
)


@st.composite
def values_with_secrets(draw: st.DrawFn) -> dict[str, Any]:
    """Something secret at any depth, beside things that are not."""
    value: Any = draw(secret_member | named_secret)
    for _ in range(draw(st.integers(0, 4))):
        around = draw(st.dictionaries(st.sampled_from(PLAIN_NAMES), plain, max_size=3))
        value = {**around, draw(st.sampled_from(PLAIN_NAMES)): draw(st.sampled_from([value, [value], (1, value)]))}
    return dict(value)


@given(values_with_secrets())
def test_no_secret_survives_at_any_depth(value: dict[str, Any]) -> None:
    assert SENTINEL not in json.dumps(masked(value))
    for before, after in ((None, value), (value, None), ({"name": "x"}, value)):
        assert SENTINEL not in json.dumps(Change("thing", "1", None, before, after).difference())


@given(st.dictionaries(st.sampled_from(PLAIN_NAMES), plain))
def test_what_is_no_secret_stays_as_it_is(value: dict[str, Any]) -> None:
    assert masked(value) == value


@given(values_with_secrets())
def test_masking_again_changes_nothing(value: dict[str, Any]) -> None:
    assert masked(masked(value)) == masked(value)


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_these_are_secrets(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_these_are_not(name: str) -> None:
    assert not is_secret(name)


def test_a_secret_that_is_not_set_shows_as_not_set() -> None:
    assert masked({"password": None, "secret": ""}) == {"password": None, "secret": MASK}


@given(
    st.dictionaries(st.text(max_size=200), st.text(max_size=9_000) | st.lists(st.integers(), max_size=3), max_size=8)
)
def test_a_side_is_bounded(members: dict[str, Any]) -> None:
    before, after = Change("thing", "1", None, None, members).difference()
    assert before == {}
    assert len(msgspec.json.encode(after)) <= BOUND


def test_the_longest_members_are_left_out_first() -> None:
    members = {"short": "x", "long": "y" * MAX_RECORDED_BYTES, "middle": "z" * 100}
    _, after = Change("thing", "1", None, None, members).difference()
    assert after == {"short": "x", "long": TOO_LONG, "middle": "z" * 100}


def test_thousands_of_members_fit_too() -> None:
    _, after = Change("thing", "1", None, None, {f"m{n}" * 50: n for n in range(5_000)}).difference()
    assert len(msgspec.json.encode(after)) <= BOUND


class Thing(Shape):
    name: str
    size: int | None = None
    tags: list[str] = msgspec.field(default_factory=list)


def test_only_what_differs_is_kept() -> None:
    before, after = Thing(name="a", size=1, tags=["x"]), Thing(name="a", tags=["x", "y"])
    difference = Change("thing", "1", None, before, after).difference()
    assert difference == ({"size": 1, "tags": ["x"]}, {"size": None, "tags": ["x", "y"]})
    assert Change("thing", "1", None, before, before).difference() == ({}, {})


def test_of_a_new_one_and_of_one_that_goes_everything_is_kept() -> None:
    thing = Thing(name="a")
    whole = {"name": "a", "size": None, "tags": []}
    assert Change("thing", "1", None, None, thing).difference() == ({}, whole)
    assert Change("thing", "1", None, thing, None).difference() == (whole, {})
