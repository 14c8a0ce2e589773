"""Payloads made from the schemas themselves: the smallest and the fullest that a schema allows.

For tables that leave no action out. What a field means is not known here: tests that need meaning write it by hand.
"""

from __future__ import annotations

import json
from typing import Any

from chalicelib.ocpp.version import Version

AT = "2026-03-02T07:59:00.000Z"
_FORMATS = {"date-time": AT, "uri": "ftp://files.example/f"}
_MOST_ITEMS = 3
_LONGEST = 2_000
_INT32 = 2**31 - 1


def schema_of(version: Version, name: str) -> dict[str, Any]:
    """The schema file called `name`."""
    text = version.schemas.path(name).read_text(encoding="utf-8-sig")
    schema: dict[str, Any] = json.loads(text)
    return schema


def minimal(version: Version, name: str) -> Any:
    """Only what is required, as short as it may be."""
    schema = schema_of(version, name)
    return _value(schema, schema, full=False)


def maximal(version: Version, name: str) -> Any:
    """Every property, as long as it may be; lists of at most three."""
    schema = schema_of(version, name)
    return _value(schema, schema, full=True)


def statuses(version: Version, action: str) -> frozenset[str]:
    """The words that `status` may have in the answer to `action`; none where it has no status."""
    schema = schema_of(version, f"{action}Response")
    return frozenset(_resolve(schema.get("properties", {}).get("status", {}), schema).get("enum", ()))


def _value(node: dict[str, Any], root: dict[str, Any], *, full: bool) -> Any:
    node = _resolve(node, root)
    if "enum" in node:
        return node["enum"][-1 if full else 0]
    if "const" in node:
        return node["const"]
    kind = node.get("type", "object")
    if kind == "object":
        wanted = node.get("properties", {}) if full else node.get("required", ())
        return {name: _value(node["properties"][name], root, full=full) for name in wanted if name != "customData"}
    if kind == "array":
        length = min(node.get("maxItems", _MOST_ITEMS), _MOST_ITEMS) if full else node.get("minItems", 0)
        return [_value(node["items"], root, full=full)] * length
    return _scalar(kind, node, full=full)


def _scalar(kind: str, node: dict[str, Any], *, full: bool) -> Any:
    if kind == "boolean":
        return full
    if kind in ("integer", "number"):
        bound = node.get("maximum", _INT32) if full else node.get("minimum", 0)
        return int(bound)
    if "format" in node:
        return _FORMATS[node["format"]]
    length = min(node.get("maxLength", 50), _LONGEST) if full else node.get("minLength", 1)
    return "x" * length


def _resolve(node: dict[str, Any], root: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found: dict[str, Any] = root
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found
