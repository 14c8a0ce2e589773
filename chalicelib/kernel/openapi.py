"""OpenAPI 3.1 from the declared endpoints: the code is the truth, the committed file a photograph of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from chalicelib.kernel.http import Api, Endpoint
from chalicelib.kernel.problems import Problem

REF_TEMPLATE = "#/components/schemas/{name}"
_NO_SHAPE = (None, type(None), inspect.Signature.empty)


def build(apis: Iterable[Api], *, title: str, version: str) -> dict[str, Any]:
    """The whole document. Operation ids are the functions' names and must be unique."""
    endpoints = [endpoint for api in apis for endpoint in api.endpoints]
    shapes = _shapes(endpoints)
    schemas, components = msgspec.json.schema_components(shapes, ref_template=REF_TEMPLATE)
    for component in components.values():
        if "description" in component:
            # A docstring: Python 3.13 takes the indentation away, earlier ones leave it.
            component["description"] = inspect.cleandoc(component["description"])
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
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


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
    operation: dict[str, Any] = {
        "operationId": endpoint.operation_id,
        "tags": [endpoint.tag],
        "summary": " ".join(summary.split()),
        "parameters": _parameters(endpoint, by_shape, components),
        "responses": _responses(endpoint, by_shape),
    }
    if description:
        operation["description"] = " ".join(description.split())
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
