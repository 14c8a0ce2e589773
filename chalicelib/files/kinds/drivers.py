"""Drivers ("customers" on the screens): entered by a file as at the counter (`drivers.welcome_driver`).

Nobody is mailed unless the row says `notify`: a driver who was imported signs in by "forgotten password".
"""

from __future__ import annotations

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import NewDriver
from chalicelib.files.kinds.common import Created, ImportKind, Values, body_of, changed_since
from chalicelib.files.model import Column
from chalicelib.identity import service as identity
from chalicelib.identity.scope import owning_operator
from chalicelib.kernel.http import Request, Shape
from chalicelib.kernel.texts import CountryText, LanguageText, LineText, NameText, ShortText
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.wallets import service as wallets


class DriverRow(Shape):
    email: str
    full_name: NameText
    phone: ShortText | None = None
    language: LanguageText | None = None
    address: LineText | None = None
    apartment: ShortText | None = None
    street: LineText | None = None
    city: NameText | None = None
    region: NameText | None = None
    postal_code: ShortText | None = None
    country: CountryText | None = None
    notify: bool = False


def _create(req: Request, operator_id: str, values: Values) -> Created:
    row = body_of(DriverRow, values)
    new = NewDriver(**{name: getattr(row, name) for name in row.__struct_fields__ if name != "notify"})
    driver = drivers.welcome_driver(req.uow, owning_operator(req, operator_id), new, invite=row.notify)
    return Created(driver.driver_id)


def _take_back(uow: UnitOfWork, driver_id: str) -> None:
    driver = drivers.get_driver(uow.ctx, driver_id)
    if driver is None:
        return
    links = drivers.listing_organizations(uow.ctx, driver_id)
    currencies = {identity.get_organization(uow.ctx, organization_id).currency for organization_id in links}
    if not wallets.expect_untouched(uow, driver_id, currencies):
        raise changed_since("driver")
    login = identity.find_login(uow.ctx, driver.email)
    if login is None or login.driver_id != driver_id or (login.password_hash is not None and login.user_id is None):
        raise changed_since("driver")
    if not drivers.take_back_driver(uow, driver, links):
        raise changed_since("driver")
    identity.close_driver_login(uow, login)


DRIVERS = ImportKind(
    name="drivers",
    permission="drivers:write",
    id_column="driver_id",
    columns=(
        Column("email", "Opens the driver's sign-in.", "dana@driver.example", required=True, unique=True),
        Column("full_name", "In any script.", "Dana Driver", required=True),
        Column("phone", "", "+49 30 123456"),
        Column("language", "BCP 47; the operator's if empty.", "de"),
        Column("address", "", "Hauptstraße 1"),
        Column("apartment", ""),
        Column("street", ""),
        Column("city", "", "Berlin"),
        Column("region", ""),
        Column("postal_code", "Make the column one of text.", "10178"),
        Column("country", "ISO 3166-1, two letters.", "DE"),
        Column(
            "notify", "true: the driver is mailed an invitation. Otherwise nobody is told.", "false", type="boolean"
        ),
    ),
    create=_create,
    take_back=_take_back,
)
