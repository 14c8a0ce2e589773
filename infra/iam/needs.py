"""What a function of the product asks of AWS, read from its syntax.

The data layer has few verbs, and they are called on tables that are module-level names, so a reading is exact. What
cannot be read (a table handed on, a client with an unknown verb) is an Unreadable error, never a guess.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, Final, NamedTuple

from pynamodb.indexes import Index

from chalicelib.kernel.table import Table
from infra.iam.reach import NOTHING, Part, part_of


class Need(NamedTuple):
    """One permission. `resource` is a table's or index's name (`charging/sessions_by_driver`), a parameter's, a
    workflow's; empty where the action has one resource only."""

    action: str
    resource: str


class Unreadable(Exception):
    """A function uses tables or clients in a way that this reading does not understand."""


ASKED: Final[Mapping[str, str]] = {
    "get": "GetItem",
    "batch_get": "BatchGetItem",
    "query": "Query",
    "query_all": "Query",
    "query_items": "Query",
    "walk": "Query",
    "scan_all": "Scan",
    "batch_put": "BatchWriteItem",
}
"""Verbs of a table itself; those of a unit of work that are given one are in WRITES."""
WRITES: Final[Mapping[str, str]] = {
    "put": "PutItem",
    "create": "PutItem",
    "update": "UpdateItem",
    "delete": "DeleteItem",
    "check": "ConditionCheckItem",
}
RAW: Final[Mapping[str, str]] = {
    "get_item": "GetItem",
    "put_item": "PutItem",
    "update_item": "UpdateItem",
    "delete_item": "DeleteItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
"""botocore's verbs, and those of `unit_of_work.Write`, for the few requests that are written out."""
INNOCENT: Final = frozenset({"row", "name", "key_map", "entity_key", "key_of", "to_item", "from_item", "serialize"})
"""What a table tells without asking DynamoDB."""

CLIENTS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "stepfunctions": {
        "start_execution": ("states:StartExecution",),
        "send_task_success": ("states:SendTaskSuccess",),
        "send_task_failure": ("states:SendTaskFailure",),
    },
    "apigatewaymanagementapi": {
        "post_to_connection": ("execute-api:ManageConnections POST",),
        "delete_connection": ("execute-api:ManageConnections DELETE",),
    },
    # A mail with files is composed by SES, and goes out as the raw one that it then is.
    "sesv2": {"send_email": ("ses:SendEmail", "ses:SendRawEmail")},
}
WORKFLOWS: Final[Mapping[str, str]] = {
    "session_state_machine_arn": "session",
    "settlement_state_machine_arn": "settlement",
}


def needs_of(parts: Iterable[Part], table_prefix: str) -> frozenset[Need]:
    """All permissions that the parts need. Raises Unreadable."""
    found: set[Need] = set()
    for part in parts:
        if part.function.__module__ in ("chalicelib.kernel.table", "chalicelib.kernel.unit_of_work"):
            continue  # the verbs themselves
        if part.function.__module__ == "chalicelib.kernel.context":
            continue
        found.update(_tables(part, table_prefix))
        found.update(_clients(part))
        found.update(_secrets(part))
    return frozenset(found)


def _tables(part: Part, prefix: str) -> Iterator[Need]:
    understood: set[ast.AST] = set()
    for node in ast.walk(part.tree):
        if isinstance(node, ast.Call):
            for table_node, needs in _table_call(part, node):
                understood.add(table_node)
                for action, resource in needs:
                    yield Need(f"dynamodb:{action}", resource.removeprefix(prefix))
            for table_node, helper in _handed_on(part, node):
                understood.add(table_node)
                yield from _tables(helper, prefix)
        elif isinstance(node, ast.Attribute) and node.attr in INNOCENT:
            understood.add(node.value)
    for node in ast.walk(part.tree):
        if node not in understood and isinstance(part.resolve(node), Table):
            raise Unreadable(f"{part.name}: what is done with {ast.unparse(node)}?")


