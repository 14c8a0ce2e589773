"""Random operations give the same answers on the engine and on moto, where moto is known to be right.

Numbers are whole, conditions compare like with like, attributes keep their types: outside that region the two
differ as `differences.py` says, and we follow AWS.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from chalicelib.kernel.clock import VirtualClock
from infra.local.aws_hooks import AwsError
from infra.local.dynamodb.engine import Engine
from tests.contract.dynamodb.target import TABLES, Item, number, text

TABLE = "agreement"
small = st.integers(-20, 20).map(number)
word = st.sampled_from(["", "a", "ab", "b", "charger"]).map(text)
keys = st.sampled_from(["k1", "k2", "k3"]).map(text)
attributes = st.fixed_dictionaries(
    {},
    optional={
        "owner": st.sampled_from(["o1", "o2"]).map(text),
        "at": small,
        "n": small,
        "w": word,
        "flag": st.booleans().map(lambda value: {"BOOL": value}),
        "l": st.lists(small, max_size=3).map(lambda members: {"L": members}),
        "m": st.fixed_dictionaries({"x": small, "y": word}).map(lambda fields: {"M": fields}),
    },
)
conditions = st.sampled_from(
    [
        ("attribute_exists(pk)", []),
        ("attribute_not_exists(pk)", []),
        ("attribute_exists(n) AND n < :n", [":n"]),
        ("attribute_exists(n) AND n BETWEEN :z AND :t", [":z", ":t"]),
        ("attribute_not_exists(n) OR n >= :n", [":n"]),
        ("attribute_exists(w) AND begins_with(w, :w)", [":w"]),
        ("attribute_exists(w) AND contains(w, :w)", [":w"]),
        ("w = :w", [":w"]),
        ("NOT w = :w", [":w"]),
        ("w IN (:w, :v)", [":w", ":v"]),
        ("attribute_exists(m.x) AND m.x > :n", [":n"]),
        ("attribute_type(flag, :type)", [":type"]),
    ]
)
updates = st.sampled_from(
    [
        ("SET n = :n", [":n"]),
        ("SET n = if_not_exists(n, :z) + :n", [":z", ":n"]),
        ("SET w = :w, n = :n", [":w", ":n"]),
        ("SET l = list_append(if_not_exists(l, :e), :l)", [":e", ":l"]),
        ("ADD n :n", [":n"]),
        ("ADD n :n SET w = :w", [":n", ":w"]),
        ("ADD tags :s", [":s"]),
        ("REMOVE n, w", []),
        ("REMOVE l[0]", []),
        ("SET m = :m", [":m"]),
    ]
)
VALUES: Item = {
    ":z": number(0),
    ":t": number(10),
    ":e": {"L": []},
    ":l": {"L": [number(7)]},
    ":s": {"SS": ["t"]},
    ":m": {"M": {"x": number(1), "y": text("q")}},
    ":type": text("BOOL"),
    ":v": text("ab"),
}


@st.composite
def operations(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    kind = draw(st.sampled_from(["put", "update", "delete", "query", "index", "transact"]))
    values = {**VALUES, ":n": draw(small), ":w": draw(st.sampled_from(["a", "ab"]).map(text))}
    condition, condition_values = draw(st.one_of(st.just(("", [])), conditions))

    def with_condition(request: dict[str, Any], used: list[str]) -> dict[str, Any]:
        used = [*used, *condition_values]
        if condition:
            request["ConditionExpression"] = condition
        if used:
            request["ExpressionAttributeValues"] = {name: values[name] for name in used}
        return request

    key = {"pk": text("p"), "sk": draw(keys)}
    if kind == "put":
        item = {**key, **draw(attributes)}
        return "put_item", with_condition({"Item": item, "ReturnValues": "ALL_OLD"}, [])
    if kind == "update":
        expression, used = draw(updates)
        request = {"Key": key, "UpdateExpression": expression, "ReturnValues": "ALL_NEW"}
        return "update_item", with_condition(request, used)
    if kind == "delete":
        return "delete_item", with_condition({"Key": key, "ReturnValues": "ALL_OLD"}, [])
    if kind == "transact":
        other = {"pk": text("p"), "sk": text("k4")}
        return "transact_write_items", {
            "TransactItems": [
                {"Put": with_condition({"Item": {**key, **draw(attributes)}}, [])},
                {
                    "Update": {
                        "Key": other,
                        "UpdateExpression": "ADD n :n",
                        "ExpressionAttributeValues": {":n": number(1)},
                    }
                },
            ]
        }
    forward, limit = draw(st.booleans()), draw(st.sampled_from([None, 1, 2]))
    question: dict[str, Any] = {
        "ScanIndexForward": forward,
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": text("p")},
    }
    if kind == "index":
        question |= {
            "IndexName": "by-at",
            "KeyConditionExpression": "pk = :p AND #at <= :n",
            "ExpressionAttributeNames": {"#at": "at"},
            "ExpressionAttributeValues": {":p": text("p"), ":n": values[":n"]},
        }
    return "query", question | ({"Limit": limit} if limit else {})


class Pair:
    """The engine and moto, told the same."""

    def __init__(self, engine: Engine, client: Any) -> None:
        self.engine = engine
        self.client = client
        self.partitions = itertools.count()

    def compare(self, partition: str, method: str, request: dict[str, Any]) -> None:
        request = _in_partition(request, partition)
        mine, theirs = self._engine(method, request), self._moto(method, request)
        assert _comparable(mine) == _comparable(theirs), (method, request)

    def _engine(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        operation = "".join(part.capitalize() for part in method.split("_"))
        try:
            return self.engine.execute(operation, request)
        except AwsError as error:
            return {"Error": error.code, **error.extra}

    def _moto(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            reply: dict[str, Any] = getattr(self.client, method)(**request)
        except ClientError as error:
            return {
                "Error": error.response["Error"]["Code"],
                "CancellationReasons": error.response.get("CancellationReasons", []),
            }
        return reply


def _in_partition(value: Any, partition: str) -> Any:
    if isinstance(value, dict):
        return {name: _in_partition(member, partition) for name, member in value.items()} | (
            {"TableName": TABLE} if value.keys() & {"Item", "Key", "KeyConditionExpression"} else {}
        )
    if isinstance(value, list):
        return [_in_partition(member, partition) for member in value]
    return partition if value == "p" else value


def _comparable(reply: dict[str, Any]) -> dict[str, Any]:
    """What both are asked to agree on; where moto gives no last key at the limit is a known difference."""
    kept = {name: reply[name] for name in ("Attributes", "Items", "Count", "Error") if reply.get(name)}
    kept["reasons"] = [reason["Code"] for reason in reply.get("CancellationReasons") or []]
    return kept


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
        engine = Engine(":memory:", VirtualClock().now)
        client.create_table(TableName=TABLE, **TABLES["indexed"])
        engine.execute("CreateTable", {"TableName": TABLE, **TABLES["indexed"]})
        yield Pair(engine, client)
        engine.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(steps=st.lists(operations(), min_size=1, max_size=12))
def test_the_same_operations_give_the_same_answers(pair: Pair, steps: list[tuple[str, dict[str, Any]]]) -> None:
    partition = f"p{next(pair.partitions)}"
    for method, request in steps:
        pair.compare(partition, method, request)
    everything = {"KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": {":p": text("p")}}
    pair.compare(partition, "query", everything)
