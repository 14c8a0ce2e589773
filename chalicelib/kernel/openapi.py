"""OpenAPI 3.1 from the declared endpoints: the code is the truth, the committed file a photograph of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from chalicelib.kernel.http import Api, Endpoint, PageQuery
from chalicelib.kernel.problems import Problem

REF_TEMPLATE = "#/components/schemas/{name}"
_NO_SHAPE = (None, type(None), inspect.Signature.empty)
CONVENTIONS = (
    "Sign in with POST /v1/auth/sessions and send `Authorization: Bearer <access token>`; a machine sends an API key "
    "in its place. `x-permission` names what an operation needs; what belongs to another organisation is not there "
    "(404).",
    "Bodies are JSON; unknown fields are refused. PATCH is a merge patch: what is left out stays, null removes. DELETE "
    "mostly deactivates, and `restore` undoes it.",
    "Money is an integer of minor units with its ISO 4217 currency, energy is in Wh, times are RFC 3339 with an offset "
    "and answered in UTC. Of moments `date_from` is included, `date_to` is not; of days (YYYY-MM-DD) both are.",
    "A list is read page by page: `next_cursor` of a page is the `cursor` of the next, while `has_more` is true. A "
    "page may be short, or empty, before the last.",
    "Where a header Idempotency-Key is asked for, a repeated request with the same key gets the first answer. An "
    "`If-Match` with an `ETag` that is not the current one is refused (412).",
    "What fails answers with application/problem+json: a stable `code`, a `detail` for people, and the places in the "
    "request as `errors[].pointer`. 429 says in `Retry-After` when to try again.",
)
"""What holds for every operation, a paragraph each."""


def build(apis: Iterable[Api], *, title: str, version: str) -> dict[str, Any]:
    """The whole document. Operation ids are the functions' names and must be unique."""
    endpoints = [endpoint for api in apis for endpoint in api.endpoints]
    shapes = _shapes(endpoints)
    schemas, components = msgspec.json.schema_components(shapes, ref_template=REF_TEMPLATE)
    for component in components.values():
        if "description" in component:
            # A docstring: Python 3.13 takes the indentation away, earlier ones leave it.
            component["description"] = inspect.cleandoc(component["description"])
    _name_moments(shapes, components)
    by_shape = dict(zip(map(_key, shapes), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    seen: set[str] = set()
    for endpoint in sorted(endpoints, key=lambda e: (e.path, e.method)):
        if endpoint.operation_id in seen:
            raise ValueError(f"two operations are called {endpoint.operation_id}")
        seen.add(endpoint.operation_id)
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, by_shape, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": "\n\n".join(CONVENTIONS)},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _name_moments(shapes: list[Any], components: dict[str, Any]) -> None:
    """Times that we answer are RFC 3339 like those that we take; msgspec says so only of types that ask for a zone."""
    waiting: list[Any] = list(msgspec.inspect.multi_type_info(shapes))
    seen: set[str] = set()
    while waiting:
        info = waiting.pop()
        if isinstance(info, msgspec.inspect.StructType):
            name = _component_of(info.cls)
            if name in seen:
                continue
            seen.add(name)
            properties = components.get(name, {}).get("properties", {})
            for field in info.fields:
                if _is_moment(field.type) and field.encode_name in properties:
                    _as_moment(properties[field.encode_name])
            waiting.extend(field.type for field in info.fields)
        waiting.extend(_parts(info))


def _component_of(shape: Any) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", repr(shape) if not isinstance(shape, type) else shape.__name__)


def _parts(info: Any) -> list[Any]:
    """The types that a container, a union or a described type is made of."""
    found = [getattr(info, name, None) for name in ("item_type", "key_type", "value_type", "type")]
    several = [part for name in ("types", "item_types") for part in getattr(info, name, ())]
    return [part for part in (*found, *several) if isinstance(part, msgspec.inspect.Type)]


def _is_moment(info: Any) -> bool:
    return isinstance(info, msgspec.inspect.DateTimeType) or any(
        isinstance(part, msgspec.inspect.DateTimeType) for part in _parts(info)
    )


def _as_moment(schema: dict[str, Any]) -> None:
    for part in (schema, *schema.get("anyOf", ()), schema.get("items", {})):
        if part.get("type") == "string" and not {"format", "pattern", "enum"} & part.keys():
            part["format"] = "date-time"


def _key(shape: Any) -> str:
    return repr(shape)


def _shapes(endpoints: list[Endpoint]) -> list[Any]:
    found: dict[str, Any] = {_key(Problem): Problem}
    for endpoint in endpoints:
        for shape in (endpoint.body, endpoint.query, endpoint.returns):
            if shape not in _NO_SHAPE and _is_shape(shape):
                found[_key(shape)] = shape
    return list(found.values())


def _is_shape(shape: Any) -> bool:
    from chalicelib.kernel.http import Answer

    return shape is not Answer


def _operation(endpoint: Endpoint, by_shape: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    documentation = inspect.getdoc(endpoint.function) or ""
    summary, _, description = documentation.partition("\n\n")
    description = " ".join(f"{description} {_said_of_query(endpoint)}".split())
    operation: dict[str, Any] = {
        "operationId": endpoint.operation_id,
        "tags": [endpoint.tag],
        "summary": " ".join(summary.split()),
        "parameters": _parameters(endpoint, by_shape, components),
        "responses": _responses(endpoint, by_shape),
    }
    if description:
        operation["description"] = description
    if endpoint.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": by_shape[_key(endpoint.body)]}},
        }
    if endpoint.audience != "public":
        operation["security"] = [{"bearer": []}]
    if endpoint.permission:
        operation["x-permission"] = endpoint.permission
    operation["x-audience"] = endpoint.audience
    return operation


def _said_of_query(endpoint: Endpoint) -> str:
    """The docstring of the query's own shape: its parameters stand one by one, without the shape."""
    if endpoint.query is None or endpoint.query is PageQuery:
        return ""
    return str(vars(endpoint.query).get("__doc__") or "")


def _parameters(endpoint: Endpoint, by_shape: dict[str, Any], components: dict[str, Any]) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    if endpoint.query is not None:
        schema = by_shape[_key(endpoint.query)]
        schema = components[schema["$ref"].rsplit("/", 1)[1]]
        required = schema.get("required", [])
        parameters += [
            {"name": name, "in": "query", "required": name in required, "schema": value}
            for name, value in schema["properties"].items()
        ]
    if endpoint.idempotency_key:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "maxLength": 255},
            }
        )
    return parameters


def _responses(endpoint: Endpoint, by_shape: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done."}
    if endpoint.returns not in _NO_SHAPE and _is_shape(endpoint.returns):
        success["content"] = {"application/json": {"schema": by_shape[_key(endpoint.returns)]}}
    problem = {
        "description": "A problem (RFC 9457).",
        "content": {"application/problem+json": {"schema": by_shape[_key(Problem)]}},
    }
    return {str(endpoint.status): success, "default": problem}
