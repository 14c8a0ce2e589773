"""PynamoDB on the same targets, unmodified: models, versions, transactions and their reasons, indexes, paging."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pynamodb.attributes import (
    BinaryAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.connection import Connection
from pynamodb.exceptions import DeleteError, DoesNotExist, PutError, TransactWriteError, UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite

from tests.contract.dynamodb.target import TABLES, Target


class Address(MapAttribute):
    street = UnicodeAttribute()
    floor = NumberAttribute(null=True)


class ByOwner(GlobalSecondaryIndex):
    class Meta:
        index_name = "by-owner"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    at = NumberAttribute(range_key=True)


class Row(Model):
    """A row of the table `indexed`. Its table is named per target; its connection outlives them."""

    class Meta:
        table_name = "set per target"
        region = "eu-west-1"
        aws_access_key_id = "contract"
        aws_secret_access_key = "contract"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    owner = UnicodeAttribute(null=True)
    at = NumberAttribute(null=True)
    label = UnicodeAttribute(null=True)
    secret = BinaryAttribute(null=True, legacy_encoding=False)
    tags = UnicodeSetAttribute(null=True)
    marks: Any = ListAttribute(null=True)
    address: Any = Address(null=True)
    seen_at = UTCDateTimeAttribute(null=True)
    version = VersionAttribute()
    by_owner = ByOwner()


@pytest.fixture
def rows(dynamodb: Target) -> type[Row]:
    if dynamodb.name == "aws":
        pytest.skip("the model carries made-up credentials")
    # A model of the target's own: PynamoDB keeps table name and client with the class.
    meta = type("Meta", (Row.Meta,), {"table_name": dynamodb.table("indexed")})
    return type("TargetRow", (Row,), {"Meta": meta, "by_owner": ByOwner()})


@pytest.fixture
def connection() -> Connection:
    made = Connection(region="eu-west-1")
    made.session.set_credentials("contract", "contract")
    return made


def test_every_attribute_comes_back(rows: type[Row], dynamodb: Target) -> None:
    pk = dynamodb.new_key()
    rows(
        pk,
        "s",
        at=-2.5,
        secret=b"\x00\xffraw",
        tags={"a", "b"},
        marks=[1, "two", None],
        address=Address(street="Long Road", floor=3),
        seen_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    ).save()
    row = rows.get(pk, "s", consistent_read=True)
    assert (row.at, row.secret, row.tags, row.marks) == (-2.5, b"\x00\xffraw", {"a", "b"}, [1, "two", None])
    assert (row.address.street, row.address.floor) == ("Long Road", 3)
    assert row.seen_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert row.version == 1


def test_a_missing_row_does_not_exist(rows: type[Row], dynamodb: Target) -> None:
    with pytest.raises(DoesNotExist):
        rows.get(dynamodb.new_key(), "s")


def test_two_writers_of_one_version_cannot_both_win(rows: type[Row], dynamodb: Target) -> None:
    pk = dynamodb.new_key()
    rows(pk, "s", label="first").save()
    one, other = rows.get(pk, "s"), rows.get(pk, "s")
    one.label = "one"
    one.save()
    other.label = "other"
    with pytest.raises(PutError) as caught:
        other.save()
    assert caught.value.cause_response_code == "ConditionalCheckFailedException"
    with pytest.raises(DeleteError):
        other.delete()
    row = rows.get(pk, "s")
    assert (row.label, row.version) == ("one", 2)


def test_update_with_actions_and_a_condition(rows: type[Row], dynamodb: Target) -> None:
    pk = dynamodb.new_key()
    row = rows(pk, "s", at=1, tags={"a"}, marks=[1], address=Address(street="x"))
    row.save()
    row.update(
        actions=[
            rows.at.set(rows.at + 5),
            rows.tags.add({"b"}),
            rows.marks.set(rows.marks.append([2])),
            rows.address.street.set("y"),
            rows.label.set("l"),
        ],
        condition=rows.at.between(0, 2) & rows.tags.contains("a"),
    )
    assert (row.at, row.tags, row.marks, row.address.street, row.label) == (6, {"a", "b"}, [1, 2], "y", "l")
    with pytest.raises(UpdateError):
        row.update(actions=[rows.label.remove()], condition=rows.label.does_not_exist())


def test_a_transaction_is_written_whole(rows: type[Row], dynamodb: Target, connection: Connection) -> None:
    pk = dynamodb.new_key()
    kept = rows(pk, "kept", at=1)
    kept.save()
    with TransactWrite(connection=connection) as transaction:
        transaction.save(rows(pk, "a"), condition=rows.pk.does_not_exist())
        transaction.update(rows(pk, "kept", version=1), actions=[rows.at.add(1)])
    assert {row.sk: row.at for row in rows.query(pk)} == {"a": None, "kept": 2}


def test_a_cancelled_transaction_gives_its_reasons(rows: type[Row], dynamodb: Target, connection: Connection) -> None:
    pk = dynamodb.new_key()
    rows(pk, "there").save()

    def save_both() -> None:
        with TransactWrite(connection=connection) as transaction:
            transaction.save(rows(pk, "fresh"))
            transaction.save(rows(pk, "there", label="again"), condition=rows.pk.does_not_exist())

    with pytest.raises(TransactWriteError) as caught:
        save_both()
    assert caught.value.cause_response_code == "TransactionCanceledException"
    reasons = caught.value.cancellation_reasons
    assert [reason and reason.code for reason in reasons] == [None, "ConditionalCheckFailed"]
    assert [row.sk for row in rows.query(pk)] == ["there"]


def test_transact_get(rows: type[Row], dynamodb: Target, connection: Connection) -> None:
    pk = dynamodb.new_key()
    rows(pk, "a", label="la").save()
    with TransactGet(connection=connection) as transaction:
        found = transaction.get(rows, pk, "a")
        missing = transaction.get(rows, pk, "b")
    assert found.get().label == "la"
    with pytest.raises(DoesNotExist):
        missing.get()


def test_batches_are_cut_to_the_limits(rows: type[Row], dynamodb: Target) -> None:
    pk = dynamodb.new_key()
    with rows.batch_write() as batch:
        for position in range(60):
            batch.save(rows(pk, f"s{position:03d}"))
    keys = [(pk, f"s{position:03d}") for position in range(120)]
    assert len(list(rows.batch_get(keys))) == 60
    with rows.batch_write() as batch:
        for row in rows.query(pk, rows.sk < "s050"):
            batch.delete(row)
    assert rows.count(pk) == 10


def test_an_index_in_pages_backwards(rows: type[Row], dynamodb: Target) -> None:
    owner = dynamodb.new_key()
    for position in range(10):
        rows(owner, f"s{position}", owner=owner, at=position).save()
    found = rows.by_owner.query(owner, rows.at >= 3, scan_index_forward=False, page_size=2)
    assert [row.at for row in found] == [9, 8, 7, 6, 5, 4, 3]


def test_pages_go_on_from_a_last_key(rows: type[Row], dynamodb: Target) -> None:
    pk = dynamodb.new_key()
    for position in range(10):
        rows(pk, f"s{position}").save()
    first = rows.query(pk, limit=6)
    assert [row.sk for row in first] == ["s0", "s1", "s2", "s3", "s4", "s5"]
    rest = rows.query(pk, last_evaluated_key=first.last_evaluated_key)
    assert [row.sk for row in rest] == ["s6", "s7", "s8", "s9"]


def test_the_table_exists(rows: type[Row]) -> None:
    assert rows.exists()
    assert {"pk", "sk"} == {key["AttributeName"] for key in TABLES["indexed"]["KeySchema"]}
