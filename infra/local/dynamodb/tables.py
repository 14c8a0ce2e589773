"""What a table is: its keys, indexes, stream and time to live. Built from CreateTable's request.

Pure: knows no storage. `Table.key_of` and `Index.entry_of` say where an item lives; a wrong key is a
ValidationException in AWS's words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infra.local.dynamodb.errors import invalid_parameter, validation
from infra.local.dynamodb.values import (
    EncodedKey,
    Item,
    Value,
    attribute_size,
    encode_key,
    kind_of,
    normalise,
    value_size,
)

REGION = "eu-west-1"
ACCOUNT = "000000000000"
MAX_PARTITION_KEY_BYTES = 2048
MAX_SORT_KEY_BYTES = 1024
MAX_GLOBAL_INDEXES = 20
MAX_LOCAL_INDEXES = 5
# A table's indexes share one number space with it: table 3 has the entries 96 (itself) to 127.
IDS_PER_TABLE = 32
_EXPIRY_OFFSET = IDS_PER_TABLE - 1
NO_SORT_KEY = ""


class Key(NamedTuple):
    """Where an item lives, encoded for SQLite; `range` is "" in a table without sort key."""

    hash: EncodedKey
    range: EncodedKey


@dataclass(frozen=True, slots=True)
class KeySchema:
    hash_name: str
    hash_kind: str
    range_name: str | None = None
    range_kind: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.hash_name,) if self.range_name is None else (self.hash_name, self.range_name)

    def kinds(self) -> list[tuple[str, str]]:
        pairs = [(self.hash_name, self.hash_kind)]
        return pairs if self.range_name is None else [*pairs, (self.range_name, self.range_kind)]

    def describe(self) -> list[dict[str, str]]:
        rows = [{"AttributeName": self.hash_name, "KeyType": "HASH"}]
        if self.range_name is not None:
            rows.append({"AttributeName": self.range_name, "KeyType": "RANGE"})
        return rows


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index. `attributes` are the projected ones with all keys, None for ALL."""

    id: int
    name: str
    is_global: bool
    keys: KeySchema
    projection: dict[str, Any]
    attributes: frozenset[str] | None

    def entry_of(self, item: Item) -> Key | None:
        """Where the item stands in this index; None if it lacks one of the index's keys (sparse)."""
        partition = item.get(self.keys.hash_name)
        if partition is None:
            return None
        if self.keys.range_name is None:
            return Key(encode_key(partition), NO_SORT_KEY)
        sort = item.get(self.keys.range_name)
        return None if sort is None else Key(encode_key(partition), encode_key(sort))

    def project(self, item: Item) -> Item:
        if self.attributes is None:
            return item
        return {name: value for name, value in item.items() if name in self.attributes}

    def projected_size(self, item: Item, whole_size: int) -> int:
        if self.attributes is None:
            return whole_size
        return sum(attribute_size(item, name) for name in self.attributes)


@dataclass(slots=True)
class Table:
    """A table as created, with what can be changed later: indexes, stream view, time-to-live attribute."""

    id: int
    name: str
    keys: KeySchema
    attribute_kinds: dict[str, str]
    indexes: dict[str, Index]
    created_at: float
    billing: dict[str, Any]
    stream_view: str | None = None
    stream_label: str = ""
    ttl_attribute: str | None = None
    # (index name, attribute, kind) of the secondary indexes' own keys: looked through on each write.
    index_key_kinds: list[tuple[str, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """After `indexes` changed."""
        self.index_key_kinds = [
            (index.name, name, kind)
            for index in self.indexes.values()
            for name, kind in index.keys.kinds()
            if name not in self.keys.names
        ]

    @property
    def items_id(self) -> int:
        return self.id * IDS_PER_TABLE

    @property
    def expiry_id(self) -> int:
        """The hidden index of items by the second they expire."""
        return self.items_id + _EXPIRY_OFFSET

    @property
    def arn(self) -> str:
        return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{self.name}"

    @property
    def stream_arn(self) -> str:
        return f"{self.arn}/stream/{self.stream_label}"

    def key_of_item(self, item: Item) -> Key:
        """The key of a whole item that is to be written; its index keys are checked too."""
        for name, kind in self.keys.kinds():
            value = item.get(name)
            if value is None:
                raise invalid_parameter(f"Missing the key {name} in the item")
            if kind not in value:
                raise invalid_parameter(f"Type mismatch for key {name} expected: {kind} actual: {kind_of(value)}")
        self.check_index_keys(item)
        return self._encode(item)

    def key_of(self, given: Any) -> tuple[Key, Item]:
        """The key given to Get, Update or Delete, and its attributes."""
        expected = self.keys.kinds()
        if not isinstance(given, dict) or len(given) != len(expected):
            raise validation("The provided key element does not match the schema")
        attributes: Item = {}
        for name, kind in expected:
            value = given.get(name)
            if value is None:
                raise validation("The provided key element does not match the schema")
            attributes[name] = normalise(value)[0]
            if kind not in value:
                raise validation("The provided key element does not match the schema")
        return self._encode(attributes), attributes

    def check_index_keys(self, item: Item) -> None:
        for index_name, name, kind in self.index_key_kinds:
            value = item.get(name)
            if value is None:
                continue
            if kind not in value:
                raise invalid_parameter(
                    f"Type mismatch for Index Key {name} Expected: {kind} Actual: {kind_of(value)} "
                    f"IndexName: {index_name}"
                )
            if not value[kind]:
                raise validation(
                    "One or more parameter values are not valid. A value specified for a secondary index key "
                    "is not supported. The AttributeValue for a key attribute cannot contain an empty "
                    f"{'string' if kind == 'S' else 'binary'} value. IndexName: {index_name}, IndexKey: {name}"
                )

    def _encode(self, item: Item) -> Key:
        keys = self.keys
        partition = item[keys.hash_name]
        _check_key_value(keys.hash_name, keys.hash_kind, partition, MAX_PARTITION_KEY_BYTES)
        if keys.range_name is None:
            return Key(encode_key(partition), NO_SORT_KEY)
        sort = item[keys.range_name]
        _check_key_value(keys.range_name, keys.range_kind, sort, MAX_SORT_KEY_BYTES)
        return Key(encode_key(partition), encode_key(sort))

    def key_attributes(self, item: Item) -> Item:
        return {name: item[name] for name in self.keys.names}

    def index(self, name: str) -> Index:
        if name not in self.indexes:
            raise validation(f"The table does not have the specified index: {name}")
        return self.indexes[name]


def _check_key_value(name: str, kind: str, value: Value, limit_bytes: int) -> None:
    raw = value[kind]
    if not raw:
        raise validation(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot "
            f"contain an empty {'string' if kind == 'S' else 'binary'} value. Key: {name}"
        )
    if len(raw) * 4 > limit_bytes and value_size(value) > limit_bytes:
        which = "hashkey" if limit_bytes == MAX_PARTITION_KEY_BYTES else "rangekey"
        raise invalid_parameter(f"Size of {which} has exceeded the maximum size limit of {limit_bytes} bytes")
