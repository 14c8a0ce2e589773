"""Organisations above and below an operator, and what they say over REST about chargers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.identity.permissions import ADMIN_GROUPS
from tests.world import Reply, World

PLACE = {
    "name": "Depot",
    "address": "Ringstraße 1",
    "city": "Köln",
    "country": "DE",
    "time_zone": "Europe/Berlin",
}


@dataclass
class Party:
    """An organisation's administrator. What is asked is asked for by their sign-in."""

    world: World
    organization: Organization
    token: str

    @property
    def id(self) -> str:
        return self.organization.organization_id

    def get(self, path: str, **query: Any) -> Reply:
        return self.world.rest.get(path, token=self.token, query=query)

    def post(self, path: str, body: Any = None, **options: Any) -> Reply:
        return self.world.rest.post(path, body, token=self.token, **options)

    def put(self, path: str, body: Any = None) -> Reply:
        return self.world.rest.put(path, body, token=self.token)

    def patch(self, path: str, body: Any, **options: Any) -> Reply:
        return self.world.rest.patch(path, body, token=self.token, **options)

    def delete(self, path: str, **options: Any) -> Reply:
        return self.world.rest.delete(path, token=self.token, **options)

    def register(self, charger_id: str, **fields: Any) -> dict[str, Any]:
        reply = self.post("/v1/chargers", {"charger_id": charger_id, **fields})
        assert reply.status == 201, reply.body
        return dict(reply.body)

    def add_location(self, **changes: Any) -> str:
        self.world.advance(1)  # what happens in one millisecond has no order
        reply = self.post("/v1/locations", PLACE | changes)
        assert reply.status == 201, reply.body
        return str(reply.body["location_id"])

    def charger_ids(self, **query: Any) -> list[str]:
        return [charger["charger_id"] for charger in self.get("/v1/chargers", **query).body["data"]]

    def location_names(self, **query: Any) -> list[str]:
        return [location["name"] for location in self.get("/v1/locations", **query).body["data"]]


def open_party(world: World, kind: str, name: str, parent: Party | None = None) -> Party:
    """An organisation below `parent`, or right below the platform."""
    slug = name.replace(" ", "-").lower()
    email = f"admin@{slug}.example"
    new = identity.NewOrganization(
        name=name,
        kind=kind,
        email=f"office@{slug}.example",
        currency="EUR",
        time_zone="Europe/Berlin",
        language="en",
        admin=identity.NewUser(email=email, full_name="Ada Admin", groups=[ADMIN_GROUPS[kind]]),
    )
    above = None if parent is None else parent.organization
    organization, _ = world.commit(lambda uow: identity.create_organization(uow, new, above))
    return Party(world, organization, world.access_token(email))
