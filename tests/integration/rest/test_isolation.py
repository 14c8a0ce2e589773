"""Nobody reaches what is another's: every endpoint, asked by everybody whom it is none of their business.

The requests are ones that the owner would be granted (test_the_owner_is_granted holds that), so a refusal is about
who asks. Nothing that was refused changes a row.
"""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers.model import Driver
from chalicelib.drivers.service import create_driver
from chalicelib.kernel.http import Endpoint
from tests.integration.rest.catalogue import ENDPOINTS, INSTEAD, ask, body_of
from tests.site import Site
from tests.world import World, table_definitions

SHARED = frozenset({"business_day", "day", "provider", "code", "fresh", "evse_no", "kind"})
"""Things that are nobody's own: days, the provider's name, and what is printed on the charger in the street."""
CLAIMED = frozenset({"idempotency"})
PLATFORM_ONLY = frozenset(
    {
        "move_charger",
        "list_ledger_proofs",
        "approve_withdrawal",
        "close_difference",
        "cover_dispute",
        "create_debt_payment",
        "forgive_dispute",
        "put_credit_setting",
        "create_reconciliation",
        "get_reconciliation",
        "list_differences_of_day",
        "list_open_differences",
        "list_reconciliations",
        "list_wallets",
        "mark_withdrawal_paid",
        "recompute_settlement",
        "reject_withdrawal",
    }
)
ASKS_THE_PROVIDER = frozenset({"create_payout_account_link"})
"""Granted, but nobody answers here."""
NAMES_NOTHING_FOREIGN = frozenset({"get_driver_charger", "get_driver_location", "get_import_template", "quote_charger"})

everywhere = pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)


def of(audience: str) -> list[Any]:
    chosen = [endpoint for endpoint in ENDPOINTS if endpoint.audience == audience]
    return [pytest.param(endpoint, id=endpoint.operation_id) for endpoint in chosen]


@pytest.fixture
def foreign_operator(world: World, things: dict[str, str]) -> str:
    """The access token of another operator's administrator."""
    return world.operator("Somebody else").access_token


@pytest.fixture
def foreign_driver(world: World, things: dict[str, str]) -> str:
    return make_foreign_driver(world)


def make_foreign_driver(world: World) -> str:
    """A driver's access token."""
    driver = Driver(world.ctx.new_id("drv"), "eve@driver.example", "Eve Driver", world.clock.now())
    world.commit(lambda uow: create_driver(uow, driver))
    return world.driver_token(driver.driver_id)


def rows(world: World) -> dict[str, Any]:
    """Everything that is stored, but for the keys of requests."""
    return {
        name: world.engine.execute("Scan", {"TableName": name})["Items"]
        for name in (definition["TableName"] for definition in table_definitions())
        if not any(word in name for word in CLAIMED)
    }


def refuses(world: World, endpoint: Endpoint, things: dict[str, str], token: str | None, *expected: int) -> None:
    before = rows(world)
    reply = ask(world.rest, endpoint, things, f"stranger-{endpoint.operation_id}", token=token)
    assert reply.status in expected, (reply.status, reply.body)
    assert reply.headers["content-type"] == "application/problem+json"
    assert rows(world) == before


@pytest.mark.parametrize("endpoint", of("operator"))
def test_another_operator(world: World, things: dict[str, str], endpoint: Endpoint, foreign_operator: str) -> None:
    """What the path names is not there for them; what a list shows is not the owner's."""
    if endpoint.operation_id in PLATFORM_ONLY:
        refuses(world, endpoint, things, foreign_operator, 403)
    elif endpoint.path_names and endpoint.operation_id not in NAMES_NOTHING_FOREIGN:
        refuses(world, endpoint, things, foreign_operator, 404)
    else:
        shows_nothing(world, endpoint, things, foreign_operator)


