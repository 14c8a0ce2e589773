"""What is written into the audit log, and how often: through an Api of this test, at the edge of REST."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.identity.model import AuditEvent
from chalicelib.identity.model.audit import AuditFilter
from chalicelib.identity.service import list_audit_events
from chalicelib.identity.service.auditing import UNSAID, record
from chalicelib.kernel import outbox
from chalicelib.kernel.errors import DomainError, StaleRead, conflict
from chalicelib.kernel.http import Api, Request, Shape
from chalicelib.kernel.unit_of_work import MAX_WRITES
from tests.unit.kernel.edge import Edge
from tests.world import World

OWN = "org_1"
"""Of the actor that edge.py calls `operator`."""
JSON = {"Accept": "application/json"}
api = Api("things", "operator")
mine = Api("things", "driver")


@dataclass
class Plan:
    """What the endpoint does when it is called next."""

    changes: list[dict[str, Any]] = field(default_factory=list)
    writes: int = 1
    errors: list[Exception] = field(default_factory=list)
    commits_first: bool = False
    fails_after: DomainError | None = None


PLAN = Plan()


class ThingBody(Shape):
    name: str
    password: str | None = None


@api.post("/v1/things/{thing_id}", permission="things:read")
def change_thing(req: Request, thing_id: str, body: ThingBody) -> ThingBody:
    """Does what PLAN says."""
    return carry_out(req, body)


@mine.post("/v1/my-things")
def change_my_thing(req: Request, body: ThingBody) -> ThingBody:
    """Does what PLAN says."""
    return carry_out(req, body)


def carry_out(req: Request, body: ThingBody) -> ThingBody:
    for number in range(PLAN.writes):
        outbox.emit(req.uow, "thing.changed", f"thing-{number}")
    for change in PLAN.changes:
        req.audit(**change)
    if PLAN.commits_first:
        req.commit_first()
        outbox.emit(req.uow, "thing.changed", "after")
    if PLAN.fails_after is not None:
        raise PLAN.fails_after
    if PLAN.errors:
        raise PLAN.errors.pop()
    return body


@pytest.fixture
def edge(world: World) -> Edge:
    global PLAN
    PLAN = Plan()
    return Edge(world, api, mine, record=record)


def plan(**values: Any) -> None:
    for name, value in values.items():
        setattr(PLAN, name, value)


def send(edge: Edge, expected: int = 201) -> None:
    sent = {"name": "N", "password": "hunter2"}
    status, body, _ = edge.request("POST", "/v1/things/t1", sent, token="operator", headers=JSON)
    assert status == expected, body


def log(world: World, owner_id: str = OWN) -> list[AuditEvent]:
    return list_audit_events(world.ctx, owner_id, AuditFilter(), limit=200, cursor=None).data


def change(object_id: str = "t1", **values: Any) -> dict[str, Any]:
    return {"object_type": "thing", "object_id": object_id, **values}


def test_a_change_is_recorded_with_who_what_and_from_where(world: World, edge: Edge) -> None:
    plan(changes=[change(before={"name": "A", "size": 1}, after={"name": "B", "size": 1})])
    send(edge)
    [event] = log(world)
    assert (event.object_type, event.object_id, event.action) == ("thing", "t1", "change_thing")
    assert (event.before, event.after) == ({"name": "A"}, {"name": "B"})
    assert (event.actor_kind, event.actor_id, event.actor_organization_id) == ("person", "lgn_o", OWN)
    assert (event.request_id, event.occurred_at) == ("request-1", world.clock.now())


def test_what_is_another_s_is_in_both_logs(world: World, edge: Edge) -> None:
    plan(changes=[change(owner_id="org_2", after={"name": "B"})])
    send(edge)
    [here], [there] = log(world), log(world, "org_2")
    assert here.audit_id == there.audit_id
    assert (here.owner_id, there.owner_id) == (OWN, "org_2")


def test_what_changes_hands_is_gone_for_its_former_owner(world: World, edge: Edge) -> None:
    before, after = {"owner": "org_2", "name": "A"}, {"owner": "org_3", "name": "A"}
    plan(changes=[change(owner_id="org_3", former_owner_id="org_2", before=before, after=after)])
    send(edge)
    changed = ({"owner": "org_2"}, {"owner": "org_3"})
    assert [(event.before, event.after) for event in log(world)] == [changed]
    assert [(event.before, event.after) for event in log(world, "org_3")] == [changed]
    assert [(event.before, event.after) for event in log(world, "org_2")] == [(before, {})]


def test_who_gives_away_their_own_reads_it_once(world: World, edge: Edge) -> None:
    plan(changes=[change(owner_id="org_3", former_owner_id=OWN, before={"owner": OWN}, after={"owner": "org_3"})])
    send(edge)
    assert [event.after for event in log(world)] == [{"owner": "org_3"}]


def test_what_keeps_its_owner_is_recorded_once_there(world: World, edge: Edge) -> None:
    plan(changes=[change(owner_id="org_2", former_owner_id="org_2", before={"n": 1}, after={"n": 2})])
    send(edge)
    assert (len(log(world)), len(log(world, "org_2"))) == (1, 1)


def test_one_s_own_is_recorded_once(world: World, edge: Edge) -> None:
    plan(changes=[change(owner_id=OWN, after={"name": "B"})])
    send(edge)
    assert len(log(world)) == 1


def test_what_writes_nothing_changes_nothing(world: World, edge: Edge) -> None:
    plan(changes=[change(after={"name": "B"})], writes=0)
    send(edge)
    plan(changes=[])
    send(edge)
    assert log(world) == []


def test_what_stays_as_it_was_is_not_recorded(world: World, edge: Edge) -> None:
    same = {"name": "A"}
    plan(changes=[change(before=same, after=same), change("t2", before=same, after={"name": "B"})])
    send(edge)
    assert [event.object_id for event in log(world)] == ["t2"]


def test_who_says_nothing_is_recorded_with_what_was_sent(world: World, edge: Edge) -> None:
    send(edge)
    [event] = log(world)
    assert (event.object_type, event.object_id) == (UNSAID, "t1")
    assert event.after == {"name": "N", "password": "***"}


def test_a_lost_race_is_recorded_once(world: World, edge: Edge) -> None:
    plan(changes=[change(after={"name": "B"})], errors=[StaleRead("The thing"), StaleRead("The thing")])
    send(edge)
    assert len(log(world)) == 1


def test_what_is_refused_is_not_recorded(world: World, edge: Edge) -> None:
    plan(changes=[change(after={"name": "B"})], fails_after=conflict("thing.taken", "Taken."))
    send(edge, 409)
    assert log(world) == []


def test_what_was_committed_first_is_recorded_although_the_rest_fails(world: World, edge: Edge) -> None:
    plan(changes=[change(after={"name": "B"})], commits_first=True, fails_after=conflict("provider.away", "Away."))
    send(edge, 409)
    assert [event.after for event in log(world)] == [{"name": "B"}]


@pytest.mark.parametrize("changes", [[], [change(after={"name": "B"})]])
def test_two_commits_of_one_request_are_recorded_once(world: World, edge: Edge, changes: list[dict[str, Any]]) -> None:
    plan(changes=changes, commits_first=True)
    send(edge)
    assert len(log(world)) == 1


def test_more_than_a_commit_bears_is_told_by_its_ids(world: World, edge: Edge) -> None:
    changes = [change(f"t{n:02}", owner_id="org_2", after={"n": n}) for n in range(60)]
    plan(changes=[*changes, {"object_type": "other", "object_id": "o1", "after": {"n": 1}}], writes=MAX_WRITES - 10)
    send(edge)
    events = {event.object_type: event for event in log(world)}
    assert sorted(events) == ["other", "thing"]
    assert events["thing"].after == {"object_ids": [f"t{n:02}" for n in range(60)]}
    assert [event.object_type for event in log(world, "org_2")] == ["thing"]


def test_what_a_driver_does_is_in_the_driver_s_log(world: World, edge: Edge) -> None:
    plan(changes=[change(after={"name": "B"})])
    status, _, _ = edge.request("POST", "/v1/my-things", {"name": "N"}, token="driver", headers=JSON)
    assert status == 201
    [event] = log(world, "drv_1")
    assert (event.actor_kind, event.actor_id, event.actor_organization_id) == ("driver", "drv_1", None)


def test_what_a_user_does_as_a_driver_is_not_the_organisation_s(world: World, edge: Edge) -> None:
    plan(changes=[change(after={"name": "B"})])
    status, _, _ = edge.request("POST", "/v1/my-things", {"name": "N"}, token="both", headers=JSON)
    assert status == 201
    assert [event.actor_id for event in log(world, "drv_b")] == ["drv_b"]
    assert log(world) == []


def test_an_absurd_id_is_cut(world: World, edge: Edge) -> None:
    plan(changes=[change("x" * 5_000, after={"name": "B"})])
    send(edge)
    [event] = log(world)
    assert len(event.object_id) == 200
