"""Places: who works elsewhere sees nothing of what stands here, though it is the own operator's.

A user who is narrowed to another region, and an agency with another place, are asked everything that names something
standing somewhere. Generated, as the isolation matrix is.
"""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.identity import service as identity
from chalicelib.kernel.http import Endpoint
from tests.integration.rest.catalogue import ENDPOINTS, ask
from tests.integration.rest.strangers import open_organization
from tests.integration.rest.test_isolation import rows
from tests.site import Site
from tests.world import World

STANDS_SOMEWHERE = frozenset({"location_id", "charger_id", "session_id", "reservation_id", "command_id"})
LISTS = (
    "/v1/locations",
    "/v1/chargers",
    "/v1/sessions",
    "/v1/cdrs",
    "/v1/map",
    "/v1/offline-chargers",
    "/v1/connection-attempts",
    "/v1/reservations",
    "/v1/orphan-stops",
    "/v1/abnormal-orders",
)
SHOWN_THERE = ("location_id", "charger_id", "session_id", "reservation_id")
BY_PLACE = [
    endpoint
    for endpoint in ENDPOINTS
    if endpoint.audience == "operator" and STANDS_SOMEWHERE & set(endpoint.path_names)
]


def owner(site: Site) -> str:
    """A night has passed: the administrator signed in again."""
    return site.world.access_token(site.operator.user.email)


@pytest.fixture
def region_id(world: World, site: Site, things: dict[str, str]) -> str:
    reply = world.rest.post("/v1/regions", {"name": "Norge"}, token=owner(site))
    assert reply.status == 201, reply.body
    return str(reply.body["region_id"])


@pytest.fixture
def narrowed(world: World, site: Site, region_id: str) -> str:
    """The access token of an administrator of the own operator, who works in Norway."""
    email = "nora@operator.example"
    new = identity.NewUser(email=email, full_name="Nora Narrow")
    user = world.commit(lambda uow: identity.create_user(uow, site.operator.organization, new))
    changed = world.rest.patch(f"/v1/users/{user.user_id}", {"region_ids": [region_id]}, token=owner(site))
    assert changed.status == 200, changed.body
    return world.access_token(email)


@pytest.mark.parametrize("endpoint", BY_PLACE, ids=lambda endpoint: endpoint.operation_id)
def test_who_works_in_another_region(world: World, things: dict[str, str], narrowed: str, endpoint: Endpoint) -> None:
    before = rows(world)
    reply = ask(world.rest, endpoint, things, "narrowed-1", token=narrowed)
    assert reply.status in (403, 404), (reply.status, reply.body)
    assert rows(world) == before


def query_of_list(path: str, things: dict[str, str]) -> dict[str, str]:
    return {"business_day": things["business_day"]} if path == "/v1/cdrs" else {}


def shown(world: World, path: str, things: dict[str, str], token: str) -> Any:
    reply = world.rest.get(path, token=token, query=query_of_list(path, things))
    assert reply.status == 200, reply.body
    return str(reply.body)


@pytest.mark.parametrize("path", LISTS)
def test_lists_show_what_stands_where_one_works(
    world: World, site: Site, things: dict[str, str], narrowed: str, region_id: str, path: str
) -> None:
    listed = [name for name in SHOWN_THERE if things[name] in shown(world, path, things, owner(site))]
    seen = shown(world, path, things, narrowed)
    assert not [name for name in SHOWN_THERE if things[name] in seen]
    world.commit(lambda uow: chargers.change_location(uow, site.location, {"region_id": region_id}))
    world.advance(60)  # the map is remembered for a while
    seen = shown(world, path, things, narrowed)
    assert [name for name in SHOWN_THERE if things[name] in seen] == listed


@pytest.mark.parametrize("path", LISTS)
def test_an_agency_sees_its_places_and_no_others(world: World, site: Site, things: dict[str, str], path: str) -> None:
    agency = open_organization(world, "agency", "Garage", site.operator.organization)
    token = world.access_token("agency@garage.example")
    listed = [name for name in SHOWN_THERE if things[name] in shown(world, path, things, owner(site))]
    assert not [name for name in SHOWN_THERE if things[name] in shown(world, path, things, token)]
    world.commit(lambda uow: chargers.change_location(uow, site.location, {"agency_id": agency.organization_id}))
    world.advance(60)
    seen = shown(world, path, things, token)
    assert [name for name in SHOWN_THERE if things[name] in seen] == listed


def test_the_region_above_includes_those_below(world: World, site: Site, narrowed: str, region_id: str) -> None:
    """Narrowed to a country, one works in its towns too."""
    token = owner(site)
    province = world.rest.post("/v1/regions", {"name": "Viken", "parent_id": region_id}, token=token).body
    town = world.rest.post("/v1/regions", {"name": "Moss", "parent_id": province["region_id"]}, token=token).body
    path = f"/v1/locations/{site.location.location_id}"
    assert world.rest.get(path, token=narrowed).status == 404
    placed = world.rest.patch(path, {"region_id": town["region_id"]}, token=token)
    assert placed.status == 200, placed.body
    assert world.rest.get(path, token=narrowed).status == 200


COUNTS_EVERYWHERE = frozenset(
    {
        "create_user_group",
        "replace_user_group",
        "update_user_group",
        "remove_user_group",
        "create_charger_template",
        "replace_charger_template",
        "delete_charger_template",
        "put_local_list_policy",
        "put_offline_notification",
    }
)


@pytest.mark.parametrize("operation_id", sorted(COUNTS_EVERYWHERE))
def test_who_works_in_a_region_changes_nothing_that_counts_elsewhere_too(
    world: World, things: dict[str, str], narrowed: str, operation_id: str
) -> None:
    """These apply to all chargers, or to all people, of the operator."""
    [endpoint] = [endpoint for endpoint in ENDPOINTS if endpoint.operation_id == operation_id]
    before = rows(world)
    reply = ask(world.rest, endpoint, things, "narrowed-1", token=narrowed)
    assert (reply.status, reply.body["code"]) == (403, "forbidden"), reply.body
    assert rows(world) == before
