"""Whatever people do, in whatever order: the counts of locations and groups are those of their chargers, and a serial
number is one charger's of each owner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, ChargerGroup, Location, serial_key
from chalicelib.kernel.errors import DomainError
from tests import world as worlds
from tests.world import World

OPERATORS = ("org_1", "org_2")
VALUES = {
    "place": (0, 1, None),
    "group": (0, 1, None),
    "serial": ("SN", "sn", "other", None),
    "move": OPERATORS,
    "retire": (None,),
    "restore": (None,),
    "close": (0, 1),
    "open": (0, 1),
    "remove": (0, 1),
}
KINDS = (*VALUES, "place", "place", "group", "serial", "move")
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.sampled_from(("CP-1", "CP-2", "CP-3")), st.integers(0, 11)),
    min_size=12,
    max_size=40,
)
"""What, with which charger, and which of its values."""


class Town:
    """Two operators with two locations and two groups each, of three chargers between them."""

    def __init__(self, world: World) -> None:
        self.world, now = world, world.ctx.now()
        for owner in OPERATORS:
            for number in (0, 1):
                place = Location(f"loc_{owner}_{number}", owner, "P", "A", "C", "DE", "UTC", now)
                group = ChargerGroup(f"cgr_{owner}_{number}", owner, f"G{number}", now)
                world.commit(lambda uow, place=place: chargers.add_location(uow, place))
                world.commit(lambda uow, group=group: chargers.add_group(uow, group, None))
        for charger_id in ("CP-1", "CP-2", "CP-3"):
            new = Charger(charger_id, "org_1", 1, "", now)
            world.commit(lambda uow, new=new: chargers.register_charger(uow, new, None))

    def take(self, kind: str, charger_id: str, number: int) -> None:
        """One step; what is refused changes nothing."""
        value = VALUES[kind][number % len(VALUES[kind])]
        try:
            self.world.commit(lambda uow: self._decide(uow, kind, charger_id, value))
        except DomainError:
            return

    def _decide(self, uow: Any, kind: str, charger_id: str, value: Any) -> None:
        ctx = self.world.ctx
        if kind in ("close", "open"):
            place = chargers.require_location(ctx, f"loc_org_1_{value}")
            (chargers.close_location if kind == "close" else chargers.restore_location)(uow, place)
        elif kind == "remove":
            group = chargers.get_group(ctx, f"cgr_org_1_{value}")
            if group is not None:
                chargers.remove_group(uow, group)
        else:
            self._change(uow, kind, chargers.require_charger(ctx, charger_id), value)

    def _change(self, uow: Any, kind: str, charger: Charger, value: Any) -> None:
        owner = charger.operator_id
        if kind == "place":
            place = None if value is None else chargers.require_location(uow.ctx, f"loc_{owner}_{value}")
            chargers.place_charger(uow, charger, place)
        elif kind == "group":
            group_id = None if value is None else f"cgr_{owner}_{value}"
            chargers.change_charger(uow, charger, {"group_id": group_id})
        elif kind == "serial":
            chargers.change_charger(uow, charger, {"serial_number": value})
        elif kind == "move":
            chargers.move_charger(uow, charger, value)
        else:
            (chargers.retire_charger if kind == "retire" else chargers.restore_charger)(uow, charger)

    def chargers(self) -> list[Charger]:
        return [charger for owner in OPERATORS for charger in chargers.walk_chargers(self.world.ctx, owner)]

    def locations(self) -> Iterator[Location]:
        for owner in OPERATORS:
            yield from chargers.walk_locations(self.world.ctx, owner)

    def groups(self) -> Iterator[ChargerGroup]:
        for owner in OPERATORS:
            yield from chargers.list_groups(self.world.ctx, owner, limit=10, cursor=None).data


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_what_is_counted_is_what_is_there(steps: list[tuple[str, str, int]]) -> None:
    world = worlds.build()
    try:
        town = Town(world)
        for step in steps:
            town.take(*step)
        found = town.chargers()
        at, within = Counter(c.location_id for c in found), Counter(c.group_id for c in found)
        places, groups = list(town.locations()), list(town.groups())
        assert {p.location_id: p.charger_count for p in places} == {p.location_id: at[p.location_id] for p in places}
        assert {g.group_id: g.charger_count for g in groups} == {g.group_id: within[g.group_id] for g in groups}
        closed = {place.location_id for place in places if place.state == "inactive"}
        assert closed.isdisjoint(at)
        assert set(within) - {None} <= {group.group_id for group in groups}
        assert not any(charger.is_placed and charger.state == "inactive" for charger in found)
        owned = {place.location_id: place.operator_id for place in places}
        owned |= {group.group_id: group.operator_id for group in groups}
        for charger in found:
            assert {owned[i] for i in (charger.location_id, charger.group_id) if i} <= {charger.operator_id}
        serials = [(c.operator_id, serial_key(c.serial_number)) for c in found if c.serial_number]
        assert len(set(serials)) == len(serials) == len({c.charger_id for c in found if c.serial_number})
        assert len(found) == 3
    finally:
        world.close()
