"""Signing in, staying signed in, signing out.

Guesses are counted before they are checked and in commits of their own, so that a refused or parallel request
counts as well; everything else lands in the caller's unit of work.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.identity import model
from chalicelib.identity.model import NO_RIGHTS, AccessClaims, Login, Organization, SignIn, User, email_key
from chalicelib.identity.service import access_tokens
from chalicelib.identity.service.logins import find_login, require_login, set_password
from chalicelib.identity.service.organizations import find_organization
from chalicelib.identity.service.passwords import hash_password, is_outdated, verify_password
from chalicelib.identity.service.rights import rights_of
from chalicelib.identity.store import (
    ATTEMPTS,
    LOGINS,
    SIGN_INS,
    USERS,
    AttemptsRow,
    LoginRow,
    SignInRow,
    attempts_key,
    login_key,
    sign_in_key,
    user_key,
)
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, forbidden, unauthenticated
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit


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


def authenticate(ctx: Context, access_token: str, source_ip: str) -> Actor:
    """The actor behind an access token. Rights are those of this half minute (`rights.py`).

    Raises auth.token_invalid, auth.token_expired (401).
    """
    claims = access_tokens.decode_access_token(ctx, access_token)
    rights = NO_RIGHTS if claims.user_id is None else rights_of(ctx, claims.user_id)
    is_user = bool(rights.permissions)
    return Actor(
        "person",
        login_id=claims.login_id,
        sign_in_id=claims.sign_in_id,
        organization_id=claims.organization_id if is_user else None,
        organization_kind=claims.organization_kind if is_user else None,
        user_id=claims.user_id,
        driver_id=claims.driver_id,
        permissions=rights.permissions,
        region_ids=rights.region_ids,
        vending_point_ids=rights.vending_point_ids,
        source_ip=source_ip,
    )


def sign_in(uow: UnitOfWork, *, email: str, password: str, source_ip: str) -> Tokens:
    """Raises auth.failed (401), auth.too_many_attempts (429), forbidden (403, only to who knows the password)."""
    login = check_credentials(uow, email, password, source_ip)
    person = load_person(uow.ctx, login)
    if person.user is None and login.driver_id is None:
        raise _deactivated()
    if login.password_hash is not None and is_outdated(login.password_hash):
        uow.update(
            LOGINS,
            login_key(login.email),
            [LoginRow.password_hash.set(hash_password(password))],
            condition=LoginRow.password_version == login.password_version,
        )
    return _tokens(uow.ctx, open_sign_in(uow, login), person)


def check_credentials(uow: UnitOfWork, email: str, password: str, source_ip: str) -> Login:
    """The login that the password opens. Raises auth.failed (401), auth.too_many_attempts (429).

    An unknown address takes as long, counts as much and is locked out as soon as a known one.
    """
    ctx = uow.ctx
    by_email, by_ip = f"email#{email_key(email)}", f"ip#{source_ip}"
    if source_ip:
        known = ATTEMPTS.get(ctx, *attempts_key(by_ip))
        model.refuse_beyond(known, ctx.now(), model.MAX_WRONG_PASSWORDS_PER_IP)
    count_attempt(ctx, by_email, model.MAX_WRONG_PASSWORDS, model.LOCK_OUT)
    login = find_login(ctx, email)
    is_right = verify_password(None if login is None else login.password_hash, password)
    if login is None or not is_right:
        if source_ip:
            count_attempt(ctx, by_ip, model.MAX_WRONG_PASSWORDS_PER_IP, model.IP_WINDOW)
        raise unauthenticated("auth.failed", "The e-mail address or the password is wrong.")
    uow.delete(ATTEMPTS, attempts_key(by_email), name="attempts")
    return login


def count_attempt(ctx: Context, subject: str, limit: int, window: timedelta) -> None:
    """Counts one attempt, in a commit of its own. Raises auth.too_many_attempts (429)."""

    def decide(uow: UnitOfWork) -> None:
        known = ATTEMPTS.get(ctx, *attempts_key(subject))
        counted = model.after_attempt(known, subject, ctx.now(), limit, window)
        unchanged = (
            AttemptsRow.pk.does_not_exist()
            if known is None
            else (AttemptsRow.made == known.made) & (AttemptsRow.until == known.until)
        )
        uow.put(ATTEMPTS, counted, condition=unchanged)

    decide_and_commit(ctx, decide)


def open_sign_in(uow: UnitOfWork, login: Login) -> SignIn:
    now = uow.ctx.now()
    opened = SignIn(
        sign_in_id=uow.ctx.new_id("sgn"),
        login_id=login.login_id,
        email=login.email,
        password_version=login.password_version,
        created_at=now,
        rotated_at=now,
        expires_at=int((now + model.SIGN_IN_LIFE).timestamp()),
    )
    uow.create(SIGN_INS, opened)
    return opened


def refresh(uow: UnitOfWork, refresh_token: str) -> Tokens:
    """The next access and refresh token. Raises auth.refresh_invalid (401).

    A token used a second time was stolen from or by its holder: the sign-in ends for both (RFC 9700, 4.14.2).
    """
    ctx = uow.ctx
    sign_in_id, presented = access_tokens.decode_refresh_token(ctx, refresh_token)
    known = SIGN_INS.get(ctx, *sign_in_key(sign_in_id))
    if known is None:
        raise model.refresh_invalid()
    rotated = model.rotate(known, presented, ctx.now())
    login = find_login(ctx, known.email)
    if rotated is None or login is None or login.password_version != known.password_version:
        end_sign_in(ctx, sign_in_id)
        raise model.refresh_invalid()
    person = load_person(ctx, login)
    if person.user is None and login.driver_id is None:
        raise _deactivated()
    if rotated is not known:
        uow.put(SIGN_INS, rotated, condition=SignInRow.generation == known.generation)
    return _tokens(ctx, rotated, person)


def end_sign_in(ctx: Context, sign_in_id: str) -> None:
    """Ends a sign-in at once, whatever becomes of the request."""
    uow = UnitOfWork(ctx)
    sign_out(uow, sign_in_id)
    uow.commit()


def sign_out(uow: UnitOfWork, sign_in_id: str) -> None:
    """Its refresh tokens are void; its access token runs out by itself."""
    uow.delete(SIGN_INS, sign_in_key(sign_in_id))


def change_password(uow: UnitOfWork, actor: Actor, *, old_password: str, new_password: str) -> None:
    """Raises auth.failed (401), auth.too_many_attempts (429), password.too_short (422). Ends every sign-in."""
    email = require_login(uow.ctx, actor.login_id).email
    login = check_credentials(uow, email, old_password, actor.source_ip)
    set_password(uow, login, new_password)


def load_person(ctx: Context, login: Login) -> Person:
    if login.user_id is None:
        return Person(login)
    user = USERS.get(ctx, *user_key(login.user_id))
    organization = None if user is None else find_organization(ctx, user.organization_id)
    if user is None or organization is None or user.state != "active" or organization.state != "active":
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
