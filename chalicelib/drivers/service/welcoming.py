"""An operator enters a customer: at the counter, or by a file.

Whose address it is has not been proved, so nothing of anybody is given away for it:

- an address that is nobody's yet gets a new driver and a login without a password; its owner is mailed how to choose
  one (`driver.invited`). The driver is on the operator's list at once, and can get a card or money there;
- an address that already is a driver's is refused (driver.email_taken, 409), in the same words whether the driver is on
  the operator's list or not. A stranger comes onto the list by charging, never by being named. Each refusal about a
  stranger is counted, so that nobody tries out a list of addresses.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Final

from chalicelib.drivers.model import Driver, NewDriver, tidied
from chalicelib.drivers.service.profiles import create_driver, is_linked, link_operator
from chalicelib.identity import service as identity
from chalicelib.identity.model import check_email
from chalicelib.kernel import outbox
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.unit_of_work import UnitOfWork

MAX_STRANGERS: Final = 30
"""Addresses of other people's drivers that an operator may name within STRANGERS_WINDOW of the last one."""
STRANGERS_WINDOW: Final = timedelta(hours=24)


def welcome_driver(
    uow: UnitOfWork, operator_id: str, new: NewDriver, *, driver_id: str = "", invite: bool = True
) -> Driver:
    """Makes the driver, with a login and a place on the operator's list: less than ten writes.

    Raises email.invalid, name.empty (422), driver.email_taken (409), auth.too_many_attempts (429).
    """
    ctx = uow.ctx
    email = check_email(new.email)
    operator = identity.get_organization(ctx, operator_id)
    profile = tidied(asdict(new)) | {"email": email, "language": new.language or operator.language}
    _check_free(uow, operator_id, email)
    driver = Driver(driver_id=driver_id or ctx.new_id("drv"), created_at=ctx.now(), **profile)
    identity.create_driver_login(uow, email=email, password=None, driver_id=driver.driver_id)
    create_driver(uow, driver)
    link_operator(uow, operator_id, driver.driver_id)
    if invite:
        payload = {
            "email": email,
            "full_name": driver.full_name,
            "operator_name": operator.name,
            "language": driver.language,
        }
        outbox.emit(uow, "driver.invited", driver.driver_id, payload)
    return driver


def _check_free(uow: UnitOfWork, operator_id: str, email: str) -> None:
    """An address that opens a user of an organisation is free: its login opens the driver besides.

    Who named too many strangers is refused every address, or what is refused would still tell which are known."""
    subject = f"strangers#{operator_id}"
    identity.refuse_after(uow.ctx, subject, MAX_STRANGERS)
    login = identity.find_login(uow.ctx, email)
    if login is None or login.driver_id is None:
        return
    if not is_linked(uow.ctx, operator_id, login.driver_id):
        identity.count_attempt(uow.ctx, subject, MAX_STRANGERS, STRANGERS_WINDOW)
    detail = "This address already is a driver's. Who charges at your chargers is on your list."
    raise conflict("driver.email_taken", detail, "/email")
