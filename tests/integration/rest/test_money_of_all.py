"""Money of the whole operator: who works in some regions only neither reads nor moves it.

Generated from the permissions: whatever a new route of these may be, it is refused to somebody who is narrowed, or says
here why not.
"""

from __future__ import annotations

import pytest

from chalicelib.identity import service as identity
from chalicelib.identity.permissions import PERMISSIONS
from chalicelib.kernel.http import Endpoint
from tests.integration.rest.catalogue import ENDPOINTS, ask
from tests.integration.rest.test_isolation import rows
from tests.site import Site
from tests.world import World

MONEY = {name for name, permission in PERMISSIONS.items() if permission.section == "money"}
OF_MONEY = MONEY | {"enterprises:read", "enterprises:write"}
OF_A_PLACE = frozenset({"get_stats_summary", "get_stats_timeseries"})
"""Figures of the places where one works."""
AT_THE_COUNTER = frozenset(
    {
        "list_enterprises",
        "get_enterprise",
        "list_enterprise_members",
        "get_wallet",
        "list_wallet_months",
        "list_wallet_transactions",
        "list_topup_packages",
        "get_topup_package",
        "list_voucher_batches",
        "get_voucher_batch",
        "list_vouchers",
        "redeem_voucher_for_driver",
    }
)
"""What customers are helped with, who charge anywhere: what they have, what there is to buy, a voucher that is paid."""

ROUTES = [endpoint for endpoint in ENDPOINTS if endpoint.permission in OF_MONEY]
GRANTED = OF_A_PLACE | AT_THE_COUNTER


def test_exceptions_are_routes() -> None:
    assert {endpoint.operation_id for endpoint in ROUTES} >= GRANTED


@pytest.fixture
def narrowed(world: World, site: Site, things: dict[str, str]) -> str:
    """The access token of an administrator of the own operator, who works in the region of `things`."""
    owner = world.access_token(site.operator.user.email)
    new = identity.NewUser(email="nora@operator.example", full_name="Nora Narrow")
    user = world.commit(lambda uow: identity.create_user(uow, site.operator.organization, new))
    changed = world.rest.patch(f"/v1/users/{user.user_id}", {"region_ids": [things["region_id"]]}, token=owner)
    assert changed.status == 200, changed.body
    return world.access_token(new.email)


@pytest.mark.parametrize("endpoint", ROUTES, ids=lambda endpoint: endpoint.operation_id)
def test_money_counts_everywhere(world: World, things: dict[str, str], narrowed: str, endpoint: Endpoint) -> None:
    before = rows(world)
    reply = ask(world.rest, endpoint, things, "narrowed-1", token=narrowed)
    if endpoint.operation_id in GRANTED:
        assert reply.status < 300, "else it needs no exception"
        return
    assert reply.status in (403, 404), (reply.status, reply.body)
    assert rows(world) == before
