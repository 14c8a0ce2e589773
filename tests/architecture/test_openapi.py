"""The committed OpenAPI file is what the code says, and what it says can be relied on."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from app import APIS, app, openapi_json
from chalicelib.docs_page import page
from chalicelib.identity.permissions import ALL_PERMISSIONS
from infra.local.gateway.routes import RouteTable
from infra.openapi import PATH
from tests.world import World

DOCUMENT: dict[str, Any] = json.loads(openapi_json())
ENDPOINTS = [endpoint for api in APIS for endpoint in api.endpoints]
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


def test_the_committed_file_is_made_from_this_code() -> None:
    assert PATH.read_text(encoding="utf-8") == openapi_json(), "run: python -m infra.openapi"


def test_every_endpoint_is_in_the_document_and_routed() -> None:
    assert {(method.upper(), path) for method, path, _ in OPERATIONS} == {(e.method, e.path) for e in ENDPOINTS}
    for endpoint in ENDPOINTS:
        assert endpoint.method in app.routes[endpoint.path]


def test_no_two_routes_name_the_same_place_differently() -> None:
    RouteTable(app.routes)


def test_references_lead_somewhere() -> None:
    names = re.findall(r'"#/components/schemas/([^"]+)"', openapi_json())
    assert names
    assert set(names) <= DOCUMENT["components"]["schemas"].keys()


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)
def test_an_endpoint_can_be_understood_and_granted(endpoint: Any) -> None:
    assert (endpoint.function.__doc__ or "").strip(), "an operation without a summary"
    assert endpoint.path.startswith("/v1/")
    assert endpoint.permission is None or endpoint.permission in ALL_PERMISSIONS
    assert (endpoint.audience == "operator") == (endpoint.permission is not None)
    assert set(endpoint.path_names) == set(re.findall(r"{(\w+)}", endpoint.path))


def test_every_permission_opens_something() -> None:
    assert {endpoint.permission for endpoint in ENDPOINTS} - {None} == ALL_PERMISSIONS


def test_only_public_operations_are_open() -> None:
    for _, path, operation in OPERATIONS:
        assert ("security" in operation) == (operation["x-audience"] != "public"), path


def test_health_document_and_page_are_served(world: World) -> None:
    assert world.rest.get("/health").body["status"] == "ok"
    assert world.rest.get("/openapi.json").body == DOCUMENT
    docs = world.rest.get("/docs")
    assert docs.headers["content-type"].startswith("text/html")
    assert "sha256-" in docs.headers["content-security-policy"]


def test_the_page_loads_nothing_from_elsewhere() -> None:
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//|@import|url\(""", page.html())
    assert "{{" not in page.html()


def test_the_page_is_allowed_exactly_what_it_contains() -> None:
    import base64
    import hashlib

    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page.html(), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in page.security_policy()
