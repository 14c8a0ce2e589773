"""The second factor of a login: set up, used, turned off. The secret is sealed, the recovery codes are hashed."""

from __future__ import annotations

import base64
import secrets
from dataclasses import replace

from chalicelib.identity.model import Login
from chalicelib.identity.model import totp as model
from chalicelib.identity.model.totp import Totp
from chalicelib.identity.service.access_tokens import keyed_hash
from chalicelib.identity.service.sealing import seal, unseal
from chalicelib.identity.store import USERS, user_key
from chalicelib.identity.store.logins import TOTPS, TotpRow, totp_key
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork

PURPOSE = "totp"


def find_totp(ctx: Context, login_id: str) -> Totp | None:
    return TOTPS.get(ctx, *totp_key(login_id))


def begin_totp(uow: UnitOfWork, login: Login) -> str:
    """A new secret, in base32, that waits for its first code; one that waited before is void. Raises totp.on (409)."""
    known = find_totp(uow.ctx, login.login_id)
    if known is not None and known.is_on:
        raise model.already_on()
    secret = base64.b32encode(secrets.token_bytes(model.SECRET_BYTES)).decode()
    sealed = seal(uow.ctx, PURPOSE, login.login_id, secret)
    begun = Totp(login.login_id, sealed, uow.ctx.now(), revision=1 if known is None else known.revision + 1)
    if known is None:
        uow.create(TOTPS, begun)
    else:
        uow.put(TOTPS, begun, condition=TotpRow.revision == known.revision)
    return secret


def confirm_totp(uow: UnitOfWork, login: Login, code: str) -> list[str]:
    """Turns the second factor on with its first code and returns the recovery codes, which nobody can read again.

    Raises totp.on, totp.not_begun (409), totp.code_wrong (422).
    """
    ctx = uow.ctx
    known = find_totp(ctx, login.login_id)
    if known is not None and known.is_on:
        raise model.already_on()
    if known is None or not known.may_be_confirmed(ctx.now()):
        raise model.not_begun()
    confirmed = model.after_code(known, _secret(ctx, known), model.typed_code(code), ctx.now())
    if confirmed is None:
        raise model.code_wrong()
    codes, hashes = _recovery_codes(ctx, login.login_id)
    on = replace(confirmed, confirmed_at=ctx.now(), recovery_hashes=hashes)
    uow.put(TOTPS, on, condition=TotpRow.revision == known.revision)
    _tell(uow, login, "on")
    return codes


def after_use(ctx: Context, known: Totp, code: str) -> Totp | None:
    """The factor after this code of the app, or this recovery code, was used; None for one that is not good."""
    typed = model.typed_code(code)
    if model.is_app_code(typed):
        return model.after_code(known, _secret(ctx, known), typed, ctx.now())
    return model.after_recovery(known, _hash(ctx, known.login_id, typed))


def keep_use(uow: UnitOfWork, used: Totp | None) -> None:
    """Stores that a code was used. Two who use it at once: the second is decided again, and finds it used."""
    if used is not None:
        uow.put(TOTPS, used, condition=TotpRow.revision == used.revision - 1)


def renew_recovery_codes(uow: UnitOfWork, used: Totp | None) -> list[str]:
    """New recovery codes; those before are void. `used` is what the proof of this request left. Raises totp.off."""
    if used is None:
        raise model.is_off()
    codes, hashes = _recovery_codes(uow.ctx, used.login_id)
    keep_use(uow, replace(used, recovery_hashes=hashes))
    return codes


def remove_totp(uow: UnitOfWork, login: Login, *, silently: bool = False) -> None:
    """Turns the second factor off; its owner is told by mail. Raises totp.off (409)."""
    known = find_totp(uow.ctx, login.login_id)
    if known is None or not (known.is_on or silently):
        raise model.is_off()
    uow.delete(TOTPS, totp_key(login.login_id), condition=TotpRow.revision == known.revision, name="second factor")
    if not silently:
        _tell(uow, login, "off")


def _tell(uow: UnitOfWork, login: Login, state: str) -> None:
    """In the user's language; what a driver reads, identity does not know."""
    user = None if login.user_id is None else USERS.get(uow.ctx, *user_key(login.user_id))
    language = "en" if user is None else user.language
    outbox.emit(uow, "totp.changed", login.login_id, {"email": login.email, "state": state, "language": language})


def _secret(ctx: Context, known: Totp) -> str:
    return unseal(ctx, PURPOSE, known.login_id, known.sealed_secret)


def _recovery_codes(ctx: Context, login_id: str) -> tuple[list[str], list[str]]:
    """The codes as they are shown, with a hyphen in the middle, and their keyed hashes."""
    half = model.RECOVERY_LENGTH // 2
    typed = [
        "".join(secrets.choice(model.RECOVERY_LETTERS) for _ in range(model.RECOVERY_LENGTH))
        for _ in range(model.RECOVERY_CODES)
    ]
    return [f"{code[:half]}-{code[half:]}" for code in typed], [_hash(ctx, login_id, code) for code in typed]


def _hash(ctx: Context, login_id: str, typed: str) -> str:
    return keyed_hash(ctx, "recovery", login_id, typed)
