"""Figures of some places: a location, a charger, a group of chargers; and for who works at some of them only."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.drivers import service as drivers
from chalicelib.reports import service
from tests.site import CHARGER_ID, Site, build_site
from tests.unit.files.conftest import Files
from tests.unit.files.test_exports import agency_of
from tests.unit.identity.narrowed import narrowed_token
from tests.world import Reply, World

PLACE = {"name": "North", "address": "Nordweg 1", "city": "Kiel", "country": "DE", "time_zone": "Europe/Berlin"}


@pytest.fixture
def site(world: World) -> Site:
    """10 kWh were sold, for 3.50."""
    site = build_site(world)
    outcome = site.start(meter_wh=1000)
    site.advance(10)
    site.stop(outcome.transaction_id or 0, 11_000)
    world.run_events()
    return site


def ask(site: Site, token: str = "", **query: Any) -> Reply:
    return site.world.rest.get("/v1/stats/summary", token=token or site.operator.access_token, query=query)


def sold(site: Site, token: str = "", **query: Any) -> tuple[int, int, int]:
    reply = ask(site, token, **query)
    assert reply.status == 200, reply.body
    [euro] = reply.body["totals"]
    return euro["sessions"], euro["energy_wh"], euro["gross"]["amount"]


def post(site: Site, path: str, body: dict[str, Any]) -> Any:
    reply = site.world.rest.post(path, body, token=site.operator.access_token, key=f"key {path} {body}")
    assert reply.status in (200, 201), reply.body
    return reply.body


ALL, NONE = (1, 10_000, 350), (0, 0, 0)


def test_of_a_location_or_a_charger(site: Site) -> None:
    elsewhere = post(site, "/v1/locations", PLACE)["location_id"]
    assert sold(site) == ALL
    assert sold(site, location_id=site.location.location_id, charger_id=CHARGER_ID.lower()) == ALL
    assert sold(site, location_id=elsewhere) == NONE
    assert sold(site, location_id=elsewhere, charger_id=CHARGER_ID) == NONE
    assert ask(site, location_id=site.location.location_id).body["totals"][0]["topups"] is None


def test_of_a_group_of_chargers_and_what_is_below_it(site: Site) -> None:
    everybody = post(site, "/v1/charger-groups", {"name": "Everybody"})
    yard = post(site, "/v1/charger-groups", {"name": "Yard", "parent_id": group_id(everybody)})
    other = post(site, "/v1/charger-groups", {"name": "Other"})
    charger = chargers.require_charger(site.world.ctx, CHARGER_ID)
    site.world.commit(lambda uow: chargers.change_charger(uow, charger, {"group_id": group_id(yard)}))
    assert sold(site, charger_group_id=group_id(everybody)) == ALL
    assert sold(site, charger_group_id=group_id(yard), charger_id=CHARGER_ID) == ALL
    assert sold(site, charger_group_id=group_id(other)) == NONE


def group_id(group: dict[str, Any]) -> str:
    return str(group["charger_group_id"])


def test_places_of_others_are_not_there(site: Site) -> None:
    stranger = site.world.operator("Stranger")
    for query in (
        {"location_id": site.location.location_id},
        {"charger_id": CHARGER_ID},
        {"charger_group_id": "cgr_1"},
    ):
        assert ask(site, stranger.access_token, **query).status == 404
    platform = site.world.platform_admin()
    for query in ({"location_id": site.location.location_id}, {"charger_id": CHARGER_ID}):
        assert ask(site, platform, operator_id=stranger.operator_id, **query).status == 404
        assert sold(site, platform, operator_id=site.operator.operator_id, **query) == ALL


def test_some_places_are_counted_for_92_days_at_once(site: Site) -> None:
    span = {"date_from": "2025-12-01", "date_to": "2026-03-02"}
    assert sold(site, charger_id=CHARGER_ID, **span) == ALL
    reply = ask(site, charger_id=CHARGER_ID, date_from="2025-11-30", date_to="2026-03-02")
    assert (reply.status, reply.body["code"]) == (422, "stats.span")


def test_an_agency_and_who_is_narrowed_see_their_own_places(site: Site) -> None:
    agency_id, agency = agency_of(Files(site.world, site.operator))
    region = post(site, "/v1/regions", {"name": "North"})["region_id"]
    narrowed = narrowed_token(site.world, site.operator, region_ids=[region])
    assert sold(site, agency) == sold(site, narrowed) == NONE
    location = chargers.get_location(site.world.ctx, site.location.location_id)
    assert location is not None
    changes = {"agency_id": agency_id, "region_id": region}
    site.world.commit(lambda uow: chargers.change_location(uow, location, changes))
    assert sold(site, agency) == sold(site, narrowed) == ALL
    assert ask(site, agency).body["totals"][0]["topups"] is None


def test_what_came_into_wallets_through_the_operator(site: Site) -> None:
    site.world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    path = f"/v1/wallets/{site.driver.driver_id}/adjustments"
    for direction, amount in (("top_up", 700), ("deduct", 200)):
        body = {"direction": direction, "amount": {"amount": amount, "currency": "EUR"}, "reason": "counter"}
        site.advance(1)
        post(site, path, body)
    [euro] = ask(site).body["totals"]
    assert euro["topups"] == {"count": 2, "amount": money(500), "bonus": money(0)}
    days = site.world.rest.get(
        "/v1/stats/timeseries", token=site.operator.access_token, query={"date_from": "2026-03-01"}
    ).body["periods"]
    assert [[line["topups"]["amount"]["amount"] for line in each["totals"]] for each in days] == [[], [500]]
    operator, day = site.operator.organization, site.world.clock.now().date()
    assert service.topups_of_days(site.world.ctx, operator, day, day, most=2) is not None
    assert service.topups_of_days(site.world.ctx, operator, day, day, most=1) is None


def money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}
