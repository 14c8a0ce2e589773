"""What the first start fills in, so that there is something to see: an operator, prices, chargers, drivers with money.

The platform calls `fill` before it opens its port and sends the `simulated_chargers` out after. Each thing is one
commit and is made only if it is not there: a start that died in between is taken up where it ended, a later one
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Final
from urllib.parse import quote

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Location
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID, Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ledger.model import business_day
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import Dimension, PriceComponent, TariffElement
from chalicelib.wallets import service as wallets
from infra.local import demo_money
from infra.local.simulators.charger import SimulatedCharger

OPERATOR_EMAIL: Final = "operator@northwind.example"
PASSWORD: Final = "wattfare demo"
"""Of everybody in the demo. The stack listens on this machine only."""
CHARGER_PASSWORD: Final = "simulated-charger-01"
CURRENCY: Final = "EUR"


@dataclass(frozen=True)
class Place:
    """A demo location with its price (`vat` percent are in it), the charger that stands there, and the OCPP version
    that it speaks."""

    name: str
    address: str
    city: str
    country: str
    coordinates: tuple[str, str]
    time_zone: str
    tariff: str
    prices: tuple[tuple[Dimension, str], ...]
    vat: str
    charger_id: str
    subprotocol: str


@dataclass(frozen=True)
class Guest:
    """A demo driver; `money` in minor units. What was paid `to_operator` in cash is owed to the platform by the
    operator, and lowers what it can withdraw; the others paid to the platform."""

    email: str
    full_name: str
    card: str
    money: int
    to_operator: bool = False


PLACES: Final = (
    Place(
        name="Harbour quarter",
        address="Am Kai 12",
        city="Hamburg",
        country="DE",
        coordinates=("53.5417", "9.9841"),
        time_zone="Europe/Berlin",
        tariff="Day",
        prices=(("ENERGY", "0.35"),),
        vat="19",
        charger_id="NW-HARBOUR-1",
        subprotocol="ocpp1.6",
    ),
    Place(
        name="River station",
        address="Rua do Cais 3",
        city="Porto",
        country="PT",
        coordinates=("41.1404", "-8.6110"),
        time_zone="Europe/Lisbon",
        tariff="River",
        prices=(("ENERGY", "0.49"), ("FLAT", "0.50")),
        vat="23",
        charger_id="NW-RIVER-1",
        subprotocol="ocpp2.0.1",
    ),
)
GUESTS: Final = (
    Guest("mira@driver.example", "Mira Jansen", "04D1A5E0C0FFEE", 5000),
    Guest("tomas@driver.example", "Tomás Silva", "04D1A5E0BEEF01", 2000),
    Guest("lena@driver.example", "Lena Vogt", "04D1A5E0CAFE02", 300, to_operator=True),
)


def fill(ctx: Context) -> None:
    """Makes what is missing of the demo. About a quarter of a second on the first start, mostly password hashes."""
    operator = _operator(ctx)
    for place in PLACES:
        location = _location(ctx, operator, place)
        _charger(ctx, location, place.charger_id)
    for guest in GUESTS:
        _guest(ctx, operator, guest)
    demo_money.fill(ctx, operator)


def simulated_chargers(ocpp_url: str, now: Callable[[], datetime], data_dir: Path | None) -> list[SimulatedCharger]:
    """The two chargers of the demo; they connect when their fleet lets them."""
    return [
        SimulatedCharger(
            f"{ocpp_url}/{quote(place.charger_id, safe='')}",
            place.charger_id,
            CHARGER_PASSWORD,
            now,
            None if data_dir is None else data_dir / f"simulator-{place.charger_id}.json",
            subprotocol=place.subprotocol,
        )
        for place in PLACES
    ]


def sign_ins() -> list[tuple[str, str, str]]:
    """Who, e-mail address, password: for the welcome."""
    people = [("Operator", OPERATOR_EMAIL), *((f"Driver {guest.full_name}", guest.email) for guest in GUESTS)]
    return [(who, email, PASSWORD) for who, email in people]


def _operator(ctx: Context) -> Organization:
    login = identity.find_login(ctx, OPERATOR_EMAIL)
    if login is not None:
        person = identity.load_person(ctx, login)
        if person.organization is None:
            raise RuntimeError(f"{OPERATOR_EMAIL} is no operator's")
        return person.organization
    new = identity.NewOrganization(
        name="Northwind Charging",
        email="office@northwind.example",
        currency=CURRENCY,
        time_zone="Europe/Berlin",
        language="en",
        country="DE",
        bank_account=demo_money.BANK_ACCOUNT,
        admin=identity.NewUser(OPERATOR_EMAIL, "Nora Wind", PASSWORD),
    )
    organization, _ = decide_and_commit(ctx, lambda uow: identity.create_organization(uow, new))
    return organization


def _location(ctx: Context, operator: Organization, place: Place) -> Location:
    known = chargers.list_locations(ctx, operator.organization_id, limit=100, cursor=None).data
    found = next((location for location in known if location.name == place.name), None)
    if found is not None:
        return found

    def open_location(uow: UnitOfWork) -> Location:
        location = Location(
            location_id=ctx.new_id("loc"),
            operator_id=operator.organization_id,
            name=place.name,
            address=place.address,
            city=place.city,
            country=place.country,
            time_zone=place.time_zone,
            created_at=ctx.now(),
            latitude=place.coordinates[0],
            longitude=place.coordinates[1],
        )
        chargers.add_location(uow, location)
        components = tuple(
            PriceComponent(dimension, Decimal(price), Decimal(place.vat)) for dimension, price in place.prices
        )
        tariff = tariffs.create_tariff(
            uow,
            operator_id=operator.organization_id,
            name=place.tariff,
            currency=CURRENCY,
            tax_included=True,
            elements=(TariffElement(components),),
        )
        tariffs.assign_tariff(uow, tariff, kind="location", target_id=location.location_id)
        return location

    return decide_and_commit(ctx, open_location)


def _charger(ctx: Context, location: Location, charger_id: str) -> None:
    charger = chargers.get_charger(ctx, charger_id)
    if charger is None:
        new = Charger(charger_id, location.operator_id, evse_count=2, password_hash="", created_at=ctx.now())
        charger, _, _ = decide_and_commit(ctx, lambda uow: chargers.register_charger(uow, new, CHARGER_PASSWORD))
    if not charger.is_placed:
        unplaced = charger
        decide_and_commit(ctx, lambda uow: chargers.place_charger(uow, unplaced, location))


def _guest(ctx: Context, operator: Organization, guest: Guest) -> None:
    login = identity.find_login(ctx, guest.email)
    if login is None or login.driver_id is None:
        driver = decide_and_commit(ctx, lambda uow: _welcome(uow, operator, guest))
    else:
        driver = drivers.require_driver(ctx, login.driver_id)
    if drivers.find_id_token(ctx, guest.card, consistent=True) is None:
        operator_id = operator.organization_id
        decide_and_commit(
            ctx, lambda uow: drivers.add_card(uow, id_token=guest.card, operator_id=operator_id, driver=driver)
        )


def _welcome(uow: UnitOfWork, operator: Organization, guest: Guest) -> Driver:
    """A driver who can sign in, is on the operator's list and has paid in."""
    now = uow.ctx.now()
    payee = operator if guest.to_operator else identity.get_organization(uow.ctx, PLATFORM_ID)
    driver = Driver(uow.ctx.new_id("drv"), guest.email, guest.full_name, now)
    drivers.create_driver(uow, driver)
    identity.create_driver_login(uow, email=guest.email, password=PASSWORD, driver_id=driver.driver_id)
    drivers.link_operator(uow, operator.organization_id, driver.driver_id)
    wallets.adjust_wallet(
        uow,
        entry_id=uow.ctx.new_id("ent"),
        driver_id=driver.driver_id,
        operator_id=payee.organization_id,
        direction="top_up",
        amount=Money(guest.money, operator.currency),
        reason="Paid at the counter (demo)" if guest.to_operator else "Paid to the platform (demo)",
        business_day=business_day(now, payee.time_zone),
    )
    return driver
