"""The thrifty client sends what botocore's own sends, byte for byte but for the blanks in the JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from chalicelib.kernel.thrift import make_thrifty

KEY = {"pk": {"S": "charger#ä\u2028 1"}, "sk": {"S": "charger"}}
ITEM = {**KEY, "n": {"N": "-1.5"}, "b": {"B": b"\x00\xff"}, "l": {"L": [{"NULL": True}, {"M": {"x": {"SS": ["a"]}}}]}}
UPDATE = {
    "TableName": "wattfare-chargers",
    "Key": KEY,
    "UpdateExpression": "SET #a = :a",
    "ExpressionAttributeNames": {"#a": "status"},
    "ExpressionAttributeValues": {":a": {"BOOL": False}},
}
CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_item", {"TableName": "t", "Key": KEY, "ConsistentRead": False}),
    ("put_item", {"TableName": "t", "Item": ITEM, "ConditionExpression": "attribute_not_exists(pk)"}),
    ("update_item", {**UPDATE, "ReturnValues": "ALL_NEW"}),
    ("query", {"TableName": "t", "IndexName": "i", "KeyConditionExpression": "#0 = :0", "Limit": 3}),
    ("batch_get_item", {"RequestItems": {"t": {"Keys": [KEY], "ConsistentRead": True}}}),
    (
        "transact_write_items",
        {"TransactItems": [{"Put": {"TableName": "t", "Item": ITEM}}, {"Update": UPDATE}], "ClientRequestToken": "one"},
    ),
    ("describe_table", {"TableName": "t"}),
]


class Wire:
    """A client of DynamoDB whose requests end here, signed and ready to be sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
        self.client = botocore.session.Session().create_client(
            "dynamodb",
            region_name="eu-west-1",
            endpoint_url="https://dynamodb.eu-west-1.amazonaws.com",
            config=Config(user_agent="wattfare", parameter_validation=False, account_id_endpoint_mode="disabled"),
        )
        self.sent: list[Any] = []
        self.client.meta.events.register("before-send.dynamodb", self._send)

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        self.sent.append(request)
        return AWSResponse(request.url, 200, {}, Body())

    def request(self, operation: str, parameters: dict[str, Any]) -> Any:
        getattr(self.client, operation)(**parameters)
        return self.sent[-1]


class Body:
    """An empty JSON object, as urllib3 streams it."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield b"{}"


@pytest.mark.parametrize(("operation", "parameters"), CALLS, ids=[name for name, _ in CALLS])
def test_the_request_is_botocores(monkeypatch: pytest.MonkeyPatch, operation: str, parameters: dict[str, Any]) -> None:
    plain, thrifty = Wire(monkeypatch), Wire(monkeypatch)
    make_thrifty(thrifty.client)
    expected, request = plain.request(operation, parameters), thrifty.request(operation, parameters)
    assert json.loads(request.body) == json.loads(expected.body)
    assert (request.method, request.url) == (expected.method, expected.url)
    names = {"x-amz-target", "content-type", "user-agent"}
    shown = {name.lower(): value for name, value in request.headers.items() if name.lower() in names}
    wanted = {name.lower(): value for name, value in expected.headers.items() if name.lower() in names}
    assert shown == wanted
    # Algorithm, credential scope and the list of signed headers; the signature itself covers the body's blanks.
    assert _without_signature(request) == _without_signature(expected)


def _without_signature(request: Any) -> str:
    authorization = request.headers["Authorization"]
    text = authorization.decode() if isinstance(authorization, bytes) else authorization
    return text.partition("Signature=")[0]


def test_the_parts_of_botocore_that_are_replaced_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Wire(monkeypatch).client
    assert client._ruleset_resolver is not None
    assert hasattr(client._serializer, "serialize_to_request")
