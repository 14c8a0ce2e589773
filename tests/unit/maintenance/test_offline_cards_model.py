"""What is chosen where a list has less room than there are cards. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.drivers.model import IdToken, id_token_key
from chalicelib.maintenance.model.local_lists import MAX_ENTRIES, keeps_lists
from chalicelib.maintenance.model.offline_cards import ListDue, compose, digest_of, is_payable

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
AGES = st.integers(0, 10_000)


def card(number: str, age_s: int, used_s: int | None) -> IdToken:
    used = None if used_s is None else NOW - timedelta(seconds=used_s)
    return IdToken(number, "card", "active", NOW - timedelta(seconds=age_s), driver_id="drv_1", last_used_at=used)


CARDS = st.lists(
    st.builds(card, st.text("ABCDEF0123456789", min_size=1, max_size=8), AGES, st.none() | AGES),
    unique_by=lambda each: each.id_token,
    max_size=40,
)


@given(CARDS, st.integers(1, 50))
def test_what_was_used_last_stays(cards: list[IdToken], room: int) -> None:
    composition = compose("org_1", cards, NOW)
    chosen, left_out = composition.within(room)
    assert len(chosen) + left_out == len(cards)
    assert len(chosen) == min(room, len(cards))
    used = {id_token_key(each.id_token): each.last_used_at or each.created_at for each in cards}
    out = [at for key, at in used.items() if key not in chosen]
    assert not out or max(out) <= min(used[key] for key in chosen)


@given(CARDS, st.integers(1, 50), st.randoms())
def test_the_order_in_which_they_are_read_means_nothing(cards: list[IdToken], room: int, chance: object) -> None:
    """Else each round would send another list."""
    mixed = list(cards)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    (first, _), (second, _) = (compose("org_1", order, NOW).within(room) for order in (cards, mixed))
    assert (first, digest_of(first)) == (second, digest_of(second))


def test_more_cards_than_any_list_can_have() -> None:
    composition = compose("org_1", (card(f"{n:05d}", n, None) for n in range(MAX_ENTRIES + 7)), NOW)
    assert (len(composition.entries), composition.left_out) == (MAX_ENTRIES, 7)
    assert composition.within(10)[1] == MAX_ENTRIES - 10 + 7


@given(st.integers(0, 600), st.integers(0, 600), st.integers(0, 600))
def test_due_when_quiet_and_never_too_late(quiet_s: int, latest_s: int, now_s: int) -> None:
    due = ListDue("org_1", NOW + timedelta(seconds=quiet_s), NOW + timedelta(seconds=latest_s))
    assert due.is_due(NOW + timedelta(seconds=now_s)) is (now_s >= min(quiet_s, latest_s))


@pytest.mark.parametrize(
    ("variables", "keeps"),
    [
        ({}, True),
        ({"SupportedFeatureProfiles": "Core, localauthlistmanagement"}, True),
        ({"SupportedFeatureProfiles": "Core,Reservation"}, False),
        ({"SupportedFeatureProfiles": ""}, True),
        ({"LocalAuthListCtrlr/Available": "False"}, False),
        ({"LocalAuthListCtrlr/Available": "true"}, True),
    ],
)
def test_what_the_configuration_says(variables: dict[str, str], keeps: bool) -> None:
    assert keeps_lists(variables.get) is keeps


def test_where_an_enterprise_pays_the_wallet_does_not_matter() -> None:
    member = IdToken("A", "card", "active", NOW, driver_id="drv_1", enterprises={"org_1": "ent_1"})
    assert is_payable(member, "org_1", balance=0, min_balance=1)
    assert not is_payable(member, "org_2", balance=0, min_balance=1)
