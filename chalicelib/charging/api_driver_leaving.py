"""The end of a driver's account.

It stands here because a charge, a reservation or money keeps an account; what is erased is the business of drivers and
identity.
"""

from __future__ import annotations

from chalicelib.charging.service.leaving import check_may_leave
from chalicelib.drivers import service as drivers
from chalicelib.identity import service as identity
from chalicelib.identity.api_public import PasswordText, TotpText
from chalicelib.identity.model.logins import SignInName
from chalicelib.kernel.http import Api, Request, Shape
from chalicelib.wallets import service as wallets

api = Api("driver", "driver")


class AccountDeletion(Shape):
    """`totp_code` where the second factor is on."""

    password: PasswordText
    totp_code: TotpText | None = None


@api.post("/v1/driver/me/deletion", status=204)
def delete_my_account(req: Request, body: AccountDeletion) -> None:
    """Deletes the driver's account for good: name, address, cards and sign-ins.

    Refused (409) while a charge runs, a connector is reserved, a top-up is not decided or money is in the wallet. What
    was charged and paid stays on record without a name. The address may sign up again, as a new driver. Who works for
    an organisation by the same sign-in keeps that.
    """
    driver = drivers.require_driver(req.ctx, req.driver_id)
    login = identity.require_login(req.ctx, req.actor.login_id)
    name = SignInName("email", login.email)
    proof = identity.check_again(req.uow, name, body.password, req.actor.source_ip, body.totp_code)
    check_may_leave(req.uow, driver.driver_id)
    identity.remove_driver_login(req.uow, proof)
    wallets.note_left(req.uow, driver.driver_id, req.ctx.now())
    drivers.erase_driver(req.uow, driver)
    req.audit("driver", driver.driver_id, after={"deleted": True})
