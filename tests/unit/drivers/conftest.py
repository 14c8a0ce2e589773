"""Drivers to start from."""

from __future__ import annotations

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver, IdToken
from tests.world import World


def add_driver(world: World, name: str = "Dora Driver", operator_id: str | None = None) -> Driver:
    """A driver with an app, on the operator's list if one is named."""
    driver_id = world.ctx.new_id("drv")
    driver = Driver(driver_id, f"{driver_id.lower()}@driver.example", name, world.ctx.now())
    world.commit(lambda uow: drivers.create_driver(uow, driver))
    if operator_id is not None:
        world.commit(lambda uow: drivers.link_operator(uow, operator_id, driver_id))
    return driver


def reread(world: World, driver: Driver) -> Driver:
    return drivers.require_driver(world.ctx, driver.driver_id)


def token(world: World, id_token: str) -> IdToken:
    found = drivers.find_id_token(world.ctx, id_token, consistent=True)
    assert found is not None
    return found
