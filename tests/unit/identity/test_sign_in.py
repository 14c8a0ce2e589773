"""Signing in, staying in, getting locked out, and what somebody else's guess may learn: nothing."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable

import jwt
import pytest

from chalicelib.identity import service as identity
from chalicelib.identity.model import MAX_WRONG_PASSWORDS_PER_IP
from chalicelib.identity.service.access_tokens import decode_access_token, decode_refresh_token
from chalicelib.kernel.errors import DomainError
from tests.world import PASSWORD, SECRETS, Reply, World

ADMIN = "root@platform.example"


@pytest.fixture
def admin(world: World) -> str:
    assert identity.ensure_platform_admin(world.ctx, ADMIN, PASSWORD)
    return ADMIN


def _sign_in(world: World, email: str = ADMIN, password: str = PASSWORD, **options: str) -> Reply:
    return world.rest.post("/v1/auth/sessions", {"email": email, "password": password}, **options)


def _refresh(world: World, refresh_token: str) -> Reply:
    return world.rest.post("/v1/auth/refresh", {"refresh_token": refresh_token})


def test_signing_in_gives_tokens_that_open_me(world: World, admin: str) -> None:
    status, tokens = _sign_in(world, email=" ROOT@platform.example ")
    assert status == 201
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 900
    status, me = world.rest.get("/v1/me", token=tokens["access_token"])
    assert status == 200
    assert me["email"] == ADMIN
    assert me["organization"]["kind"] == "platform"
    assert "organizations:create" in me["permissions"]


def test_the_first_start_may_happen_again(world: World, admin: str) -> None:
    assert not identity.ensure_platform_admin(world.ctx, "other@platform.example", "another password")
    assert identity.find_login(world.ctx, "other@platform.example") is None
    assert _sign_in(world).status == 201


def test_the_deployer_chooses_the_first_sign_in_freely(world: World) -> None:
    identity.ensure_platform_admin(world.ctx, "Root@localhost", "toor")
    assert _sign_in(world, "root@localhost", "toor").status == 201


def test_unknown_address_and_wrong_password_are_answered_alike(world: World, admin: str) -> None:
    wrong = _sign_in(world, password="not the password")
    unknown = _sign_in(world, email="nobody@platform.example")
    assert wrong.status == unknown.status == 401
    assert {**wrong.body, "request_id": ""} == {**unknown.body, "request_id": ""}
    assert wrong.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("email", [ADMIN, "nobody@platform.example"])
def test_ten_wrong_passwords_lock_known_and_unknown_addresses(world: World, admin: str, email: str) -> None:
    for _ in range(10):
        assert _sign_in(world, email, "not the password").status == 401
    locked = _sign_in(world, email)
    assert locked.status == 429
    assert locked.body["code"] == "auth.too_many_attempts"
    assert locked.headers["retry-after"] == "900"
    world.advance(900)
    assert _sign_in(world, email).status == (201 if email == ADMIN else 401)


def test_a_right_password_forgets_the_wrong_ones(world: World, admin: str) -> None:
    for _ in range(2):
        for _ in range(9):
            assert _sign_in(world, password="not the password").status == 401
        assert _sign_in(world).status == 201


def test_one_address_guessing_many_logins_is_stopped_and_others_are_not(world: World, admin: str) -> None:
    for number in range(MAX_WRONG_PASSWORDS_PER_IP):
        guess = _sign_in(world, f"user{number}@example.com", "guess guess", source_ip="198.51.100.9")
        assert guess.status == 401
    assert _sign_in(world, source_ip="198.51.100.9").status == 429
    assert _sign_in(world, source_ip="198.51.100.10").status == 201


def test_all_addresses_of_an_ipv6_customer_are_one_guesser(world: World, admin: str) -> None:
    for number in range(MAX_WRONG_PASSWORDS_PER_IP):
        guess = _sign_in(world, f"user{number}@example.com", "guess guess", source_ip=f"2001:db8:1:2::{number:x}")
        assert guess.status == 401
    assert _sign_in(world, source_ip="2001:db8:1:2:ffff::9").status == 429
    assert _sign_in(world, source_ip="2001:db8:1:3::9").status == 201


def test_refresh_tokens_rotate_and_the_lost_answer_is_given_again(world: World, admin: str) -> None:
    first = _sign_in(world).body["refresh_token"]
    second = _refresh(world, first).body["refresh_token"]
    again = _refresh(world, first)
    assert again.status == 200
    assert again.body["refresh_token"] == second != first
    world.advance(31)
    assert _refresh(world, second).status == 200


def test_an_old_refresh_token_ends_the_sign_in_for_thief_and_owner(world: World, admin: str) -> None:
    first = _sign_in(world).body["refresh_token"]
    second = _refresh(world, first).body["refresh_token"]
    world.advance(31)
    stolen = _refresh(world, first)
    assert (stolen.status, stolen.body["code"]) == (401, "auth.refresh_invalid")
    assert _refresh(world, second).status == 401


FORGERIES = {
    "another MAC": lambda token: token[:-1] + ("0" if token[-1] != "0" else "1"),
    "a longer MAC": lambda token: token + "x",
    "another generation": lambda token: token.replace(".1.", ".2.", 1),
    "nothing": lambda token: "",
    "not a number": lambda token: "a.b.c",
    "not ASCII": lambda token: "é.1.é",
}


@pytest.mark.parametrize("change", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forged_refresh_token_is_refused_and_ends_nothing(
    world: World, admin: str, change: Callable[[str], str]
) -> None:
    good = _sign_in(world).body["refresh_token"]
    assert _refresh(world, change(good)).status == 401
    assert _refresh(world, good).status == 200


def test_the_store_holds_nothing_to_sign_in_with(world: World, admin: str) -> None:
    tokens = _sign_in(world).body
    rows = world.engine.execute("Scan", {"TableName": "wattfare-identity"})["Items"]
    text = json.dumps(rows)
    assert PASSWORD not in text
    assert tokens["refresh_token"].rsplit(".", 1)[1] not in text


def test_signing_out_ends_this_device_only(world: World, admin: str) -> None:
    here, there = _sign_in(world).body, _sign_in(world).body
    assert world.rest.delete("/v1/auth/sessions", token=here["access_token"]).status == 204
    again = world.rest.delete("/v1/auth/sessions", token=here["access_token"])
    assert (again.status, again.body["code"]) == (401, "auth.sign_in_ended")
    assert _refresh(world, here["refresh_token"]).status == 401
    assert _refresh(world, there["refresh_token"]).status == 200


def test_an_access_token_ends_by_our_clock(world: World, admin: str) -> None:
    token = _sign_in(world).body["access_token"]
    world.advance(899)
    assert world.rest.get("/v1/me", token=token).status == 200
    world.advance(1)
    expired = world.rest.get("/v1/me", token=token)
    assert (expired.status, expired.body["code"]) == (401, "auth.token_expired")


def _forged(claims: dict[str, object], key: str = SECRETS["access-token-key"], algorithm: str = "HS256") -> str:
    good: dict[str, object] = {"iss": "wattfare", "sub": "lgn_x", "sid": "sgn_x", "iat": 1772438400, "exp": 1772439300}
    payload = {name: value for name, value in {**good, **claims}.items() if value is not None}
    return jwt.encode(payload, key, algorithm=algorithm)


def _unsigned() -> str:
    parts = ({"alg": "none", "typ": "JWT"}, {"iss": "wattfare", "sub": "x", "sid": "x", "iat": 1, "exp": 9999999999})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize(
    "token",
    ["", "x", "a.b.c", _unsigned(), _forged({}, key="another key that is long enough to be one"),
     _forged({}, algorithm="HS512"), _forged({"iss": "somebody"}), _forged({"sid": None}), _forged({"exp": None}),
     _forged({"exp": "soon"}), _forged({"exp": 10**30})],
)  # fmt: skip
def test_access_tokens_that_are_not_ours(world: World, token: str) -> None:
    with pytest.raises(DomainError) as caught:
        decode_access_token(world.ctx, token)
    assert caught.value.code == "auth.token_invalid"


def test_the_forger_of_these_tests_would_succeed_with_the_right_key(world: World) -> None:
    assert decode_access_token(world.ctx, _forged({})).login_id == "lgn_x"


def test_refresh_tokens_name_their_sign_in(world: World, admin: str) -> None:
    login_id, sign_in_id, generation = decode_refresh_token(world.ctx, _sign_in(world).body["refresh_token"])
    assert login_id.startswith("lgn_")
    assert sign_in_id.startswith("sgn_")
    assert generation == 1


def test_changing_the_password_needs_the_old_one_and_signs_everybody_out(world: World, admin: str) -> None:
    tokens = _sign_in(world).body
    change = {"old_password": "not the password", "new_password": "a new password"}
    wrong = world.rest.post("/v1/me/password", change, token=tokens["access_token"])
    # Not 401: clients take that for the end of the sign-in.
    assert (wrong.status, wrong.body["errors"][0]["pointer"]) == (422, "/old_password")
    change["old_password"] = PASSWORD
    short = world.rest.post("/v1/me/password", {**change, "new_password": "short"}, token=tokens["access_token"])
    assert (short.status, short.body["code"]) == (422, "password.too_short")
    assert world.rest.post("/v1/me/password", change, token=tokens["access_token"]).status == 204
    assert _refresh(world, tokens["refresh_token"]).status == 401
    assert _sign_in(world).status == 401
    assert _sign_in(world, password="a new password").status == 201


def test_a_deactivated_user_may_not_stay(world: World) -> None:
    operator = world.operator()
    second = {"email": "bob@operator.example", "full_name": "Bob", "password": PASSWORD}
    bob = world.rest.post("/v1/users", second, token=operator.access_token).body
    tokens = _sign_in(world, "bob@operator.example").body
    patched = world.rest.patch(f"/v1/users/{bob['user_id']}", {"state": "inactive"}, token=operator.access_token)
    assert patched.body["state"] == "inactive"
    assert _refresh(world, tokens["refresh_token"]).status == 403
    assert _sign_in(world, "bob@operator.example").status == 403
    assert _sign_in(world, "bob@operator.example", "wrong password").status == 401


def test_a_deactivated_operator_s_people_may_not_stay(world: World) -> None:
    operator = world.operator()
    path = f"/v1/organizations/{operator.operator_id}"
    assert world.rest.patch(path, {"state": "inactive"}, token=world.platform_admin()).status == 200
    login = identity.find_login(world.ctx, operator.user.email)
    assert login is not None
    assert identity.load_person(world.ctx, login).user is None


def _named(world: World, user_name: str, password: str = PASSWORD, **options: str) -> Reply:
    return world.rest.post("/v1/auth/sessions", {"user_name": user_name, "password": password}, **options)


@pytest.fixture
def bob(world: World) -> str:
    """A user with a user name."""
    new = {"email": "bob@operator.example", "full_name": "Bob", "password": PASSWORD, "user_name": "Bob.Builder"}
    made = world.rest.post("/v1/users", new, token=world.operator().access_token)
    assert made.status == 201, made.body
    return "bob.builder"


@pytest.mark.parametrize("typed", ["Bob.Builder", "BOB.BUILDER", " bob.builder "])
def test_a_user_name_signs_in_however_it_is_cased(world: World, bob: str, typed: str) -> None:
    tokens = _named(world, typed)
    assert tokens.status == 201
    me = world.rest.get("/v1/me", token=tokens.body["access_token"]).body
    assert (me["user_name"], me["email"]) == ("Bob.Builder", "bob@operator.example")


@pytest.mark.parametrize("names", [{}, {"email": ADMIN, "user_name": "root"}, {"email": None, "user_name": None}])
def test_one_signs_in_by_one_name(world: World, names: dict[str, str]) -> None:
    for path, rest in (
        ("/v1/auth/sessions", {"password": PASSWORD}),
        ("/v1/auth/verification-codes", {"purpose": "password_reset"}),
        ("/v1/auth/password-resets", {"code": "123456", "new_password": PASSWORD}),
    ):
        refused = world.rest.post(path, {**names, **rest})
        assert (refused.status, refused.body["code"]) == (422, "sign_in.name")


def test_unknown_user_names_are_answered_and_locked_like_known_ones(world: World, bob: str) -> None:
    for name in (bob, "nobody"):
        answers = [_named(world, name, "not the password") for _ in range(11)]
        assert [answer.status for answer in answers] == [401] * 10 + [429]
        assert {answer.body["code"] for answer in answers[:10]} == {"auth.failed"}
    assert _named(world, "BOB.Builder").status == 429
    assert _sign_in(world, "bob@operator.example").status == 201, "the address has a lock of its own"


@pytest.mark.parametrize("names", [("Bob.Builder", "nobody"), ("bob@operator.example", "nobody@operator.example")])
def test_unknown_names_cost_what_known_ones_do(world: World, bob: str, names: tuple[str, str]) -> None:
    """Reads and writes are the time of an answer, besides the hash."""
    costs = []
    for name in names:
        world.engine.consumed.clear()
        guess = _sign_in(world, name, "not the password") if "@" in name else _named(world, name, "not the password")
        assert guess.status == 401
        costs.append(dict(world.engine.consumed))
    assert costs[0] == costs[1]


def test_a_password_forgotten_by_who_has_a_user_name(world: World, bob: str) -> None:
    def ask(user_name: str, purpose: str = "password_reset") -> Reply:
        return world.rest.post("/v1/auth/verification-codes", {"user_name": user_name, "purpose": purpose})

    assert ask(bob).body == ask("nobody").body == {"resend_after_s": 60}
    refused = ask(bob, "sign_up")
    assert (refused.status, refused.body["code"]) == (422, "sign_in.name")
    world.run_events()
    [mail] = world.mails(to="bob@operator.example")
    [code] = re.findall(r"\b\d{6}\b", mail.text or "")
    for _ in range(10):
        _named(world, bob, "not the password")
    reset = {"user_name": "Bob.Builder", "code": code, "new_password": "a new password"}
    assert world.rest.post("/v1/auth/password-resets", {**reset, "user_name": "nobody"}).status == 422
    assert world.rest.post("/v1/auth/password-resets", reset).status == 204
    assert _named(world, bob, "a new password").status == 201, "the lock-out is over, too"
