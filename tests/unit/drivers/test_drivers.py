"""Names and searches in any script."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.drivers.model import Driver, matches_search, tidied
from chalicelib.kernel.errors import DomainError

NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
FORMS = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])


def driver(full_name: str, **fields: str) -> Driver:
    return Driver("drv_1", "dana@driver.example", full_name, datetime(2026, 3, 2, tzinfo=UTC), **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("full_name", "words"),
    [
        ("José Núñez", "jose nunez"),
        ("Jose Nunez", "JOSÉ"),
        ("Straße Müller", "STRASSE muller"),
        ("Дора Драйвер", "драйвер"),
        ("Ｆｕｌｌ Ｗｉｄｔｈ", "full width"),
        ("司机 王", "王"),
        ("حَسَن", "حَسَن"),
        ("กำธร", "กำ"),
        ("İstanbul", "istanbul"),
        ("Dana", "drv_1 driver.example"),
    ],
)
def test_people_find_each_other_however_they_type(full_name: str, words: str) -> None:
    assert matches_search(driver(full_name), words)


@pytest.mark.parametrize(("full_name", "words"), [("Dana Driver", "dana qq"), ("กำธร", "กาก"), ("王", "汪")])
def test_what_is_something_else_is_not_found(full_name: str, words: str) -> None:
    assert not matches_search(driver(full_name), words)


@given(NAMES, FORMS, FORMS)
def test_every_form_of_a_name_finds_it(name: str, stored: str, typed: str) -> None:
    found = driver(unicodedata.normalize(stored, name))
    words = unicodedata.normalize(typed, name)
    assert matches_search(found, words)
    assert matches_search(found, words.casefold())


def test_the_address_is_searched_too() -> None:
    assert matches_search(driver("Dana", city="Köln", street="Ring"), "koln dana ring")


def test_a_profile_is_tidied_and_a_driver_has_a_name() -> None:
    assert tidied({"full_name": "  Dana\u00a0 Driver ", "phone": " ", "city": "Ko\u0308ln", "country": None}) == {
        "full_name": "Dana Driver",
        "phone": None,
        "city": "Köln",
        "country": None,
    }
    with pytest.raises(DomainError, match=r"name\.empty"):
        tidied({"full_name": " \t"})


def test_a_driver_lives_in_a_country_that_exists() -> None:
    assert tidied({"country": "KE"}) == {"country": "KE"}
    assert tidied({"country": None}) == {"country": None}
    with pytest.raises(DomainError) as refused:
        tidied({"country": "ZZ"})
    assert (refused.value.code, refused.value.fields[0].pointer) == ("country.unknown", "/country")
