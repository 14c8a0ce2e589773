"""CPU per operation of the local DynamoDB engine: `python -m bench dynamodb-engine`.

One thread, 500-byte items with fifteen attributes, on a WAL file and in memory; requests are passed decoded, as
the botocore hook does. Microseconds of process CPU (the median of rounds), not wall time.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from infra.local.dynamodb.engine import Engine

ROUNDS = 5
OPERATIONS = 2000
TRANSACTION_ITEMS = 4
PLAIN, INDEXED = "bench-plain", "bench-indexed"
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def main(operations: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        columns = {
            "file": measure(Engine(Path(folder) / "shared", _now), operations),
            "exclusive": measure(Engine(Path(folder) / "own", _now, exclusive=True), operations),
            ":memory:": measure(Engine(":memory:", _now), operations),
        }
    print(f"{'µs of CPU each':30}" + "".join(f"{name:>11}" for name in columns))  # noqa: T201
    for operation in columns["file"]:
        figures = "".join(f"{column[operation]:11.1f}" for column in columns.values())
        print(f"{operation:30}{figures}")  # noqa: T201


def _now() -> datetime:
    return datetime.now(UTC)


def measure(engine: Engine, operations: int) -> dict[str, float]:
    """Median µs of CPU by operation."""
    create_tables(engine)
    for number in range(operations):
        engine.execute("PutItem", {"TableName": PLAIN, "Item": item(number)})
        engine.execute("PutItem", {"TableName": INDEXED, "Item": item(number)})
    cases: dict[str, Callable[[int, int], tuple[str, dict[str, Any]]]] = {
        "get": lambda n, _: ("GetItem", {"TableName": PLAIN, "Key": key(n), "ConsistentRead": True}),
        "put": lambda n, r: ("PutItem", {"TableName": PLAIN, "Item": item(n, r)}),
        "put with condition": lambda n, r: ("PutItem", put_if(PLAIN, n, r)),
        "update with condition": lambda n, r: ("UpdateItem", update_if(PLAIN, n, r)),
        "put, 1 index + stream": lambda n, r: ("PutItem", {"TableName": INDEXED, "Item": item(n, r)}),
        "update, 1 index + stream": lambda n, r: ("UpdateItem", update_if(INDEXED, n, r)),
        "query 10 of a partition": lambda n, _: ("Query", query(n)),
        f"transact {TRANSACTION_ITEMS} puts, whole": lambda n, r: ("TransactWriteItems", puts(n, r, operations)),
        f"transact {TRANSACTION_ITEMS} mixed, whole": lambda n, r: ("TransactWriteItems", mixed(n, r, operations)),
    }
    found = {}
    for name, make in cases.items():
        samples = []
        for turn in range(1, ROUNDS + 1):
            requests = [_wire(make(number, turn)) for number in range(operations)]
            started = time.process_time_ns()
            for operation, request in requests:
                engine.execute(operation, request)
            samples.append((time.process_time_ns() - started) / operations / 1000)
        found[name] = statistics.median(samples)
    engine.close()
    return found


def _wire(call: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Freshly decoded, as each request is."""
    return call[0], _decode(_encode(call[1]))


def create_tables(engine: Engine) -> None:
    plain: dict[str, Any] = {
        "TableName": PLAIN,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    }
    engine.execute("CreateTable", plain)
    owner = {"AttributeName": "owner_key", "AttributeType": "S"}
    index = {
        "IndexName": "by-owner",
        "KeySchema": [
            {"AttributeName": "owner_key", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "ALL"},
    }
    engine.execute(
        "CreateTable",
        {
            **plain,
            "TableName": INDEXED,
            "AttributeDefinitions": [*plain["AttributeDefinitions"], owner],
            "GlobalSecondaryIndexes": [index],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        },
    )


def key(number: int) -> dict[str, Any]:
    return {"pk": {"S": f"CHARGER#{number // 10:08d}"}, "sk": {"S": f"SESSION#{number:012d}"}}


def item(number: int, turn: int = 0) -> dict[str, Any]:
    return {
        **key(number),
        "owner_key": {"S": f"OPERATOR#{number % 50:08d}"},
        "version": {"N": str(turn)},
        "at_ms": {"N": str(1_790_000_000_000 + number * 1000 + turn)},
        "energy_wh": {"N": str(number * 7)},
        "status": {"S": "Charging"},
        "live": {"BOOL": True},
        "address": {"M": {"street": {"S": "Long Road 17"}, "city": {"S": "Delft"}, "floor": {"N": "-1"}}},
        "notes": {"S": "n" * 90},
        **{f"attribute_{letter}": {"S": letter * 20} for letter in "abcdef"},
    }


def put_if(table: str, number: int, turn: int) -> dict[str, Any]:
    return {
        "TableName": table,
        "Item": item(number, turn),
        "ConditionExpression": "attribute_exists(pk) AND #v <= :v",
        "ExpressionAttributeNames": {"#v": "version"},
        "ExpressionAttributeValues": {":v": {"N": str(1_000 + turn)}},
    }


def update_if(table: str, number: int, turn: int) -> dict[str, Any]:
    return {
        "TableName": table,
        "Key": key(number),
        "UpdateExpression": "SET #s = :s, at_ms = :at, energy_wh = energy_wh + :wh ADD version :one",
        "ConditionExpression": "attribute_exists(pk) AND #s <> :ended",
        "ExpressionAttributeNames": {"#s": "status"},
        "ExpressionAttributeValues": {
            ":s": {"S": "Charging"},
            ":ended": {"S": "Ended"},
            ":at": {"N": str(1_795_000_000_000 + number * 1000 + turn)},
            ":wh": {"N": "17"},
            ":one": {"N": "1"},
        },
    }


def query(number: int) -> dict[str, Any]:
    return {
        "TableName": PLAIN,
        "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":pk": key(number)["pk"], ":prefix": {"S": "SESSION#"}},
    }


def puts(number: int, turn: int, items: int) -> dict[str, Any]:
    first = number * TRANSACTION_ITEMS % (items // TRANSACTION_ITEMS * TRANSACTION_ITEMS)
    numbers = range(first, first + TRANSACTION_ITEMS)
    return {
        "ClientRequestToken": f"puts-{turn:013d}{number:018d}",
        "TransactItems": [{"Put": {"TableName": PLAIN, "Item": item(each, turn + 1)}} for each in numbers],
    }


def mixed(number: int, turn: int, items: int) -> dict[str, Any]:
    """Two of the four into the table with index and stream, two with conditions."""
    first = number * TRANSACTION_ITEMS % (items // TRANSACTION_ITEMS * TRANSACTION_ITEMS)
    return {
        "ClientRequestToken": f"{turn:018d}{number:018d}",
        "TransactItems": [
            {"Update": update_if(PLAIN, first, turn)},
            {"Put": put_if(INDEXED, first + 1, turn)},
            {"Put": {"TableName": INDEXED, "Item": item(first + 2, turn)}},
            {"Put": {"TableName": PLAIN, "Item": item(first + 3, turn)}},
        ],
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else OPERATIONS)
