"""The isolation matrix: every route of the OpenAPI file, asked by every built-in group of every foreign organisation.

Generated from the declared endpoints and the built-in groups: a new route, and a new group, cannot escape it. What the
path names is not there for a stranger (404), or the group may not ask at all (403); what has no name in its path shows
nothing of the owner's and touches nothing of it.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

import app
from chalicelib.identity import service as identity
from chalicelib.identity.permissions import GROUPS
from chalicelib.kernel.http import Endpoint
from tests.integration.rest.catalogue import ENDPOINTS, ask, body_of, query_of
from tests.integration.rest.strangers import Stranger, make_strangers
from tests.integration.rest.test_isolation import NAMES_NOTHING_FOREIGN, rows, shows_nothing
from tests.site import Site
from tests.world import World

OPERATOR_ROUTES = [endpoint for endpoint in ENDPOINTS if endpoint.audience == "operator"]
NAMING = [e for e in OPERATOR_ROUTES if e.path_names and e.operation_id not in NAMES_NOTHING_FOREIGN]
"""Those that name something of the owner's in their path: `test_refusals.py` asks them."""


def by_route(endpoints: list[Endpoint]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda endpoint: endpoint.operation_id)


@pytest.fixture
def strangers(site: Site, things: dict[str, str]) -> list[Stranger]:
    return make_strangers(site.world, site.operator.organization)


def test_the_matrix_has_every_route_of_the_openapi_file_and_every_group(strangers: list[Stranger]) -> None:
    paths = json.loads(app.openapi_json())["paths"]
    documented = {
        operation["operationId"]
        for operations in paths.values()
        for operation in operations.values()
        if operation["x-audience"] == "operator"
    }
    assert {endpoint.operation_id for endpoint in OPERATOR_ROUTES} == documented
    asked = {(stranger.kind, stranger.name.split("/")[1]) for stranger in strangers}
    assert asked == {(kind, group.group_id) for group in GROUPS.values() for kind in group.kinds if kind != "platform"}


@by_route([endpoint for endpoint in OPERATOR_ROUTES if endpoint not in NAMING])
def test_what_names_nothing_shows_strangers_nothing(
    world: World, things: dict[str, str], strangers: list[Stranger], endpoint: Endpoint
) -> None:
    for number, stranger in enumerate(strangers):
        unseen(world, endpoint, things, stranger, number)


def below_the_owner(world: World, things: dict[str, str]) -> list[str]:
    """An agency may name its own operator, and sees what stands at its places: here nothing."""
    page = identity.list_organizations(world.ctx, things["organization_id"], limit=100, cursor=None)
    return [organization.organization_id for organization in page.data]


def refused(world: World, endpoint: Endpoint, things: dict[str, str], stranger: Stranger) -> None:
    before = rows(world) if endpoint.method != "GET" else None
    reply = ask(world.rest, endpoint, things, f"stranger-{endpoint.operation_id}", token=stranger.access_token)
    assert reply.status in (403, 404), (stranger.name, reply.status, reply.body)
    assert reply.headers["content-type"] == "application/problem+json"
    if before is not None:
        assert rows(world) == before, stranger.name


def unseen(world: World, endpoint: Endpoint, things: dict[str, str], stranger: Stranger, number: int) -> None:
    """Asked as it stands, and naming the owner wherever an organisation may be named."""
    theirs = {**things, "fresh": f"x{number}"}
    shows_nothing(world, endpoint, theirs, stranger.access_token)
    for name in ("operator_id", "organization_id", "parent_id"):
        if endpoint.query is not None and name in endpoint.query.__struct_fields__:
            query = {**query_of(endpoint, theirs), name: things["organization_id"]}
            if stranger.organization_id in below_the_owner(world, things):
                shows_nothing(world, endpoint, theirs, stranger.access_token, query=query)
                continue
            reply = ask(world.rest, endpoint, theirs, f"named-{number}", token=stranger.access_token, query=query)
            assert reply.status in (403, 404), (stranger.name, name, reply.status, reply.body)
        if endpoint.body is not None and name in endpoint.body.__struct_fields__:
            before = rows(world)
            body: dict[str, Any] = {**(body_of(endpoint, theirs) or {}), name: things["organization_id"]}
            reply = ask(world.rest, endpoint, theirs, f"named-{number}", token=stranger.access_token, json_body=body)
            assert reply.status in (403, 404, 422), (stranger.name, name, reply.status, reply.body)
            assert rows(world) == before, stranger.name
