"""Restricted prices, their bounds and their quotes by REST."""

from __future__ import annotations

from typing import Any

import pytest

from tests.world import Operator, World

ENERGY = {"type": "ENERGY", "price": "0.35", "vat": "19", "step_size": 1}
IDLE = {"type": "PARKING_TIME", "price": "6", "vat": "19", "step_size": 60}
NIGHT = {
    "price_components": [ENERGY | {"price": "0.20"}],
    "restrictions": {
        "start_time": "22:00",
        "end_time": "06:00",
        "start_date": "2026-01-01",
        "end_date": "2027-01-01",
        "min_kwh": "0.5",
        "max_kwh": "80",
        "min_power": "1.4",
        "max_power": "22",
        "min_duration": 60,
        "max_duration": 86400,
        "day_of_week": ["MONDAY", "SUNDAY"],
    },
}
TARIFF: dict[str, Any] = {
    "name": "Nights are cheap",
    "currency": "EUR",
    "elements": [NIGHT, {"price_components": [ENERGY, IDLE]}],
    "min_price": {"excl_vat": None, "incl_vat": "0.50"},
    "max_price": {"excl_vat": "50", "incl_vat": "59.50"},
    "idle_grace_s": 600,
}


def create(world: World, operator: Operator, **changes: Any) -> dict[str, Any]:
    status, body = world.rest.post("/v1/tariffs", TARIFF | changes, token=operator.access_token)
    assert status == 201, body
    return dict(body)


def test_what_is_written_is_what_is_read(world: World) -> None:
    operator = world.operator()
    made = create(world, operator)
    told = {name: made[name] for name in TARIFF}
    assert told == TARIFF
    read = world.rest.get(f"/v1/tariffs/{made['tariff_id']}", token=operator.access_token).body
    assert read == made


def test_a_change_of_a_bound_is_a_version_and_what_is_left_out_is_gone(world: World) -> None:
    operator = world.operator()
    path = f"/v1/tariffs/{create(world, operator)['tariff_id']}"
    body = {name: TARIFF[name] for name in ("name", "elements", "min_price", "max_price", "idle_grace_s")}
    assert world.rest.put(path, body, token=operator.access_token).body["version"] == 1
    less = {name: value for name, value in body.items() if name != "max_price"} | {"idle_grace_s": 900}
    changed = world.rest.put(path, less, token=operator.access_token).body
    assert (changed["version"], changed["max_price"], changed["idle_grace_s"]) == (2, None, 900)
    assert changed["min_price"] == TARIFF["min_price"]


def test_a_changed_rounding_keeps_everything_else(world: World) -> None:
    operator = world.operator()
    made = create(world, operator)
    world.rest.put("/v1/settings/rounding", {"mode": "up", "step": 5}, token=operator.access_token)
    world.run_events()
    renewed = world.rest.get(f"/v1/tariffs/{made['tariff_id']}", token=operator.access_token).body
    assert (renewed["version"], renewed["rounding"]) == (2, {"mode": "up", "step": 5})
    assert {name: renewed[name] for name in TARIFF} == TARIFF


@pytest.mark.parametrize(
    ("restrictions", "field"),
    [
        ({"start_time": "24:00"}, "/start_time"),
        ({"start_time": "8:00"}, "/start_time"),
        ({"start_date": "2026-02-30"}, "/start_date"),
        ({"min_kwh": "1.0005"}, "/min_kwh"),
        ({"min_kwh": 5}, "/min_kwh"),
        ({"day_of_week": ["FUNDAY"]}, "/day_of_week/0"),
        ({"start_time": "08:00", "end_time": "08:00"}, "/end_time"),
        ({"min_power": "22", "max_power": "11"}, "/max_power"),
        ({"min_duration": -1}, "/min_duration"),
        ({}, ""),
    ],
)
def test_restrictions_that_are_refused(world: World, restrictions: dict[str, Any], field: str) -> None:
    operator = world.operator()
    body = TARIFF | {"elements": [{"price_components": [ENERGY, IDLE], "restrictions": restrictions}]}
    status, answer = world.rest.post("/v1/tariffs", body, token=operator.access_token)
    assert (status, answer["errors"][0]["pointer"]) == (422, f"/elements/0/restrictions{field}")


@pytest.mark.parametrize("name", ["min_current", "max_current", "reservation"])
def test_restrictions_that_nobody_can_bill_are_unknown(world: World, name: str) -> None:
    operator = world.operator()
    element = {"price_components": [ENERGY, IDLE], "restrictions": {name: 16}}
    status, answer = world.rest.post("/v1/tariffs", TARIFF | {"elements": [element]}, token=operator.access_token)
    assert status == 422
    assert name in str(answer["errors"])


def quote(world: World, **what_if: Any) -> tuple[int, dict[str, Any]]:
    """Of a day and night price with an idle fee, at 21:00 in Berlin on Monday 2 March."""
    operator = world.operator()
    night = {
        "price_components": [ENERGY | {"price": "0.20"}],
        "restrictions": {"start_time": "22:00", "end_time": "06:00"},
    }
    elements = [night, {"price_components": [ENERGY, IDLE]}]
    tariff_id = create(world, operator, elements=elements, min_price=None, max_price=None)["tariff_id"]
    body = {
        "started_at": "2026-03-02T20:00:00Z",
        "time_zone": "Europe/Berlin",
        "energy_wh": 22_000,
        "duration_s": 14_400,
    }
    reply = world.rest.post(f"/v1/tariffs/{tariff_id}/quotes", body | what_if, token=operator.access_token)
    return reply.status, reply.body


@pytest.mark.parametrize(
    ("what_if", "cents"),
    [
        ({}, 550 * 35 // 100 + 1650 * 20 // 100 + 1),  # 5.5 kWh by day, 16.5 by night: 5.225
        ({"parking_s": 7200}, 385 + 220 + 1100),  # 11 + 11 kWh, two hours idle but ten minutes
        ({"power_w": 11_000}, 385 + 220 + 1100),
        ({"power_w": 22_000}, 770 + 1700),  # full at 22:00
        ({"readings": [{"after_s": 7200, "energy_wh": 22_000}]}, 385 + 220 + 1100),
        ({"readings": [{"after_s": 7200, "energy_wh": 22_000, "is_idle": False}]}, 385 + 220),
        ({"readings": [{"after_s": 7200, "energy_wh": 22_000, "power_w": 3_000}]}, 385 + 220),
    ],
)
def test_what_ifs(world: World, what_if: dict[str, Any], cents: int) -> None:
    status, body = quote(world, **what_if)
    assert (status, body["total"]["amount"]) == (200, cents), body


@pytest.mark.parametrize(
    ("what_if", "pointer"),
    [
        ({"power_w": 5_000}, "/power_w"),
        ({"power_w": 11_000, "parking_s": 60}, ""),
        ({"readings": [{"after_s": 14_401, "energy_wh": 1}]}, "/readings/0/after_s"),
        ({"readings": [{"after_s": 60, "energy_wh": 2}, {"after_s": 30, "energy_wh": 2}]}, "/readings/1/after_s"),
        ({"readings": [{"after_s": 60, "energy_wh": 2}, {"after_s": 90, "energy_wh": 1}]}, "/readings/1/energy_wh"),
        ({"readings": [{"after_s": 60, "energy_wh": 22_001}]}, "/readings/0/energy_wh"),
    ],
)
def test_what_ifs_that_cannot_be(world: World, what_if: dict[str, Any], pointer: str) -> None:
    status, body = quote(world, **what_if)
    assert (status, body["errors"][0]["pointer"]) == (422, pointer)
