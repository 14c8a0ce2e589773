"""The JSON schemas of OCPP, as files of the `ocpp` package, compiled when an action is first seen.

The package's runtime is never imported (it costs 150 ms of cold start and validates a hundred times slower); only
its schema files are read. `violation` is all that callers need: None, or why the payload does not conform.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import msgspec

from chalicelib.ocpp.errors import Failure

MAX_INTEGER: Final = 2**53 - 1
"""OCPP leaves integers open; beyond this they are no longer exact in JSON, and no meter counts that far."""
_MAX_ERRORS: Final = 32
_DETAIL_LENGTH: Final = 160

_FAILURES: Final[dict[str, Failure]] = {
    "additionalProperties": Failure.FORMATION,
    "required": Failure.PROTOCOL,
    "type": Failure.TYPE,
    "enum": Failure.PROPERTY,
    "maxLength": Failure.PROPERTY,
    "minLength": Failure.PROPERTY,
    "minimum": Failure.PROPERTY,
    "maximum": Failure.PROPERTY,
    "multipleOf": Failure.PROPERTY,
    "minItems": Failure.OCCURRENCE,
    "maxItems": Failure.OCCURRENCE,
}
"""Schema keyword → failure, most telling first: the first of these that a payload breaks is the one reported."""


@dataclass(frozen=True, slots=True)
class Violation:
    failure: Failure
    detail: str


Schema = dict[str, Any]
"""A JSON schema as its file has it, its integers bounded."""


class SchemaFolder:
    """One version's schemas: `violation("BootNotification", payload)`; answers are `<Action>Response`."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._validators: dict[str, Any] = {}
        self._schemas: dict[str, Schema] = {}

    def violation(self, schema: str, payload: object) -> Violation | None:
        """None when `payload` conforms. Bounded in depth and in the number of errors looked at."""
        validator = self._validators.get(schema)
        if validator is None:
            validator = self._validators[schema] = _compile(_read(self.path(schema)))
        try:
            if validator.is_valid(payload):
                return None
            return _most_telling(validator, payload)
        except ValueError:  # nested deeper than the validator follows
            return Violation(Failure.FORMATION, "nested too deeply")

    def schema(self, name: str) -> Schema:
        """The schema itself, for whoever repairs a payload by it. Raises KeyError as `path` does."""
        schema = self._schemas.get(name)
        if schema is None:
            schema = self._schemas[name] = _read(self.path(name))
        return schema

    def required(self, schema: str) -> frozenset[str]:
        """The properties that a payload must have at its top. Empty for a schema that the version does not have."""
        try:
            return frozenset(self.schema(schema).get("required", ()))
        except KeyError:
            return frozenset()

    def path(self, schema: str) -> Path:
        """Raises KeyError for a schema that the version does not have."""
        path = _package_folder() / self._folder / "schemas" / f"{schema}.json"
        if not path.is_file():
            raise KeyError(schema)
        return path


@cache
def _package_folder() -> Path:
    spec = importlib.util.find_spec("ocpp")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the package 'ocpp', which carries the schemas, is not installed")
    return Path(spec.submodule_search_locations[0])


def _read(path: Path) -> Schema:
    schema: Schema = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    _bound_integers(schema)
    return schema


def _compile(schema: Schema) -> Any:
    # Formats are not checked: a date-time that is hard to read is the action's matter, not a reason to lose a frame.
    # Draft 4 for all, whatever a file declares: to later drafts 12.0 is an integer, and would reach an action as a
    # float. OCPP uses no keyword that the drafts read differently.
    return jsonschema_rs.Draft4Validator(schema, validate_formats=False)


def _bound_integers(node: object) -> None:
    if isinstance(node, dict):
        if node.get("type") == "integer":
            node.setdefault("minimum", -MAX_INTEGER)
            node.setdefault("maximum", MAX_INTEGER)
        for child in node.values():
            _bound_integers(child)
    elif isinstance(node, list):
        for child in node:
            _bound_integers(child)


def _most_telling(validator: Any, payload: object) -> Violation:
    found: dict[str, str] = {}
    for count, error in enumerate(validator.iter_errors(payload)):
        if count == _MAX_ERRORS:
            break
        where = "/".join(str(step) for step in error.instance_path)
        found.setdefault(error.kind.name, f"{where}: {error.message}" if where else str(error.message))
    for keyword, failure in _FAILURES.items():
        if keyword in found:
            return Violation(failure, found[keyword][:_DETAIL_LENGTH])
    return Violation(Failure.FORMATION, next(iter(found.values()), "does not conform")[:_DETAIL_LENGTH])
