"""Signing in, staying signed in, signing out.

Guesses are counted before they are checked and in commits of their own (`guessing.py`), so that a refused or parallel
request counts as well; everything else lands in the caller's unit of work.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.identity import model
from chalicelib.identity.model import AccessClaims, Login, Organization, SignIn, User
from chalicelib.identity.model.logins import Device, SignInName
from chalicelib.identity.service import access_tokens
from chalicelib.identity.service.auditing import record_of_person
from chalicelib.identity.service.credentials import check_again, check_credentials
from chalicelib.identity.service.logins import find_login, require_login, set_password
from chalicelib.identity.service.organizations import find_organization
from chalicelib.identity.service.passwords import hash_password, is_outdated
from chalicelib.identity.service.rights import is_working
from chalicelib.identity.service.sign_ins import end_sign_ins, find_sign_in, open_sign_in, sign_out
from chalicelib.identity.service.totp import keep_use
from chalicelib.identity.store import USERS, user_key
from chalicelib.identity.store.logins import LOGINS, SIGN_INS, LoginRow, SignInRow, login_key
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, forbidden
from chalicelib.kernel.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Tokens:
    """What a client is given: the access token for `expires_in_s`, the refresh token for the next one."""

    access_token: str
    refresh_token: str
    expires_in_s: int


@dataclass(frozen=True)
class Person:
    """Whom a login opens at this moment; the user only while it and its organisation are active."""

    login: Login
    user: User | None = None
    organization: Organization | None = None


def sign_in(
    uow: UnitOfWork, name: SignInName, *, password: str, totp_code: str | None = None, device: Device | None = None
) -> Tokens:
    """Raises auth.failed, auth.totp_required, auth.totp_invalid (401), auth.too_many_attempts (429), forbidden (403,
    only to who knows the password)."""
    device = device or Device()
    proof = check_credentials(uow, name, password, device.source_ip, totp_code)
    login = proof.login
    person = load_person(uow.ctx, login)
    if person.user is None and login.driver_id is None:
        raise _deactivated()
    keep_use(uow, proof.totp)
    if login.password_hash is not None and is_outdated(login.password_hash):
        uow.update(
            LOGINS,
            login_key(login.email),
            [LoginRow.password_hash.set(hash_password(password))],
            condition=LoginRow.password_version == login.password_version,
        )
    opened = open_sign_in(uow, login, device)
    if person.user is not None:
        facts = {"sign_in_id": opened.sign_in_id, "device": device.label, "second_factor": proof.totp is not None}
        record_of_person(uow, "sign_in", login, person.user, device.source_ip, facts)
    return _tokens(uow.ctx, opened, person)


def refresh(uow: UnitOfWork, refresh_token: str, device: Device | None = None) -> Tokens:
    """The next access and refresh token. Raises auth.refresh_invalid (401).

    A token used a second time was stolen from or by its holder: the sign-in ends for both (RFC 9700, 4.14.2).
    """
    ctx = uow.ctx
    login_id, sign_in_id, presented = access_tokens.decode_refresh_token(ctx, refresh_token)
    known = find_sign_in(ctx, login_id, sign_in_id)
    if known is None:
        raise model.refresh_invalid()
    rotated = model.rotate(known, presented, ctx.now(), device)
    login = find_login(ctx, known.email)
    # A login that was deleted and made again has the same address, and is another.
    is_same = login is not None and login.login_id == login_id
    if rotated is None or login is None or not is_same or login.password_version != known.password_version:
        end_now(ctx, login_id, sign_in_id)
        raise model.refresh_invalid()
    person = load_person(ctx, login)
    if person.user is None and login.driver_id is None:
        raise _deactivated()
    if rotated is not known:
        unchanged = (SignInRow.generation == known.generation) & SignInRow.ended_at.does_not_exist()
        uow.put(SIGN_INS, rotated, condition=unchanged)
    return _tokens(ctx, rotated, person)


def end_now(ctx: Context, login_id: str, sign_in_id: str) -> None:
    """Ends a sign-in at once, whatever becomes of the request."""
    uow = UnitOfWork(ctx)
    sign_out(uow, login_id, sign_in_id)
    uow.commit()


def change_password(uow: UnitOfWork, actor: Actor, *, old_password: str, new_password: str) -> Login:
    """Raises auth.password_wrong, password.too_short (422), auth.too_many_attempts (429). Ends every sign-in.

    A wrong password is no 401: clients take that for the end of the sign-in."""
    name = SignInName("email", require_login(uow.ctx, actor.login_id).email)
    proof = check_again(uow, name, old_password, actor.source_ip, second_factor=False, pointer="/old_password")
    login = proof.login
    set_password(uow, login, new_password)
    end_sign_ins(uow, login.login_id)
    return login


def load_person(ctx: Context, login: Login) -> Person:
    if login.user_id is None:
        return Person(login)
    user = USERS.get(ctx, *user_key(login.user_id))
    organization = None if user is None else find_organization(ctx, user.organization_id)
    if user is None or organization is None or user.state != "active" or not is_working(ctx, organization):
        return Person(login)
    return Person(login, user, organization)


def claims_of(person: Person, sign_in_id: str, now: datetime) -> AccessClaims:
    claims = AccessClaims(
        login_id=person.login.login_id,
        sign_in_id=sign_in_id,
        issued_at=now,
        expires_at=now + model.ACCESS_TOKEN_LIFE,
        driver_id=person.login.driver_id,
    )
    if person.user is None or person.organization is None:
        return claims
    return replace(
        claims,
        user_id=person.user.user_id,
        organization_id=person.organization.organization_id,
        organization_kind=person.organization.kind,
    )


def _tokens(ctx: Context, opened: SignIn, person: Person) -> Tokens:
    return Tokens(
        access_token=access_tokens.encode_access_token(ctx, claims_of(person, opened.sign_in_id, ctx.now())),
        refresh_token=access_tokens.encode_refresh_token(ctx, opened),
        expires_in_s=int(model.ACCESS_TOKEN_LIFE.total_seconds()),
    )


def _deactivated() -> DomainError:
    return forbidden("This sign-in has been deactivated.")
