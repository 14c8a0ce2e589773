"""The data layer: PynamoDB models declare tables and map values, one shared botocore client sends.

A capability's `store.py` declares `class ThingRow(Row)` and `THINGS = Table(ThingRow, Thing, ...)`; entities are
plain dataclasses. Reads are here, writes go through `kernel.unit_of_work`, pages are cut by `kernel.pages`. PynamoDB's
own connection is never opened: it would be a second client (100 ms of cold start) and costs twice the CPU of a call.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic

from botocore.exceptions import ClientError
from pynamodb.attributes import Attribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.indexes import Index
from pynamodb.models import Model

from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.pages import AttributeMap, Entity, Page, Step, cursor_invalid, decode_cursor, encode_cursor

MAX_PK_BYTES = 2048
MAX_SK_BYTES = 1024
_BATCH_GET_LIMIT = 100
_BATCH_GET_ROUNDS = 10
_BATCH_PUT_LIMIT = 25
_BATCH_PUT_ROUNDS = 3


class Row(Model):
    """Base of all rows: every table has the string keys `pk` and `sk`."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)


def actions_of(row: type[Row], changes: Mapping[str, object]) -> list[Action]:
    """What sets the named attributes of a row; None removes. Two who change different ones do not undo each other."""
    columns = row.get_attributes()
    return [columns[name].remove() if value is None else columns[name].set(value) for name, value in changes.items()]


