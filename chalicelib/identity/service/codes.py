"""Verification codes: six digits by e-mail that prove who reads the mail of an address.

Nobody learns from them whether an address is known: known and unknown ones are answered alike, and the same writes
are made for both. Tries are counted before they are checked, in commits of their own.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace

from pynamodb.expressions.condition import Condition

from chalicelib.identity import model
from chalicelib.identity.model import CodePurpose, VerificationCode, check_email, check_password, code_invalid
from chalicelib.identity.model.logins import SignInName
from chalicelib.identity.service.access_tokens import keyed_hash
from chalicelib.identity.service.auditing import record_of_person
from chalicelib.identity.service.credentials import find_login_by
from chalicelib.identity.service.guessing import count_attempt, forget_attempts
from chalicelib.identity.service.logins import set_password
from chalicelib.identity.service.sign_ins import end_sign_ins
from chalicelib.identity.store import USERS, user_key
from chalicelib.identity.store.logins import (
    CODES,
    VerificationCodeRow,
    code_key,
)
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.unit_of_work import UnitOfWork


def request_code(uow: UnitOfWork, name: SignInName, *, purpose: CodePurpose, language: str, source_ip: str) -> int:
    """Has a code mailed unless one was just now. Returns the seconds until another may be asked for.

    A user name is only for the password of who has one. Raises email.invalid, sign_in.name (422),
    auth.too_many_attempts (429, by IP).
    """
    ctx = uow.ctx
    now = ctx.now()
    if name.kind == "email":
        name = replace(name, text=check_email(name.text))
    elif purpose == "sign_up":
        raise invalid("sign_in.name", "One signs up with an e-mail address.", "/user_name")
    known = CODES.get(ctx, *code_key(name.code_subject, purpose))
    if wait_s := model.wait_before_code_s(known, now):
        return wait_s
    if source_ip:
        count_attempt(ctx, f"code_ip#{model.network_of(source_ip)}", model.MAX_CODES_PER_IP, model.CODE_IP_WINDOW)
    code = f"{secrets.randbelow(10**model.CODE_DIGITS):0{model.CODE_DIGITS}d}"
    row = model.next_code(known, name.code_subject, purpose, _hash(ctx, name.code_subject, purpose, code), now)
    unchanged: Condition = VerificationCodeRow.pk.does_not_exist()
    if known is not None:
        unchanged = VerificationCodeRow.issued_at == known.issued_at
    uow.put(CODES, row, condition=unchanged)
    _emit(uow, row, name, code, language)
    return model.wait_before_code_s(row, now)


def _emit(uow: UnitOfWork, row: VerificationCode, name: SignInName, code: str, language: str) -> None:
    login = find_login_by(uow.ctx, name)
    # Never to what was typed, where it is known: two addresses may be the same to us (`email_key`) and two mailboxes.
    email = name.text if login is None else login.email
    payload = {"email": email, "purpose": row.purpose, "language": language}
    withheld = login is None if row.purpose == "password_reset" else login is not None and login.driver_id is not None
    if withheld:
        # The same write as for a code that is mailed; a driver who signs up again is told so by mail.
        outbox.emit(uow, "verification_code.withheld", row.email, payload)
    else:
        outbox.emit(uow, "verification_code.issued", row.email, {**payload, "code": code})


def verify_code(uow: UnitOfWork, *, email: str, purpose: CodePurpose, code: str) -> None:
    """Uses the code up with the caller's commit. Raises verification.code_invalid (422) whatever is wrong with it."""
    ctx = uow.ctx
    known = CODES.get(ctx, *code_key(email, purpose))
    if known is None or not model.code_usable(known, ctx.now()):
        raise code_invalid()
    _count_try(ctx, known)
    expected = _hash(ctx, email, purpose, code.strip())
    if not hmac.compare_digest(known.code_hash or "", expected):
        raise code_invalid()
    uow.update(
        CODES,
        code_key(email, purpose),
        [VerificationCodeRow.code_hash.remove()],
        condition=VerificationCodeRow.code_hash == known.code_hash,
        on_conflict=code_invalid(),
        name="verification code",
    )


def _count_try(ctx: Context, known: VerificationCode) -> None:
    uow = UnitOfWork(ctx)
    uow.update(
        CODES,
        code_key(known.email, known.purpose),
        [VerificationCodeRow.tries.add(1)],
        condition=(VerificationCodeRow.tries < model.MAX_CODE_TRIES)
        & (VerificationCodeRow.code_hash == known.code_hash),
        on_conflict=code_invalid(),
    )
    uow.commit()


def reset_password(uow: UnitOfWork, name: SignInName, *, code: str, new_password: str, source_ip: str = "") -> None:
    """Raises verification.code_invalid, password.too_short (422). Ends every sign-in and any lock-out; a second factor
    stays."""
    ctx = uow.ctx
    check_password(new_password, "/new_password")
    verify_code(uow, email=name.code_subject, purpose="password_reset", code=code)
    login = find_login_by(ctx, name)
    if login is None:
        raise code_invalid()
    set_password(uow, login, new_password)
    end_sign_ins(uow, login.login_id)
    user = None if login.user_id is None else USERS.get(ctx, *user_key(login.user_id))
    names = [SignInName("email", login.email)]
    if user is not None and user.user_name is not None:
        names.append(SignInName("user_name", user.user_name))
    for one in names:
        forget_attempts(uow, one.subject)
    record_of_person(uow, "reset_password", login, user, source_ip, {"password": "new"})


def _hash(ctx: Context, email: str, purpose: str, code: str) -> str:
    """Keyed: a million codes are quickly tried against a plain hash."""
    return keyed_hash(ctx, "code", model.email_key(email), purpose, code)
