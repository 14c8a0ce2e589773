"""Prices by REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import Operator, Reply, World

TARIFF = {
    "name": "Standard",
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": "0.35", "vat": "19", "step_size": 1}]}],
}


def create(world: World, operator: Operator, **changes: Any) -> dict[str, Any]:
    status, body = world.rest.post("/v1/tariffs", TARIFF | changes, token=operator.access_token)
    assert status == 201, body
    return dict(body)


def test_a_tariff_is_made_and_read(world: World) -> None:
    operator = world.operator()
    tariff = create(world, operator)
    assert (tariff["version"], tariff["elements"], tariff["tax_included"]) == (1, TARIFF["elements"], True)
    reply = world.rest.get(f"/v1/tariffs/{tariff['tariff_id']}", token=operator.access_token)
    assert (reply.status, reply.body, reply.headers["etag"]) == (200, tariff, '"1"')
    assert world.rest.get("/v1/tariffs", token=operator.access_token).body["data"] == [tariff]


def test_a_change_makes_a_version_and_if_match_guards_it(world: World) -> None:
    operator = world.operator()
    path = f"/v1/tariffs/{create(world, operator)['tariff_id']}"
    dearer = {"name": "Dearer", "elements": [{"price_components": [{"type": "FLAT", "price": "2"}]}]}

    def put(body: dict[str, Any], etag: str | None) -> Reply:
        return world.rest.put(path, body, token=operator.access_token, headers={"If-Match": etag} if etag else {})

    reply = put(dearer, '"1"')
    assert (reply.status, reply.body["version"], reply.headers["etag"]) == (200, 2, '"2"')
    reply = put(dearer | {"name": "Lost update"}, '"1"')
    assert (reply.status, reply.body["code"]) == (412, "tariff.changed")
    assert world.rest.get(path, token=operator.access_token).body["name"] == "Dearer"
    assert put(dearer | {"name": "Third"}, None).body["version"] == 3
    old = world.rest.get(path, query={"version": 1}, token=operator.access_token).body
    assert old["elements"] == TARIFF["elements"]
    assert world.rest.get(path, query={"version": 9}, token=operator.access_token).status == 404


@pytest.mark.parametrize(
    ("part", "pointer"),
    [
        ({"type": "ENERGY", "price": "-1"}, "/elements/0/price_components/0/price"),
        ({"type": "ENERGY", "price": 0.35}, "/elements/0/price_components/0/price"),
        ({"type": "ENERGY", "price": "NaN"}, "/elements/0/price_components/0/price"),
        ({"type": "ENERGY", "price": "1e5"}, "/elements/0/price_components/0/price"),
        ({"type": "ENERGY", "price": "1\n"}, "/elements/0/price_components/0/price"),
        ({"type": "WATER", "price": "1"}, "/elements/0/price_components/0/type"),
        ({"type": "ENERGY", "price": "1", "vat": "101"}, "/elements/0/price_components/0/vat"),
        ({"type": "ENERGY", "price": "1", "step_size": 0}, "/elements/0/price_components/0/step_size"),
    ],
)
def test_prices_that_are_refused(world: World, part: dict[str, Any], pointer: str) -> None:
    operator = world.operator()
    body = TARIFF | {"elements": [{"price_components": [part]}]}
    status, answer = world.rest.post("/v1/tariffs", body, token=operator.access_token)
    assert (status, answer["errors"][0]["pointer"]) == (422, pointer)
    assert world.rest.get("/v1/tariffs", token=operator.access_token).body["data"] == []


def test_a_quote_is_what_the_charge_will_cost(world: World) -> None:
    operator = world.operator()
    tariff = create(world, operator)
    what_if = {"energy_wh": 200, "started_at": "2026-03-02T08:00:00Z", "duration_s": 600, "time_zone": "Europe/Berlin"}
    path = f"/v1/tariffs/{tariff['tariff_id']}/quotes"
    status, quote = world.rest.post(path, what_if, token=operator.access_token)
    assert status == 200
    assert quote["total"] == {"amount": 7, "currency": "EUR"}
    assert (quote["net"]["amount"], quote["tax"]["amount"]) == (6, 1)
    assert quote["lines"] == [
        {
            "dimension": "ENERGY",
            "quantity": "0.2",
            "unit": "kWh",
            "price": "0.35",
            "vat": "19",
            "amount": {"amount": 7, "currency": "EUR"},
        }
    ]
    for wrong in (
        {"energy_wh": -1},
        {"time_zone": "Nowhere"},
        {"started_at": "2026-03-02T08:00:00"},
        {"parking_s": 601},
    ):
        assert world.rest.post(path, what_if | wrong, token=operator.access_token).status == 422


def test_a_round_quantity_is_written_without_an_exponent(world: World) -> None:
    operator = world.operator()
    path = f"/v1/tariffs/{create(world, operator)['tariff_id']}/quotes"
    what_if = {"energy_wh": 100_000, "started_at": "2026-03-02T08:00:00Z", "duration_s": 0}
    assert world.rest.post(path, what_if, token=operator.access_token).body["lines"][0]["quantity"] == "100"


def test_another_operators_tariff_does_not_exist(world: World) -> None:
    owner, other = world.operator(), world.operator()
    tariff_id = create(world, owner)["tariff_id"]
    token = other.access_token
    what_if = {"energy_wh": 1, "started_at": "2026-03-02T08:00:00Z", "duration_s": 0}
    change = {"name": "Mine", "elements": TARIFF["elements"]}
    replies = [
        world.rest.get(f"/v1/tariffs/{tariff_id}", token=token),
        world.rest.put(f"/v1/tariffs/{tariff_id}", change, token=token),
        world.rest.post(f"/v1/tariffs/{tariff_id}/quotes", what_if, token=token),
        world.rest.put("/v1/tariff-assignments", {"tariff_id": tariff_id, "charger_id": "CP-1"}, token=token),
        world.rest.get("/v1/tariffs", query={"operator_id": owner.operator_id}, token=token),
        world.rest.delete("/v1/tariff-assignments", query={"operator_id": owner.operator_id}, token=token),
    ]
    assert [reply.status for reply in replies] == [404] * len(replies)
    assert world.rest.get("/v1/tariffs", token=token).body["data"] == []


def test_what_was_read_can_be_written_back_but_for_what_never_changes(world: World) -> None:
    operator = world.operator()
    tariff = create(world, operator)
    path, kept = f"/v1/tariffs/{tariff['tariff_id']}", ("name", "elements", "tax_included", "currency", "purpose")
    body = {name: tariff[name] for name in kept}
    assert world.rest.put(path, body | {"name": "Dearer"}, token=operator.access_token).body["version"] == 2
    for change in ({"currency": "CHF"}, {"purpose": "energy_cost"}):
        status, answer = world.rest.put(path, body | change, token=operator.access_token)
        assert (status, answer["code"]) == (409, "tariff.fixed")


def test_a_deleted_tariff_applies_nowhere_and_comes_back(world: World) -> None:
    operator = world.operator()
    tariff, other = create(world, operator), create(world, operator, name="Night")
    path, token = f"/v1/tariffs/{tariff['tariff_id']}", operator.access_token
    assert world.rest.delete(path, token=token).status == 204
    assert world.rest.delete(path, token=token).status == 204
    assert [one["tariff_id"] for one in world.rest.get("/v1/tariffs", token=token).body["data"]] == [other["tariff_id"]]
    [deleted] = world.rest.get("/v1/tariffs", query={"state": "deleted"}, token=token).body["data"]
    assert deleted["deleted_at"] is not None
    assert world.rest.get(path, token=token).body == deleted

    body = {"name": "Dearer", "elements": tariff["elements"]}
    what_if = {"energy_wh": 1000, "started_at": "2026-03-02T08:00:00Z", "duration_s": 60}
    for status, answer in (
        world.rest.put(path, body, token=token),
        world.rest.post(f"{path}/quotes", what_if, token=token),
        world.rest.put("/v1/tariff-assignments", {"tariff_id": tariff["tariff_id"]}, token=token),
    ):
        assert (status, answer["code"]) == (409, "tariff.deleted")

    assert world.rest.post(f"{path}/restore", token=token).body == tariff
    assert world.rest.put("/v1/tariff-assignments", {"tariff_id": tariff["tariff_id"]}, token=token).status == 200


def test_a_tariff_that_is_assigned_is_not_deleted(world: World) -> None:
    operator = world.operator()
    tariff, token = create(world, operator), operator.access_token
    assert world.rest.put("/v1/tariff-assignments", {"tariff_id": tariff["tariff_id"]}, token=token).status == 200
    status, answer = world.rest.delete(f"/v1/tariffs/{tariff['tariff_id']}", token=token)
    assert (status, answer["code"]) == (409, "tariff.in_use")
    assert operator.operator_id in answer["detail"]
    assert world.rest.delete("/v1/tariff-assignments", token=token).status == 204
    assert world.rest.delete(f"/v1/tariffs/{tariff['tariff_id']}", token=token).status == 204
