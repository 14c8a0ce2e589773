"""A user of an operator who works in some regions or at some vending points only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.identity import service as identity
from chalicelib.identity.store import USERS
from tests.world import Operator, World


def narrowed_token(
    world: World,
    operator: Operator,
    *,
    region_ids: Sequence[str] = (),
    vending_point_ids: Sequence[str] = (),
    email: str = "nora@narrow.example",
) -> str:
    """The access token of one with all permissions."""
    new = identity.NewUser(email=email, full_name="Nora Narrow")
    user = world.commit(lambda uow: identity.create_user(uow, operator.organization, new))
    narrowed = replace(user, region_ids=list(region_ids), vending_point_ids=list(vending_point_ids))
    world.commit(lambda uow: uow.put(USERS, narrowed))
    return world.access_token(email)
