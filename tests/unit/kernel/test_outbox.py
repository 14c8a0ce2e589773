"""The outbox: events exist with their facts or not at all; the relay fails by the record, not by the batch."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.outbox import EVENTS, Event
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.kernel.things import THINGS, Thing, ThingRow, create_table, key
from tests.world import World


def _emit(world: World, *subjects: str, event_type: str = "thing.made") -> None:
    for subject in subjects:
        world.commit(lambda uow, subject=subject: outbox.emit(uow, event_type, subject, {"n": 1}))


def _stream(world: World) -> dict[str, Any]:
    return {"Records": world.engine.read_stream(EVENTS.name, 0, 100)}


def test_an_event_carries_what_happened_and_expires(world: World) -> None:
    _emit(world, "t1")
    ((_, event),) = outbox.events_of(_stream(world)["Records"])
    assert (event.type, event.subject, event.payload) == ("thing.made", "t1", {"n": 1})
    assert event.occurred_at == world.ctx.now()
    row = world.engine.execute("Scan", {"TableName": EVENTS.name})["Items"][0]
    assert int(row["expires_at"]["N"]) == int((world.ctx.now() + outbox.RETENTION).timestamp())


def test_whether_a_unit_of_work_tells_something_already(world: World) -> None:
    uow = UnitOfWork(world.ctx)
    outbox.emit(uow, "thing.made", "t1")
    uow.delete(EVENTS, ("evt_1", "event"))
    asked = [("thing.made", "t1"), ("thing.made", "t2"), ("thing.sold", "t1")]
    assert [outbox.is_emitted(uow, *one) for one in asked] == [True, False, False]


def test_an_event_of_a_refused_fact_does_not_exist(world: World) -> None:
    create_table(world)
    uow = UnitOfWork(world.ctx)
    outbox.emit(uow, "thing.made", "t1")
    uow.check(THINGS, key("t1"), ThingRow.pk.exists(), conflict("thing.gone", "gone"))
    with pytest.raises(DomainError):
        uow.commit()
    assert world.pending_events() == []


def test_only_new_rows_are_events(world: World) -> None:
    _emit(world, "t1")
    records = _stream(world)["Records"]
    swept = {"eventName": "REMOVE", "dynamodb": {"SequenceNumber": "9", "Keys": {}}}
    changed = {**records[0], "eventName": "MODIFY"}
    assert len(outbox.events_of([*records, swept, changed])) == 1


def test_one_failing_record_is_delivered_again_and_the_others_are_done(world: World) -> None:
    _emit(world, "t1", "t2", "t3")
    heard: list[str] = []

    def listen(ctx: Context, event: Event) -> None:
        if event.subject == "t2":
            raise RuntimeError("this one is not to my liking")
        heard.append(event.subject)

    stream = _stream(world)
    answer = outbox.relay(world.ctx, stream, {"thing.made": (listen,)})
    assert heard == ["t1", "t3"]
    second = stream["Records"][1]["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": second}]}


def test_every_consumer_hears_and_unheard_events_are_fine(world: World) -> None:
    _emit(world, "t1")
    _emit(world, "t2", event_type="thing.ignored")
    heard: list[str] = []
    consumers = {"thing.made": [lambda ctx, event: heard.append("a"), lambda ctx, event: heard.append("b")]}
    assert outbox.relay(world.ctx, _stream(world), consumers) == {"batchItemFailures": []}
    assert heard == ["a", "b"]


def test_the_world_delivers_what_consumers_emit_and_raises_what_they_raise(world: World) -> None:
    _emit(world, "t1")
    failing = True

    def chain(ctx: Context, event: Event) -> None:
        if failing:
            raise RuntimeError("not yet")
        _emit(world, "t2", event_type="thing.seen")

    with pytest.raises(RuntimeError):
        world.run_events({"thing.made": (chain,)})
    failing = False
    delivered = world.run_events({"thing.made": (chain,)})
    assert [event.type for event in delivered] == ["thing.made", "thing.seen"]
    assert world.run_events({"thing.made": (chain,)}) == []


def test_thing_rows_are_not_listened_to(world: World) -> None:
    create_table(world)
    world.commit(lambda uow: uow.put(THINGS, Thing("t1")))
    assert world.pending_events() == []
