"""The end of a driver's part of a login."""

from __future__ import annotations

from chalicelib.identity.service.credentials import Proof
from chalicelib.identity.service.logins import close_driver_login
from chalicelib.identity.service.sign_ins import end_sign_ins
from chalicelib.identity.service.totp import find_totp, keep_use, remove_totp
from chalicelib.kernel.unit_of_work import UnitOfWork


def remove_driver_login(uow: UnitOfWork, proof: Proof) -> None:
    """Takes the driver from the login that was proved to be theirs, and ends every sign-in. A login that opens nobody
    any more is gone with its second factor; its address may sign up again, as somebody new."""
    login = proof.login
    close_driver_login(uow, login)
    end_sign_ins(uow, login.login_id)
    if login.user_id is not None:
        keep_use(uow, proof.totp)
    elif find_totp(uow.ctx, login.login_id) is not None:
        remove_totp(uow, login, silently=True)