class Table(Generic[Entity]):
    """Maps one kind of row to one dataclass.

    `key(entity)` gives `(pk, sk)`; `extra(entity)` the attributes that exist only for indexes or expiry. All other
    attributes of the row carry the names of the dataclass's fields; None is not stored.
    """

    def __init__(
        self,
        row: type[Row],
        entity: type[Entity],
        *,
        key: Callable[[Entity], tuple[str, str]],
        extra: Callable[[Entity], dict[str, Any]] | None = None,
    ) -> None:
        self.row = row
        self.name: str = row.Meta.table_name
        self._entity = entity
        self._key = key
        self._extra = extra
        self._attributes = {
            name: (attribute.attr_name, attribute.attr_type, *_codec(attribute))
            for name, attribute in row.get_attributes().items()
        }
        fields = {field.name for field in dataclasses.fields(entity)}  # type: ignore[arg-type]
        self._loaded = [
            (stored, name, attr_type, deserialize)
            for name, (stored, attr_type, _, deserialize) in self._attributes.items()
            if name in fields
        ]

    def key_map(self, pk: str, sk: str) -> AttributeMap:
        return {"pk": {"S": pk}, "sk": {"S": sk}}

    def key_of(self, entity: Entity) -> tuple[str, str]:
        return self._key(entity)

    def entity_key(self, entity: Entity) -> AttributeMap:
        return self.key_map(*self._key(entity))

    def to_item(self, entity: Entity) -> AttributeMap:
        """The stored form of an entity."""
        pk, sk = self._key(entity)
        item = self.key_map(pk, sk)
        for stored, name, _, _ in self._loaded:
            value = getattr(entity, name)
            if value is not None:
                item[stored] = self.serialize(name, value)
        for name, value in (self._extra(entity) if self._extra else {}).items():
            if value is not None:
                item[self._attributes[name][0]] = self.serialize(name, value)
        return item

    def serialize(self, name: str, value: Any) -> dict[str, Any]:
        _, attr_type, serialize, _ = self._attributes[name]
        return {attr_type: serialize(value)}

    def from_item(self, item: AttributeMap) -> Entity:
        values = {}
        for stored, name, attr_type, deserialize in self._loaded:
            raw = item.get(stored)
            if raw is not None:
                values[name] = deserialize(raw[attr_type])
        return self._entity(**values)

    # -- reads ------------------------------------------------------------------------------------------------

    def get(self, ctx: Context, pk: str, sk: str, *, consistent: bool = True) -> Entity | None:
        """One entity or None. Strongly consistent unless told otherwise (half the price)."""
        if not (_may_be_key(pk, MAX_PK_BYTES) and _may_be_key(sk, MAX_SK_BYTES)):
            return None
        answer = ctx.dynamodb.get_item(TableName=self.name, Key=self.key_map(pk, sk), ConsistentRead=consistent)
        item = answer.get("Item")
        return None if item is None else self.from_item(item)

    def batch_get(self, ctx: Context, keys: Sequence[tuple[str, str]], *, consistent: bool = True) -> list[Entity]:
        """The entities that exist, in the order of `keys`. At most 100 keys per round trip."""
        found: dict[tuple[str, str], Entity] = {}
        keys = [key for key in keys if _may_be_key(key[0], MAX_PK_BYTES) and _may_be_key(key[1], MAX_SK_BYTES)]
        for start in range(0, len(keys), _BATCH_GET_LIMIT):
            wanted = {
                self.name: {
                    "Keys": [self.key_map(*key) for key in keys[start : start + _BATCH_GET_LIMIT]],
                    "ConsistentRead": consistent,
                }
            }
            for _ in range(_BATCH_GET_ROUNDS):
                answer = ctx.dynamodb.batch_get_item(RequestItems=wanted)
                for item in answer["Responses"].get(self.name, ()):
                    found[(item["pk"]["S"], item["sk"]["S"])] = self.from_item(item)
                wanted = answer.get("UnprocessedKeys") or {}
                if not wanted:
                    break
            else:
                raise DomainError("store.busy", "The store is busy.", Kind.UNAVAILABLE, retry_after_s=1)
        return [found[key] for key in keys if key in found]

    def batch_put(self, ctx: Context, entities: Sequence[Entity]) -> None:
        """Writes whole entities outside of a unit of work, 25 per round trip: for what may be half written. Of those
        with one key the last one stays. Raises store.busy when the store keeps sending some back."""
        items = [self.to_item(entity) for entity in entities]
        distinct = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
        writes = [{"PutRequest": {"Item": item}} for item in distinct.values()]
        for start in range(0, len(writes), _BATCH_PUT_LIMIT):
            wanted: dict[str, Any] = {self.name: writes[start : start + _BATCH_PUT_LIMIT]}
            for _ in range(_BATCH_PUT_ROUNDS):
                wanted = ctx.dynamodb.batch_write_item(RequestItems=wanted).get("UnprocessedItems") or {}
                if not wanted:
                    break
            else:
                raise DomainError("store.busy", "The store is busy.", Kind.UNAVAILABLE, retry_after_s=1)

    def query(
        self,
        ctx: Context,
        hash_value: str,
        range_condition: Condition | None = None,
        *,
        index: Index[Any] | None = None,
        where: Condition | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        cursor: str | None = None,
        consistent: bool = False,
    ) -> Page[Entity]:
        """One page (at most 1 MB) of the rows under a hash key of the table or of `index`.

        An index must project all that the entity needs; `walk` reads through one that has only keys.
        """
        if not _may_be_key(hash_value, MAX_PK_BYTES):
            return Page([])
        request = self._query_request(hash_value, range_condition, index, where)
        request["ScanIndexForward"] = not newest_first
        if consistent:
            request["ConsistentRead"] = True
        if limit is not None:
            request["Limit"] = limit
        if cursor is not None:
            request["ExclusiveStartKey"] = decode_cursor(cursor)
        answer = _send_query(ctx, request, cursor)
        entities = [self.from_item(item) for item in answer["Items"]]
        return Page(entities, encode_cursor(answer.get("LastEvaluatedKey")))

    def query_all(
        self, ctx: Context, hash_value: str, range_condition: Condition | None = None, **options: Any
    ) -> Iterator[Entity]:
        """All rows under a hash key, page by page, in bounded memory."""
        cursor: str | None = None
        while True:
            page = self.query(ctx, hash_value, range_condition, cursor=cursor, **options)
            yield from page.data
            cursor = page.next_cursor
            if cursor is None:
                return

    def query_items(
        self, ctx: Context, hash_value: str, range_condition: Condition, *, consistent: bool = True
    ) -> dict[str, AttributeMap]:
        """Rows of several kinds that lie beside each other, read at once: as they are stored, by sort key, each for the
        `from_item` of its own table. For a few small ones: what does not fit one page (1 MB) is left out."""
        request = self._query_request(hash_value, range_condition, None, None)
        answer = ctx.dynamodb.query(**request, ConsistentRead=consistent)
        return {item["sk"]["S"]: item for item in answer["Items"]}

    def walk(
        self,
        ctx: Context,
        hash_value: str,
        range_condition: Condition | None = None,
        *,
        index: Index[Any] | None = None,
        newest_first: bool = False,
        cursor: str | None = None,
        chunk: int = 100,
    ) -> Iterator[Step[Entity]]:
        """Whole entities one by one, each with the key after which a list goes on: what `page_of` cuts pages from.

        Through a KEYS_ONLY `index` the rows themselves are fetched by key, `chunk` (at most 100) at a time; a row
        that went away in between is passed over.
        """
        if not _may_be_key(hash_value, MAX_PK_BYTES):
            return
        request = self._query_request(hash_value, range_condition, index, None)
        request |= {"ScanIndexForward": not newest_first, "Limit": min(chunk, _BATCH_GET_LIMIT)}
        if cursor is not None:
            request["ExclusiveStartKey"] = decode_cursor(cursor)
        while True:
            answer = _send_query(ctx, request, cursor)
            items = answer["Items"]
            if index is None:
                yield from ((self.from_item(item), self.key_map(item["pk"]["S"], item["sk"]["S"])) for item in items)
            else:
                places = {(item["pk"]["S"], item["sk"]["S"]): item for item in items}
                for entity in self.batch_get(ctx, list(places)):
                    yield entity, places[self._key(entity)]
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def scan_all(self, ctx: Context, where: Condition | None = None) -> Iterator[Entity]:
        """Every row of the whole table that satisfies `where`: for jobs only."""
        request: dict[str, Any] = {"TableName": self.name}
        if where is not None:
            names: dict[str, str] = {}
            values: dict[str, Any] = {}
            request["FilterExpression"] = where.serialize(names, values)
            request["ExpressionAttributeNames"] = flip(names)
            if values:
                request["ExpressionAttributeValues"] = values
        while True:
            answer = ctx.dynamodb.scan(**request)
            for item in answer["Items"]:
                yield self.from_item(item)
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _query_request(
        self,
        hash_value: str,
        range_condition: Condition | None,
        index: Index[Any] | None,
        where: Condition | None,
    ) -> dict[str, Any]:
        hash_attribute = self.row.pk if index is None else index._hash_key_attribute()
        key_condition: Condition = hash_attribute == hash_value
        if range_condition is not None:
            key_condition = key_condition & range_condition
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        request: dict[str, Any] = {
            "TableName": self.name,
            "KeyConditionExpression": key_condition.serialize(names, values),
        }
        if index is not None:
            request["IndexName"] = index.Meta.index_name
        if where is not None:
            request["FilterExpression"] = where.serialize(names, values)
        request["ExpressionAttributeNames"] = flip(names)
        request["ExpressionAttributeValues"] = values
        return request


