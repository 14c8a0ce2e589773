"""Every change that a person or a machine makes is in the audit log: each endpoint that changes something, asked by
its owner.

Generated from the endpoints, so that a new one cannot escape: it says what it changes (`req.audit`), before and after,
or it is declared `audited=False` with a reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.identity.model import AuditEvent
from chalicelib.identity.model.audit import AuditFilter
from chalicelib.identity.service import list_audit_events
from chalicelib.identity.service.auditing import UNSAID
from chalicelib.kernel.changes import is_secret
from chalicelib.kernel.http import Endpoint
from tests.integration.rest.catalogue import ENDPOINTS, body_of
from tests.integration.rest.ready import Asking, make_ready
from tests.integration.rest.test_isolation import PLATFORM_ONLY
from tests.site import Site
from tests.world import World

AUDITED = [endpoint for endpoint in ENDPOINTS if endpoint.audited]
AUDIENCE_IS_RECORDED = frozenset({"operator", "person", "driver"})

NEW_BY_PUT = frozenset({"put_configuration_override", "add_charger_group_driver", "add_driver_group_driver"})
"""These make what was not there: it has no before."""
NO_OBJECT = frozenset({"sign_out"})
"""They end what the log does not show."""
SHORTEST_SECRET = 6


def test_only_what_changes_nothing_or_keeps_its_own_record_is_left_out() -> None:
    """A list to be read: who adds to it says why the log may miss it."""
    left_out = {
        endpoint.operation_id
        for endpoint in ENDPOINTS
        if endpoint.method != "GET" and endpoint.audience in AUDIENCE_IS_RECORDED and not endpoint.audited
    }
    assert left_out <= {
        # Charging sessions and reservations are themselves the record of what their driver did.
        "start_session",
        "stop_my_session",
        "create_my_reservation",
        "cancel_my_reservation",
        "start_web_payment",
        # The order keeps what its driver said.
        "state_what_happened",
        # A top-up is in the ledger, and so is a voucher.
        "create_my_topup",
        "redeem_my_voucher",
        # A link to the payment provider's page changes nothing.
        "create_payout_account_link",
        # A quote changes nothing.
        "quote_charger",
        "quote_tariff",
    }


@pytest.mark.parametrize("endpoint", AUDITED, ids=lambda endpoint: endpoint.operation_id)
def test_a_change_is_recorded(world: World, site: Site, things: dict[str, str], endpoint: Endpoint) -> None:
    asking = who_asks(world, site, things, endpoint)
    make_ready(asking, endpoint)
    known = {event.audit_id for event in log_of(world, asking.home)}
    answer = asking.ask(endpoint.operation_id)
    fresh = [event for event in log_of(world, asking.home) if event.audit_id not in known]
    assert fresh, "nothing was recorded: it wrote nothing, or before and after are the same"
    for event in fresh:
        assert (event.action, event.actor_id, event.source_ip) == (endpoint.operation_id, asking.actor_id, "192.0.2.1")
        assert event.object_type != UNSAID, "it does not say what it changes: req.audit(...)"
        assert event.object_id
        check_sides(endpoint, event)
    secrets = {*secrets_in(body_of(endpoint, things)), *secrets_in(answer)}
    kept = json.dumps([[event.before, event.after] for event in fresh])
    assert [secret for secret in secrets if secret in kept] == []


def check_sides(endpoint: Endpoint, event: AuditEvent) -> None:
    if endpoint.operation_id in NO_OBJECT:
        return
    if endpoint.method in ("PUT", "PATCH") and endpoint.operation_id not in NEW_BY_PUT:
        assert event.before
        assert event.after
    elif endpoint.method == "DELETE":
        assert event.before
    else:
        assert event.after


def who_asks(world: World, site: Site, things: dict[str, str], endpoint: Endpoint) -> Asking:
    """Whose endpoint it is."""
    driver_id = site.driver.driver_id
    if endpoint.audience == "driver":
        token = world.access_token(f"{driver_id.lower()}@driver.example")
        return Asking(site, token, driver_id, driver_id, dict(things))
    root = world.platform_admin()
    is_platform_s = endpoint.operation_id in PLATFORM_ONLY
    token = root if is_platform_s else world.access_token(site.operator.user.email)
    me = world.rest.get("/v1/me", token=token).body
    return Asking(site, token, me["organization"]["organization_id"], me["user_id"], dict(things))


def log_of(world: World, owner_id: str) -> list[AuditEvent]:
    return list_audit_events(world.ctx, owner_id, AuditFilter(), limit=200, cursor=None).data


def secrets_in(value: Any) -> Iterator[str]:
    """The texts that are secret by what they are called; `code` also names what is printed on chargers."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in members:
        if isinstance(member, str):
            if is_secret(str(name)) and name != "code" and len(member) >= SHORTEST_SECRET:
                yield member
        else:
            yield from secrets_in(member)
