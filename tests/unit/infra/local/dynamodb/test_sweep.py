"""Time to live: read until swept, swept once due, with a record by the service."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kernel.clock import VirtualClock
from infra.local.dynamodb.engine import Engine

TABLE = "streamed"


def put(engine: Engine, key: str, expires_at: Any) -> None:
    engine.execute("PutItem", {"TableName": TABLE, "Item": {"pk": {"S": key}, "expires_at": expires_at}})


def there(engine: Engine, key: str) -> bool:
    return "Item" in engine.execute("GetItem", {"TableName": TABLE, "Key": {"pk": {"S": key}}})


def seconds(clock: VirtualClock, more: int = 0) -> dict[str, str]:
    return {"N": str(int(clock.now().timestamp()) + more)}


def test_a_due_item_is_read_until_it_is_swept(engine: Engine, clock: VirtualClock) -> None:
    put(engine, "due", seconds(clock, 10))
    put(engine, "later", seconds(clock, 100))
    clock.advance(20)
    assert there(engine, "due")
    assert engine.expire(clock.now()) == 1
    assert not there(engine, "due")
    assert there(engine, "later")
    record = engine.read_stream(TABLE, 0, 10)[-1]
    assert record["eventName"] == "REMOVE"
    assert record["userIdentity"] == {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
    assert engine.expire(clock.now()) == 0


def test_a_postponed_item_stays(engine: Engine, clock: VirtualClock) -> None:
    put(engine, "a", seconds(clock, 10))
    put(engine, "a", seconds(clock, 1000))
    put(engine, "b", seconds(clock, 10))
    engine.execute(
        "UpdateItem", {"TableName": TABLE, "Key": {"pk": {"S": "b"}}, "UpdateExpression": "REMOVE expires_at"}
    )
    clock.advance(20)
    assert engine.expire(clock.now()) == 0
    assert there(engine, "a")
    assert there(engine, "b")


@pytest.mark.parametrize(
    "value", [{"S": "1"}, {"N": "0"}, {"N": "1E60"}, {"N": "-5"}], ids=["text", "1970", "far", "negative"]
)
def test_what_is_no_time_never_expires(engine: Engine, clock: VirtualClock, value: dict[str, str]) -> None:
    put(engine, "a", value)
    assert engine.expire(clock.now()) == 0
    assert there(engine, "a")


def test_many_due_items_all_go(engine: Engine, clock: VirtualClock) -> None:
    for position in range(250):
        put(engine, f"k{position}", seconds(clock, -1))
    assert engine.expire(clock.now()) == 250
    assert engine.execute("Scan", {"TableName": TABLE})["Count"] == 0


def test_enabling_finds_the_items_that_are_there(engine: Engine, clock: VirtualClock) -> None:
    table = "plain-rows"
    engine.execute("PutItem", {"TableName": table, "Item": {"pk": {"S": "a"}, "ends": seconds(clock, -5)}})
    assert engine.expire(clock.now()) == 0
    on = {"Enabled": True, "AttributeName": "ends"}
    engine.execute("UpdateTimeToLive", {"TableName": table, "TimeToLiveSpecification": on})
    assert engine.expire(clock.now()) == 1
