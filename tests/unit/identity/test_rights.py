"""Rights are those of this half minute, whatever the access token said when it was made."""

from __future__ import annotations

from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.identity.service.rights import RIGHTS_AGE_S
from tests.integration.rest.strangers import open_organization
from tests.world import World


def deactivate(world: World, organization_id: str, above: str) -> None:
    reply = world.rest.delete(f"/v1/organizations/{organization_id}", token=above)
    assert reply.status == 204, reply.body


def may_read(world: World, token: str) -> int:
    """By the oldest trick there is: the token that was good a moment ago."""
    return world.rest.get("/v1/locations", token=token).status


def agency_of(world: World, operator: Organization) -> tuple[Organization, str]:
    agency = open_organization(world, "agency", "Garage", operator)
    return agency, world.access_token("agency@garage.example")


def test_a_deactivated_user_is_out_within_half_a_minute(world: World) -> None:
    operator = world.operator()
    new = identity.NewUser(email="bob@operator.example", full_name="Bob")
    bob = world.commit(lambda uow: identity.create_user(uow, operator.organization, new))
    token = world.access_token("bob@operator.example")
    assert may_read(world, token) == 200
    assert world.rest.delete(f"/v1/users/{bob.user_id}", token=operator.access_token).status == 204
    world.advance(RIGHTS_AGE_S)
    assert may_read(world, token) == 403


def test_a_right_that_was_taken_away_is_gone_within_half_a_minute(world: World) -> None:
    operator = world.operator()
    new = identity.NewUser(email="bob@operator.example", full_name="Bob", groups=["om_engineer"])
    world.commit(lambda uow: identity.create_user(uow, operator.organization, new))
    token = world.access_token("bob@operator.example")
    assert may_read(world, token) == 200
    group = world.rest.get("/v1/user-groups/om_engineer", token=operator.access_token)
    changed = world.rest.patch(
        "/v1/user-groups/om_engineer",
        {"permissions": ["chargers:read"]},
        token=operator.access_token,
        headers={"If-Match": group.headers["etag"]},
    )
    assert changed.status == 200, changed.body
    world.advance(RIGHTS_AGE_S)
    assert may_read(world, token) == 403
    assert world.rest.get("/v1/chargers", token=token).status == 200


def test_an_agency_stops_with_its_operator(world: World) -> None:
    operator = world.operator()
    _, token = agency_of(world, operator.organization)
    key = world.rest.post("/v1/api-keys", {"name": "Screen", "permissions": ["locations:read"]}, token=token).body
    assert may_read(world, token) == 200
    assert may_read(world, key["api_key"]) == 200
    deactivate(world, operator.operator_id, world.platform_admin())
    world.advance(RIGHTS_AGE_S)
    assert may_read(world, token) == 403
    assert may_read(world, key["api_key"]) in (401, 403)


def test_an_operator_goes_on_without_its_dealer(world: World) -> None:
    dealer = open_organization(world, "dealer", "Dealer", None)
    open_organization(world, "operator", "Below", dealer)
    token = world.access_token("operator_admin@below.example")
    deactivate(world, dealer.organization_id, world.platform_admin())
    world.advance(RIGHTS_AGE_S)
    assert may_read(world, token) == 200
