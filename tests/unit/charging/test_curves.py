"""The curve of a charge: few points that say how it went."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.charging.model import BareReading
from chalicelib.charging.model.curves import CurvePoint, curve
from chalicelib.charging.service import guests
from tests.site import Site
from tests.unit.charging.guest_till import Guest
from tests.unit.payments.till import Till

BEGAN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def reading(
    second: int, energy_wh: int | None = None, power_w: int | None = None, soc_percent: int | None = None
) -> BareReading:
    moment = BEGAN + timedelta(seconds=second)
    return BareReading("ses#1", moment, moment, f"{second}", energy_wh, power_w, soc_percent)


def shown(points: list[CurvePoint]) -> list[tuple[int, int | None, int | None, int | None]]:
    return [
        (int((point.taken_at - BEGAN).total_seconds()), point.energy_wh, point.power_w, point.soc_percent)
        for point in points
    ]


def test_energy_is_counted_from_the_begin_and_what_cannot_be_true_is_left_out() -> None:
    told = [
        reading(60, 1500, 7000, 20),
        reading(120, 1400, 7100),  # fell
        reading(180, 9000, 7200),  # leapt beyond the end
        reading(240, 2000),
        reading(300),  # says nothing
        reading(360, None, None, 25),
    ]
    assert shown(curve(told, start_wh=1000, total_wh=1000, most=100)) == [
        (60, 500, 7000, 20),
        (120, None, 7100, None),
        (180, None, 7200, None),
        (240, 1000, None, None),
        (360, None, None, 25),
    ]


def test_quantities_that_are_told_apart_are_one_point() -> None:
    told = [reading(60, 1500), reading(60, None, 7000), reading(60, None, None, 30)]
    assert shown(curve(told, start_wh=1000, total_wh=None, most=2)) == [(60, 500, 7000, 30)]


def test_without_a_begin_it_is_counted_from_what_was_read_first() -> None:
    assert shown(curve([reading(1, 70), reading(2, 90)], start_wh=None, total_wh=None, most=2)) == [
        (1, 0, None, None),
        (2, 20, None, None),
    ]


@given(st.lists(st.integers(0, 100_000), max_size=300), st.integers(2, 50))
def test_there_are_no_more_points_than_asked_for_and_first_and_last_are_among_them(
    seconds: list[int], most: int
) -> None:
    told = [reading(second, power_w=second) for second in seconds]
    points = curve(told, start_wh=0, total_wh=None, most=most)
    moments = [point.taken_at for point in points]
    assert len(points) == min(most, len(set(seconds))) or 2 <= len(points) < most < len(set(seconds))
    assert moments == sorted(set(moments))
    if seconds:
        assert (points[0].power_w, points[-1].power_w) == (min(seconds), max(seconds))


# -- as it is asked for ----------------------------------------------------------------------------------------------


@pytest.fixture
def guest(site: Site) -> Guest:
    return Guest(site, Till(site.world))


def test_a_driver_sees_how_a_charge_goes_and_then_what_it_cost_line_by_line(site: Site) -> None:
    session = site.request(500)
    path = f"/v1/driver/sessions/{session.session_id}"
    token = site.world.driver_token(site.driver.driver_id)
    none = site.world.rest.get(f"{path}/meter-values", token=token).body
    assert (none["started_at"], none["data"]) == (None, [])
    transaction_id = site.start_from_app().transaction_id
    for register_wh in range(2000, 12_000, 1000):
        site.advance(1)
        site.meter(transaction_id, register_wh)
    live = site.world.rest.get(f"{path}/meter-values", token=token).body
    assert [point["energy_wh"] for point in live["data"]] == list(range(1000, 11_000, 1000))
    few = site.world.rest.get(f"{path}/meter-values", token=token, query={"points": "3"}).body
    assert [point["energy_wh"] for point in few["data"]] == [1000, 5000, 10_000]
    assert site.world.rest.get(f"{path}/cdr", token=token).body["code"] == "cdr.not_found"
    site.stop(transaction_id, 11_000)
    cdr = site.world.rest.get(f"{path}/cdr", token=token).body
    [line] = cdr["lines"]
    assert (line["dimension"], line["quantity"], line["amount"]["amount"]) == ("ENERGY", "10", 350)
    assert (cdr["total_cost"]["amount"], cdr["captured"]["amount"]) == (350, 350)
    other = site.world.driver_token(site.world.ctx.new_id("drv"))
    assert site.world.rest.get(f"{path}/meter-values", token=other).status in (401, 404)
    assert site.world.rest.get(f"{path}/cdr", token=other).status in (401, 404)


def test_a_guest_sees_the_same_behind_the_guests_code(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(2000))
    path = f"/v1/guest/sessions/{order.session_id}"
    code = {"guest-code": guests.guest_code(site.world.ctx, order.session_id)}
    transaction_id = guest.plugs_in(order, 0)
    site.advance(10)
    site.meter(transaction_id, 5000)
    assert [point["energy_wh"] for point in site.world.rest.get(f"{path}/meter-values", headers=code).body["data"]] == [
        5000
    ]
    guest.leaves(transaction_id, 10_000)
    assert site.world.rest.get(f"{path}/cdr", headers=code).body["captured"]["amount"] == 350
    for name in ("meter-values", "cdr"):
        assert site.world.rest.get(f"{path}/{name}", headers={"guest-code": "0" * 64}).status == 404
        assert site.world.rest.get(f"{path}/{name}").status == 404
