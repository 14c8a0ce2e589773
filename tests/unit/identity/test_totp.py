"""The second factor: RFC 6238, set up, used once per code, and what an attacker with the password gets: nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.identity import service as identity
from chalicelib.identity.model.logins import SignInName
from chalicelib.identity.model.totp import Totp, after_code, code_at, matching_step, step_of, typed_code
from chalicelib.identity.service.sealing import seal, unseal
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.identity.doors import ADMIN, Authenticator, colleague, first_admin, log, sign_in, turn_on
from tests.world import PASSWORD, World

RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_VECTORS = [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
               (2000000000, "279037"), (20000000000, "353130")]  # fmt: skip
"""RFC 6238, appendix B, SHA-1: the last six of eight digits."""
moments = st.integers(1_577_836_800, 3_786_912_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@pytest.mark.parametrize(("seconds", "code"), RFC_VECTORS)
def test_the_vectors_of_the_rfc(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert code_at(RFC_SECRET, step_of(now)) == code
    assert matching_step(RFC_SECRET, code, now) == seconds // 30


@given(now=moments, late_s=st.integers(-200, 200))
def test_a_code_is_good_in_its_step_and_beside_it(now: datetime, late_s: int) -> None:
    code = code_at(RFC_SECRET, step_of(now))
    then = now + timedelta(seconds=late_s)
    near = abs(step_of(then) - step_of(now)) <= 1
    # A far step may have the same six digits, once in a million.
    assert (matching_step(RFC_SECRET, code, then) == step_of(now)) == near


@given(now=moments, later_s=st.lists(st.integers(0, 90), max_size=5))
def test_no_code_is_good_twice(now: datetime, later_s: list[int]) -> None:
    code = code_at(RFC_SECRET, step_of(now))
    used = after_code(Totp("lgn_1", "", now), RFC_SECRET, code, now)
    assert used is not None
    for seconds in later_s:
        assert after_code(used, RFC_SECRET, code, now + timedelta(seconds=seconds)) is None


def test_a_code_is_compared_as_people_type_it() -> None:
    assert typed_code(" 123 456 ") == "123456"
    assert typed_code("ABCDE-fghjk") == "abcdefghjk"


@pytest.fixture
def token(world: World) -> str:
    first_admin(world)
    return str(sign_in(world).body["access_token"])


def test_it_is_set_up_with_the_password_and_the_first_code(world: World, token: str) -> None:
    wrong = world.rest.post("/v1/me/totp", {"password": "not the password"}, token=token)
    assert (wrong.status, wrong.body["code"]) == (422, "auth.password_wrong")
    begun = world.rest.post("/v1/me/totp", {"password": PASSWORD}, token=token)
    assert begun.status == 201
    query = parse_qs(urlsplit(begun.body["otpauth_uri"]).query)
    assert query["secret"] == [begun.body["secret"]]
    assert begun.body["qr_code"].startswith("data:image/svg+xml")
    assert world.rest.get("/v1/me/totp", token=token).body["state"] == "pending"
    assert sign_in(world).status == 201, "what waits for its first code asks nobody for one"

    app = Authenticator(world, begun.body["secret"])
    refused = world.rest.post("/v1/me/totp/confirmation", {"code": app.wrong_code()}, token=token)
    assert (refused.status, refused.body["code"]) == (422, "totp.code_wrong")
    confirmed = world.rest.post("/v1/me/totp/confirmation", {"code": app.code()}, token=token)
    assert confirmed.status == 201
    assert len(set(confirmed.body["recovery_codes"])) == 10
    state = world.rest.get("/v1/me/totp", token=token).body
    assert (state["state"], state["recovery_codes_left"]) == ("on", 10)
    world.run_events()
    assert world.mails(to=ADMIN)[0].subject == "Your sign-in now needs a second factor"


def test_a_set_up_that_nobody_finishes_is_void(world: World, token: str) -> None:
    begun = world.rest.post("/v1/me/totp", {"password": PASSWORD}, token=token)
    world.advance(14 * 60)
    token = str(sign_in(world).body["access_token"])
    world.advance(61)
    late = world.rest.post(
        "/v1/me/totp/confirmation", {"code": Authenticator(world, begun.body["secret"]).code()}, token=token
    )
    assert (late.status, late.body["code"]) == (409, "totp.not_begun")
    assert world.rest.get("/v1/me/totp", token=token).body["state"] == "off"


def test_beginning_again_voids_the_secret_before(world: World, token: str) -> None:
    first = Authenticator(world, world.rest.post("/v1/me/totp", {"password": PASSWORD}, token=token).body["secret"])
    second = Authenticator(world, world.rest.post("/v1/me/totp", {"password": PASSWORD}, token=token).body["secret"])
    assert world.rest.post("/v1/me/totp/confirmation", {"code": first.code()}, token=token).status == 422
    assert world.rest.post("/v1/me/totp/confirmation", {"code": second.code()}, token=token).status == 201
    again = world.rest.post("/v1/me/totp", {"password": PASSWORD}, token=token)
    assert (again.status, again.body["code"]) == (409, "totp.on")


def test_signing_in_takes_the_password_first_and_then_the_code(world: World, token: str) -> None:
    app, _ = turn_on(world, token)
    assert sign_in(world, password="not the password", totp_code=app.next_code()).body["code"] == "auth.failed"
    alone = sign_in(world)
    assert (alone.status, alone.body["code"]) == (401, "auth.totp_required")
    assert sign_in(world, totp_code=app.code()).status == 201


def test_a_code_signs_in_once(world: World, token: str) -> None:
    app, _ = turn_on(world, token)
    assert sign_in(world, totp_code=app.code()).body["code"] == "auth.totp_invalid", "it turned the factor on"
    code = app.next_code()
    assert sign_in(world, totp_code=code).status == 201
    assert sign_in(world, totp_code=code).body["code"] == "auth.totp_invalid"
    assert sign_in(world, totp_code=app.code(1)).status == 201, "a clock that is a step ahead"
    assert sign_in(world, totp_code=app.code()).body["code"] == "auth.totp_invalid", "none before the last"


def test_of_two_who_use_a_code_at_once_one_is_in(world: World, token: str) -> None:
    app, _ = turn_on(world, token)
    code = app.next_code()
    others: list[int] = []

    def decide(uow: UnitOfWork) -> None:
        identity.sign_in(uow, SignInName("email", ADMIN), password=PASSWORD, totp_code=code)
        if not others:
            others.append(sign_in(world, totp_code=code).status)

    with pytest.raises(DomainError, match=r"auth\.totp_invalid"):
        world.commit(decide)
    assert others == [201]


def test_wrong_codes_lock_the_sign_in_though_the_password_is_right(world: World, token: str) -> None:
    app, _ = turn_on(world, token)
    for _ in range(10):
        assert sign_in(world, totp_code=app.wrong_code()).status == 401
    locked = sign_in(world, totp_code=app.next_code())
    assert (locked.status, locked.body["code"]) == (429, "auth.too_many_attempts")
    world.advance(900)
    assert sign_in(world, totp_code=app.code()).status == 201


def test_a_recovery_code_is_good_once_and_new_ones_void_the_old(world: World, token: str) -> None:
    app, codes = turn_on(world, token)
    assert sign_in(world, totp_code=codes[0].upper()).status == 201
    assert sign_in(world, totp_code=codes[0]).body["code"] == "auth.totp_invalid"
    assert world.rest.get("/v1/me/totp", token=token).body["recovery_codes_left"] == 9
    proof = {"password": PASSWORD, "totp_code": app.next_code()}
    fresh = world.rest.post("/v1/me/totp/recovery-codes", proof, token=token)
    assert fresh.status == 201
    assert sign_in(world, totp_code=codes[1]).body["code"] == "auth.totp_invalid"
    assert sign_in(world, totp_code=fresh.body["recovery_codes"][1].replace("-", " ")).status == 201
    assert sign_in(world, totp_code=proof["totp_code"]).body["code"] == "auth.totp_invalid"


def test_it_is_turned_off_with_password_and_code(world: World, token: str) -> None:
    app, _ = turn_on(world, token)

    def turn_off(password: str, code: str) -> str:
        proof = {"password": password, "totp_code": code}
        answer = world.rest.request("DELETE", "/v1/me/totp", proof, token=token)
        return "" if answer.body is None else str(answer.body["code"])

    assert turn_off(PASSWORD, app.wrong_code()) == "auth.totp_invalid"
    assert turn_off("not the password", app.next_code()) == "auth.password_wrong"
    assert sign_in(world).body["code"] == "auth.totp_required"
    assert turn_off(PASSWORD, app.code()) == ""
    assert sign_in(world).status == 201
    assert turn_off(PASSWORD, app.next_code()) == "totp.off"
    world.run_events()
    assert "turned off" in world.mails(to=ADMIN)[0].subject


def test_a_new_password_leaves_it_on(world: World, token: str) -> None:
    app, _ = turn_on(world, token)
    change = {"old_password": PASSWORD, "new_password": "a new password"}
    assert world.rest.post("/v1/me/password", change, token=token).status == 204
    assert sign_in(world, password="a new password").body["code"] == "auth.totp_required"
    assert sign_in(world, password="a new password", totp_code=app.next_code()).status == 201


def test_drivers_have_it_too(world: World) -> None:
    token = world.driver_token("drv_1", "dora@driver.example")
    none = world.rest.post("/v1/me/totp", {"password": PASSWORD}, token=token)
    assert none.status == 422, "a login without a password proves nothing"


def test_the_store_keeps_neither_the_secret_nor_the_codes(world: World, token: str) -> None:
    app, codes = turn_on(world, token)
    text = json.dumps(world.engine.execute("Scan", {"TableName": "wattfare-identity"})["Items"])
    assert app.secret not in text
    assert not any(code in text or code.replace("-", "") in text for code in codes)


def test_what_was_sealed_for_one_opens_for_no_other(world: World) -> None:
    from cryptography.exceptions import InvalidTag

    sealed = seal(world.ctx, "totp", "lgn_1", "secret")
    assert unseal(world.ctx, "totp", "lgn_1", sealed) == "secret"
    assert seal(world.ctx, "totp", "lgn_1", "secret") != sealed
    for purpose, subject in (("totp", "lgn_2"), ("other", "lgn_1")):
        with pytest.raises(InvalidTag):
            unseal(world.ctx, purpose, subject, sealed)


def test_administrators_reset_their_people_s_and_never_their_own(world: World) -> None:
    operator = world.operator()
    bob = colleague(world, operator)
    turn_on(world, world.sign_in("bob@operator.example"))
    path = f"/v1/users/{bob['user_id']}/totp"
    assert world.rest.delete(path, token=world.operator().access_token).status == 404
    assert world.rest.delete(path, token=operator.access_token).status == 204
    assert sign_in(world, "bob@operator.example").status == 201
    assert world.rest.delete(path, token=operator.access_token).status == 204, "the second click changes nothing"
    assert ("reset_user_totp", {"second_factor": "off"}) in log(world, operator.operator_id)
    own = world.rest.delete(f"/v1/users/{operator.user.user_id}/totp", token=operator.access_token)
    assert (own.status, own.body["code"]) == (409, "user.own_totp")
    world.run_events()
    assert "turned off" in world.mails(to="bob@operator.example")[0].subject


def test_nobody_resets_who_may_do_more(world: World) -> None:
    operator = world.operator()
    group = {"name": "People", "permissions": ["users:read", "users:write"]}
    people = world.rest.post("/v1/user-groups", group, token=operator.access_token).body["group_id"]
    colleague(world, operator, groups=[people])
    boss = colleague(world, operator, "eva@operator.example")
    turn_on(world, world.sign_in("eva@operator.example"))
    refused = world.rest.delete(f"/v1/users/{boss['user_id']}/totp", token=world.sign_in("bob@operator.example"))
    assert refused.status in (403, 422), refused.body
    assert sign_in(world, "eva@operator.example").body["code"] == "auth.totp_required"


def test_it_is_in_the_log(world: World, token: str) -> None:
    app, _ = turn_on(world, token)
    world.rest.request("DELETE", "/v1/me/totp", {"password": PASSWORD, "totp_code": app.next_code()}, token=token)
    me = world.rest.get("/v1/me", token=token).body
    told = log(world, me["organization"]["organization_id"])
    assert ("confirm_totp", {"second_factor": "on"}) in told
    assert ("remove_totp", {"second_factor": "off"}) in told
    assert app.secret not in str(told)
