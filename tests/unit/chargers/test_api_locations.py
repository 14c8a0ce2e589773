"""Locations: whose they are, which are found, and that a closed one has no chargers."""

from __future__ import annotations

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.identity import service as identity
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.chargers.tree import PLACE, Party, open_party
from tests.unit.identity.narrowed import narrowed_token
from tests.world import Operator, World


@pytest.fixture
def operator(world: World) -> Party:
    return open_party(world, "operator", "Ladenetz Süd")


def region(party: Party, name: str, parent_id: str | None = None) -> str:
    named = {"name": name} if parent_id is None else {"name": name, "parent_id": parent_id}
    made = party.world.commit(
        lambda uow: identity.create_region(uow, organization_id=party.id, name=name, parent_id=parent_id)
    )
    assert named
    return str(made.region_id)


def narrowed(party: Party, *region_ids: str) -> Party:
    [user] = identity.list_users(party.world.ctx, party.id, limit=1, cursor=None).data
    owner = Operator(party.organization, user, party.token)
    return Party(party.world, party.organization, narrowed_token(party.world, owner, region_ids=region_ids))


def test_a_closed_location_takes_no_chargers_and_opens_again(operator: Party) -> None:
    location_id = operator.add_location()
    operator.register("CP-1")
    path = f"/v1/locations/{location_id}"
    for _ in range(2):
        assert operator.delete(path).status == 204
    assert operator.get(path).body["state"] == "inactive"
    assert operator.location_names() == []
    assert operator.location_names(state="inactive") == ["Depot"]
    refused = operator.put("/v1/chargers/CP-1/location", {"location_id": location_id})
    assert (refused.status, refused.body["code"]) == (409, "location.inactive")
    refused = operator.post("/v1/chargers", {"charger_id": "CP-2", "location_id": location_id})
    assert (refused.status, refused.body["code"]) == (409, "location.inactive")
    assert operator.charger_ids() == ["CP-1"]
    assert operator.post(f"{path}/restore").body["state"] == "active"
    placed = operator.put("/v1/chargers/CP-1/location", {"location_id": location_id})
    assert (placed.status, placed.body["location_id"]) == (200, location_id)


def test_a_location_is_closed_only_without_chargers(operator: Party) -> None:
    first, second = operator.add_location(), operator.add_location(name="Harbour")
    operator.register("CP-1", location_id=first)
    assert operator.get(f"/v1/locations/{first}").body["charger_count"] == 1
    refused = operator.delete(f"/v1/locations/{first}")
    assert (refused.status, refused.body["code"]) == (409, "location.has_chargers")
    for _ in range(2):
        assert operator.put("/v1/chargers/CP-1/location", {"location_id": second}).status == 200
    counts = [location["charger_count"] for location in operator.get("/v1/locations").body["data"]]
    assert counts == [0, 1]
    assert operator.delete(f"/v1/locations/{first}").status == 204
    for _ in range(2):
        assert operator.delete("/v1/chargers/CP-1/location").status == 204
    assert operator.get(f"/v1/locations/{second}").body["charger_count"] == 0


def test_a_charger_that_comes_while_the_location_is_closed_stays_out(operator: Party) -> None:
    ctx = operator.world.ctx
    location = chargers.require_location(ctx, operator.add_location())
    operator.register("CP-1")
    charger = chargers.require_charger(ctx, "CP-1")
    placing = UnitOfWork(ctx)
    chargers.place_charger(placing, charger, location)
    operator.world.commit(lambda uow: chargers.close_location(uow, location))
    with pytest.raises(DomainError) as refused:
        placing.commit()
    assert refused.value.code == "location.inactive"
    assert not chargers.require_charger(ctx, "CP-1").is_placed


def test_a_location_is_closed_only_if_no_charger_came_meanwhile(operator: Party) -> None:
    ctx = operator.world.ctx
    location = chargers.require_location(ctx, operator.add_location())
    closing = UnitOfWork(ctx)
    chargers.close_location(closing, location)
    operator.register("CP-1", location_id=location.location_id)
    with pytest.raises(DomainError) as refused:
        closing.commit()
    assert refused.value.code == "location.has_chargers"


