"""Who may connect, decided purely; and the row that a refusal leaves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Accepted, Charger, Refused, decide_handshake, password_hash
from chalicelib.chargers.model.handshake import negotiate, split_protocols
from tests.unit.chargers.conftest import Site, basic

KEY = b"key"
HEX_PASSWORD = "00112233445566778899aabbccddeeff00112233"


def charger(password: str, *, identity: str = "CP-1", accepts_missing: bool = False) -> Charger:
    return Charger(
        identity,
        "org_1",
        1,
        password_hash(password.encode(), KEY),
        datetime(2026, 1, 1, tzinfo=UTC),
        accepts_missing_subprotocol=accepts_missing,
    )


def decide(
    known: Charger | None,
    authorization: str | None,
    offered: tuple[str, ...] = ("ocpp1.6",),
    identity: str = "CP-1",
) -> Accepted | Refused:
    return decide_handshake(known, identity=identity, authorization=authorization, offered=offered, key=KEY)


def test_the_right_password_is_let_in() -> None:
    assert decide(charger("secret-secret-1234"), basic("CP-1", "secret-secret-1234")) == Accepted(
        charger("secret-secret-1234"), "ocpp1.6", "ocpp1.6"
    )


@pytest.mark.parametrize(
    "presented",
    [
        HEX_PASSWORD,
        HEX_PASSWORD.upper(),
        bytes.fromhex(HEX_PASSWORD),
    ],
)
def test_a_key_set_in_hex_is_taken_as_text_or_as_the_bytes_it_means(presented: str | bytes) -> None:
    """steve#1895, ocpp-cp-simulator#260: binary on the wire, hex on the screen."""
    assert isinstance(decide(charger(HEX_PASSWORD), basic("CP-1", presented)), Accepted)


def test_a_key_set_in_capital_hex_is_taken_in_small_letters() -> None:
    assert isinstance(decide(charger(HEX_PASSWORD.upper()), basic("CP-1", HEX_PASSWORD)), Accepted)


def test_a_plain_password_is_taken_in_its_hex_form() -> None:
    """A charger whose AuthorizationKey was set to the hex of the password, as OCPP 1.6 wants it."""
    assert isinstance(decide(charger("plain-password-16"), basic("CP-1", b"plain-password-16".hex())), Accepted)


def test_the_user_may_differ_in_case() -> None:
    assert isinstance(decide(charger("secret-secret-1234"), basic("cp-1", "secret-secret-1234")), Accepted)


def test_an_identity_with_a_colon_and_a_password_with_one() -> None:
    known = charger("pass:word:with:colons", identity="AA:BB:01")
    outcome = decide(known, basic("AA:BB:01", "pass:word:with:colons"), identity="AA:BB:01")
    assert isinstance(outcome, Accepted)


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [
        (None, "password_missing"),
        ("", "password_missing"),
        ("Bearer abc", "password_missing"),
        ("Basic !!!", "password_missing"),
        ("Basic bm9jb2xvbg==", "password_missing"),
        (basic("CP-1", "wrong"), "password_wrong"),
        (basic("CP-1", ""), "password_wrong"),
        (basic("CP-1", "SECRET-SECRET-1234"), "password_wrong"),
        (basic("CP-2", "secret-secret-1234"), "user_differs"),
        (basic("", "secret-secret-1234"), "user_differs"),
    ],
)
def test_refused_passwords(authorization: str | None, reason: str) -> None:
    outcome = decide(charger("secret-secret-1234"), authorization)
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.reason) == (401, reason)


def test_nobody_registered_it() -> None:
    outcome = decide(None, basic("CP-1", "secret-secret-1234"))
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.reason) == (404, "unknown_charger")


@pytest.mark.parametrize(
    ("offered", "subprotocol"),
    [
        (("ocpp1.6",), "ocpp1.6"),
        ((",ocpp1.6",), "ocpp1.6"),
        (("ocpp2.0.1 , ocpp1.6",), "ocpp2.0.1"),
        (("ocpp1.6", " ocpp2.0.1 "), "ocpp1.6"),
        (("ocpp2.1, ocpp2.0.1, ocpp1.6",), "ocpp2.1"),
        (("ocpp2.0.1,ocpp2.1",), "ocpp2.0.1"),
        (("ocpp2.0, ocpp1.6",), "ocpp1.6"),
        ((",ocpp2.0.1",), "ocpp2.0.1"),
        (("OCPP1.6",), "OCPP1.6"),
        (("ocpp1.5, ocpp1.2",), None),
        ((" , ,",), None),
        ((), None),
    ],
)
def test_subprotocols_as_chargers_send_them(offered: tuple[str, ...], subprotocol: str | None) -> None:
    """The charger's order decides. OCPP.Core#91: KEBA sends `,ocpp2.0.1`."""
    assert negotiate(split_protocols(offered)) == subprotocol


