"""Groups of drivers: one with a driver in it, and one that nobody is in."""

from __future__ import annotations

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.drivers.model.groups import DriverGroup
from tests.site import Site


def things_of_driver_groups(site: Site) -> dict[str, str]:
    world, commit, operator_id = site.world, site.world.commit, site.operator.operator_id
    driver = Driver(world.ctx.new_id("drv"), "gina@grouped.example", "Gina Grouped", world.ctx.now())
    commit(lambda uow: drivers.create_driver(uow, driver))
    commit(lambda uow: drivers.link_operator(uow, operator_id, driver.driver_id))
    staff = DriverGroup(world.ctx.new_id("dgr"), operator_id, "Staff", world.ctx.now())
    nobody = DriverGroup(world.ctx.new_id("dgr"), operator_id, "Nobody", world.ctx.now())
    commit(lambda uow: drivers.add_driver_group(uow, staff))
    commit(lambda uow: drivers.add_driver_group(uow, nobody))
    commit(lambda uow: drivers.add_group_member(uow, staff, driver))
    return {
        "driver_group_id": staff.group_id,
        "empty_driver_group_id": nobody.group_id,
        "grouped_driver_id": driver.driver_id,
    }
