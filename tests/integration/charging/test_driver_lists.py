"""Whoever charges at a charger gets onto the lists of its operator and of the agency whose location it is."""

from __future__ import annotations

from chalicelib.drivers import service as drivers
from tests.integration.charging.test_feedback import agency_at
from tests.site import Site


def charge(site: Site) -> None:
    site.stop(site.start(meter_wh=0).transaction_id, 200)
    site.world.run_events()


def names(site: Site, token: str) -> list[str]:
    return [driver["full_name"] for driver in site.world.rest.get("/v1/drivers", token=token).body["data"]]


def test_the_operator_and_its_agency_list_the_driver(site: Site) -> None:
    agent = agency_at(site)
    assert names(site, agent) == names(site, site.operator.access_token) == []
    charge(site)
    assert names(site, agent) == names(site, site.operator.access_token) == ["Dana Driver"]


def test_a_location_without_an_agency_lists_for_the_operator_alone(site: Site) -> None:
    charge(site)
    later = agency_at(site)
    assert names(site, later) == []
    charge(site)
    assert names(site, later) == ["Dana Driver"]


def test_the_second_charge_pays_for_no_list(site: Site) -> None:
    agency_at(site)
    charge(site)
    driver = drivers.require_driver(site.world.ctx, site.driver.driver_id)
    before = site.world.engine.consumed[("wattfare-drivers", "write")]
    charge(site)
    assert site.world.engine.consumed[("wattfare-drivers", "write")] == before
    assert drivers.require_driver(site.world.ctx, driver.driver_id).revision == driver.revision
