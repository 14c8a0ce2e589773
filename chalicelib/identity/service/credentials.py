"""Who somebody is: the name they sign in with, the password, the second factor.

Known and unknown names are treated alike: the same reads and writes, the same time, the same answers. What tells that
a name is known, a second factor or a deactivation, is told only to who knows the password.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.identity import model
from chalicelib.identity.model import Login
from chalicelib.identity.model.logins import SignInName, wrong_password
from chalicelib.identity.model.totp import Totp, totp_invalid, totp_required
from chalicelib.identity.service.guessing import count_attempt, count_wrong_guess, forget_attempts, refuse_guesser
from chalicelib.identity.service.logins import find_login
from chalicelib.identity.service.passwords import verify_password
from chalicelib.identity.service.totp import after_use, find_totp
from chalicelib.identity.service.users import find_user_by_name
from chalicelib.identity.store import USERS, user_key
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, invalid
from chalicelib.kernel.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class Proof:
    """Somebody proved to be who a login opens. `totp` is their second factor as it is after this use; the caller keeps
    it (`totp.keep_use`) or deletes it, in the same commit."""

    login: Login
    totp: Totp | None = None


def find_login_by(ctx: Context, name: SignInName) -> Login | None:
    """The login that a name opens. Unknown user names cost the reads of known ones."""
    if name.kind == "email":
        return find_login(ctx, name.text)
    user = find_user_by_name(ctx, name.text.strip())
    if user is None:
        USERS.get(ctx, *user_key(name.subject))
        return find_login(ctx, name.subject)
    return find_login(ctx, user.email)


def check_credentials(
    uow: UnitOfWork,
    name: SignInName,
    password: str,
    source_ip: str,
    totp_code: str | None = None,
    *,
    second_factor: bool = True,
) -> Proof:
    """Raises auth.failed, auth.totp_required, auth.totp_invalid (401), auth.too_many_attempts (429).

    Each call counts as an attempt until one succeeds, so that the password does not open a way to guess codes.
    """
    ctx = uow.ctx
    refuse_guesser(ctx, source_ip)
    made = count_attempt(ctx, name.subject, model.MAX_WRONG_PASSWORDS, model.LOCK_OUT)
    login = find_login_by(ctx, name)
    is_right = verify_password(None if login is None else login.password_hash, password)
    if login is None or not is_right:
        _count_wrong(ctx, name, source_ip, made)
        raise wrong_password()
    totp = find_totp(ctx, login.login_id) if second_factor else None
    if totp is not None and totp.is_on:
        if totp_code is None:
            raise totp_required()
        totp = after_use(ctx, totp, totp_code)
        if totp is None:
            _count_wrong(ctx, name, source_ip, made)
            raise totp_invalid()
    forget_attempts(uow, name.subject)
    return Proof(login, totp if totp is not None and totp.is_on else None)


def check_again(
    uow: UnitOfWork,
    name: SignInName,
    password: str,
    source_ip: str,
    totp_code: str | None = None,
    *,
    second_factor: bool = True,
    pointer: str = "/password",
) -> Proof:
    """Somebody who is signed in proves it once more. What is wrong is said of the request: clients take a 401 for the
    end of the sign-in.

    Raises auth.password_wrong, auth.totp_required, auth.totp_invalid (422), auth.too_many_attempts (429).
    """
    try:
        return check_credentials(uow, name, password, source_ip, totp_code, second_factor=second_factor)
    except DomainError as error:
        if error.kind is not Kind.UNAUTHENTICATED:
            raise
        if error.code == "auth.failed":
            raise invalid("auth.password_wrong", "The password is wrong.", pointer) from error
        raise invalid(error.code, error.detail, "/totp_code") from error


def _count_wrong(ctx: Context, name: SignInName, source_ip: str, made: int) -> None:
    """The attempt that locks a name is told with the count, for unknown names too."""

    def tell(uow: UnitOfWork) -> None:
        payload = {"kind": name.kind, "text": name.text, "source_ip": source_ip}
        outbox.emit(uow, "sign_in.locked_out", name.subject, payload)

    count_wrong_guess(ctx, source_ip, tell if made >= model.MAX_WRONG_PASSWORDS else None)
