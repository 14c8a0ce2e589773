"""Who may keep a connector from others (F-126 to F-131): for whom an operator reserves, and that it can be paid for."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.charging import service
from chalicelib.drivers import service as drivers
from tests.site import CARD, CHARGER_ID, Site
from tests.unit.charging.test_races import spend
from tests.world import Reply

UNTIL = "2026-03-02T10:00:00Z"


def as_driver(site: Site, token: str = "") -> Reply:
    body = {"charger_id": CHARGER_ID, "evse_no": 1, "expires_at": UNTIL}
    token = token or site.world.driver_token(site.driver.driver_id)
    return site.world.rest.post("/v1/driver/reservations", body, token=token, key="k1")


def as_operator(site: Site, **whom: Any) -> Reply:
    body = {"charger_id": CHARGER_ID, "evse_no": 1, "expires_at": UNTIL, **whom}
    token = site.world.access_token(site.operator.user.email)
    return site.world.rest.post("/v1/reservations", body, token=token, key="k1")


@pytest.fixture
def known(site: Site) -> Site:
    """The driver is on the operator's list."""
    site.world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    return site


def test_an_operator_reserves_for_a_driver_who_starts_from_the_app(known: Site) -> None:
    reply = as_operator(known, driver_id=known.driver.driver_id)
    assert (reply.status, reply.body["driver_id"], reply.body["evse_no"]) == (201, known.driver.driver_id, 1)
    known.world.commit(
        lambda uow: service.handle_reservation_answer(
            uow, charger_id=CHARGER_ID, number=reply.body["number"], accepted=True
        )
    )
    assert known.request(500).reservation_id == reply.body["reservation_id"]


def test_whoever_could_not_charge_keeps_no_connector_from_others(known: Site) -> None:
    spend(known, 2000)
    driver_id, token = known.driver.driver_id, known.world.driver_token(known.driver.driver_id)
    for reply in (as_driver(known, token), as_operator(known, driver_id=driver_id), as_operator(known, id_token=CARD)):
        assert (reply.status, reply.body["code"]) == (409, "wallet.minimum_balance")
    known.top_up(1000)
    assert as_driver(known, token).status == 201


def test_nor_with_less_than_a_charge_until_full_asks_for(known: Site) -> None:
    token = known.world.access_token(known.operator.user.email)
    setting = {"min_balance_until_full": 5000}
    assert known.world.rest.put("/v1/settings/payments", setting, token=token).status == 200
    reply = as_driver(known)
    assert (reply.status, reply.body["code"]) == (409, "wallet.minimum_balance")


@pytest.mark.parametrize("both", [False, True])
def test_it_is_for_a_card_or_for_a_driver(known: Site, both: bool) -> None:
    whom = {"id_token": CARD, "driver_id": known.driver.driver_id} if both else {}
    reply = as_operator(known, **whom)
    assert (reply.status, reply.body["code"]) == (422, "reservation.for_whom")


def test_drivers_of_others_are_not_there(site: Site) -> None:
    assert as_operator(site, driver_id=site.driver.driver_id).status == 404
