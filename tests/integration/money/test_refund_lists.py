"""Refunds of many payments in one list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.money.test_payments_api import Desk, money
from tests.world import Reply, World


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def refund(desk: Desk, *amounts: int, charger_id: str = "CP-1", other: bool = False) -> list[str]:
    """A payment that was paid back in pieces; the ids of the refunds, newest first."""
    operator = desk.other if other else desk.own
    payment = desk.charged(operator, 1000, charger_id=charger_id)
    ids = []
    for number, amount in enumerate(amounts):
        refund_id = f"ref_{payment.payment_id}_{number}"
        income = f"income:{operator.operator_id}:EUR"
        desk.till.ask_refund(desk.till.stored(payment), amount, refund_id=refund_id, from_account_id=income)
        desk.till.run_events()
        desk.world.advance(60)
        ids.append(refund_id)
    return ids[::-1]


def ask(desk: Desk, token: str = "", **query: Any) -> Reply:
    return desk.world.rest.get("/v1/refunds", token=token or desk.own.access_token, query=query)


def ids(desk: Desk, token: str = "", **query: Any) -> list[str]:
    reply = ask(desk, token, **query)
    assert reply.status == 200, reply.body
    return [refund["refund_id"] for refund in reply.body["data"]]


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_in_pages_with_what_they_were_for(desk: Desk, limit: int) -> None:
    """Those of one payment are never torn apart, nor is one left out."""
    desk.charged(desk.own)
    first, second, third = refund(desk, 100), refund(desk, 200, 300), refund(desk, 50, charger_id="CP-2")
    refund(desk, 1, other=True)
    query: dict[str, Any] = {"limit": limit}
    pages: list[list[str]] = []
    while True:
        body = ask(desk, **query).body
        pages.append([refund["refund_id"] for refund in body["data"]])
        if not body["has_more"]:
            break
        query["cursor"] = body["next_cursor"]
    assert [refund_id for page in pages for refund_id in page] == [*third, *second, *first]
    assert all(len(page) <= max(limit, 2) for page in pages)
    [newest] = ask(desk, charger_id="CP-2").body["data"]
    assert (newest["amount"], newest["state"], newest["purpose"]) == (money(50), "succeeded", "guest")
    assert (newest["charger_id"], newest["operator_id"]) == ("CP-2", desk.own.operator_id)


def test_picked_by_state_and_by_when_they_were_asked_for(desk: Desk) -> None:
    first, second = refund(desk, 100), refund(desk, 200)
    listed = ask(desk).body["data"]
    later = listed[0]["requested_at"]
    assert ids(desk, requested_from=later) == second
    assert ids(desk, requested_to=later) == first
    assert ids(desk, refund_state="failed") == []
    assert ids(desk, refund_state="succeeded") == [*second, *first]
    assert ask(desk, refund_state="lost").status == 422


def test_everybody_sees_their_own(desk: Desk) -> None:
    own, other = refund(desk, 100), refund(desk, 200, other=True)
    assert ids(desk) == own
    assert ids(desk, desk.other.access_token) == other
    assert ids(desk, desk.platform) == [*other, *own]
    assert ask(desk, operator_id=desk.other.operator_id).status == 404