def test_the_echo_is_what_was_offered_and_the_protocol_is_ours() -> None:
    known = charger("secret-secret-1234")
    assert decide(known, basic("CP-1", "secret-secret-1234"), ("OCPP1.6",)) == Accepted(known, "ocpp1.6", "OCPP1.6")


def test_a_foreign_subprotocol_is_refused_even_where_none_is_accepted() -> None:
    known = charger("secret-secret-1234", accepts_missing=True)
    outcome = decide(known, basic("CP-1", "secret-secret-1234"), ("ocpp1.5",))
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.reason) == (400, "subprotocol_unsupported")


def test_the_switch_for_chargers_that_offer_none() -> None:
    authorization = basic("CP-1", "secret-secret-1234")
    refused = decide(charger("secret-secret-1234"), authorization, ())
    assert isinstance(refused, Refused)
    assert (refused.status, refused.reason) == (400, "subprotocol_missing")
    known = charger("secret-secret-1234", accepts_missing=True)
    assert decide(known, authorization, ()) == Accepted(
        known,
        "ocpp1.6",
        None,
        oddities=(("subprotocol_assumed", "The charger offered no subprotocol; ocpp1.6 is spoken."),),
    )


def test_the_password_is_checked_before_the_subprotocol() -> None:
    outcome = decide(charger("secret-secret-1234"), basic("CP-1", "wrong"), ("ocpp1.5",))
    assert isinstance(outcome, Refused)
    assert outcome.status == 401


def test_an_accepted_handshake_leaves_no_attempt(site: Site) -> None:
    assert isinstance(site.knock(identity="cp-1"), Accepted)
    assert chargers.list_attempts(site.world.ctx, "org_1", charger_id=None, limit=10, cursor=None).data == []


def test_a_refused_handshake_is_a_row_of_its_operator(site: Site) -> None:
    outcome = site.knock(authorization=basic("CP-1", "wrong"), offered_protocols=["foo, ocpp1.6"])
    assert isinstance(outcome, Refused)
    (attempt,) = chargers.list_attempts(site.world.ctx, "org_1", charger_id="cp-1", limit=10, cursor=None).data
    assert (attempt.charger_id, attempt.status, attempt.reason) == ("CP-1", 401, "password_wrong")
    assert (attempt.source_ip, attempt.offered_protocols) == ("192.0.2.7", ["foo", "ocpp1.6"])
    assert chargers.list_attempts(site.world.ctx, None, charger_id=None, limit=10, cursor=None).data == []


@pytest.mark.parametrize("identity", ["CP-9", "", "../../etc/passwd", "x" * 5000, "ä"])
def test_an_unknown_identity_is_a_row_of_the_platform(site: Site, identity: str) -> None:
    outcome = site.knock(identity=identity)
    assert isinstance(outcome, Refused)
    assert outcome.status == 404
    (attempt,) = chargers.list_attempts(site.world.ctx, None, charger_id=None, limit=10, cursor=None).data
    assert attempt.charger_id == identity[:100]
    assert attempt.operator_id is None


def test_attempts_are_listed_newest_first_in_pages(site: Site) -> None:
    for wrong in range(5):
        site.knock(authorization=basic("CP-1", f"wrong-{wrong}"), source_ip=f"192.0.2.{wrong}")
        site.world.advance(1)
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        page = chargers.list_attempts(site.world.ctx, "org_1", charger_id=None, limit=2, cursor=cursor)
        seen += [attempt.source_ip for attempt in page.data]
        cursor = page.next_cursor
    assert seen == [f"192.0.2.{wrong}" for wrong in (4, 3, 2, 1, 0)]
    assert cursor is None


def test_a_rotated_password_replaces_the_old_one(site: Site) -> None:
    new = site.world.commit(lambda uow: chargers.rotate_password(uow, site.charger, None))
    assert new != site.password
    assert isinstance(site.knock(), Refused)
    assert isinstance(site.knock(authorization=basic("CP-1", new)), Accepted)
