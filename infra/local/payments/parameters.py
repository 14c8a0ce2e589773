"""Stripe's form encoding (`line_items[0][quantity]=1`) read into nested values and held against a shape.

Pure; used by the fake's API. What Stripe refuses is refused with Stripe's own error JSON: unknown parameters,
missing ones, wrong types. A shape is a dict of allowed parameters, whose values are `TEXT`, `INTEGER`, `BOOLEAN`,
`FREE` (a map of texts), another shape, or a one-element list for an array.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

TEXT = "text"
INTEGER = "integer"
BOOLEAN = "boolean"
FREE = "free"

MAX_PARAMETERS = 500
MAX_DEPTH = 6
MAX_METADATA_KEYS = 50
MAX_METADATA_KEY_CHARS = 40
MAX_METADATA_VALUE_CHARS = 500


class StripeError(Exception):
    """A refusal with its HTTP status and the members of Stripe's error object.

    `began`: the parameters were good, and the work was refused half-way: then the idempotency key keeps the refusal.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        began: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.began = began

    def to_json(self) -> dict[str, object]:
        members = {"code": self.code, "message": self.message, "param": self.param, "type": self.kind}
        return {"error": {name: value for name, value in members.items() if value is not None}}


Node = str | dict[str, "Node"]
Shape = str | Mapping[str, "Shape"] | list["Shape"]
Values = dict[str, Any]  # what the shape says: texts, integers, lists and further Values


def read_parameters(pairs: Iterable[tuple[str, str]], shape: Mapping[str, Shape]) -> Values:
    """The form's pairs as nested values of that shape. StripeError for what is unknown or of another type."""
    tree: dict[str, Node] = {}
    for count, (name, text) in enumerate(pairs, 1):
        if count > MAX_PARAMETERS:
            raise StripeError("Too many parameters.")
        _insert(tree, name, text)
    return _read_object(tree, shape, "")


def _insert(tree: dict[str, Node], name: str, text: str) -> None:
    match = re.fullmatch(r"([^\[\]]+)((?:\[[^\[\]]*\])*)", name)
    steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else []
    if not steps or len(steps) > MAX_DEPTH:
        raise StripeError(f"Invalid parameter name: {name}", param=name)
    here = tree
    for position, step in enumerate(steps):
        key = step if step or position == 0 else str(len(here))  # expand[]=.. appends
        if position == len(steps) - 1:
            if key in here:
                raise StripeError(f"The parameter {name} is given twice.", param=name)
            here[key] = text
            return
        deeper = here.setdefault(key, {})
        if not isinstance(deeper, dict):
            raise StripeError(f"The parameter {name} is given twice.", param=name)
        here = deeper


def _read_object(node: dict[str, Node], shape: Mapping[str, Shape], path: str) -> Values:
    values: Values = {}
    for name, child in node.items():
        child_path = f"{path}[{name}]" if path else name
        if name not in shape:
            raise StripeError(f"Received unknown parameter: {child_path}", code="parameter_unknown", param=child_path)
        values[name] = _read_value(child, shape[name], child_path)
    return values


def _read_value(node: Node, shape: Shape, path: str) -> Any:
    if shape == FREE:
        return _read_metadata(node, path)
    if isinstance(shape, list):
        if not isinstance(node, dict) or not all(key.isdigit() for key in node):
            raise StripeError("Invalid array", param=path)
        return [_read_value(node[key], shape[0], f"{path}[{key}]") for key in sorted(node, key=int)]
    if isinstance(shape, Mapping):
        if not isinstance(node, dict):
            raise StripeError("Invalid object", param=path)
        return _read_object(node, shape, path)
    if not isinstance(node, str):
        raise StripeError(f"Invalid {'integer' if shape == INTEGER else 'string'}", param=path)
    if shape == INTEGER:
        return _read_integer(node, path)
    if shape == BOOLEAN:
        return _read_boolean(node, path)
    if not node:
        raise StripeError(
            f"You passed an empty string for '{path}'. Remove '{path}' from your request or supply a value.",
            code="parameter_invalid_empty",
            param=path,
        )
    return node


def _read_integer(text: str, path: str) -> int:
    if not re.fullmatch(r"-?\d{1,12}", text):
        raise StripeError(f"Invalid integer: {text}", code="parameter_invalid_integer", param=path)
    return int(text)


def _read_boolean(text: str, path: str) -> bool:
    if text not in ("true", "false"):
        raise StripeError(f"Invalid boolean: {text}", param=path)
    return text == "true"


def _read_metadata(node: Node, path: str) -> Values:
    if not isinstance(node, dict):
        raise StripeError("Invalid object", param=path)
    if len(node) > MAX_METADATA_KEYS:
        raise StripeError(f"Metadata can have up to {MAX_METADATA_KEYS} keys.", param=path)
    values: Values = {}
    for key, text in node.items():
        if not isinstance(text, str):
            raise StripeError("Invalid string", param=f"{path}[{key}]")
        if len(key) > MAX_METADATA_KEY_CHARS or len(text) > MAX_METADATA_VALUE_CHARS:
            raise StripeError("Metadata keys have at most 40 characters, values 500.", param=f"{path}[{key}]")
        values[key] = text
    return values


def require(values: Mapping[str, Any], name: str, path: str = "") -> Any:
    """The value, or Stripe's refusal of a request without it."""
    if name not in values:
        full = f"{path}[{name}]" if path else name
        raise StripeError(f"Missing required param: {full}.", code="parameter_missing", param=full)
    return values[name]
