"""Drivers with money and cards, and a price, for conversations that charge."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.kernel.money import Money
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import PriceComponent, TariffElement
from chalicelib.wallets import service as wallets
from tests.world import Operator, World


def price(world: World, operator: Operator, per_kwh: str = "0.35") -> None:
    """All chargers of the operator sell at this price."""
    elements = (TariffElement((PriceComponent("ENERGY", Decimal(per_kwh)),)),)
    tariff = world.commit(
        lambda uow: tariffs.create_tariff(
            uow,
            operator_id=operator.operator_id,
            name="Flat",
            currency="EUR",
            tax_included=True,
            elements=elements,
        )
    )
    world.commit(lambda uow: tariffs.assign_tariff(uow, tariff, kind="operator", target_id=operator.operator_id))


def driver(
    world: World,
    operator: Operator,
    *,
    cents: int = 0,
    card: str = "",
    expires_at: datetime | None = None,
    group_id: str | None = None,
) -> Driver:
    """A driver with so much in the wallet and, if named, a card, perhaps of a group."""
    driver_id = world.ctx.new_id("drv")
    person = Driver(driver_id, f"{driver_id.lower()}@example.com", "Dora Driver", world.ctx.now())
    world.commit(lambda uow: drivers.create_driver(uow, person))
    if cents:
        world.commit(
            lambda uow: wallets.adjust_wallet(
                uow,
                entry_id=world.ctx.new_id("ent"),
                driver_id=driver_id,
                operator_id=operator.operator_id,
                direction="top_up",
                amount=Money(cents, "EUR"),
                reason="cash",
                business_day="2026-03-02",
            )
        )
    if card:
        known = drivers.require_driver(world.ctx, driver_id)
        world.commit(
            lambda uow: drivers.add_card(
                uow,
                id_token=card,
                operator_id=operator.operator_id,
                driver=known,
                expires_at=expires_at,
                group_id=group_id,
            )
        )
    return drivers.require_driver(world.ctx, driver_id)


def cents_of(world: World, person: Driver) -> int:
    return wallets.available(world.ctx, person.driver_id, "EUR").amount
