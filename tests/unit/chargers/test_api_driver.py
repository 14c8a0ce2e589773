"""What a driver finds by scanning a label or typing a number."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Location
from chalicelib.identity.store import ORGANIZATIONS
from tests.unit.chargers.conftest import Site


@pytest.fixture
def placed(site: Site) -> Site:
    location = Location(
        "loc_1", "org_1", "Depot", "Ring 1", "Köln", "DE", "Europe/Berlin", created_at=site.world.ctx.now()
    )
    operator = replace(site.world.operator().organization, organization_id="org_1")
    site.world.commit(lambda uow: uow.put(ORGANIZATIONS, operator))
    site.world.commit(lambda uow: chargers.add_location(uow, location))
    site.world.commit(lambda uow: chargers.place_charger(uow, site.charger, location))
    return site


def test_by_code_the_connector_is_known(placed: Site) -> None:
    token = placed.world.driver_token("drv_1")
    code = chargers.list_evses(placed.world.ctx, "CP-1")[1].code
    assert code is not None
    for written in (code, code.lower(), f"{code[:4]}%20{code[4:]}", f"%20{code[:4]}%C2%A0{code[4:]}"):
        status, body = placed.world.rest.get(f"/v1/driver/chargers/{written}", token=token)
        assert status == 200
        assert (body["charger_id"], body["evse_no"]) == ("CP-1", 2)
        assert body["location"]["name"] == "Depot"
        assert [connector["letter"] for connector in body["connectors"]] == ["A", "B"]


def test_by_number_people_choose(placed: Site) -> None:
    placed.connect("ws-1")
    body = placed.world.rest.get("/v1/driver/chargers/cp-1", token=placed.world.driver_token("drv_1")).body
    assert (body["charger_id"], body["evse_no"], body["online"]) == ("CP-1", None, True)


def test_what_cannot_be_charged_at_is_not_found(site: Site) -> None:
    token = site.world.driver_token("drv_1")
    code = chargers.list_evses(site.world.ctx, "CP-1")[0].code
    for written in (code, "CP-1", "CP-9", "ZZZZZZZZ"):
        status, body = site.world.rest.get(f"/v1/driver/chargers/{written}", token=token)
        assert (status, body["code"]) == (404, "charger.not_found")


def test_operators_are_no_drivers(placed: Site) -> None:
    token = placed.world.operator().access_token
    assert placed.world.rest.get("/v1/driver/chargers/CP-1", token=token).status == 403
