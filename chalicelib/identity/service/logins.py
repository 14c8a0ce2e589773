"""Logins: one per e-mail address, opening a user, a driver, or both."""

from __future__ import annotations

from chalicelib.identity.model import Login, LoginPointer, check_email, check_password, code_invalid, email_key
from chalicelib.identity.service.passwords import hash_password, verify_password
from chalicelib.identity.store.logins import (
    LOGIN_POINTERS,
    LOGINS,
    LoginRow,
    login_key,
    login_pointer_key,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, StaleRead, conflict, unauthenticated
from chalicelib.kernel.unit_of_work import UnitOfWork


def find_login(ctx: Context, email: str) -> Login | None:
    return LOGINS.get(ctx, *login_key(email))


def require_login(ctx: Context, login_id: str) -> Login:
    """The login of a signed-in person. Raises auth.login_gone (401)."""
    pointer = LOGIN_POINTERS.get(ctx, *login_pointer_key(login_id))
    login = None if pointer is None else find_login(ctx, pointer.email)
    if login is None:
        raise unauthenticated("auth.login_gone", "This sign-in no longer exists.")
    return login


def create_driver_login(uow: UnitOfWork, *, email: str, password: str | None, driver_id: str) -> str:
    """Opens a driver by an address whose owner asks for it (the caller verified a code). Returns the login id.

    An address that already opens a driver gets the error of a wrong code. One that opens a user is extended if the
    password is that of the existing login (else login.password_differs, 409): a second one would shut the user out.
    """
    email = check_email(email)
    if password is not None:
        check_password(password)
    known = find_login(uow.ctx, email)
    if known is None:
        return add_login(uow, email, password, driver_id=driver_id).login_id
    if known.driver_id is not None:
        raise code_invalid()
    if password is not None and not verify_password(known.password_hash, password):
        raise conflict(
            "login.password_differs", "This address already signs in to an organisation; use its password here too."
        )
    uow.update(
        LOGINS,
        login_key(email),
        [LoginRow.driver_id.set(driver_id)],
        condition=LoginRow.pk.exists() & LoginRow.driver_id.does_not_exist(),
        on_conflict=StaleRead("The login"),
    )
    return known.login_id


def attach_user(uow: UnitOfWork, *, email: str, password: str | None, user_id: str, pointer: str = "/email") -> str:
    """Opens a user by an address. Returns the login id. Raises user.email_taken, user.password_not_settable (409).

    Somebody else's password is never replaced: for an address that already signs in, none may be given.
    """
    known = find_login(uow.ctx, email)
    if known is None:
        return add_login(uow, email, password, user_id=user_id).login_id
    if known.user_id is not None:
        raise email_taken(pointer)
    if password is not None:
        raise conflict(
            "user.password_not_settable", "This address already signs in with its own password; leave it out."
        )
    uow.update(
        LOGINS,
        login_key(email),
        [LoginRow.user_id.set(user_id)],
        condition=LoginRow.pk.exists() & LoginRow.user_id.does_not_exist(),
        on_conflict=StaleRead("The login"),
    )
    return known.login_id


def email_taken(pointer: str = "/email") -> DomainError:
    return conflict("user.email_taken", "This e-mail address already belongs to a user.", pointer)


def add_login(
    uow: UnitOfWork,
    email: str,
    password: str | None,
    *,
    login_id: str = "",
    user_id: str | None = None,
    driver_id: str | None = None,
) -> Login:
    """Adds a login for an address that has none (both checked by the caller); a lost race is decided again."""
    login = Login(
        login_id=login_id or uow.ctx.new_id("lgn"),
        email=email_key(email),
        created_at=uow.ctx.now(),
        password_hash=None if password is None else hash_password(password),
        user_id=user_id,
        driver_id=driver_id,
    )
    uow.create(LOGINS, login)
    uow.create(LOGIN_POINTERS, LoginPointer(login.login_id, login.email))
    return login


def set_password(uow: UnitOfWork, login: Login, password: str) -> None:
    """Replaces the password and voids every refresh token of the one before."""
    uow.update(
        LOGINS,
        login_key(login.email),
        [
            LoginRow.password_hash.set(hash_password(check_password(password))),
            LoginRow.password_version.set(login.password_version + 1),
        ],
        condition=LoginRow.password_version == login.password_version,
        name="login",
    )


def close_driver_login(uow: UnitOfWork, login: Login) -> None:
    """Takes the driver from a login; one that opens nobody any more is gone, and its address free."""
    unchanged = (LoginRow.password_version == login.password_version) & (LoginRow.driver_id == login.driver_id)
    if login.user_id is not None:
        uow.update(
            LOGINS,
            login_key(login.email),
            [LoginRow.driver_id.remove()],
            condition=unchanged & (LoginRow.user_id == login.user_id),
            name="login",
        )
        return
    uow.delete(LOGINS, login_key(login.email), condition=unchanged & LoginRow.user_id.does_not_exist(), name="login")
    uow.delete(LOGIN_POINTERS, login_pointer_key(login.login_id), name="login pointer")
