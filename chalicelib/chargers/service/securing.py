"""Passwords and security profiles of chargers: told by command, counted from when they are first seen.

A charger that was told a new password may use it or, until it has, the old one: the answer to the command can be lost,
and a charger that nobody lets in is a visit on site.
"""

from __future__ import annotations

from chalicelib.chargers.model import Charger, Command, password_hash
from chalicelib.chargers.service.commanding import queue_command
from chalicelib.chargers.service.finding import require_charger
from chalicelib.chargers.service.handshaking import change_security
from chalicelib.chargers.service.registering import PASSWORD_KEY, make_password
from chalicelib.chargers.store.places import ChargerRow
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.unit_of_work import UnitOfWork

MAX_PROFILE = 3
_PASSWORD_LENGTHS = range(16, 41)
"""OCPP 2.0.1, BasicAuthPassword: 16 to 40 characters; the 1.6 AuthorizationKey: 16 to 20 bytes, in hex."""


def rotate_password_by_command(uow: UnitOfWork, charger: Charger, password: str | None, requested_by: str) -> Command:
    """Tells the charger a new password (made if None). Both are let in until the new one is seen.

    Raises charger.password for one that no charger could take, command.queue_full.
    """
    password = make_password() if password is None else password
    expect_password(uow, charger, password)
    return queue_command(
        uow,
        charger_id=charger.charger_id,
        action="set_password",
        payload={"password": password},
        requested_by=requested_by,
    )


def expect_password(uow: UnitOfWork, charger: Charger, password: str) -> None:
    """The charger is being told this password: it is let in with it, too, and from then on with it alone.

    Raises charger.password for one that no charger could take.
    """
    if len(password) not in _PASSWORD_LENGTHS or not password.isascii() or not password.isprintable():
        raise invalid("charger.password", "A password has 16 to 40 printable ASCII characters.", "/password")
    hashed = password_hash(password.encode(), uow.ctx.secret(PASSWORD_KEY).encode())
    change_security(uow, charger, ChargerRow.new_password_hash.set(hashed))


def forget_new_password(uow: UnitOfWork, charger_id: str) -> None:
    """The charger refused the new password, or never heard of it: the old one alone counts."""
    charger = require_charger(uow.ctx, charger_id)
    if charger.new_password_hash is not None:
        change_security(uow, charger, ChargerRow.new_password_hash.remove())


def expect_security_profile(uow: UnitOfWork, charger_id: str, profile: int) -> None:
    """The charger accepted to change to this profile: from its first handshake that proves it, less is refused."""
    charger = require_charger(uow.ctx, charger_id)
    if charger.security_profile < profile <= MAX_PROFILE:
        change_security(uow, charger, ChargerRow.next_security_profile.set(profile))
