"""Where moto (5.2) answers otherwise than DynamoDB. We follow AWS.

Each entry is proved by the cases marked with its id: they pass on the engine and must fail on moto. Sources:
the Developer Guide (DG) and the API Reference (API). moto's own wording of messages is not a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest


class Difference(NamedTuple):
    aws: str
    moto: str
    why: str


DIFFERENCES: dict[str, Difference] = {
    "condition-misfit": Difference(
        "A comparison with a missing attribute or one of another type is false.",
        "Raises ValueError or TypeError out of boto3, or compares booleans and missing attributes as Python does.",
        "DG 'Comparison operator and function reference'; a guard must refuse, not crash.",
    ),
    "condition-binary": Difference(
        "begins_with and contains work on the bytes of a binary attribute.",
        "Compares base64 texts: true only by accident of alignment.",
        "DG 'Comparison operator and function reference'.",
    ),
    "condition-syntax": Difference(
        "A malformed condition is a ValidationException before any item is read.",
        "Raises ValueError or KeyError out of boto3, or lets it pass.",
        "DG 'Condition expressions'; found here it does not fail on deployment.",
    ),
    "condition-operand-types": Difference(
        "A literal of a type its operator never takes, inverted bounds, or an operand compared with itself is a "
        "ValidationException.",
        "Evaluates it, to false.",
        "Real tables answer 'Incorrect operand type for operator or function'; a typo must not read as a 'no'.",
    ),
    "unused-placeholders": Difference(
        "Names and values that no expression uses are refused.",
        "Accepted in some requests.",
        "Real tables answer 'Value provided in ExpressionAttributeNames unused in expressions'.",
    ),
    "key-type": Difference(
        "A key of another type than the table's is refused.",
        "GetItem finds nothing.",
        "API GetItem: the key must match the schema.",
    ),
    "set-members": Difference(
        "A set is not empty and has no duplicates; numbers are compared as numbers.",
        "Accepts duplicates and the empty binary set; does not find 1.0 in {1}.",
        "DG 'Data types', Sets.",
    ),
    "one-type-per-value": Difference(
        "A value with two types is refused.", "Takes one of them.", "API AttributeValue is a union."
    ),
    "item-size": Difference(
        "An item may have 400 KB = 409600 bytes, names included.",
        "Counts otherwise: refuses some bytes below that.",
        "DG 'Constraints', item size.",
    ),
    "nesting": Difference("Documents nest 32 levels deep.", "Any depth.", "DG 'Constraints', nested attribute depth."),
    "projection-paths": Difference(
        "A projection takes any number of places of one document, with placeholders in any order, none overlapping.",
        "Loses placeholders between brackets; accepts overlaps.",
        "DG 'Projection expressions'.",
    ),
    "canonical-numbers": Difference(
        "Numbers come back without padding, plus sign or exponent.",
        "They come back as sent.",
        "DG 'Data types', Number: leading and trailing zeros are trimmed.",
    ),
    "number-range": Difference(
        "38 significant digits and magnitudes up to 9.99E+125 are the limit.",
        "Accepts more, and rounds.",
        "DG 'Data types', Number; money and energy must be exact or refused.",
    ),
    "update-bare": Difference(
        "UpdateItem without an expression creates the item with its key.",
        "Raises a Python error.",
        "API UpdateItem: UpdateExpression is optional.",
    ),
    "update-paths": Difference(
        "A path through something that is no map or list is refused; so are paths that overlap.",
        "Silently does nothing, or takes the last.",
        "DG 'Update expressions'.",
    ),
    "update-list-order": Difference(
        "Elements set beyond the end are appended in the order of their indexes.",
        "In the order of the expression.",
        "DG 'Update expressions', SET on lists.",
    ),
    "update-delete-in-list": Difference(
        "DELETE takes members out of a set at any path.",
        "NotImplementedError for an element of a list.",
        "DG 'Update expressions', DELETE.",
    ),
    "update-returns": Difference(
        "UPDATED_OLD and UPDATED_NEW show exactly the attributes the expression names, changed or not, never the key.",
        "Shows what differs between the two items: nothing for an equal value, the key of a new item.",
        "API UpdateItem ReturnValues.",
    ),
    "update-operands": Difference(
        "An empty set as a value, or a sum of more than 38 digits, is refused.",
        "Stored.",
        "DG 'Data types'.",
    ),
    "index-key-type": Difference(
        "An index key has the index's type and is not empty.",
        "Not checked on UpdateItem.",
        "Real tables answer 'Type mismatch for Index Key'.",
    ),
    "last-key-at-limit": Difference(
        "A page that stops at Limit has a LastEvaluatedKey, even if nothing follows.",
        "Looks ahead and gives none.",
        "DG 'Paginating table query results': a last key does not mean that there is more.",
    ),
    "key-condition": Difference(
        "A key condition is one partition by equality and at most one range, of the keys' types; start keys are whole "
        "and of that partition; filters name no key.",
        "Accepts OR, <>, three tests, other types, foreign or half start keys, filters on keys; misreads a mirrored "
        "comparison.",
        "DG 'Key condition expressions'.",
    ),
    "unknown-index": Difference(
        "A query of an index that is not there is a ValidationException.",
        "ResourceNotFoundException.",
        "Real tables answer 'The table does not have the specified index'.",
    ),
    "local-index-fetch": Difference(
        "A local index fetches attributes it does not project when they are asked for.",
        "Gives the projected ones.",
        "DG 'Local secondary indexes', fetches.",
    ),
    "index-projection": Difference(
        "A global index refuses a projection of attributes it does not have.",
        "Leaves them out.",
        "API Query, Select: only attributes that are projected into a global index can be requested.",
    ),
    "transact-runtime-validation": Difference(
        "An update that does not fit the stored item cancels the transaction with the reason ValidationError.",
        "Refuses the request with ValidationException, without reasons.",
        "API TransactWriteItems, CancellationReasons.",
    ),
    "transact-size": Difference(
        "A transaction has at most 4 MB.", "Any size.", "API TransactWriteItems: aggregate size of the items."
    ),
    "transact-get-projection": Difference(
        "Each Get of a transaction has its own projection.", "Ignores it.", "API Get, ProjectionExpression."
    ),
    "transact-get-limit": Difference(
        "TransactGetItems takes 100 items.", "25, the limit of old.", "API TransactGetItems; raised to 100 in 2022."
    ),
    "request-token": Difference(
        "A repeat with the same ClientRequestToken succeeds and writes nothing; with other items it is refused.",
        "Ignores the token: writes twice.",
        "API TransactWriteItems; the lost answer must not spend money twice.",
    ),
    "batch-limits": Difference(
        "A batch has at most 25 writes and names an item once, be it put or deleted.",
        "Counts puts alone, compares puts with puts.",
        "API BatchWriteItem.",
    ),
    "batch-all-or-nothing": Difference(
        "One wrong write refuses the whole batch.", "Writes those before it.", "API BatchWriteItem."
    ),
    "capacity": Difference(
        "Capacity units follow sizes, consistency, indexes and transactions.",
        "Constant per request.",
        "DG 'Read and write capacity'; our cost bench counts them.",
    ),
    "table-definition": Difference(
        "A key schema begins with its HASH key.", "Accepts a RANGE key alone.", "API CreateTable, KeySchema."
    ),
    "time-to-live-twice": Difference(
        "Enabling it twice is refused.", "Accepted.", "Real tables answer 'TimeToLive is already enabled'."
    ),
}


def differs(difference: str) -> pytest.MarkDecorator:
    """Marks a case that moto gets wrong."""
    return pytest.mark.moto_differs(difference)


def cases(rows: Sequence[tuple[Any, ...]], differing: dict[str, str] | None = None) -> list[Any]:
    """Parametrised cases named by their first column, marked where moto `differing` from AWS."""
    differing = dict(differing or {})
    marked = []
    for row in rows:
        name = str(row[0])
        marks = [differs(differing[name])] if name in differing else []
        marked.append(pytest.param(*row, id=name, marks=marks))
    unknown = differing.keys() - {str(row[0]) for row in rows}
    if unknown:
        raise ValueError(f"no such cases: {sorted(unknown)}")
    return marked
