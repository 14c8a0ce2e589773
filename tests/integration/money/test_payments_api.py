"""Payments as the backoffice reads them: all for the platform, those at its chargers for an operator."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.identity import service as identity
from chalicelib.payments.model import Payment, PaymentSite
from tests.unit.payments.till import Till, euro
from tests.world import Operator, Reply, World

EURO = "EUR"


class Desk:
    """A till with the payments of two operators' guests, and of a driver."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.till = Till(world, fee=euro(45))
        self.own, self.other = world.operator("Own"), world.operator("Other")
        self.platform = world.platform_admin()

    def guest(self, operator: Operator, charger_id: str = "CP-1", location_id: str = "loc_1") -> Payment:
        site = PaymentSite(operator.operator_id, charger_id, location_id, "DE", "Berlin")
        payment = self.till.open(3000, site=site)
        self.till.provider.authorize(f"page_{payment.payment_id}")
        self.till.tell_fee(payment, self.till.fee)
        self.till.notify(payment)
        return self.till.stored(payment)

    def charged(self, operator: Operator, cost: int = 1234, **place: str) -> Payment:
        payment = self.guest(operator, **place)
        income = f"income:{operator.operator_id}:EUR"
        self.till.ask_capture(payment, cost, income_account_id=income, tax=euro(197))
        self.till.run_events()
        return self.till.stored(payment)

    def ask(self, path: str = "", token: str = "", **query: Any) -> Reply:
        return self.world.rest.get(f"/v1/payments{path}", token=token or self.platform, query=query)

    def ids(self, token: str = "", **query: Any) -> list[str]:
        reply = self.ask(token=token, **query)
        assert reply.status == 200, reply.body
        return [payment["payment_id"] for payment in reply.body["data"]]


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def money(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": EURO}


def test_the_detail_says_what_was_paid_and_where(desk: Desk) -> None:
    payment = desk.charged(desk.own)
    income = f"income:{desk.own.operator_id}:EUR"
    desk.till.ask_refund(payment, 234, from_account_id=income)
    desk.till.run_events()
    status, body = desk.ask(f"/{payment.payment_id}", desk.own.access_token)
    assert status == 200
    assert {name: body[name] for name in ("gross", "fee", "net", "vat", "refunded", "refundable")} == {
        "gross": money(1234),
        "fee": money(45),
        "net": money(955),
        "vat": money(160),
        "refunded": money(234),
        "refundable": money(1000),
    }
    assert (body["state"], body["method"], body["currency"], body["payer_country"]) == ("captured", "card", EURO, "DE")
    assert (body["charger_id"], body["charger_country"], body["charger_state"]) == ("CP-1", "DE", "Berlin")
    [refund] = body["refunds"]
    assert (refund["refund_id"], refund["state"], refund["amount"]) == ("ref_1", "succeeded", money(234))
    listed = desk.ask(f"/{payment.payment_id}/refunds", desk.own.access_token).body
    assert listed["data"] == [refund]


def test_what_is_not_known_yet_is_null(desk: Desk) -> None:
    body = desk.ask(f"/{desk.guest(desk.own).payment_id}").body
    assert body["authorized"] == money(3000)
    assert [body[name] for name in ("gross", "fee", "net", "vat")] == [None] * 4
    assert (body["refunded"], body["refundable"]) == (money(0), money(0))


def test_an_operator_sees_what_guests_paid_at_its_chargers(desk: Desk) -> None:
    own, other, topup = desk.charged(desk.own), desk.charged(desk.other), desk.till.topped_up()
    assert desk.ids(desk.own.access_token) == [own.payment_id]
    assert desk.ids(desk.other.access_token) == [other.payment_id]
    assert desk.ids() == [topup.payment_id, other.payment_id, own.payment_id]
    assert desk.ids(operator_id=desk.own.operator_id) == [own.payment_id]
    for hidden in (other, topup):
        for path in (f"/{hidden.payment_id}", f"/{hidden.payment_id}/refunds"):
            assert desk.ask(path, desk.own.access_token).status == 404
    assert desk.ask(token=desk.own.access_token, operator_id=desk.other.operator_id).status == 404
    assert desk.ids(desk.own.access_token, payer_id=topup.payer_id) == [own.payment_id]  # both are of `payer_1`


def test_who_works_at_some_places_only_sees_none(desk: Desk, world: World) -> None:
    payment = desk.charged(desk.own)
    region = world.rest.post("/v1/regions", {"name": "North"}, token=desk.own.access_token).body["region_id"]
    email = "nora@own.example"
    new = identity.NewUser(email=email, full_name="Nora Narrow")
    user = world.commit(lambda uow: identity.create_user(uow, desk.own.organization, new))
    path = f"/v1/users/{user.user_id}"
    assert world.rest.patch(path, {"region_ids": [region]}, token=desk.own.access_token).status == 200
    token = world.access_token(email)
    assert desk.ask(token=token).status == 403
    assert desk.ask(f"/{payment.payment_id}", token).status == 403


def test_payments_are_picked_by_what_they_are_and_where(desk: Desk) -> None:
    one = desk.charged(desk.own, charger_id="CP-1", location_id="loc_1")
    two = desk.guest(desk.own, charger_id="CP-2", location_id="loc_2")
    topup = desk.till.topped_up()
    for token in ("", desk.own.access_token):
        assert desk.ids(token, charger_id="CP-2") == [two.payment_id]
        assert desk.ids(token, location_id="loc_1") == [one.payment_id]
        assert desk.ids(token, state="authorized") == [two.payment_id]
        assert desk.ids(token, purpose="guest") == [two.payment_id, one.payment_id]
        assert desk.ids(token, method="paypal") == []
    assert desk.ids(purpose="topup") == [topup.payment_id]
    assert desk.ask(state="stolen").status == 422


def test_payments_of_a_stretch_of_time(desk: Desk, world: World) -> None:
    first = desk.charged(desk.own)
    world.advance(3 * 24 * 3600)
    middle = desk.charged(desk.own)
    world.advance(3 * 24 * 3600)
    last = desk.charged(desk.own)
    owner = world.access_token(desk.own.user.email)
    desk.platform = world.access_token("admin@platform.example")
    days = [payment.created_at.date().isoformat() for payment in (first, middle, last)]
    span = {"date_from": first.created_at.isoformat(), "date_to": last.created_at.isoformat()}
    for token in ("", owner):
        assert desk.ids(token, **span) == [middle.payment_id, first.payment_id]
        assert desk.ids(token, day=days[1]) == [middle.payment_id]
        assert desk.ids(token, date_from=middle.created_at.isoformat()) == [last.payment_id, middle.payment_id]
    assert desk.ids() == [last.payment_id]  # today's
    assert desk.ids(date_to=f"{days[1]}T23:59:59Z") == [middle.payment_id]  # that day's
    assert desk.ids(owner) == [last.payment_id, middle.payment_id, first.payment_id]
    reply = desk.ask(date_from="2025-01-01T00:00:00Z")
    assert (reply.status, reply.body["code"]) == (422, "payments.range_too_long")
    assert desk.ask(date_from="9999-12-31T00:00:00Z").status == 422


def test_pages_go_on_over_the_days(desk: Desk, world: World) -> None:
    made = []
    for _ in range(3):
        made += [desk.guest(desk.own).payment_id, desk.guest(desk.other).payment_id]
        world.advance(2 * 24 * 3600)
    desk.platform = world.access_token("admin@platform.example")
    query: dict[str, Any] = {"date_from": "2026-03-02T00:00:00Z", "limit": 1}
    found: list[str] = []
    while True:
        body = desk.ask(**query).body
        found += [payment["payment_id"] for payment in body["data"]]
        if not body["has_more"]:
            break
        query["cursor"] = body["next_cursor"]
    assert found == made[::-1]
    assert desk.ask(**query | {"cursor": "bm9uc2Vuc2U"}).status == 400
