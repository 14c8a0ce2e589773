"""What a driver is told of a charger holds when the driver then starts there."""

from __future__ import annotations

import pytest

from chalicelib.drivers import service as drivers
from tests.site import CHARGER_ID, Site


def told(site: Site, token: str) -> tuple[bool, bool]:
    """Whether the driver may start: as the charger's page says, and as the location's."""
    charger = site.world.rest.get(f"/v1/driver/chargers/{CHARGER_ID}", token=token).body
    location = site.world.rest.get(f"/v1/driver/locations/{site.location.location_id}", token=token).body
    return charger["may_start"], location["chargers"][0]["may_start"]


@pytest.mark.parametrize("by_platform", [True, False])
def test_who_is_not_served_any_more_may_not_start(site: Site, by_platform: bool) -> None:
    rest, driver_id = site.world.rest, site.driver.driver_id
    token = site.world.driver_token(driver_id)
    site.world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, driver_id))
    by = site.world.platform_admin() if by_platform else site.operator.access_token
    assert told(site, token) == (True, True)
    assert rest.delete(f"/v1/drivers/{driver_id}", token=by).status == 204
    assert told(site, token) == (False, False)
    body = {"charger_id": CHARGER_ID, "evse_no": 1}
    assert rest.post("/v1/driver/sessions", body, token=token, key="k1").body["code"] == "driver.inactive"
    assert rest.post(f"/v1/drivers/{driver_id}/restore", token=by).status == 200
    assert told(site, token) == (True, True)


def test_another_operators_refusal_does_not_count_here(site: Site) -> None:
    driver_id, other = site.driver.driver_id, site.world.operator()
    token = site.world.driver_token(driver_id)
    site.world.commit(lambda uow: drivers.link_operator(uow, other.operator_id, driver_id))
    assert site.world.rest.delete(f"/v1/drivers/{driver_id}", token=other.access_token).status == 204
    assert told(site, token) == (True, True)
