"""Streams: one record per change, in order, with cursors and pruning that survive a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.clock import VirtualClock, to_epoch_ms
from infra.local.aws_hooks import AwsError
from infra.local.dynamodb.engine import Engine

STREAMED, PLAIN = "streamed", "plain-rows"


def put(engine: Engine, key: str, **attributes: Any) -> None:
    engine.execute("PutItem", {"TableName": STREAMED, "Item": {"pk": {"S": key}, **attributes}})


def read(engine: Engine, after: int = 0) -> list[dict[str, Any]]:
    return engine.read_stream(STREAMED, after, 100)


def sequence(record: dict[str, Any]) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def test_a_change_leaves_one_record_with_both_images(engine: Engine, clock: VirtualClock) -> None:
    put(engine, "a", n={"N": "1"}, b={"B": "AAE="})
    put(engine, "a", n={"N": "2"})
    engine.execute("DeleteItem", {"TableName": STREAMED, "Key": {"pk": {"S": "a"}}})
    inserted, modified, removed = read(engine)
    assert [record["eventName"] for record in (inserted, modified, removed)] == ["INSERT", "MODIFY", "REMOVE"]
    first = {"pk": {"S": "a"}, "n": {"N": "1"}, "b": {"B": "AAE="}}
    second = {"pk": {"S": "a"}, "n": {"N": "2"}}
    assert inserted["dynamodb"]["NewImage"] == first
    assert "OldImage" not in inserted["dynamodb"]
    assert (modified["dynamodb"]["OldImage"], modified["dynamodb"]["NewImage"]) == (first, second)
    assert removed["dynamodb"]["OldImage"] == second
    assert "NewImage" not in removed["dynamodb"]
    assert removed["dynamodb"]["Keys"] == {"pk": {"S": "a"}}
    assert inserted["dynamodb"]["ApproximateCreationDateTime"] == to_epoch_ms(clock.now()) // 1000
    assert inserted["eventSourceARN"].startswith("arn:aws:dynamodb:eu-west-1:000000000000:table/streamed/stream/")
    assert len({record["eventID"] for record in (inserted, modified, removed)}) == 3
    assert "userIdentity" not in removed


def test_what_changes_nothing_leaves_no_record(engine: Engine) -> None:
    put(engine, "a", n={"N": "1"}, w={"S": "x"})
    put(engine, "a", w={"S": "x"}, n={"N": "1.0"})
    engine.execute("DeleteItem", {"TableName": STREAMED, "Key": {"pk": {"S": "none"}}})
    engine.execute(
        "UpdateItem",
        {
            "TableName": STREAMED,
            "Key": {"pk": {"S": "a"}},
            "UpdateExpression": "SET n = :n",
            "ExpressionAttributeValues": {":n": {"N": "1"}},
        },
    )
    assert len(read(engine)) == 1


def test_a_cancelled_transaction_leaves_no_record(engine: Engine) -> None:
    guarded = {
        "TableName": STREAMED,
        "Key": {"pk": {"S": "missing"}},
        "ConditionExpression": "attribute_exists(pk)",
    }
    with pytest.raises(AwsError):
        engine.execute(
            "TransactWriteItems",
            {
                "TransactItems": [
                    {"Put": {"TableName": STREAMED, "Item": {"pk": {"S": "a"}}}},
                    {"ConditionCheck": guarded},
                ]
            },
        )
    assert read(engine) == []


@pytest.mark.parametrize(
    ("view", "images"),
    [("KEYS_ONLY", set()), ("NEW_IMAGE", {"NewImage"}), ("OLD_IMAGE", {"OldImage"})],
)
def test_a_view_shows_only_its_images(engine: Engine, view: str, images: set[str]) -> None:
    table = f"view-{view}"
    engine.execute(
        "CreateTable",
        {
            "TableName": table,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": view},
        },
    )
    for value in ("1", "2"):
        engine.execute("PutItem", {"TableName": table, "Item": {"pk": {"S": "a"}, "n": {"N": value}}})
    records = engine.read_stream(table, 0, 10)
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY"]
    assert records[1]["dynamodb"].keys() & {"NewImage", "OldImage"} == images


def test_listeners_hear_of_the_table_after_commit(engine: Engine) -> None:
    heard: list[tuple[str, int]] = []
    stop = engine.on_stream_write(lambda table: heard.append((table, len(read(engine)))))
    put(engine, "a")
    put(engine, "a")
    engine.execute("PutItem", {"TableName": PLAIN, "Item": {"pk": {"S": "a"}}})
    assert heard == [(STREAMED, 1)]
    stop()
    put(engine, "b")
    assert len(heard) == 1


def test_a_reader_goes_on_after_its_sequence(engine: Engine) -> None:
    for key in "abcde":
        put(engine, key)
    first = engine.read_stream(STREAMED, 0, 2)
    rest = engine.read_stream(STREAMED, sequence(first[-1]), 10)
    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in first + rest] == list("abcde")


def test_a_cursor_never_goes_back(engine: Engine) -> None:
    assert engine.stream_cursor("relay", STREAMED) == 0
    engine.save_stream_cursor("relay", STREAMED, 5)
    engine.save_stream_cursor("relay", STREAMED, 3)
    engine.save_stream_cursor("other", STREAMED, 1)
    assert engine.stream_cursor("relay", STREAMED) == 5
    assert engine.stream_cursor("other", STREAMED) == 1


def test_pruning_keeps_what_the_slowest_consumer_needs(engine: Engine) -> None:
    for key in "abcd":
        put(engine, key)
    records = read(engine)
    engine.save_stream_cursor("fast", STREAMED, sequence(records[3]))
    engine.save_stream_cursor("slow", STREAMED, sequence(records[1]))
    assert engine.prune_streams() == 2
    assert read(engine) == records[2:]


def test_a_day_old_record_is_pruned_though_nobody_read_it(engine: Engine, clock: VirtualClock) -> None:
    put(engine, "old")
    put(engine, "old too")
    clock.advance(24 * 3600 + 1)
    put(engine, "new")
    assert engine.prune_streams() == 2
    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in read(engine)] == ["new"]


def test_sequence_numbers_go_on_after_pruning_and_restart(tmp_path: Path, clock: VirtualClock) -> None:
    from_file = Engine(tmp_path / "data.sqlite", clock.now)
    from_file.create_tables_from_template(TEMPLATE)
    put(from_file, "a")
    last = sequence(read(from_file)[-1])
    from_file.save_stream_cursor("relay", STREAMED, last)
    from_file.prune_streams()
    from_file.close()
    reopened = Engine(tmp_path / "data.sqlite", clock.now)
    put(reopened, "b")
    cursor = reopened.stream_cursor("relay", STREAMED)
    assert cursor == last
    fresh = read(reopened, after=cursor)
    assert [record["dynamodb"]["Keys"]["pk"]["S"] for record in fresh] == ["b"]
    reopened.close()


TEMPLATE = {
    "Resources": {
        "Streamed": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": STREAMED,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
                "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
                "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
            },
        },
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
    }
}


def test_a_template_creates_its_tables_once(engine: Engine) -> None:
    engine.execute("DeleteTable", {"TableName": STREAMED})
    assert engine.create_tables_from_template(TEMPLATE) == [STREAMED]
    assert engine.create_tables_from_template(TEMPLATE) == []
    described = engine.execute("DescribeTable", {"TableName": STREAMED})["Table"]
    assert described["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    time_to_live = engine.execute("DescribeTimeToLive", {"TableName": STREAMED})["TimeToLiveDescription"]
    assert time_to_live == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def with_index(hash_name: str, projection: dict[str, Any]) -> dict[str, Any]:
    """TEMPLATE as a later version has it: one index more."""
    index = {
        "IndexName": "by_colour",
        "KeySchema": [{"AttributeName": hash_name, "KeyType": "HASH"}],
        "Projection": projection,
    }
    defined = [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": hash_name, "AttributeType": "S"}]
    properties = TEMPLATE["Resources"]["Streamed"]["Properties"] | {
        "AttributeDefinitions": defined,
        "GlobalSecondaryIndexes": [index],
    }
    return {"Resources": {"Streamed": {"Type": "AWS::DynamoDB::Table", "Properties": properties}}}


def found_by(engine: Engine, name: str, value: str) -> list[dict[str, Any]]:
    request = {
        "TableName": STREAMED,
        "IndexName": "by_colour",
        "KeyConditionExpression": "#n = :v",
        "ExpressionAttributeNames": {"#n": name},
        "ExpressionAttributeValues": {":v": {"S": value}},
    }
    items: list[dict[str, Any]] = engine.execute("Query", request)["Items"]
    return items


def test_data_of_an_earlier_version_gets_the_indexes_of_a_later_one(engine: Engine) -> None:
    engine.execute("DeleteTable", {"TableName": STREAMED})
    engine.create_tables_from_template(TEMPLATE)
    item = {"pk": {"S": "a"}, "colour": {"S": "red"}, "shape": {"S": "round"}}
    engine.execute("PutItem", {"TableName": STREAMED, "Item": item})
    assert engine.create_tables_from_template(with_index("colour", {"ProjectionType": "KEYS_ONLY"})) == []
    assert found_by(engine, "colour", "red") == [{"pk": {"S": "a"}, "colour": {"S": "red"}}]
    engine.create_tables_from_template(with_index("shape", {"ProjectionType": "ALL"}))
    assert found_by(engine, "shape", "round") == [item]


def test_a_template_with_an_unresolved_name_is_refused(engine: Engine) -> None:
    resource = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Ref": "Name"}}}
    with pytest.raises(ValueError, match="not resolved"):
        engine.create_tables_from_template({"Resources": {"T": resource}})
