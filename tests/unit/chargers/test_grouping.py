"""Groups and sub-groups of chargers."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import ChargerGroup
from chalicelib.chargers.model.groups import MAX_DEPTH
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.chargers.tree import Party, open_party
from tests.world import World

GROUPS = "/v1/charger-groups"


@pytest.fixture
def operator(world: World) -> Party:
    return open_party(world, "operator", "Ladenetz Süd")


def add(party: Party, name: str, parent_id: str | None = None) -> str:
    party.world.advance(1)  # what happens in one millisecond has no order
    reply = party.post(GROUPS, {"name": name, "parent_id": parent_id})
    assert reply.status == 201, reply.body
    return str(reply.body["charger_group_id"])


def counts(party: Party, group_id: str) -> tuple[int, int]:
    body = party.get(f"{GROUPS}/{group_id}").body
    return body["charger_count"], body["subgroup_count"]


def names(party: Party, **query: Any) -> list[str]:
    return [group["name"] for group in party.get(GROUPS, **query).body["data"]]


def test_a_tree_of_groups_with_chargers(operator: Party) -> None:
    fleet = add(operator, "Flotte")
    vans = add(operator, "Lieferwagen 🚚", fleet)
    operator.register("CP-1", charger_group_id=fleet)
    operator.register("CP-2", charger_group_id=vans)
    operator.register("CP-3")
    assert (counts(operator, fleet), counts(operator, vans)) == ((1, 1), (1, 0))
    assert operator.charger_ids(charger_group_id=fleet) == ["CP-1", "CP-2"]
    assert operator.charger_ids(charger_group_id=vans) == ["CP-2"]
    assert operator.charger_ids(charger_group_id="cgr_nowhere") == []
    assert names(operator) == ["Flotte", "Lieferwagen 🚚"]
    assert names(operator, parent_id=fleet) == names(operator, q="LIEFER") == ["Lieferwagen 🚚"]
    assert operator.get(f"{GROUPS}/{vans}").body["path"] == [fleet]
    assert operator.patch("/v1/chargers/CP-2", {"charger_group_id": fleet}).body["charger_group_id"] == fleet
    assert operator.patch("/v1/chargers/CP-1", {"charger_group_id": None}).body["charger_group_id"] is None
    assert (counts(operator, fleet), counts(operator, vans)) == ((1, 1), (0, 0))


def test_a_group_in_use_stays(operator: Party) -> None:
    fleet = add(operator, "Fleet")
    vans = add(operator, "Vans", fleet)
    operator.register("CP-1", charger_group_id=vans)
    for group_id in (fleet, vans):
        refused = operator.delete(f"{GROUPS}/{group_id}")
        assert (refused.status, refused.body["code"]) == (409, "charger_group.in_use")
    operator.patch("/v1/chargers/CP-1", {"charger_group_id": None})
    assert operator.delete(f"{GROUPS}/{vans}").status == 204
    assert counts(operator, fleet) == (0, 0)
    assert operator.delete(f"{GROUPS}/{fleet}").status == 204
    assert operator.delete(f"{GROUPS}/{fleet}").status == 404
    assert names(operator) == []


def test_a_charger_that_comes_while_the_group_goes(world: World, operator: Party) -> None:
    group = chargers.get_group(world.ctx, add(operator, "Fleet"))
    assert group is not None
    removing = UnitOfWork(world.ctx)
    chargers.remove_group(removing, group)
    operator.register("CP-1", charger_group_id=group.group_id)
    with pytest.raises(DomainError) as refused:
        removing.commit()
    assert refused.value.code == "charger_group.in_use"


def test_groups_are_five_deep_at_most(operator: Party) -> None:
    parent_id = None
    for depth in range(MAX_DEPTH):
        parent_id = add(operator, f"Level {depth}", parent_id)
    refused = operator.post(GROUPS, {"name": "Too deep", "parent_id": parent_id})
    assert (refused.status, refused.body["errors"][0]["pointer"]) == (422, "/parent_id")
    assert len(names(operator)) == MAX_DEPTH


def test_an_edit_that_somebody_else_overtook_is_refused(operator: Party) -> None:
    made = operator.post(GROUPS, {"name": "Fleet", "description": "Vans"})
    path = f"{GROUPS}/{made.body['charger_group_id']}"
    etag = {"if-match": made.headers["etag"]}
    # What is counted is nobody's edit.
    operator.register("CP-1", charger_group_id=made.body["charger_group_id"])
    changed = operator.patch(path, {"name": "Cars", "description": None}, headers=etag)
    assert (changed.status, changed.body["name"], changed.body["description"]) == (200, "Cars", None)
    assert changed.headers["etag"] != made.headers["etag"]
    assert operator.patch(path, {"name": "Bikes"}, headers=etag).status == 412
    assert operator.delete(path, headers=etag).status == 412
    assert operator.get(path).body == changed.body
    assert operator.patch(path, {}).headers["etag"] == changed.headers["etag"]


def test_another_operators_group_is_no_group(world: World, operator: Party) -> None:
    other = open_party(world, "operator", "Other")
    foreign = add(other, "Theirs")
    operator.register("CP-1")
    for path, body in (
        ("/v1/chargers", {"charger_id": "CP-2", "charger_group_id": foreign}),
        (GROUPS, {"name": "Below theirs", "parent_id": foreign}),
    ):
        assert operator.post(path, body).status == 422
    assert operator.patch("/v1/chargers/CP-1", {"charger_group_id": foreign}).body["code"] == "charger_group.unknown"
    assert operator.get(GROUPS, parent_id=foreign).status == 404
    assert counts(other, foreign) == (0, 0)


def test_a_name_stands_once_among_its_siblings(operator: Party) -> None:
    fleet, other = add(operator, "Flotte"), add(operator, "Straße")
    for name in ("flotte", " FLOTTE ", "Ｆlotte"):
        again = operator.post(GROUPS, {"name": name})
        assert (again.status, again.body["code"], again.body["errors"][0]["pointer"]) == (409, "name.taken", "/name")
    renamed = operator.patch(f"{GROUPS}/{other}", {"name": "FLOTTE"})
    assert (renamed.status, renamed.body["code"]) == (409, "name.taken")
    assert names(operator) == ["Flotte", "Straße"]
    # Below another one it is free, and it is given back by who is renamed or goes.
    vans = add(operator, "Flotte", fleet)
    assert operator.post(GROUPS, {"name": "FLOTTE", "parent_id": fleet}).status == 409
    assert operator.patch(f"{GROUPS}/{vans}", {"name": "FLOTTE", "description": "Vans"}).status == 200
    assert operator.patch(f"{GROUPS}/{vans}", {"name": "Vans"}).status == 200
    add(operator, "Flotte", fleet)
    assert operator.delete(f"{GROUPS}/{vans}").status == 204
    add(operator, "Vans", fleet)


def test_another_operator_has_names_of_its_own(world: World, operator: Party) -> None:
    add(operator, "Flotte")
    add(open_party(world, "operator", "Ladenetz Nord"), "Flotte")


def test_of_two_who_take_one_name_at_once_one_is_told(world: World, operator: Party) -> None:
    def group(group_id: str) -> ChargerGroup:
        return ChargerGroup(group_id, operator.id, "Flotte", world.ctx.now())

    late = UnitOfWork(world.ctx)
    chargers.add_group(late, group("cgr_2"), None)
    world.commit(lambda uow: chargers.add_group(uow, group("cgr_1"), None))
    with pytest.raises(DomainError) as refused:
        late.commit()
    assert refused.value.code == "name.taken"
    assert names(operator) == ["Flotte"]
