"""TransactWriteItems and TransactGetItems: all or nothing, in one SQLite transaction.

A cancelled transaction names a reason per item, in the request's order. A ClientRequestToken makes a repeat
within ten minutes a success that writes nothing; the same token with another request is refused.
"""

from __future__ import annotations

import hashlib
from typing import Any

from infra.local.aws_hooks import AwsError
from infra.local.dynamodb import capacity
from infra.local.dynamodb.capacity import Units
from infra.local.dynamodb.database import Database
from infra.local.dynamodb.errors import validation
from infra.local.dynamodb.expressions.bindings import Bindings
from infra.local.dynamodb.storage import Storage, encode
from infra.local.dynamodb.tables import Key, Table
from infra.local.dynamodb.values import item_size, reply_item
from infra.local.dynamodb.writes import Outcome, Write, perform, prepare

Request = dict[str, Any]
Reply = dict[str, Any]
MAX_ITEMS = 100
MAX_BYTES = 4 * 1024 * 1024
TOKEN_LIFETIME_S = 600
# A transaction prepares and commits each item: twice the units.
_WEIGHT = 2
_TOKENS_PURGED_AT_ONCE = 4
_KINDS = frozenset({"Put", "Update", "Delete", "ConditionCheck"})


def transact_write_items(database: Database, request: Request) -> Reply:
    writes = _prepare(database, request)
    client_token = request.get("ClientRequestToken")
    with database.storage.write() as storage:
        if client_token and _seen_before(database, storage, client_token, request):
            return _repeated(database, request, writes)
        outcomes = _perform_all(database, writes)
    streamed = {
        write.table.name: write.table for write, outcome in zip(writes, outcomes, strict=True) if outcome.streamed
    }
    database.announce(streamed.values())
    consumed = [
        (write.table, Units(_WEIGHT * outcome.units.table, outcome.units.indexes))
        for write, outcome in zip(writes, outcomes, strict=True)
    ]
    return _with_capacity(database, request, {}, consumed, "Write")


def transact_get_items(database: Database, request: Request) -> Reply:
    wanted = request.get("TransactItems") or []
    _check_count(wanted)
    gets = []
    for entry in wanted:
        get = entry["Get"]
        table = database.table(get)
        bindings = Bindings(get)
        projection = bindings.projection()
        bindings.finish()
        gets.append((table, table.key_of(get.get("Key"))[0], projection))
    _check_distinct([(table, key) for table, key, _ in gets])
    responses: list[Reply] = []
    consumed: list[tuple[Table, Units]] = []
    total_bytes = 0
    with database.storage.snapshot() as storage:
        rows = [storage.get(table.items_id, key) for table, key, _ in gets]
    for (table, _, projection), row in zip(gets, rows, strict=True):
        total_bytes += row.size if row is not None else 0
        consumed.append((table, Units(_WEIGHT * capacity.read_units(row.size if row else 0, consistent=True))))
        if row is None:
            responses.append({})
        else:
            item = reply_item(projection.pick(row.item)) if projection else row.reply()
            responses.append({"Item": item})
    if total_bytes > MAX_BYTES:
        raise validation("Aggregate size of the items in the transaction cannot exceed 4 MB")
    return _with_capacity(database, request, {"Responses": responses}, consumed, "Read")


