"""GetItem, PutItem, UpdateItem and DeleteItem."""

from __future__ import annotations

from typing import Any

from infra.local.dynamodb import capacity
from infra.local.dynamodb.capacity import Units
from infra.local.dynamodb.database import Database
from infra.local.dynamodb.errors import validation
from infra.local.dynamodb.expressions import paths
from infra.local.dynamodb.expressions.bindings import Bindings
from infra.local.dynamodb.tables import Table
from infra.local.dynamodb.values import reply_item
from infra.local.dynamodb.writes import Outcome, Write, perform, prepare

Request = dict[str, Any]
Reply = dict[str, Any]
_OLD_ONLY = frozenset({"NONE", "ALL_OLD"})
_UPDATE_RETURNS = frozenset({"NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"})


def get_item(database: Database, request: Request) -> Reply:
    table = database.table(request)
    bindings = Bindings(request)
    projection = bindings.projection()
    bindings.finish()
    key, _ = table.key_of(request.get("Key"))
    row = database.storage.get(table.items_id, key)
    units = capacity.read_units(row.size if row else 0, consistent=bool(request.get("ConsistentRead")))
    reply: Reply = {}
    if row is not None:
        reply["Item"] = reply_item(projection.pick(row.item)) if projection else row.reply()
    return _with_capacity(database, table, request, reply, "read", Units(units))


def put_item(database: Database, request: Request) -> Reply:
    table = database.table(request)
    returns = _returns(request, _OLD_ONLY)
    outcome = _commit(database, prepare("Put", table, request))
    return _answer_write(database, table, request, _old(outcome, returns), outcome)


def delete_item(database: Database, request: Request) -> Reply:
    table = database.table(request)
    returns = _returns(request, _OLD_ONLY)
    outcome = _commit(database, prepare("Delete", table, request))
    return _answer_write(database, table, request, _old(outcome, returns), outcome)


def update_item(database: Database, request: Request) -> Reply:
    table = database.table(request)
    returns = _returns(request, _UPDATE_RETURNS)
    write = prepare("Update", table, request)
    outcome = _commit(database, write)
    attributes: Reply | None = None
    if returns == "ALL_NEW":
        attributes = outcome.reply_after()
    elif returns == "ALL_OLD":
        attributes = outcome.before.reply() if outcome.before is not None else None
    elif returns != "NONE" and write.update is not None:
        item = outcome.after if returns == "UPDATED_NEW" else outcome.before and outcome.before.item
        attributes = reply_item(paths.project(item, write.update.tree)) if item else None
    return _answer_write(database, table, request, {"Attributes": attributes} if attributes else {}, outcome)


def _commit(database: Database, write: Write) -> Outcome:
    with database.storage.write():
        outcome = perform(database, write)
    if outcome.streamed:
        database.announce((write.table,))
    return outcome


def _old(outcome: Outcome, returns: str) -> Reply:
    if returns == "ALL_OLD" and outcome.before is not None:
        return {"Attributes": outcome.before.reply()}
    return {}


def _returns(request: Request, allowed: frozenset[str]) -> str:
    returns = request.get("ReturnValues") or "NONE"
    if returns in allowed:
        return str(returns)
    if returns in _UPDATE_RETURNS:
        raise validation("Return values set to invalid value")
    raise validation(
        f"1 validation error detected: Value '{returns}' at 'returnValues' failed to satisfy constraint: "
        "Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
    )


def _answer_write(database: Database, table: Table, request: Request, reply: Reply, outcome: Outcome) -> Reply:
    return _with_capacity(database, table, request, reply, "write", outcome.units)


def _with_capacity(database: Database, table: Table, request: Request, reply: Reply, kind: str, units: Units) -> Reply:
    database.count_units(table, kind, units.total)
    if "ReturnConsumedCapacity" in request:
        mode = capacity.wanted(request)
        if mode != "NONE":
            reply["ConsumedCapacity"] = capacity.report(mode, table, units)
    return reply
