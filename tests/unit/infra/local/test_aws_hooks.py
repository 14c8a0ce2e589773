"""The hooks: JSON and REST services, typed errors, and giving way when nothing is registered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError

ACCOUNT = {"region_name": "eu-west-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}


class Recorder:
    """A handler that remembers its calls and answers, or refuses, as told."""

    def __init__(self, answer: dict[str, Any] | AwsError) -> None:
        self.answer = answer
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, request))
        if isinstance(self.answer, AwsError):
            raise self.answer
        return self.answer


@pytest.fixture
def undo() -> Iterator[list[Any]]:
    restores: list[Any] = []
    yield restores
    for restore in reversed(restores):
        restore()


def test_a_json_service_gets_the_decoded_body(undo: list[Any]) -> None:
    stored = {"executionArn": "arn:run"}
    handler = Recorder(stored)
    undo.append(aws_hooks.register("stepfunctions", handler))
    client = boto3.client("stepfunctions", **ACCOUNT)
    reply = client.start_execution(stateMachineArn="arn:machine", name="run", input="{}")
    assert reply["executionArn"] == "arn:run"
    assert reply["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert handler.calls == [("StartExecution", {"stateMachineArn": "arn:machine", "name": "run", "input": "{}"})]
    assert stored == {"executionArn": "arn:run"}


def test_a_rest_service_gets_the_request(undo: list[Any]) -> None:
    handler = Recorder({})
    undo.append(aws_hooks.register("apigatewaymanagementapi", handler))
    client = boto3.client("apigatewaymanagementapi", endpoint_url="http://127.0.0.1:1/stage", **ACCOUNT)
    client.post_to_connection(ConnectionId="a=b", Data=b"frame")
    ((operation, request),) = handler.calls
    assert (operation, request["method"], request["url_path"]) == (
        "PostToConnection",
        "POST",
        "/@connections/a%3Db",
    )
    assert request["body"] == b"frame"


def test_a_refusal_is_the_clients_own_exception(undo: list[Any]) -> None:
    undo.append(aws_hooks.register("apigatewaymanagementapi", Recorder(AwsError("GoneException", "gone", 410))))
    client = boto3.client("apigatewaymanagementapi", endpoint_url="http://127.0.0.1:1", **ACCOUNT)
    with pytest.raises(client.exceptions.GoneException) as caught:
        client.delete_connection(ConnectionId="a")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 410
    assert caught.value.response["Error"] == {"Code": "GoneException", "Message": "gone"}


def test_a_refusal_carries_its_extra_members(undo: list[Any]) -> None:
    error = AwsError("ConditionalCheckFailedException", "no", extra={"Item": {"pk": {"S": "a"}}})
    undo.append(aws_hooks.register("dynamodb", Recorder(error)))
    client = boto3.client("dynamodb", **ACCOUNT)
    with pytest.raises(client.exceptions.ConditionalCheckFailedException) as caught:
        client.describe_table(TableName="rows")
    assert caught.value.response["Item"] == {"pk": {"S": "a"}}


def test_text_that_is_no_unicode_is_refused(undo: list[Any]) -> None:
    handler = Recorder({})
    undo.append(aws_hooks.register("dynamodb", handler))
    client = boto3.client("dynamodb", **ACCOUNT)
    with pytest.raises(client.exceptions.ClientError, match="SerializationException"):
        client.put_item(TableName="rows", Item={"pk": {"S": "\ud800"}})
    assert handler.calls == []


def test_the_handler_before_comes_back(undo: list[Any]) -> None:
    first, second = Recorder({"TableNames": ["first"]}), Recorder({"TableNames": ["second"]})
    undo.append(aws_hooks.register("dynamodb", first))
    client = boto3.client("dynamodb", **ACCOUNT)
    restore = aws_hooks.register("dynamodb", second)
    assert client.list_tables()["TableNames"] == ["second"]
    restore()
    assert client.list_tables()["TableNames"] == ["first"]
    restore()
    assert client.list_tables()["TableNames"] == ["first"]


def test_several_are_undone_in_whatever_order(undo: list[Any]) -> None:
    below, first, second = (Recorder({"TableNames": [name]}) for name in ("below", "first", "second"))
    undo.append(aws_hooks.register("dynamodb", below))
    restore_first, restore_second = aws_hooks.register("dynamodb", first), aws_hooks.register("dynamodb", second)
    client = boto3.client("dynamodb", **ACCOUNT)
    restore_first()
    assert client.list_tables()["TableNames"] == ["second"]
    restore_second()
    assert client.list_tables()["TableNames"] == ["below"]
