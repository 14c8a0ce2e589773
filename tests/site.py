"""A site that charges: operator, location, price, one charger with two connectors, a driver with money and a card.

Built through the services (a few milliseconds), for tests that are about what happens afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Location
from chalicelib.charging import lookup, service
from chalicelib.charging.model import Authorization, ChargingSession, MeterSample, TransactionId
from chalicelib.charging.service import StartOutcome
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, income_account, wallet_account
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import Dimension, PriceComponent, TariffElement, TariffVersion
from chalicelib.wallets import service as wallets
from tests.world import Operator, World

CHARGER_ID = "CP-001"
CARD = "04A2B3C4D5"
CONNECTION_ID = "conn-1="


@dataclass
class Site:
    """`world.commit` runs each action as an entry point does."""

    world: World
    operator: Operator
    location: Location
    tariff: TariffVersion
    charger: Charger
    driver: Driver

    # -- money ------------------------------------------------------------------------------------------------------

    @property
    def currency(self) -> str:
        return self.operator.organization.currency

    def top_up(self, amount: int, driver_id: str | None = None) -> None:
        """Puts money into the wallet as a paid top-up would."""
        self.advance_s(1)
        wallet = wallet_account(driver_id or self.driver.driver_id, self.currency)
        entry = Entry(
            entry_id=self.world.ctx.new_id("ent"),
            home_account_id=wallet,
            kind="top_up",
            currency=self.currency,
            postings=[Posting(wallet, amount), Posting(f"clearing:stripe:{self.currency}", -amount)],
            occurred_at=self.world.clock.now(),
            source_id="top_test",
        )
        self.world.commit(lambda uow: ledger.post(uow, entry))

    def available(self) -> int:
        return wallets.available(self.world.ctx, self.driver.driver_id, self.currency).amount

    def income(self) -> int:
        account_id = income_account(self.charger.operator_id, self.currency)
        day = self.world.clock.now().date().isoformat()
        return sum(e.amount_on(account_id) for e in ledger.entries_of_period(self.world.ctx, account_id, day))

    def lines(self) -> list[tuple[str, int]]:
        """The wallet's ledger lines in the order of posting: kind and signed amount."""
        wallet = wallet_account(self.driver.driver_id, self.currency)
        return [(entry.kind, entry.home_amount) for entry in ledger.entries_of_account(self.world.ctx, wallet)]

    # -- the driver and the charger ---------------------------------------------------------------------------------

    def wants_receipts(self, wanted: bool = True) -> None:
        driver = drivers.require_driver(self.world.ctx, self.driver.driver_id)
        self.world.commit(lambda uow: drivers.change_driver(uow, driver, {"receipts_by_email": wanted}))

    def connect(self) -> None:
        self.world.commit(lambda uow: chargers.open_connection(uow, self.charger, CONNECTION_ID, "ocpp1.6"))

    def request(self, amount: int | None = 500, evse_no: int = 1, session_id: str = "") -> ChargingSession:
        self.advance_s(1)  # what happens in one millisecond has no order
        chosen = session_id or self.world.ctx.new_id("ses")
        return self.world.commit(
            lambda uow: service.request_session(
                uow,
                session_id=chosen,
                driver_id=self.driver.driver_id,
                charger_id=self.charger.charger_id,
                evse_no=evse_no,
                amount=None if amount is None else Money(amount, self.currency),
            )
        )

    def start(
        self,
        id_token: str = CARD,
        *,
        evse_no: int = 1,
        meter_wh: int | None = 1000,
        at: datetime | None = None,
        message_id: str = "start-1",
    ) -> StartOutcome:
        self.advance_s(1)
        started_at = at or self.world.clock.now()
        return self.world.commit(
            lambda uow: service.start_by_charger(
                uow,
                charger=self.charger,
                evse_no=evse_no,
                id_token=id_token,
                meter_start_wh=meter_wh,
                started_at=started_at,
                message_id=message_id,
            )
        )

    def start_from_app(self, **options: object) -> StartOutcome:
        return self.start(drivers.app_token(self.driver.driver_id), **options)  # type: ignore[arg-type]

    def meter(
        self,
        transaction_id: int | None,
        energy_wh: int | None,
        *,
        evse_no: int = 1,
        power_w: int = 7000,
        at: datetime | None = None,
    ) -> None:
        sample = MeterSample(at or self.world.clock.now(), energy_wh=energy_wh, power_w=power_w)
        self.world.commit(
            lambda uow: service.record_meter_values(
                uow, charger=self.charger, evse_no=evse_no, transaction_id=transaction_id, samples=[sample]
            )
        )

    def stop(
        self,
        transaction_id: TransactionId | None,
        meter_wh: int | None,
        *,
        reason: str | None = "Local",
        at: datetime | None = None,
    ) -> Authorization | None:
        """Of a transaction that has begun: what has none cannot be stopped by a charger."""
        assert transaction_id is not None
        self.advance_s(1)
        stopped_at = at or self.world.clock.now()
        authorization: Authorization | None = self.world.commit(
            lambda uow: service.stop_by_charger(
                uow,
                charger=self.charger,
                transaction_id=transaction_id,
                meter_stop_wh=meter_wh,
                stopped_at=stopped_at,
                reason=reason,
                id_token=None,
                samples=[],
            )
        )
        return authorization

    def session(self, session_id: str) -> ChargingSession:
        return lookup.require_session(self.world.ctx, session_id)

    def sessions(self) -> list[ChargingSession]:
        page = lookup.list_sessions(self.world.ctx, operator_id=self.charger.operator_id, limit=100, cursor=None)
        return page.data[::-1]

    def advance_s(self, seconds: float) -> None:
        self.world.advance(seconds)

    def advance(self, minutes: float) -> None:
        self.world.advance(timedelta(minutes=minutes).total_seconds())


def build_site(
    world: World, *, price: str = "0.35", dimension: Dimension = "ENERGY", money: int = 2000, currency: str = "EUR"
) -> Site:
    """0.35 EUR/kWh at one location in Berlin; the driver has 20.00."""
    operator = world.operator(currency=currency)
    operator_id = operator.organization.organization_id
    now = world.clock.now()
    location = Location(
        location_id=world.ctx.new_id("loc"),
        operator_id=operator_id,
        name="Market square",
        address="Marktplatz 1",
        city="Berlin",
        country="DE",
        time_zone="Europe/Berlin",
        created_at=now,
    )
    world.commit(lambda uow: chargers.add_location(uow, location))
    elements = (TariffElement((PriceComponent(dimension, Decimal(price)),)),)
    tariff = world.commit(
        lambda uow: tariffs.create_tariff(
            uow, operator_id=operator_id, name="Day", currency=currency, tax_included=True, elements=elements
        )
    )
    world.commit(lambda uow: tariffs.assign_tariff(uow, tariff, kind="location", target_id=location.location_id))
    new = Charger(CHARGER_ID, operator_id, evse_count=2, password_hash="", created_at=now)
    charger, _, _ = world.commit(lambda uow: chargers.register_charger(uow, new, "a-good-password-of-20"))
    charger = world.commit(lambda uow: chargers.place_charger(uow, charger, location))
    driver = Driver(world.ctx.new_id("drv"), "dana@driver.example", "Dana Driver", now)
    world.commit(lambda uow: drivers.create_driver(uow, driver))
    world.commit(lambda uow: drivers.add_card(uow, id_token=CARD, operator_id=operator_id, driver=driver))
    site = Site(world, operator, location, tariff, charger, driver)
    if money:
        site.top_up(money)
    site.connect()
    return site
