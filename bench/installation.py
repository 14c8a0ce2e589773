"""A data folder that the local stack starts from: an operator, a price, chargers, and drivers with cards and money.

Written through the product's own services, so that it is what REST calls would have left; `books` reads the folder
again after a run. One installation is open in a process at a time, and none while a server uses the folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from bench.frames import charger_id, id_token
from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Location
from chalicelib.charging import lookup
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel import context
from chalicelib.kernel.clock import SystemClock
from chalicelib.kernel.context import Context, Settings, table_name
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.ledger import proving
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import PriceComponent, TariffElement
from chalicelib.wallets import service as wallets
from infra.local import template
from infra.local.dynamodb import hook
from infra.local.dynamodb.engine import Engine
from infra.local.settings import LocalSettings

PASSWORD = "a-password-of-the-bench"
MONEY = 1_000_000
"""Minor units in each wallet: more than a run can spend."""
PAGE = 100


@dataclass(frozen=True)
class Books:
    """What a run left: charging sessions by state, CDRs, what the ledger's proof finds, the sum of all accounts."""

    sessions: int
    settled: int
    cdrs: int
    entries: int
    faults: int
    sum_of_accounts: int


@contextmanager
def open_folder(folder: Path) -> Iterator[Context]:
    """The context of the installation in `folder`; its tables are made if there are none."""
    settings = LocalSettings(data_dir=folder)
    settings.prepare()
    clock = SystemClock()
    ctx = Context(Settings(region="eu-local-1"), clock, settings.load_secrets())
    engine = Engine(settings.file("dynamodb.sqlite3"), clock.now)
    description = template.load_template()
    values = template.parameters(description) | {"TablePrefix": table_name("")}
    engine.create_tables_from_template(template.tables(description, values))
    restore = hook.install(engine)
    context.install(ctx)
    try:
        yield ctx
    finally:
        context.install(None)
        restore()
        engine.close()


def build(folder: Path, *, charger_count: int, driver_count: int) -> str:
    """An operator with so many chargers, the first of them with a driver, card and money. Returns the operator's id."""
    with open_folder(folder) as ctx:
        operator_id = _add_operator(ctx)
        location = _add_location(ctx, operator_id)
        for number in range(charger_count):
            _add_charger(ctx, operator_id, location, number)
        for number in range(driver_count):
            _add_driver(ctx, operator_id, number)
        return operator_id


def read_books(folder: Path, operator_id: str) -> Books:
    """Counts and proves everything again, from the rows."""
    with open_folder(folder) as ctx:
        states: list[str] = []
        cdrs = 0
        cursor: str | None = None
        while True:
            page = lookup.list_sessions(ctx, operator_id=operator_id, limit=PAGE, cursor=cursor)
            states += [session.state for session in page.data]
            cdrs += sum(lookup.find_cdr(ctx, session.session_id) is not None for session in page.data)
            cursor = page.next_cursor
            if cursor is None:
                break
        proof = proving.prove_ledger(ctx)
        return Books(
            sessions=len(states),
            settled=states.count("settled"),
            cdrs=cdrs,
            entries=proof.entries,
            faults=proof.fault_count,
            sum_of_accounts=sum(proof.totals.values()),
        )


def _add_operator(ctx: Context) -> str:
    new = identity.NewOrganization(
        name="Bench",
        email="bench@operator.example",
        currency="EUR",
        time_zone="Europe/Berlin",
        language="en",
        admin=identity.NewUser(email="bench@operator.example", full_name="Bea Bench"),
    )
    organization, _ = decide_and_commit(ctx, lambda uow: identity.create_organization(uow, new))
    return organization.organization_id


def _add_location(ctx: Context, operator_id: str) -> Location:
    location = Location(
        location_id=ctx.new_id("loc"),
        operator_id=operator_id,
        name="Car park",
        address="Ring 1",
        city="Berlin",
        country="DE",
        time_zone="Europe/Berlin",
        created_at=ctx.now(),
    )
    decide_and_commit(ctx, lambda uow: chargers.add_location(uow, location))
    elements = (TariffElement((PriceComponent("ENERGY", Decimal("0.35")),)),)
    tariff = decide_and_commit(
        ctx,
        lambda uow: tariffs.create_tariff(
            uow, operator_id=operator_id, name="Day", currency="EUR", tax_included=True, elements=elements
        ),
    )
    decide_and_commit(
        ctx, lambda uow: tariffs.assign_tariff(uow, tariff, kind="location", target_id=location.location_id)
    )
    return location


def _add_charger(ctx: Context, operator_id: str, location: Location, number: int) -> None:
    new = Charger(charger_id(number), operator_id, evse_count=1, password_hash="", created_at=ctx.now())
    charger, _, _ = decide_and_commit(ctx, lambda uow: chargers.register_charger(uow, new, PASSWORD))
    decide_and_commit(ctx, lambda uow: chargers.place_charger(uow, charger, location))


def _add_driver(ctx: Context, operator_id: str, number: int) -> None:
    driver = Driver(ctx.new_id("drv"), f"driver{number}@driver.example", f"Driver {number}", ctx.now())
    decide_and_commit(ctx, lambda uow: drivers.create_driver(uow, driver))
    decide_and_commit(
        ctx, lambda uow: drivers.add_card(uow, id_token=id_token(number), operator_id=operator_id, driver=driver)
    )
    decide_and_commit(
        ctx,
        lambda uow: wallets.adjust_wallet(
            uow,
            entry_id=ctx.new_id("ent"),
            driver_id=driver.driver_id,
            operator_id=PLATFORM_ID,  # an operator may not owe as much
            direction="top_up",
            amount=Money(MONEY, "EUR"),
            reason="bench",
            business_day=ctx.now().date().isoformat(),
        ),
    )
