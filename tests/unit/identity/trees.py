"""A tree of organisations, opened through REST by each other: manufacturer → dealer → operator → agency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.world import World

_PLACE = {"currency": "EUR", "time_zone": "Europe/Berlin", "country": "DE"}


@dataclass(frozen=True)
class Node:
    """An organisation and its administrator, signed in."""

    organization_id: str
    admin_id: str
    token: str


def opened(world: World, token: str, name: str, **fields: Any) -> Node:
    """An organisation that whoever has the token opens."""
    email = f"{name}@tree.example"
    body = {"name": name, "email": email, "admin": {"email": email, "full_name": f"Admin of {name}"}, **fields}
    reply = world.rest.post("/v1/organizations", body, token=token)
    assert reply.status == 201, reply.body
    return Node(reply.body["organization_id"], reply.body["admin_user_id"], world.access_token(email))


@dataclass(frozen=True)
class Tree:
    platform: str
    manufacturer: Node
    dealer: Node
    operator: Node
    agency: Node

    @property
    def nodes(self) -> dict[str, Node]:
        return {kind: getattr(self, kind) for kind in ("manufacturer", "dealer", "operator", "agency")}


def planted(world: World, prefix: str = "") -> Tree:
    """A whole branch; each level opens what it opens first. `prefix` tells two branches apart."""
    platform = world.platform_admin()
    manufacturer = opened(world, platform, f"{prefix}manufacturer", kind="manufacturer", **_PLACE)
    dealer = opened(world, manufacturer.token, f"{prefix}dealer", **_PLACE)
    operator = opened(world, dealer.token, f"{prefix}operator", **_PLACE)
    agency = opened(world, operator.token, f"{prefix}agency")
    return Tree(platform, manufacturer, dealer, operator, agency)


def member(world: World, token: str, email: str, groups: list[str], **fields: Any) -> tuple[str, str]:
    """A user whom the token's holder adds to the own organisation: id and access token."""
    body = {"email": email, "full_name": email.partition("@")[0], "groups": groups, **fields}
    reply = world.rest.post("/v1/users", body, token=token)
    assert reply.status == 201, reply.body
    return reply.body["user_id"], world.access_token(email)
