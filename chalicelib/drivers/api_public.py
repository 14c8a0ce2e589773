"""Sign-up of drivers: with the code that was e-mailed. Answers never tell whether an address is known."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.drivers import service
from chalicelib.drivers.model import Driver, tidied
from chalicelib.identity import service as identity
from chalicelib.identity.model import check_email
from chalicelib.kernel.http import Api, Request, Shape
from chalicelib.kernel.texts import CountryText, EmailText, LanguageText, LineText, NameText, ShortText

api = Api("auth", "public")

_NO_PROFILE = ("email", "code", "password")
"""What a sign-up has beside the driver's name and address."""


class SignUp(Shape):
    email: EmailText
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=12)]
    password: Annotated[str, msgspec.Meta(max_length=128)]
    full_name: NameText
    phone: ShortText | None = None
    language: LanguageText = "en"
    address: LineText | None = None
    apartment: ShortText | None = None
    street: LineText | None = None
    city: NameText | None = None
    region: NameText | None = None
    postal_code: ShortText | None = None
    country: CountryText | None = None


class DriverView(Shape):
    """A driver as the driver sees it."""

    driver_id: str
    email: str
    full_name: str
    phone: str | None
    language: str
    receipts_by_email: bool
    address: str | None
    apartment: str | None
    street: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country: str | None
    created_at: datetime


def driver_view(driver: Driver) -> DriverView:
    return DriverView(
        driver_id=driver.driver_id,
        email=driver.email,
        full_name=driver.full_name,
        phone=driver.phone,
        language=driver.language,
        receipts_by_email=driver.receipts_by_email,
        address=driver.address,
        apartment=driver.apartment,
        street=driver.street,
        city=driver.city,
        region=driver.region,
        postal_code=driver.postal_code,
        country=driver.country,
        created_at=driver.created_at,
    )


@api.post("/v1/auth/sign-ups")
def sign_up(req: Request, body: SignUp) -> DriverView:
    """Makes a driver, with the code from POST /v1/auth/verification-codes {"purpose": "sign_up"}.

    An address that already is a driver's gets the answer of a wrong code.
    """
    identity.verify_code(req.uow, email=body.email, purpose="sign_up", code=body.code)
    profile = tidied({name: value for name, value in msgspec.structs.asdict(body).items() if name not in _NO_PROFILE})
    profile["email"] = check_email(body.email)
    driver = Driver(driver_id=req.ctx.new_id("drv"), created_at=req.ctx.now(), **profile)
    identity.create_driver_login(req.uow, email=body.email, password=body.password, driver_id=driver.driver_id)
    service.create_driver(req.uow, driver)
    return driver_view(driver)