def test_an_agency_sees_a_location_as_soon_as_it_is_its_own(world: World, operator: Party) -> None:
    agency = open_party(world, "agency", "Parkhaus", operator)
    other = open_party(world, "agency", "Stadion", operator)
    location_id = operator.add_location()
    operator.register("CP-1", location_id=location_id)
    path = f"/v1/locations/{location_id}"
    assert agency.get(path).status == 404
    handed = operator.patch(path, {"agency_id": agency.id})
    assert (handed.status, handed.body["agency_id"]) == (200, agency.id)
    assert agency.location_names() == ["Depot"]
    assert agency.charger_ids() == ["CP-1"]
    assert other.location_names() == other.charger_ids() == []
    assert agency.patch(path, {"name": "Mine"}).status == 403
    assert operator.location_names(agency_id=agency.id) == ["Depot"]
    assert operator.location_names(agency_id=other.id) == []
    assert operator.patch(path, {"agency_id": None}).body["agency_id"] is None
    assert agency.get(path).status == 404


def test_only_an_agency_of_the_operator_has_its_locations(world: World, operator: Party) -> None:
    stranger = open_party(world, "operator", "Elsewhere")
    foreign = open_party(world, "agency", "Foreign", stranger)
    location_id = operator.add_location()
    for wrong in (foreign.id, operator.id, "org_nobody", ""):
        for reply in (
            operator.patch(f"/v1/locations/{location_id}", {"agency_id": wrong}),
            operator.post("/v1/locations", PLACE | {"agency_id": wrong}),
        ):
            assert (reply.status, reply.body["errors"][0]["pointer"]) == (422, "/agency_id"), wrong
    assert operator.location_names() == ["Depot"]


def test_locations_are_found_by_region_and_by_words(operator: Party) -> None:
    germany = region(operator, "Germany")
    north = region(operator, "Holstein", germany)
    operator.add_location(name="Hafen", city="Kiel", region_id=north)
    operator.add_location(name="東京タワー", city="東京")
    assert operator.location_names(region_id=germany) == operator.location_names(region_id=north) == ["Hafen"]
    assert operator.location_names(q="kIEL") == ["Hafen"]
    assert operator.location_names(q="東京") == ["東京タワー"]
    assert operator.location_names(q="ringstrasse") == ["Hafen", "東京タワー"]
    assert operator.location_names(q="nowhere") == []
    wrong = operator.post("/v1/locations", PLACE | {"region_id": "reg_nowhere"})
    assert (wrong.status, wrong.body["code"]) == (422, "region.unknown")


def test_who_is_narrowed_to_regions_works_in_these(operator: Party) -> None:
    germany, france = region(operator, "Germany"), region(operator, "France")
    north = region(operator, "Holstein", germany)
    nora = narrowed(operator, germany)
    elsewhere = operator.add_location(name="Lyon", region_id=france)
    assert nora.post("/v1/locations", PLACE).body["code"] == "region_id.missing"
    assert nora.post("/v1/locations", PLACE | {"region_id": france}).status == 403
    kiel = nora.add_location(name="Kiel", region_id=north)
    assert nora.location_names() == ["Kiel"]
    assert nora.patch(f"/v1/locations/{kiel}", {"region_id": france}).status == 403
    assert nora.patch(f"/v1/locations/{kiel}", {"region_id": None}).status == 422
    assert nora.patch(f"/v1/locations/{kiel}", {"name": "Kiel Hafen"}).status == 200
    assert nora.post("/v1/chargers", {"charger_id": "CP-1"}).body["code"] == "location_id.missing"
    assert nora.post("/v1/chargers", {"charger_id": "CP-1", "location_id": elsewhere}).status == 404
    assert nora.register("CP-1", location_id=kiel)["registered"] is True
    operator.register("CP-2", location_id=elsewhere)
    assert nora.charger_ids() == ["CP-1"]
    assert nora.post("/v1/chargers/claims", {"serial_number": "S", "uid": "U"}).status == 403


def test_of_two_who_place_a_charger_one_is_told_to_look_again(operator: Party) -> None:
    ctx = operator.world.ctx
    here, there = (chargers.require_location(ctx, operator.add_location(name=name)) for name in ("Here", "There"))
    operator.register("CP-1")
    charger = chargers.require_charger(ctx, "CP-1")
    late = UnitOfWork(ctx)
    chargers.place_charger(late, charger, here)
    operator.world.commit(lambda uow: chargers.place_charger(uow, charger, there))
    with pytest.raises(StaleRead):
        late.commit()
    counts = {place["name"]: place["charger_count"] for place in operator.get("/v1/locations").body["data"]}
    assert counts == {"Here": 0, "There": 1}


def test_a_country_must_exist(operator: Party) -> None:
    location_id = operator.add_location()
    for reply in (
        operator.post("/v1/locations", PLACE | {"country": "ZZ"}),
        operator.patch(f"/v1/locations/{location_id}", {"country": "QQ"}),
    ):
        assert (reply.status, reply.body["code"]) == (422, "country.unknown")
        assert reply.body["errors"][0]["pointer"] == "/country"
