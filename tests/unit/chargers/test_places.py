"""Identities, connector letters, QR codes."""

from __future__ import annotations

import secrets

import pytest

from chalicelib.chargers.model import charger_key, connector_letter, is_identity, make_code


@pytest.mark.parametrize("identity", ["CP-1", "a", "x" * 48, "DE*ICE*E0001", "a.b_c:d@e=f|g+h"])
def test_identities_that_chargers_have(identity: str) -> None:
    assert is_identity(identity)


@pytest.mark.parametrize("identity", ["", "x" * 49, " a", "a ", "a/b", "a#b", "a%20", "ä", "CP-1\n"])
def test_identities_that_would_not_survive_a_url(identity: str) -> None:
    assert not is_identity(identity)


def test_identities_are_compared_without_case() -> None:
    assert charger_key("CP-One") == charger_key("cp-oNE")


@pytest.mark.parametrize(("evse_no", "letter"), [(0, ""), (1, "A"), (2, "B"), (26, "Z"), (27, "AA"), (32, "AF")])
def test_connector_letters(evse_no: int, letter: str) -> None:
    assert connector_letter(evse_no) == letter


def test_codes_are_easy_to_type_and_differ() -> None:
    codes = {make_code(secrets.choice) for _ in range(200)}
    assert len(codes) == 200
    assert all(len(code) == 8 for code in codes)
    assert not set("".join(codes)) & set("01AEIOULY")
