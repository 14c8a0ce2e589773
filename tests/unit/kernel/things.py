"""A small table of the tests' own: rows of every attribute kind, one index that has only keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel.attributes import DecimalAttribute, MomentAttribute, MoneyAttribute, ValueAttribute
from chalicelib.kernel.money import Money
from chalicelib.kernel.table import Row, Table
from tests.world import World, table_definition

NAME = "test-things"


@dataclass(frozen=True)
class Thing:
    thing_id: str
    owner: str = "ada"
    amount: int = 0
    price: Money | None = None
    ratio: Decimal | None = None
    made_at: datetime = datetime(2026, 3, 2, 8, 0, 0, 123_000, tzinfo=UTC)
    is_good: bool = True
    parts: list[str] = field(default_factory=list)
    note: str | None = None


class ByOwner(GlobalSecondaryIndex[Any]):
    class Meta:
        index_name = "by_owner"
        projection = KeysOnlyProjection()

    owner = UnicodeAttribute(hash_key=True)
    thing_id = UnicodeAttribute(range_key=True)


class ThingRow(Row):
    class Meta:
        table_name = NAME

    thing_id = UnicodeAttribute()
    owner = UnicodeAttribute()
    amount = NumberAttribute(attr_name="n")
    price = MoneyAttribute(null=True)
    ratio = DecimalAttribute(null=True)
    made_at = MomentAttribute()
    is_good = BooleanAttribute()
    parts = ValueAttribute(list[str])
    note = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    by_owner = ByOwner()


THINGS: Table[Thing] = Table(
    ThingRow,
    Thing,
    key=lambda thing: key(thing.thing_id),
    extra=lambda thing: {"expires_at": thing.amount or None},
)


def key(thing_id: str) -> tuple[str, str]:
    return ("things", thing_id)


def create_table(world: World) -> None:
    world.engine.execute("CreateTable", table_definition(NAME, [ThingRow]))


def stored(world: World, thing_id: str) -> Thing | None:
    return THINGS.get(world.ctx, *key(thing_id))


def put_things(world: World, *things: Thing) -> None:
    for thing in things:
        world.commit(lambda uow, thing=thing: uow.put(THINGS, thing))
