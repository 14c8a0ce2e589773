"""What people type finds what they mean, and nothing that lacks one of their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel.searching import folded, has_words


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", True),
        ("  ", True),
        ("muller", True),
        ("MÜLLER berlin", True),
        ("berlin müll", True),
        ("strasse", True),
        ("ｍüller", True),
        ("müller hamburg", False),
        ("llermü", False),
    ],
)
def test_every_word_in_any_order(words: str, found: bool) -> None:
    assert has_words(words, "Jürgen Müller", None, "Hauptstraße 1, Berlin") is found


@given(st.text(), st.text(), st.text())
def test_every_text_is_found_by_a_part_of_it(before: str, word: str, after: str) -> None:
    assert has_words(word, before, word, after)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)