def _prepare(database: Database, request: Request) -> list[Write]:
    wanted = request.get("TransactItems") or []
    _check_count(wanted)
    writes = []
    for entry in wanted:
        if len(entry) != 1 or not _KINDS.issuperset(entry):
            raise validation("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, body),) = entry.items()
        if kind == "Update" and not body.get("UpdateExpression"):
            raise validation("The UpdateExpression parameter must be specified for Update")
        writes.append(prepare(kind, database.table(body), body))
    _check_distinct([(write.table, write.key) for write in writes])
    if sum(write.size or item_size(write.key_item) for write in writes) > MAX_BYTES:
        raise validation("Aggregate size of the items in the transaction cannot exceed 4 MB")
    return writes


def _perform_all(database: Database, writes: list[Write]) -> list[Outcome]:
    """Every write, or TransactionCanceledException with the reason of each."""
    done: list[tuple[Write, Outcome]] = []
    reasons: list[dict[str, Any]] = []
    total_bytes = 0
    for write in writes:
        try:
            outcome = perform(database, write, _WEIGHT)
        except AwsError as error:
            reasons.append(_reason(error))
        else:
            reasons.append({"Code": "None"})
            done.append((write, outcome))
            total_bytes += len(outcome.body or b"")
    if len(done) < len(writes):
        for write, outcome in done:
            database.count_units(write.table, "write", _WEIGHT * outcome.units.table)
        raise _cancelled(reasons)
    if total_bytes > MAX_BYTES:
        raise validation("Aggregate size of the items in the transaction cannot exceed 4 MB")
    return [outcome for _, outcome in done]


def _cancelled(reasons: list[dict[str, Any]]) -> AwsError:
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    extra = {"Message": message, "CancellationReasons": reasons}
    return AwsError("TransactionCanceledException", message, extra=extra)


def _reason(error: AwsError) -> dict[str, Any]:
    if error.code == "ConditionalCheckFailedException":
        return {"Code": "ConditionalCheckFailed", "Message": error.message, **error.extra}
    return {"Code": "ValidationError", "Message": error.message}


def _check_count(wanted: list[Any]) -> None:
    if not 1 <= len(wanted) <= MAX_ITEMS:
        bound = "less than or equal to 100" if wanted else "greater than or equal to 1"
        raise validation(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            f"Member must have length {bound}"
        )


def _check_distinct(places: list[tuple[Table, Key]]) -> None:
    if len({(table.id, key) for table, key in places}) < len(places):
        raise validation("Transaction request cannot include multiple operations on one item")


def _seen_before(database: Database, storage: Storage, client_token: str, request: Request) -> bool:
    """Whether this request was done in the last ten minutes; remembers it otherwise.

    IdempotentParameterMismatchException if the token came with another request.
    """
    now_s = database.now().timestamp()
    digest = hashlib.blake2b(encode(request["TransactItems"]), digest_size=16).digest()
    generation = int(now_s) // TOKEN_LIFETIME_S
    for recent in (generation, generation - 1):
        found = storage.execute(
            "SELECT digest, at FROM request_tokens WHERE generation=? AND token=?", (recent, client_token)
        ).fetchone()
        if found is not None and now_s - found[1] < TOKEN_LIFETIME_S:
            if found[0] != digest:
                raise AwsError(
                    "IdempotentParameterMismatchException",
                    "Client request token was used with different parameters",
                )
            return True
    storage.execute(
        "INSERT OR REPLACE INTO request_tokens VALUES (?, ?, ?, ?)", (generation, client_token, digest, now_s)
    )
    # A few forgotten with each remembered: the table holds two generations, and no call pays for many.
    storage.execute(
        "DELETE FROM request_tokens WHERE (generation, token) IN "
        "(SELECT generation, token FROM request_tokens WHERE generation<? LIMIT ?)",
        (generation - 1, _TOKENS_PURGED_AT_ONCE),
    )
    return False


def _repeated(database: Database, request: Request, writes: list[Write]) -> Reply:
    """The answer to a repeat: nothing is written, and AWS bills the reads."""
    consumed = []
    for write in writes:
        row = database.storage.get(write.table.items_id, write.key)
        consumed.append((write.table, Units(_WEIGHT * capacity.read_units(row.size if row else 0, consistent=True))))
    return _with_capacity(database, request, {}, consumed, "Read")


def _with_capacity(
    database: Database, request: Request, reply: Reply, consumed: list[tuple[Table, Units]], kind: str
) -> Reply:
    mode = capacity.wanted(request)
    totals: dict[str, tuple[Table, Units]] = {}
    for table, units in consumed:
        database.count_units(table, kind.lower(), units.total)
        if mode != "NONE":
            before = totals.get(table.name)
            totals[table.name] = (table, before[1].plus(units) if before else units)
    if mode != "NONE":
        reply["ConsumedCapacity"] = [capacity.report(mode, table, units, kind) for table, units in totals.values()]
    return reply
