"""What a case sees of the DynamoDB under test: a boto3 client, the common tables, and short ways to say things."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

Value = dict[str, Any]
Item = dict[str, Value]


def text(value: str) -> Value:
    return {"S": value}


def number(value: int | str) -> Value:
    return {"N": str(value)}


def _definition(*key: str, kinds: dict[str, str], **more: Any) -> dict[str, Any]:
    return {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()],
        "KeySchema": schema(*key),
        **more,
    }


def schema(*key: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": role} for name, role in zip(key, ("HASH", "RANGE"), strict=False)]


def index(name: str, *key: str, projection: str | list[str]) -> dict[str, Any]:
    wanted: dict[str, Any] = {"ProjectionType": projection}
    if isinstance(projection, list):
        wanted = {"ProjectionType": "INCLUDE", "NonKeyAttributes": projection}
    return {"IndexName": name, "KeySchema": schema(*key), "Projection": wanted}


TABLES: dict[str, dict[str, Any]] = {
    "plain": _definition("pk", kinds={"pk": "S"}),
    "texts": _definition("pk", "sk", kinds={"pk": "S", "sk": "S"}),
    "numbers": _definition("pk", "sk", kinds={"pk": "S", "sk": "N"}),
    "binaries": _definition("pk", "sk", kinds={"pk": "S", "sk": "B"}),
    "indexed": _definition(
        "pk",
        "sk",
        kinds={"pk": "S", "sk": "S", "owner": "S", "at": "N", "kind": "S"},
        GlobalSecondaryIndexes=[
            index("by-owner", "owner", "at", projection="ALL"),
            index("by-kind", "kind", projection="KEYS_ONLY"),
            index("by-kind-label", "kind", "at", projection=["label"]),
        ],
        LocalSecondaryIndexes=[index("by-at", "pk", "at", projection=["label"])],
    ),
}


@dataclass
class Target:
    name: str
    client: Any
    prefix: str
    created: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def create_table(self, name: str, definition: dict[str, Any]) -> str:
        full_name = self.prefix + name
        self.client.create_table(TableName=full_name, **definition)
        self.created.append(full_name)
        if self.name == "aws":
            self.client.get_waiter("table_exists").wait(TableName=full_name)
        return full_name

    def new_table(self, definition_of: str) -> str:
        """A table of its own for a case that reads all of it."""
        return self.create_table(f"own-{uuid.uuid4().hex[:8]}", TABLES[definition_of])

    def table(self, name: str) -> str:
        return self.prefix + name

    def new_key(self) -> str:
        return f"key-{next(self._numbers):06d}"

    def put(self, table: str, item: Item, **more: Any) -> dict[str, Any]:
        reply: dict[str, Any] = self.client.put_item(TableName=self.table(table), Item=item, **more)
        return reply

    def get(self, table: str, key: Item, **more: Any) -> Item | None:
        reply = self.client.get_item(TableName=self.table(table), Key=key, ConsistentRead=True, **more)
        item: Item | None = reply.get("Item")
        return item

    def update(self, table: str, key: Item, expression: str, values: Item | None = None, **more: Any) -> Any:
        if values:
            more["ExpressionAttributeValues"] = values
        return self.client.update_item(TableName=self.table(table), Key=key, UpdateExpression=expression, **more)

    def query(self, table: str, condition: str, values: Item, **more: Any) -> Any:
        return self.client.query(
            TableName=self.table(table),
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            **more,
        )

    def refuses(self, match: str | None = None) -> AbstractContextManager[pytest.ExceptionInfo[ClientError]]:
        """The block is invalid, and said to be in AWS's words; of moto's words nothing is asked."""
        return refused("ValidationException", None if self.name == "moto" else match)

    def holds(self, item: Item, condition: str, values: Item | None = None, names: Any = None) -> bool:
        """Whether this condition is true of this item, asked with a filter on its own partition."""
        key = self.new_key()
        self.put("plain", {"pk": text(key), **item})
        reply = self.query(
            "plain",
            "pk = :pk",
            {":pk": text(key), **(values or {})},
            FilterExpression=condition,
            **({"ExpressionAttributeNames": names} if names else {}),
        )
        return bool(reply["Count"])


@contextmanager
def refused(code: str, match: str | None = None) -> Iterator[pytest.ExceptionInfo[ClientError]]:
    """The block is refused with this error code (and a message that matches)."""
    with pytest.raises(ClientError, match=match) as caught:
        yield caught
    assert caught.value.response["Error"]["Code"] == code
