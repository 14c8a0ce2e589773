"""Verification codes: who gets one, how often, how many guesses, and that none of it tells who is known."""

from __future__ import annotations

import re

import pytest

from chalicelib.identity import service as identity
from chalicelib.identity.model import MAX_CODES_PER_IP
from chalicelib.kernel.errors import DomainError
from tests.world import PASSWORD, Reply, World

DRIVER = "dora@driver.example"


def _ask(world: World, email: str, purpose: str = "sign_up", **options: str) -> Reply:
    return world.rest.post("/v1/auth/verification-codes", {"email": email, "purpose": purpose}, **options)


def _mailed_code(world: World, email: str) -> str:
    world.run_events()
    found = re.search(r"\b\d{6}\b", world.mails(to=email)[0].text or "")
    assert found
    return found[0]


def _verify(world: World, email: str, code: str, purpose: str = "sign_up") -> bool:
    try:
        world.commit(lambda uow: identity.verify_code(uow, email=email, purpose=purpose, code=code))  # type: ignore[arg-type]
    except DomainError as error:
        if error.code != "verification.code_invalid":
            raise
        return False
    return True


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_a_code_is_mailed_and_good_once(world: World) -> None:
    assert _ask(world, " New@Driver.example").status == 202
    code = _mailed_code(world, "new@driver.example")
    assert _verify(world, "NEW@driver.example", f" {code} ")
    assert not _verify(world, "new@driver.example", code)


def test_a_code_is_for_one_address_and_one_purpose(world: World) -> None:
    _ask(world, "a@driver.example")
    code = _mailed_code(world, "a@driver.example")
    _ask(world, "b@driver.example")
    assert not _verify(world, "b@driver.example", code) or code == _mailed_code(world, "b@driver.example")
    assert not _verify(world, "a@driver.example", code, "password_reset")
    assert _verify(world, "a@driver.example", code)


def test_five_tries_and_the_right_code_is_too_late(world: World) -> None:
    _ask(world, DRIVER)
    code = _mailed_code(world, DRIVER)
    for _ in range(5):
        assert not _verify(world, DRIVER, _wrong(code))
    assert not _verify(world, DRIVER, code)


def test_the_fifth_try_may_still_be_right(world: World) -> None:
    _ask(world, DRIVER)
    code = _mailed_code(world, DRIVER)
    for _ in range(4):
        assert not _verify(world, DRIVER, _wrong(code))
    assert _verify(world, DRIVER, code)


def test_a_code_dies_after_ten_minutes(world: World) -> None:
    _ask(world, DRIVER)
    code = _mailed_code(world, DRIVER)
    world.advance(600)
    assert not _verify(world, DRIVER, code)


def test_a_use_that_is_not_committed_leaves_the_code_good(world: World) -> None:
    _ask(world, DRIVER)
    code = _mailed_code(world, DRIVER)

    def fails(uow: object) -> None:
        identity.verify_code(uow, email=DRIVER, purpose="sign_up", code=code)  # type: ignore[arg-type]
        raise RuntimeError("the rest of the sign-up failed")

    with pytest.raises(RuntimeError):
        world.commit(fails)
    assert _verify(world, DRIVER, code)


def test_the_second_click_sends_no_second_mail(world: World) -> None:
    assert _ask(world, DRIVER).body == {"resend_after_s": 60}
    world.advance(20)
    assert _ask(world, DRIVER).body == {"resend_after_s": 40}
    first = _mailed_code(world, DRIVER)
    assert len(world.mails(to=DRIVER)) == 1
    world.advance(40)
    _ask(world, DRIVER)
    second = _mailed_code(world, DRIVER)
    assert len(world.mails(to=DRIVER)) == 2
    assert not _verify(world, DRIVER, first) or first == second


@pytest.mark.parametrize("purpose", ["sign_up", "password_reset"])
def test_known_and_unknown_addresses_are_answered_alike(world: World, purpose: str) -> None:
    world.driver_token("drv_1", DRIVER)
    known, unknown = _ask(world, DRIVER, purpose), _ask(world, "nobody@driver.example", purpose)
    assert (known.status, known.body) == (unknown.status, unknown.body) == (202, {"resend_after_s": 60})


def test_a_driver_who_signs_up_again_is_told_and_gets_no_code(world: World) -> None:
    world.driver_token("drv_1", DRIVER)
    _ask(world, DRIVER)
    world.run_events()
    (mail,) = world.mails(to=DRIVER)
    assert mail.subject == "You already have a sign-in"
    assert not re.search(r"\d{6}", mail.text or "")


def test_nobody_is_mailed_for_a_reset_of_an_unknown_address(world: World) -> None:
    _ask(world, "nobody@driver.example", "password_reset")
    world.run_events()
    assert world.mails() == []


@pytest.mark.parametrize("typed", ["\u212aim@platform.example", "kim@platform.e\u212aample"])
def test_a_code_goes_to_the_mailbox_that_is_known(world: World, typed: str) -> None:
    """The Kelvin sign is a k in lower case: the same address to us, and somebody else's mailbox."""
    known = typed.lower()
    assert known.isascii()
    identity.ensure_platform_admin(world.ctx, known, None)
    assert _ask(world, typed, "password_reset").status == 202
    world.run_events()
    assert [mail.to for mail in world.mails(to=known)] == [(known,)]


def test_one_ip_cannot_have_the_world_mailed(world: World) -> None:
    for number in range(MAX_CODES_PER_IP):
        assert _ask(world, f"user{number}@driver.example").status == 202
    refused = _ask(world, "one-more@driver.example")
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) > 0
    assert _ask(world, "one-more@driver.example", source_ip="198.51.100.1").status == 202


def _reset(world: World, code: str, password: str = "a new password", email: str = DRIVER) -> Reply:
    body = {"email": email, "code": code, "new_password": password}
    return world.rest.post("/v1/auth/password-resets", body)


def test_a_reset_sets_the_password_ends_sign_ins_and_the_lock_out(world: World) -> None:
    world.commit(lambda uow: identity.create_driver_login(uow, email=DRIVER, password=PASSWORD, driver_id="drv_1"))
    sign_in = {"email": DRIVER, "password": PASSWORD}
    tokens = world.rest.post("/v1/auth/sessions", sign_in).body
    for _ in range(10):
        world.rest.post("/v1/auth/sessions", {**sign_in, "password": "not the password"})
    _ask(world, DRIVER, "password_reset")
    code = _mailed_code(world, DRIVER)
    assert _reset(world, _wrong(code)).status == 422
    too_short = _reset(world, code, "short")
    assert (too_short.status, too_short.body["errors"][0]["pointer"]) == (422, "/new_password")
    assert _reset(world, code).status == 204
    assert _reset(world, code).status == 422
    assert world.rest.post("/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]}).status == 401
    assert world.rest.post("/v1/auth/sessions", sign_in).status == 401
    assert world.rest.post("/v1/auth/sessions", {**sign_in, "password": "a new password"}).status == 201


def test_a_reset_of_an_unknown_address_looks_like_a_wrong_code(world: World) -> None:
    refused = _reset(world, "123456", email="nobody@driver.example")
    assert (refused.status, refused.body["code"]) == (422, "verification.code_invalid")
