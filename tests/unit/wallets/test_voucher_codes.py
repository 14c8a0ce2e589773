"""The codes of vouchers: what is mistyped is no code, and nobody can tell one from another."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.wallets.model.voucher_codes import (
    ALPHABET,
    CODE_LENGTH,
    code_hash,
    code_of,
    grouped,
    key_id,
    read_code,
)

KEY = "a key of the deployment"
codes = st.builds(code_of, st.just(KEY), st.text(min_size=1, max_size=20), st.integers(1, 5000))
places = st.integers(0, CODE_LENGTH - 1)


def test_a_code_is_what_it_was_when_the_list_was_printed() -> None:
    """Who changes how codes are made makes every card that was sold worthless."""
    assert grouped(code_of(KEY, "vcb_01", 1)) == "5EK6-WXTA-K4SA-W30H"
    assert grouped(code_of(KEY, "vcb_01", 2)) != grouped(code_of(KEY, "vcb_01", 1))


@given(codes)
def test_a_code_is_read_as_it_is_printed(code: str) -> None:
    assert read_code(grouped(code)) == code
    assert read_code(grouped(code).lower().replace("-", " ")) == code
    assert read_code(code.replace("0", "O").replace("1", "l")) == code


@given(codes, places, st.sampled_from(ALPHABET))
def test_one_mistyped_character_makes_no_code(code: str, place: int, typed: str) -> None:
    mistyped = code[:place] + typed + code[place + 1 :]
    assert read_code(mistyped) == (code if mistyped == code else None)


@given(codes, places, places)
def test_two_swapped_characters_make_no_code(code: str, one: int, other: int) -> None:
    letters = list(code)
    letters[one], letters[other] = letters[other], letters[one]
    swapped = "".join(letters)
    assert read_code(swapped) == (code if swapped == code else None)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_read_without_a_fault(typed: str) -> None:
    code = read_code(typed)
    assert code is None or (len(code) == CODE_LENGTH and set(code) <= set(ALPHABET))


def test_codes_are_of_their_batch_number_and_key() -> None:
    made = [
        code_of(key, batch_id, number)
        for key in (KEY, "another")
        for batch_id in ("vcb_01", "vcb_02")
        for number in range(1, 1001)
    ]
    assert len(set(made)) == len(made)
    assert len({code[:-1] for code in made}) == len(made)


def test_what_is_stored_tells_no_code() -> None:
    code = code_of(KEY, "vcb_01", 1)
    assert code_hash(KEY, code) != code_hash("another", code)
    assert code not in code_hash(KEY, code).upper()
    assert key_id(KEY) != key_id("another")
    assert KEY not in key_id(KEY)