def _may_be_key(value: str, most_bytes: int) -> bool:
    """Whether a row can have this key. DynamoDB fails a read by an impossible one; people may ask for anything."""
    length = len(value)
    return 0 < length <= most_bytes // 4 or 0 < len(value.encode()) <= most_bytes


def _codec(attribute: Attribute[Any]) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """How values of an attribute are written and read. PynamoDB takes numbers through `json`, ten times the time."""
    if type(attribute) is NumberAttribute:
        return _number_to_text, _number_from_text
    return attribute.serialize, attribute.deserialize


def _number_to_text(value: int | float) -> str:
    return str(value) if type(value) is int else json.dumps(value)


def _number_from_text(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number: int | float = json.loads(text)
        return number


def flip(names: dict[str, str]) -> dict[str, str]:
    """PynamoDB collects `{attribute: placeholder}`; DynamoDB wants it the other way round."""
    return {placeholder: name for name, placeholder in names.items()}


def _send_query(ctx: Context, request: dict[str, Any], cursor: str | None) -> dict[str, Any]:
    """The store refuses a starting key of another list: then the cursor is at fault, not we."""
    try:
        answer: dict[str, Any] = ctx.dynamodb.query(**request)
    except ClientError as error:
        if cursor is not None and error.response["Error"]["Code"] == "ValidationException":
            raise cursor_invalid() from error
        raise
    return answer


def first(entities: Iterable[Entity]) -> Entity | None:
    return next(iter(entities), None)
