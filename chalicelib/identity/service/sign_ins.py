"""The devices that stay signed in: listed, ended one by one or all at once.

One that was ended is refused at once by the process that ended it and LOOKED_AT_EVERY_S later at most by any other:
its refresh tokens for good, its access tokens by a look at the row, of which each process remembers the answer.
"""

from __future__ import annotations

from typing import Final

from chalicelib.identity import model
from chalicelib.identity.model import Login, SignIn
from chalicelib.identity.model.logins import MAX_SIGN_INS, Device
from chalicelib.identity.store.logins import SIGN_IN_PREFIX, SIGN_INS, SignInRow, login_pk, sign_in_key
from chalicelib.kernel.cache import Cache
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.unit_of_work import UnitOfWork

LOOKED_AT_EVERY_S: Final = 30.0
MAX_CLEARED: Final = 20
"""Rows that are over, taken away by a new sign-in; the rest is left to the next, and to the store's expiry."""


def open_sign_in(uow: UnitOfWork, login: Login, device: Device) -> SignIn:
    """A new one; beyond MAX_SIGN_INS the one that was longest not used ends."""
    now = uow.ctx.now()
    opened = SignIn(
        sign_in_id=uow.ctx.new_id("sgn"),
        login_id=login.login_id,
        email=login.email,
        password_version=login.password_version,
        created_at=now,
        rotated_at=now,
        expires_at=int((now + model.SIGN_IN_LIFE).timestamp()),
        device=device.label,
        source_ip=device.source_ip,
    )
    uow.create(SIGN_INS, opened)
    known = _rows(uow.ctx, login.login_id)
    live = [sign_in for sign_in in known if sign_in.is_live(login, now)]
    for old in sorted(live, key=lambda sign_in: sign_in.rotated_at)[: max(0, len(live) - MAX_SIGN_INS + 1)]:
        _end(uow, old)
    over = [sign_in for sign_in in known if sign_in.expires_at <= now.timestamp()]
    for gone in over[:MAX_CLEARED]:
        uow.delete(SIGN_INS, sign_in_key(gone.login_id, gone.sign_in_id), name="sign-in")
    return opened


def find_sign_in(ctx: Context, login_id: str, sign_in_id: str) -> SignIn | None:
    return SIGN_INS.get(ctx, *sign_in_key(login_id, sign_in_id))


def list_sign_ins(ctx: Context, login: Login) -> list[SignIn]:
    """Those that are open, the last used first."""
    live = [sign_in for sign_in in _rows(ctx, login.login_id) if sign_in.is_live(login, ctx.now())]
    return sorted(live, key=lambda sign_in: sign_in.rotated_at, reverse=True)


def end_sign_in(uow: UnitOfWork, login: Login, sign_in_id: str) -> SignIn:
    """Raises sign_in.not_found (404) for one that is over, and for somebody else's."""
    known = find_sign_in(uow.ctx, login.login_id, sign_in_id)
    if known is None or not known.is_live(login, uow.ctx.now()):
        raise not_found("sign_in", sign_in_id)
    _end(uow, known)
    return known


def end_sign_ins(uow: UnitOfWork, login_id: str, *, keep: str = "") -> int:
    """Ends all sign-ins of a login, but for the one named `keep`. Returns how many."""
    open_ones = [
        sign_in
        for sign_in in _rows(uow.ctx, login_id)
        if sign_in.ended_at is None and sign_in.sign_in_id != keep and sign_in.expires_at > uow.ctx.now().timestamp()
    ]
    for sign_in in open_ones:
        _end(uow, sign_in)
    return len(open_ones)


def sign_out(uow: UnitOfWork, login_id: str, sign_in_id: str) -> None:
    """Ends one's own. One that is not stored any more is noted as ended too: its access token may still be good."""
    now = uow.ctx.now()
    known = find_sign_in(uow.ctx, login_id, sign_in_id)
    if known is None:
        known = SignIn(sign_in_id, login_id, "", 0, created_at=now, rotated_at=now, expires_at=0)
    if known.ended_at is None:
        _end(uow, known)


def is_ended(ctx: Context, login_id: str, sign_in_id: str) -> bool:
    """Whether it was ended, as of half a minute ago at most. One that is not stored has run out, or is no device's."""

    def look() -> bool:
        known = find_sign_in(ctx, login_id, sign_in_id)
        return known is not None and known.ended_at is not None

    return bool(_endings(ctx).get_or_load(sign_in_id, look))


def _end(uow: UnitOfWork, sign_in: SignIn) -> None:
    """Unconditional: whoever refreshes at this moment finds it ended, before or after (`refresh`)."""
    uow.put(SIGN_INS, sign_in.ended(uow.ctx.now()))
    uow.then(lambda: _endings(uow.ctx).put(sign_in.sign_in_id, True))


def _endings(ctx: Context) -> Cache[bool]:
    return ctx.cache("identity.endings", size=10_000, ttl_s=LOOKED_AT_EVERY_S)


def _rows(ctx: Context, login_id: str) -> list[SignIn]:
    rows = SIGN_INS.query_all(ctx, login_pk(login_id), SignInRow.sk.startswith(SIGN_IN_PREFIX), consistent=True)
    return list(rows)