@pytest.mark.parametrize("endpoint", of("driver"))
def test_another_driver(world: World, things: dict[str, str], endpoint: Endpoint, foreign_driver: str) -> None:
    if endpoint.path_names and endpoint.operation_id not in NAMES_NOTHING_FOREIGN:
        refuses(world, endpoint, things, foreign_driver, 404)
    elif endpoint.method == "GET" and not endpoint.path_names:
        shows_nothing(world, endpoint, things, foreign_driver)


@pytest.mark.parametrize("endpoint", of("operator"))
def test_naming_another_operator_gives_nothing(
    world: World, things: dict[str, str], endpoint: Endpoint, foreign_operator: str
) -> None:
    """Wherever `operator_id` may be said, the owner's is refused or not heard."""
    query = {"operator_id": things["organization_id"]}
    if endpoint.query is not None and "operator_id" in endpoint.query.__struct_fields__:
        shows_nothing(world, endpoint, things, foreign_operator, query=query)
    elif endpoint.body is not None and "operator_id" in endpoint.body.__struct_fields__:
        before = rows(world)
        body = {**(ask_body(endpoint, things)), **query}
        reply = ask(world.rest, endpoint, things, "stranger-1", token=foreign_operator, json_body=body)
        assert reply.status in (403, 404), reply.body
        assert rows(world) == before


@pytest.mark.parametrize(
    ("operation_id", "own"),
    [
        ("place_charger", "charger_id"),
        ("bind_id_token", "id_token"),
        ("assign_tariff", "location_id"),
        ("create_id_token", ""),
        ("put_offline_notification", ""),
    ],
)
def test_what_is_ones_own_cannot_be_tied_to_what_is_not(
    world: World, things: dict[str, str], foreign_operator: str, operation_id: str, own: str
) -> None:
    """Somebody else's id in the body is as unknown as in the path."""
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.operation_id == operation_id)
    mixed = {**things, "fresh": "1"}
    if own:
        named = INSTEAD.get(operation_id, {}).get(own, own)
        mixed[named] = make_own(world, foreign_operator, own)
    refuses(world, endpoint, mixed, foreign_operator, 404, 422)


def make_own(world: World, token: str, name: str) -> str:
    """A thing of one's own, of the kind that has this name in a path."""
    makers = {
        "charger_id": "create_charger",
        "location_id": "create_location",
        "id_token": "create_id_token",
    }
    endpoint = next(endpoint for endpoint in ENDPOINTS if endpoint.operation_id == makers[name])
    body = {key: value for key, value in ask_body(endpoint, {"fresh": "9", "driver_id": ""}).items() if value}
    made = ask(world.rest, endpoint, {"driver_id": ""}, "own-1", token=token, json_body=body)
    assert made.status == 201, made.body
    return str(made.body[name])


@pytest.mark.parametrize("endpoint", of("operator"))
def test_the_owner_is_granted(world: World, site: Site, things: dict[str, str], endpoint: Endpoint) -> None:
    """Else the refusals above would say nothing."""
    email = "admin@platform.example" if endpoint.operation_id in PLATFORM_ONLY else site.operator.user.email
    world.platform_admin()
    reply = ask(world.rest, endpoint, things, "owner-1", token=world.access_token(email))
    if endpoint.operation_id in ASKS_THE_PROVIDER:
        assert reply.body["code"] == "payment_provider.unavailable"
    else:
        assert reply.status < 300, reply.body


def ask_body(endpoint: Endpoint, things: dict[str, str]) -> dict[str, Any]:
    return body_of(endpoint, things) or {}


def shows_nothing(world: World, endpoint: Endpoint, things: dict[str, str], token: str, **options: Any) -> None:
    """Whatever the answer is, it tells nothing of the owner's things beyond what the request itself said."""
    reply = ask(world.rest, endpoint, things, "stranger-1", token=token, **options)
    assert reply.status < 500, reply.body
    if reply.status >= 300:
        return
    said = str(ask_body(endpoint, things)) + str(options)
    shown = str(reply.body)
    leaked = [name for name, value in things.items() if name not in SHARED and value not in said and value in shown]
    assert not leaked, reply.body
