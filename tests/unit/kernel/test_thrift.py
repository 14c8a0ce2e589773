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
            config=Config(
                user_agent="wattfare",
                parameter_validation=False,
                account_id_endpoint_mode="disabled",
                retries={"mode": "standard", "max_attempts": 3},
            ),
        )
        self.sent: list[Any] = []
        self.answers: list[AWSResponse] = []
        """To come first; behind them everything goes well."""
        self.client.meta.events.register("before-send.dynamodb", self._send)

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        self.sent.append(request)
        return self.answers.pop(0) if self.answers else AWSResponse(request.url, 200, {}, Body())

    def answer(self, status: int, code: str, **more: Any) -> None:
        body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more})
        self.answers.append(AWSResponse("", status, {}, Body(body.encode())))

    def request(self, operation: str, parameters: dict[str, Any]) -> Any:
        getattr(self.client, operation)(**parameters)
        return self.sent[-1]


class Body:
    """JSON, as urllib3 streams it."""

    def __init__(self, content: bytes = b"{}") -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


@pytest.fixture
def thrifty(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire(monkeypatch)
    make_thrifty(wire.client)
    return wire


@pytest.mark.parametrize(("operation", "parameters"), CALLS, ids=[name for name, _ in CALLS])
def test_the_request_is_botocores(
    monkeypatch: pytest.MonkeyPatch, thrifty: Wire, operation: str, parameters: dict[str, Any]
) -> None:
    plain = Wire(monkeypatch)
    expected, request = plain.request(operation, parameters), thrifty.request(operation, parameters)
    assert json.loads(request.body) == json.loads(expected.body)
    assert (request.method, request.url) == (expected.method, expected.url)
    assert set(request.headers.keys()) == set(expected.headers.keys())
    for name in ("X-Amz-Target", "Content-Type", "User-Agent", "amz-sdk-request"):
        assert _text(request.headers[name]) == _text(expected.headers[name])
    # Algorithm, credential scope and the list of signed headers; the signature itself covers the body's blanks.
    assert _without_signature(request) == _without_signature(expected)


def _without_signature(request: Any) -> str:
    return _text(request.headers["Authorization"]).partition("Signature=")[0]


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_a_transaction_without_a_token_gets_one_that_stays_when_it_is_sent_again(thrifty: Wire) -> None:
    thrifty.answer(500, "InternalServerError")
    thrifty.request("transact_write_items", {"TransactItems": []})
    thrifty.request("transact_write_items", {"TransactItems": []})
    first, again, other = (json.loads(request.body)["ClientRequestToken"] for request in thrifty.sent)
    assert first == again != other


def test_a_refusal_is_the_exception_of_its_kind_with_all_that_was_told(thrifty: Wire) -> None:
    thrifty.answer(400, "TransactionCanceledException", CancellationReasons=[{"Code": "ConditionalCheckFailed"}])
    with pytest.raises(thrifty.client.exceptions.TransactionCanceledException) as refused:
        thrifty.client.transact_write_items(TransactItems=[])
    assert refused.value.response["Error"]["Code"] == "TransactionCanceledException"
    assert refused.value.response["CancellationReasons"] == [{"Code": "ConditionalCheckFailed"}]
    assert refused.value.operation_name == "TransactWriteItems"


def test_what_fails_for_a_moment_is_sent_again(thrifty: Wire) -> None:
    thrifty.answer(400, "ProvisionedThroughputExceededException")
    thrifty.answer(503, "InternalServerError")
    answer = thrifty.client.get_item(TableName="t", Key=KEY)
    assert (len(thrifty.sent), answer["ResponseMetadata"]["RetryAttempts"]) == (3, 2)


def test_the_part_of_botocore_that_is_replaced_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what the one in its place uses of it."""
    client = Wire(monkeypatch).client
    for name in ("_make_api_call", "_endpoint", "_request_signer", "_user_agent_creator"):
        assert hasattr(client, name), name