def _table_call(part: Part, call: ast.Call) -> Iterator[tuple[ast.AST, list[tuple[str, str]]]]:
    """The tables that a call speaks to, each with `(operation, table or index)`."""
    function = call.func
    if isinstance(function, ast.Name) and function.id == "Write" and len(call.args) > 1:
        verb = call.args[1]
        request = call.args[2] if len(call.args) > 2 else None
        yield call, [_raw(part, _text(verb), _dict_item(request))]
        return
    if not isinstance(function, ast.Attribute):
        return
    if isinstance(function.value, ast.Attribute) and function.value.attr == "dynamodb":
        name = next((keyword.value for keyword in call.keywords if keyword.arg == "TableName"), None)
        yield call, [_raw(part, function.attr, name)]
        return
    table = part.resolve(function.value)
    if isinstance(table, Table) and function.attr in ASKED:
        yield function.value, _read(part, call, table, function.attr)
        return
    written = part.resolve(call.args[0]) if call.args else NOTHING
    if isinstance(written, Table) and function.attr in WRITES:
        yield call.args[0], [(WRITES[function.attr], written.name)]


def _handed_on(part: Part, call: ast.Call) -> Iterator[tuple[ast.AST, Part]]:
    """Tables that a call gives to another function of the product, with that function as it then is."""
    helper = part.resolve(call.func)
    if not isinstance(helper, FunctionType) or not helper.__module__.startswith("chalicelib."):
        return
    names = list(inspect.signature(helper).parameters)
    arguments = [*zip(names, call.args, strict=False), *((word.arg, word.value) for word in call.keywords)]
    for name, node in arguments:
        table = part.resolve(node)
        if name is not None and isinstance(table, Table):
            yield node, part_of(helper, {name: table})


def _read(part: Part, call: ast.Call, table: Table[Any], verb: str) -> list[tuple[str, str]]:
    index_node = next((keyword.value for keyword in call.keywords if keyword.arg == "index"), None)
    if index_node is None:
        return [(ASKED[verb], table.name)]
    index = part.resolve(index_node)
    if not isinstance(index, Index):
        raise Unreadable(f"{part.name}: which index is {ast.unparse(index_node)}?")
    needs = [(ASKED[verb], f"{table.name}/{index.Meta.index_name}")]
    # Through an index of keys only, `walk` fetches the rows.
    return [*needs, ("BatchGetItem", table.name)] if verb == "walk" else needs


def _raw(part: Part, verb: str, name_node: ast.AST | None) -> tuple[str, str]:
    name = part.resolve(name_node) if name_node is not None else NOTHING
    if isinstance(name_node, ast.Attribute) and name_node.attr == "name":
        owner = part.resolve(name_node.value)
        name = owner.name if isinstance(owner, Table) else NOTHING
    if verb not in RAW or not isinstance(name, str):
        raise Unreadable(f"{part.name}: a written-out request ({verb or 'no constant verb'}) without a constant table")
    return RAW[verb], name


def _dict_item(node: ast.AST | None) -> ast.AST | None:
    if not isinstance(node, ast.Dict):
        return None
    return next(
        (
            value
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and key.value == "TableName"
        ),
        None,
    )


def _clients(part: Part) -> Iterator[Need]:
    attributes = {node.attr for node in ast.walk(part.tree) if isinstance(node, ast.Attribute)}
    for call in _calls(part, "client"):
        service = _text(call.args[0]) if call.args else ""
        verbs = CLIENTS.get(service, {})
        used = [action for verb, actions in verbs.items() if verb in attributes for action in actions]
        if not used:
            raise Unreadable(f"{part.name}: what is asked of {service or 'a client'}?")
        workflows = [name for setting, name in WORKFLOWS.items() if setting in attributes]
        if "states:StartExecution" in used and len(workflows) != 1:
            raise Unreadable(f"{part.name}: which workflow is started?")
        for action in used:
            resource = workflows[0] if action == "states:StartExecution" else ""
            # A task's answer names its workflow by the token alone: only sessions wait for answers.
            yield Need(action, "session" if action.startswith("states:SendTask") else resource)


def _secrets(part: Part) -> Iterator[Need]:
    for call in _calls(part, "secret"):
        node = call.args[0]
        name = _text(node) or part.resolve(node)
        if not isinstance(name, str):
            raise Unreadable(f"{part.name}: which secret is {ast.unparse(node)}?")
        yield Need("ssm:GetParameter", name)


def _calls(part: Part, method: str) -> Iterator[ast.Call]:
    for node in ast.walk(part.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
            yield node


def _text(node: ast.AST) -> str:
    """The text of a literal, "" for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
