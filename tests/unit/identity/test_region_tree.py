"""Whatever is done to a region tree and its vending points, in whichever order: it stays whole.

What is active hangs below what is active, each name stands once, and what a region holds is counted right: only so
may the counter alone decide that a region can go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.identity import service
from chalicelib.identity.model import Region, VendingPoint, name_key
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests import world as worlds
from tests.world import World

OPERATOR = "org_1"
NAMES = ("Kenya", "KENYA", "Uganda")
STEPS = st.tuples(
    st.sampled_from(["add", "rename", "remove", "restore", "open", "move", "close", "reopen"]),
    st.integers(0, 7),
    st.sampled_from(NAMES),
)


def regions(world: World) -> list[Region]:
    return service.list_regions(world.ctx, OPERATOR, lambda region: True, limit=200, cursor=None).data


def points(world: World) -> list[VendingPoint]:
    return service.list_vending_points(world.ctx, OPERATOR, lambda point: True, limit=200, cursor=None).data


def action(world: World, step: tuple[str, int, str]) -> Callable[[UnitOfWork], Any] | None:
    """What a step does; None where there is nothing to do it to."""
    verb, number, name = step
    known, open_points = regions(world), points(world)
    region = known[number % len(known)] if known else None
    place = None if region is None or number % 3 == 0 else region.region_id
    if verb == "add":
        return lambda uow: service.create_region(uow, organization_id=OPERATOR, name=name, parent_id=place)
    if verb == "open":
        new = VendingPoint(world.ctx.new_id("vpt"), OPERATOR, name, world.clock.now(), region_id=place)
        return lambda uow: service.create_vending_point(uow, new)
    if region is not None and verb == "rename":
        return lambda uow: service.update_region(uow, region, {"name": name})
    if region is not None and verb in ("remove", "restore"):
        change = service.remove_region if verb == "remove" else service.restore_region
        return lambda uow: change(uow, region)
    point = open_points[number % len(open_points)] if open_points else None
    if point is not None and verb == "move":
        return lambda uow: service.update_vending_point(uow, point, {"region_id": place, "name": name})
    if point is not None and verb in ("close", "reopen"):
        turn = service.deactivate_vending_point if verb == "close" else service.restore_vending_point
        return lambda uow: turn(uow, point)
    return None


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, min_size=5, max_size=25))
def test_the_tree_stays_whole(steps: list[tuple[str, int, str]]) -> None:
    world = worlds.build()
    try:
        for step in steps:
            world.advance(0.001)
            doing = action(world, step)
            with suppress(DomainError):  # what is refused leaves all as it was
                if doing is not None:
                    world.commit(doing)
            check(world)
    finally:
        world.close()


def check(world: World) -> None:
    known = {region.region_id: region for region in regions(world)}
    active = [region for region in known.values() if region.state == "active"]
    selling = [point for point in points(world) if point.state == "active"]
    held = Counter(region.parent_id for region in active) + Counter(point.region_id for point in selling)
    assert {region_id: region.holds for region_id, region in known.items()} == {one: held[one] for one in known}
    for above in {one for one in held if one is not None}:
        assert known[above].state == "active"
    siblings = Counter((region.parent_id, name_key(region.name)) for region in active)
    assert max(siblings.values(), default=1) == 1
    assert max(Counter(name_key(point.name) for point in selling).values(), default=1) == 1
