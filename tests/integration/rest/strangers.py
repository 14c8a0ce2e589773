"""Everybody whom a site is none of their business: one user of each built-in group of each kind of organisation.

The site's own subtree is the platform's and its operator's; all others here are beside it: another manufacturer with a
dealer, an operator and an agency below, an operator right below the platform, and an agency of the site's own operator
that runs another place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.identity.permissions import ADMIN_GROUPS, built_in
from tests.world import World


@dataclass(frozen=True)
class Stranger:
    """`name` is `<organisation>/<group>`."""

    name: str
    kind: str
    organization_id: str
    access_token: str


def open_organization(world: World, kind: str, name: str, parent: Organization | None) -> Organization:
    slug = name.replace(" ", "-").lower()
    new = identity.NewOrganization(
        name=name,
        kind=kind,
        email=f"office@{slug}.example",
        currency="EUR",
        time_zone="Europe/Berlin",
        language="en",
        admin=identity.NewUser(email=f"{ADMIN_GROUPS[kind]}@{slug}.example", full_name="Stranger"),
    )
    organization, _ = world.commit(lambda uow: identity.create_organization(uow, new, parent))
    return organization


def users_of(world: World, organization: Organization) -> Iterator[Stranger]:
    """The administrator that the organisation has, and one user for each other built-in group."""
    slug = organization.name.replace(" ", "-").lower()
    for group in built_in(organization.kind):
        email = f"{group.group_id}@{slug}.example"
        if group.group_id != ADMIN_GROUPS[organization.kind]:
            new = identity.NewUser(email=email, full_name="Stranger", groups=[group.group_id])
            world.commit(lambda uow, new=new: identity.create_user(uow, organization, new))
        name = f"{organization.name}/{group.group_id}"
        yield Stranger(name, organization.kind, organization.organization_id, world.access_token(email))


def make_strangers(world: World, own_operator: Organization) -> list[Stranger]:
    manufacturer = open_organization(world, "manufacturer", "Other maker", None)
    dealer = open_organization(world, "dealer", "Other dealer", manufacturer)
    operator = open_organization(world, "operator", "Other operator", dealer)
    foreign = (
        manufacturer,
        dealer,
        operator,
        open_organization(world, "agency", "Other agency", operator),
        open_organization(world, "operator", "Free operator", None),
        open_organization(world, "agency", "Agency elsewhere", own_operator),
    )
    return [stranger for organization in foreign for stranger in users_of(world, organization)]
