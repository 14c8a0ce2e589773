"""What a driver is told of a charger holds when the driver then starts there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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


def test_where_nothing_can_be_started_the_charger_does_not_say_that_it_can(site: Site) -> None:
    token = site.world.driver_token(site.driver.driver_id)
    query = {"location_id": site.location.location_id}
    assert site.world.rest.delete("/v1/tariff-assignments", token=site.operator.access_token, query=query).status == 204
    charger = site.world.rest.get(f"/v1/driver/chargers/{CHARGER_ID}", token=token).body
    assert (charger["price"], charger["may_start"], charger["start_refusal"]) == (None, False, "tariff.none")
    assert charger["operator_name"] == site.operator.organization.name


# -- the price, before the start --------------------------------------------------------------------------------------

PATH = f"/v1/driver/chargers/{CHARGER_ID}"
NIGHT_AND_DAY = [
    {
        "price_components": [{"type": "ENERGY", "price": "0.20", "vat": "19", "step_size": 1}],
        "restrictions": {"start_time": "22:00", "end_time": "06:00"},
    },
    {
        "price_components": [
            {"type": "ENERGY", "price": "0.40", "vat": "19", "step_size": 1},
            {"type": "PARKING_TIME", "price": "6.00", "vat": "19", "step_size": 60},
        ]
    },
]


def sell(site: Site, **fields: object) -> None:
    """At the charger alone."""
    token = site.operator.access_token
    body = {"name": "N", "currency": "EUR", "elements": NIGHT_AND_DAY, "idle_grace_s": 600, **fields}
    tariff = site.world.rest.post("/v1/tariffs", body, token=token).body
    assignment = {"tariff_id": tariff["tariff_id"], "charger_id": CHARGER_ID}
    assert site.world.rest.put("/v1/tariff-assignments", assignment, token=token).status == 200


def test_the_whole_price_is_shown(site: Site) -> None:
    token = site.world.driver_token(site.driver.driver_id)
    sell(site, min_price={"incl_vat": "1.00"}, max_price={"incl_vat": "50.00"})
    price = site.world.rest.get(PATH, token=token).body["price"]
    assert [(element["applies"], len(element["price_components"])) for element in price["elements"]] == [
        ("22:00-06:00", 1),
        (None, 2),
    ]
    assert price["elements"][0]["restrictions"] == {"start_time": "22:00", "end_time": "06:00"}
    assert (price["currency"], price["tax_included"], price["time_zone"]) == ("EUR", True, "Europe/Berlin")
    assert (price["min_price"]["incl_vat"], price["max_price"]["incl_vat"], price["idle_grace_s"]) == (
        "1.00",
        "50.00",
        600,
    )
    assert [(part["type"], part["price"]) for part in price["now"]] == [("ENERGY", "0.40"), ("PARKING_TIME", "6.00")]
    site.world.advance(13 * 3600)  # ten in the evening there
    token = site.world.access_token(f"{site.driver.driver_id.lower()}@driver.example")
    now = site.world.rest.get(PATH, token=token).body["price"]["now"]
    assert ("ENERGY", "0.20") in [(part["type"], part["price"]) for part in now]


def test_a_what_if_costs_what_the_charge_then_costs(site: Site) -> None:
    token = site.world.driver_token(site.driver.driver_id)
    reply = site.world.rest.post(f"{PATH}/quotes", {"energy_wh": 10_000, "duration_s": 3600}, token=token)
    assert reply.status == 200, reply.body
    outcome = site.start(meter_wh=0)
    site.world.advance(3599)
    site.stop(outcome.transaction_id, 10_000)
    [session] = site.sessions()
    assert (reply.body["tariff_id"], reply.body["total"]["amount"]) == (session.tariff_id, session.cost)


def test_a_what_if_of_somebody_in_a_group_is_at_their_price(site: Site) -> None:
    rest, by = site.world.rest, site.operator.access_token
    site.world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    group_id = rest.post("/v1/driver-groups", {"name": "Staff"}, token=by).body["driver_group_id"]
    rest.put(f"/v1/driver-groups/{group_id}/drivers/{site.driver.driver_id}", token=by)
    elements = [{"price_components": [{"type": "ENERGY", "price": "0.10"}]}]
    tariff = rest.post("/v1/tariffs", {"name": "S", "currency": "EUR", "elements": elements}, token=by).body
    rest.put("/v1/tariff-assignments", {"tariff_id": tariff["tariff_id"], "driver_group_id": group_id}, token=by)
    token, stranger = site.world.driver_token(site.driver.driver_id), site.world.driver_token("drv_other")
    what_if = {"energy_wh": 10_000, "duration_s": 0}
    asked = [rest.post(f"{PATH}/quotes", what_if, token=who).body["total"]["amount"] for who in (token, stranger)]
    assert asked == [100, 350]
    assert rest.get(PATH, token=token).body["price"]["tariff_id"] == tariff["tariff_id"]


@pytest.mark.parametrize("wrong", [{"parking_s": 61}, {"energy_wh": -1}, {"power_w": 0}])
def test_a_what_if_that_cannot_be(site: Site, wrong: dict[str, int]) -> None:
    token = site.world.driver_token(site.driver.driver_id)
    what_if = {"energy_wh": 1000, "duration_s": 60} | wrong
    assert site.world.rest.post(f"{PATH}/quotes", what_if, token=token).status == 422


# -- why a start would be refused -------------------------------------------------------------------------------------


def started(site: Site, token: str) -> str | None:
    """The code with which a start is refused."""
    reply = site.world.rest.post("/v1/driver/sessions", {"charger_id": CHARGER_ID, "evse_no": 1}, token=token, key="k")
    return None if reply.status < 300 else str(reply.body["code"])


def without_a_price(site: Site) -> None:
    query = {"location_id": site.location.location_id}
    assert site.world.rest.delete("/v1/tariff-assignments", token=site.operator.access_token, query=query).status == 204


def members_only(site: Site) -> None:
    change = {"charge_with_qr": False}
    assert site.world.rest.patch(f"/v1/chargers/{CHARGER_ID}", change, token=site.operator.access_token).status == 200


def without_payments(site: Site) -> None:
    site.world.ctx.settings = replace(site.world.ctx.settings, payment_provider="")


@pytest.mark.parametrize(
    ("arrange", "code"),
    [
        (lambda site: None, None),
        (without_a_price, "tariff.none"),
        (members_only, "charger.not_public"),
        (without_payments, "payment_provider.missing"),
    ],
    ids=["nothing", "no price", "members only", "no payments"],
)
def test_what_is_told_before_is_what_the_start_is_answered(
    site: Site, arrange: Callable[[Site], None], code: str | None
) -> None:
    token = site.world.driver_token(site.driver.driver_id)
    arrange(site)
    told = site.world.rest.get(PATH, token=token).body
    assert told["start_refusal"] == code
    assert (told["price"] is None) == (code == "tariff.none")
    assert started(site, token) == code


def test_what_costs_nothing_needs_nobody_who_takes_payments(site: Site) -> None:
    token = site.world.driver_token(site.driver.driver_id)
    sell(site, elements=[{"price_components": [{"type": "ENERGY", "price": "0"}]}], idle_grace_s=0)
    without_payments(site)
    assert site.world.rest.get(PATH, token=token).body["start_refusal"] is None
    assert started(site, token) is None
