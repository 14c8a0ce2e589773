"""Vending points: kept by operators, seen by those who work there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.identity import service as identity
from chalicelib.identity.model import VendingPoint
from chalicelib.identity.model.vending_points import works_at
from tests.unit.identity.narrowed import narrowed_token
from tests.world import START, Operator, Reply, World

HARBOUR = {
    "name": "Harbour kiosk",
    "address": "Moi Avenue 1, Mombasa",
    "contact_person": "Wanjikũ Mwangi",
    "phone": "+254 41 1234",
    "email": "kiosk@operator.example",
}


def add(world: World, operator: Operator, **fields: Any) -> Reply:
    world.advance(0.001)
    return world.rest.post("/v1/vending-points", {**HARBOUR, **fields}, token=operator.access_token)


def point(world: World, operator: Operator, **fields: Any) -> str:
    reply = add(world, operator, **fields)
    assert reply.status == 201, reply.body
    return str(reply.body["vending_point_id"])


def region(world: World, operator: Operator, name: str, parent: str | None = None) -> str:
    body = {"name": name, "parent_id": parent}
    return str(world.rest.post("/v1/regions", body, token=operator.access_token).body["region_id"])


def names(world: World, token: str, **query: Any) -> list[str]:
    reply = world.rest.get("/v1/vending-points", token=token, query=query)
    assert reply.status == 200, reply.body
    return [one["name"] for one in reply.body["data"]]


def test_a_vending_point_is_added_and_read_back(world: World) -> None:
    operator = world.operator()
    region_id = region(world, operator, "Kenya")
    made = add(world, operator, region_id=region_id)
    assert made.status == 201
    assert {**made.body, **HARBOUR, "region_id": region_id, "state": "active"} == made.body
    path = f"/v1/vending-points/{made.body['vending_point_id']}"
    assert world.rest.get(path, token=operator.access_token).body == made.body


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 101),
        ("email", "kiosk"),
        ("region_id", "reg_nowhere"),
        ("phone", "1"),
        ("address", ""),
        ("telephone", "+254"),
    ],
)
def test_bad_ones_are_refused_with_a_pointer_and_leave_nothing(world: World, field: str, value: str) -> None:
    operator = world.operator()
    reply = add(world, operator, **{field: value})
    assert reply.status == 422
    assert [error["pointer"] for error in reply.body["errors"]] == [f"/{field}"]
    assert names(world, operator.access_token) == []


def test_the_second_click_adds_no_twin(world: World) -> None:
    operator = world.operator()
    point(world, operator)
    assert add(world, operator, name=" HARBOUR  kiosk ").body["code"] == "name.taken"
    assert add(world, world.operator()).status == 201


def test_a_merge_patch_sets_clears_and_leaves_alone(world: World) -> None:
    operator = world.operator()
    path = f"/v1/vending-points/{point(world, operator)}"
    patched = world.rest.patch(path, {"name": "Old town", "phone": None}, token=operator.access_token)
    assert patched.status == 200
    assert (patched.body["name"], patched.body["phone"]) == ("Old town", None)
    assert patched.body["contact_person"] == HARBOUR["contact_person"]
    assert world.rest.get(path, token=operator.access_token).body == patched.body
    assert world.rest.patch(path, {}, token=operator.access_token).body == patched.body
    assert world.rest.patch(path, {"name": None}, token=operator.access_token).status == 422
    assert add(world, operator).status == 201, "its former name is free"
    assert world.rest.patch(path, {"name": HARBOUR["name"]}, token=operator.access_token).status == 409


def test_a_region_with_a_vending_point_stays_until_that_moves(world: World) -> None:
    operator = world.operator()
    kenya, uganda = region(world, operator, "Kenya"), region(world, operator, "Uganda")
    path = f"/v1/vending-points/{point(world, operator, region_id=kenya)}"
    token = operator.access_token
    assert world.rest.delete(f"/v1/regions/{kenya}", token=token).body["code"] == "region.in_use"
    assert world.rest.patch(path, {"region_id": uganda}, token=token).status == 200
    assert world.rest.delete(f"/v1/regions/{kenya}", token=token).status == 204
    assert world.rest.patch(path, {"region_id": kenya}, token=token).body["code"] == "region.unknown"
    assert world.rest.delete(path, token=token).status == 204
    assert world.rest.delete(f"/v1/regions/{uganda}", token=token).status == 204
    refused = world.rest.post(f"{path}/restore", token=token)
    assert (refused.status, refused.body["code"]) == (409, "region.removed")
    assert world.rest.patch(path, {"region_id": None}, token=token).status == 200
    assert world.rest.post(f"{path}/restore", token=token).status == 200


def test_one_that_was_deactivated_is_listed_apart_and_restored(world: World) -> None:
    operator = world.operator()
    token = operator.access_token
    path = f"/v1/vending-points/{point(world, operator)}"
    assert [world.rest.delete(path, token=token).status for _ in range(2)] == [204, 204]
    assert names(world, token) == []
    assert names(world, token, state="inactive") == [HARBOUR["name"]]
    assert world.rest.post(f"{path}/restore", token=token).body["state"] == "active"
    assert names(world, token) == [HARBOUR["name"]]
    world.rest.delete(path, token=token)
    point(world, operator)
    assert world.rest.post(f"{path}/restore", token=token).body["code"] == "name.taken"


def test_they_are_found_by_name_and_by_region(world: World) -> None:
    operator = world.operator()
    kenya = region(world, operator, "Kenya")
    coast = region(world, operator, "Coast", kenya)
    point(world, operator, name="Harbour", region_id=coast)
    point(world, operator, name="Airport", region_id=kenya)
    point(world, operator, name="Nowhere")
    token = operator.access_token
    assert names(world, token, q="HARB") == ["Harbour"]
    assert names(world, token, region_id=kenya) == ["Harbour", "Airport"]
    assert names(world, token, region_id=coast) == ["Harbour"]


def test_who_is_narrowed_sees_only_where_they_work(world: World) -> None:
    operator = world.operator()
    coast, rift = region(world, operator, "Coast"), region(world, operator, "Rift")
    harbour = point(world, operator, name="Harbour", region_id=coast)
    airport = point(world, operator, name="Airport", region_id=rift)
    point(world, operator, name="Nowhere")
    at_harbour = narrowed_token(world, operator, vending_point_ids=[harbour])
    in_rift = narrowed_token(world, operator, region_ids=[rift], email="rita@narrow.example")
    nowhere = narrowed_token(world, operator, region_ids=[rift], vending_point_ids=[harbour], email="n@narrow.example")
    assert names(world, at_harbour) == ["Harbour"]
    assert names(world, in_rift) == ["Airport"]
    assert names(world, nowhere) == []
    assert world.rest.get(f"/v1/vending-points/{airport}", token=at_harbour).status == 404
    assert world.rest.delete(f"/v1/vending-points/{airport}", token=at_harbour).status == 404
    assert world.rest.post("/v1/vending-points", HARBOUR, token=at_harbour).status == 403
    moved = world.rest.patch(f"/v1/vending-points/{airport}", {"region_id": coast}, token=in_rift)
    assert (moved.status, moved.body["code"]) == (422, "region.unknown")
    assert world.rest.post("/v1/vending-points", HARBOUR, token=in_rift).body["code"] == "region.unknown"
    made = world.rest.post("/v1/vending-points", {**HARBOUR, "region_id": rift}, token=in_rift)
    assert made.status == 201


def test_another_operator_s_points_and_regions_are_not_there(world: World) -> None:
    mine, other = world.operator(), world.operator()
    point_id = point(world, mine)
    path = f"/v1/vending-points/{point_id}"
    assert world.rest.get(path, token=other.access_token).status == 404
    assert world.rest.patch(path, {"name": "Mine"}, token=other.access_token).status == 404
    assert add(world, other, region_id=region(world, mine, "Kenya")).body["code"] == "region.unknown"
    assert identity.get_vending_point(world.ctx, other.operator_id, point_id) is None
    assert identity.get_vending_point(world.ctx, mine.operator_id, point_id) is not None


ids = st.sampled_from("abc")


@given(ids, st.lists(ids, max_size=3), st.none() | st.frozensets(ids), st.none() | st.frozensets(ids))
def test_narrowing_further_never_shows_more(
    point_id: str, lineage: list[str], regions: frozenset[str] | None, points: frozenset[str] | None
) -> None:
    here = VendingPoint(point_id, "org_1", "P", START)
    where = tuple(lineage)
    shown = works_at(here, where, regions, points)
    assert works_at(here, where, None, None)
    assert shown == (works_at(here, where, regions, None) and works_at(here, where, None, points))
    for smaller in [None] if regions is None else [regions - {one} for one in regions]:
        assert shown or not works_at(here, where, smaller, points)
