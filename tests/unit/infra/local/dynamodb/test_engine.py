"""The engine as a whole: request tokens, hooks, counters, threads, several connections, kill -9."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.kernel.clock import SystemClock, VirtualClock
from infra.local.aws_hooks import AwsError
from infra.local.dynamodb import hook
from infra.local.dynamodb.engine import Engine

TABLE = "plain-rows"
DEFINITION: dict[str, Any] = {
    "TableName": TABLE,
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
}
REPOSITORY = Path(__file__).parents[5]


def add_one(key: str, attribute: str = "n") -> dict[str, Any]:
    return {
        "TableName": TABLE,
        "Key": {"pk": {"S": key}},
        "UpdateExpression": "ADD #a :one",
        "ExpressionAttributeNames": {"#a": attribute},
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }


def value_of(engine: Engine, key: str, attribute: str = "n") -> int:
    item = engine.execute("GetItem", {"TableName": TABLE, "Key": {"pk": {"S": key}}}).get("Item", {})
    return int(item.get(attribute, {"N": "0"})["N"])


def transact(engine: Engine, request_token: str) -> None:
    engine.execute(
        "TransactWriteItems", {"TransactItems": [{"Update": add_one("a")}], "ClientRequestToken": request_token}
    )


def test_an_unknown_operation_says_so(engine: Engine) -> None:
    with pytest.raises(AwsError) as caught:
        engine.execute("ExecuteStatement", {"Statement": "SELECT * FROM x"})
    assert caught.value.code == "UnknownOperationException"


@pytest.mark.parametrize("legacy", ["Expected", "AttributeUpdates", "KeyConditions", "AttributesToGet"])
def test_legacy_parameters_are_refused_not_ignored(engine: Engine, legacy: str) -> None:
    with pytest.raises(AwsError, match=legacy):
        engine.execute("PutItem", {"TableName": TABLE, "Item": {"pk": {"S": "a"}}, legacy: {}})
    assert value_of(engine, "a") == 0


def test_a_request_token_is_remembered_for_ten_minutes(engine: Engine, clock: VirtualClock) -> None:
    transact(engine, "token-1")
    clock.advance(599)
    transact(engine, "token-1")
    assert value_of(engine, "a") == 1
    clock.advance(2)
    transact(engine, "token-1")
    assert value_of(engine, "a") == 2


def test_old_request_tokens_are_forgotten(tmp_path: Path, clock: VirtualClock) -> None:
    path = tmp_path / "data.sqlite"
    engine = Engine(path, clock.now)
    engine.execute("CreateTable", DEFINITION)
    for position in range(20):
        transact(engine, f"first-{position}")
    clock.advance(1300)
    for position in range(20):
        transact(engine, f"second-{position}")
    engine.close()
    with sqlite3.connect(path) as connection:
        (kept,) = connection.execute("SELECT COUNT(*) FROM request_tokens").fetchone()
    assert kept == 20


def test_consumed_units_add_up_and_reset(engine: Engine) -> None:
    engine.execute("UpdateItem", add_one("a"))
    transact(engine, "token")
    value_of(engine, "a")
    assert dict(engine.consumed) == {(TABLE, "write"): 3, (TABLE, "read"): 0.5}
    engine.consumed.clear()
    assert engine.consumed[(TABLE, "write")] == 0


def test_a_failed_condition_costs_too(engine: Engine) -> None:
    with pytest.raises(AwsError):
        engine.execute("UpdateItem", {**add_one("a"), "ConditionExpression": "attribute_exists(pk)"})
    assert engine.consumed[(TABLE, "write")] == 1
    check = {"TableName": TABLE, "Key": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_exists(pk)"}
    with pytest.raises(AwsError):
        engine.execute("TransactWriteItems", {"TransactItems": [{"Update": add_one("b")}, {"ConditionCheck": check}]})
    assert engine.consumed[(TABLE, "write")] == 5


def test_a_cached_client_follows_the_engine_of_the_day(clock: VirtualClock) -> None:
    engines = [Engine(":memory:", clock.now) for _ in range(2)]
    for made in engines:
        made.execute("CreateTable", DEFINITION)
    restore_first = hook.install(engines[0])
    client = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    client.put_item(TableName=TABLE, Item={"pk": {"S": "a"}, "n": {"N": "1"}})
    restore_second = hook.install(engines[1])
    client.put_item(TableName=TABLE, Item={"pk": {"S": "a"}, "n": {"N": "2"}})
    restore_second()
    assert client.get_item(TableName=TABLE, Key={"pk": {"S": "a"}})["Item"]["n"] == {"N": "1"}
    assert value_of(engines[1], "a") == 2
    restore_first()


def test_eight_threads_lose_no_update(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "data.sqlite", SystemClock().now)
    engine.execute("CreateTable", DEFINITION)

    def work() -> None:
        for _ in range(50):
            engine.execute("UpdateItem", add_one("contended"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value_of(engine, "contended") == 400
    engine.close()


def test_a_write_waits_for_another_process_and_sees_what_it_wrote(tmp_path: Path) -> None:
    path = tmp_path / "data.sqlite"
    engine = Engine(path, SystemClock().now)
    engine.execute("CreateTable", DEFINITION)
    engine.execute("UpdateItem", add_one("a"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    waiting = threading.Thread(target=engine.execute, args=("UpdateItem", add_one("a")))
    waiting.start()
    waiting.join(timeout=0.3)
    assert waiting.is_alive()
    other.execute("UPDATE items SET body=?", (b'{"pk":{"S":"a"},"n":{"N":"10"}}',))
    other.execute("COMMIT")
    other.close()
    waiting.join()
    assert value_of(engine, "a") == 11
    engine.close()


def test_a_table_made_by_another_process_is_found(tmp_path: Path) -> None:
    first, second = (Engine(tmp_path / "data.sqlite", SystemClock().now) for _ in range(2))
    first.execute("CreateTable", DEFINITION)
    second.execute("UpdateItem", add_one("a"))
    assert value_of(first, "a") == 1
    first.close()
    second.close()


VICTIM = """
import sys
from chalicelib.kernel.clock import SystemClock
from infra.local.dynamodb.engine import Engine
engine = Engine(sys.argv[1], SystemClock().now, exclusive=sys.argv[2] == "exclusive")
engine.execute("CreateTable", {definition!r})
def put(key, number):
    return {{"Put": {{"TableName": {table!r}, "Item": {{"pk": {{"S": key}}, "n": {{"N": str(number)}}}}}}}}
for number in range(1, 1_000_000):
    engine.execute("TransactWriteItems", {{"TransactItems": [
        put("left", number), put("right", number), put(f"row-{{number}}", number)]}})
    print(number, flush=True)
"""


@pytest.mark.parametrize("access", ["shared", "exclusive"])
def test_kill_9_loses_nothing_that_was_answered_and_leaves_no_half(tmp_path: Path, access: str) -> None:
    path = tmp_path / "data.sqlite"
    program = VICTIM.format(definition=DEFINITION, table=TABLE)
    victim = subprocess.Popen(
        [sys.executable, "-c", program, str(path), access],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    assert victim.stdout is not None
    with victim, victim.stdout as answers:
        for _ in range(300):
            assert answers.readline()
        victim.send_signal(signal.SIGKILL)
        answered = [int(line) for line in answers if line.endswith("\n")]
    last = answered[-1] if answered else 300
    engine = Engine(path, SystemClock().now)
    stored = value_of(engine, "left")
    assert stored in {last, last + 1}
    assert value_of(engine, "right") == stored
    rows = engine.execute("Scan", {"TableName": TABLE, "Select": "COUNT"})
    assert rows["Count"] == stored + 2
    engine.close()
