"""Map and Parallel: opening branches below a branch, and joining them again.

Called by `advance` alone, inside one unit of the store. The first branch that fails ends all its siblings, and
its error becomes the error of the state. A Map runs at most 40 iterations at a time, as on the service.
"""

from __future__ import annotations

from infra.local.stepfunctions import dataflow
from infra.local.stepfunctions.cursor import Cursor
from infra.local.stepfunctions.errors import RUNTIME, StatesError
from infra.local.stepfunctions.paths import read
from infra.local.stepfunctions.records import Phase
from infra.local.stepfunctions.states import Map, Parallel
from infra.local.stepfunctions.values import Json, within_limit

_MAX_CONCURRENCY = 40


def open_parallel(cursor: Cursor, parallel: Parallel) -> None:
    """Starts every branch with the same input."""
    data = dataflow.effective_input(parallel, cursor.branch.data, cursor.context())
    cursor.event("ParallelStateStarted")
    for slot, start_at in enumerate(parallel.starts):
        _open(cursor, slot, start_at, data)
    cursor.branch.spawned = len(parallel.starts)
    cursor.park(Phase.JOIN, None)


def open_map(cursor: Cursor, map_state: Map) -> None:
    """Starts the first iterations. States.Runtime if ItemsPath selects no array."""
    context = cursor.context()
    selected = dataflow.path_input(map_state, cursor.branch.data, context)
    items = read(map_state.items_path, selected, context)
    if not isinstance(items, list):
        raise StatesError(RUNTIME, f"The ItemsPath '{map_state.items_path.text}' does not select an array.")
    cursor.event("MapStateStarted", length=len(items))
    cursor.branch.items, cursor.branch.spawned = items, 0
    # A state without branches is joined in its next step, like any other.
    cursor.park(Phase.JOIN, None if items else cursor.due_us)
    _spawn(cursor, map_state, 0)


def join(cursor: Cursor) -> None:
    """Looks at the branches below: one failed, all are done, or the next iterations may start."""
    state, branch = cursor.state, cursor.branch
    tally = cursor.store.tally(branch.id)
    running = tally.total() - tally[Phase.DONE]
    if tally[Phase.FAILED]:
        _end_failed(cursor)
    elif isinstance(state, Map) and branch.spawned < len(branch.items):
        try:
            cursor.park(Phase.JOIN, None)
            _spawn(cursor, state, running)
        except StatesError as failure:
            cursor.store.delete_children(branch.id)
            cursor.fail(failure)
    elif running:
        cursor.park(Phase.JOIN, None)
    else:
        results = [child.data for child in cursor.store.children(branch.id)]
        cursor.store.delete_children(branch.id)
        cursor.event(f"{state.kind}StateSucceeded")
        branch.items = []
        _finish(cursor, results)


def _end_failed(cursor: Cursor) -> None:
    children = cursor.store.children(cursor.branch.id)
    first = min((c for c in children if c.phase == Phase.FAILED), key=lambda c: c.last_event)
    error, cause = first.failure
    cursor.store.delete_children(cursor.branch.id)
    cursor.event(f"{cursor.state.kind}StateFailed", error=error, cause=cause)
    cursor.fail(StatesError(error, cause))


def _finish(cursor: Cursor, results: list[Json]) -> None:
    try:
        within_limit(results, "output of the state")
    except StatesError as failure:
        cursor.fail(failure)
    else:
        cursor.finish(results)


def _spawn(cursor: Cursor, map_state: Map, running: int) -> None:
    branch, context = cursor.branch, cursor.context()
    selected = dataflow.path_input(map_state, branch.data, context)
    at_a_time = dataflow.number(map_state.max_concurrency, selected, context) or _MAX_CONCURRENCY
    room = max(0, min(at_a_time, _MAX_CONCURRENCY) - running)
    indexes = range(branch.spawned, min(branch.spawned + room, len(branch.items)))
    inputs = [
        dataflow.item_input(map_state.parameters, selected, context, index, branch.items[index]) for index in indexes
    ]
    for index, data in zip(indexes, inputs, strict=True):
        cursor.event("MapIterationStarted", name=map_state.name, index=index)
        _open(cursor, index, map_state.start_at, data)
    branch.spawned += len(indexes)
    cursor.store.save_branch(branch)


def _open(cursor: Cursor, slot: int, start_at: str, data: Json) -> None:
    child = cursor.store.add_branch(cursor.execution.id, cursor.branch, slot, start_at, data)
    child.due_us = cursor.due_us
    cursor.store.save_branch(child)
