"""What payments come to: of all that the filters select, by currency; also by groups of chargers."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, ChargerGroup
from chalicelib.charging.api_operator_payments import sum_payments
from chalicelib.identity import service as identity
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.http import Request
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments.api_operator.payments import PaymentFilter
from tests.integration.money.test_payments_api import Desk, money
from tests.world import Operator, World


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def totals(desk: Desk, token: str = "", **query: Any) -> list[dict[str, Any]]:
    reply = desk.ask("/totals", token, **query)
    assert reply.status == 200, reply.body
    lines: list[dict[str, Any]] = reply.body["totals"]
    return lines


def grouped(world: World, operator: Operator, charger_id: str) -> tuple[str, str]:
    """A charger in a group below another one: the ids of both, the upper one first."""

    def group(name: str, parent: ChargerGroup | None = None) -> ChargerGroup:
        new = ChargerGroup(world.ctx.new_id("cgr"), operator.operator_id, f"{name} {charger_id}", world.clock.now())
        added: ChargerGroup = world.commit(lambda uow: chargers.add_group(uow, new, parent))
        return added

    everybody = group("Everybody")
    yard = group("Yard", everybody)
    charger = Charger(charger_id, operator.operator_id, 1, "", world.clock.now(), group_id=yard.group_id)
    world.commit(lambda uow: chargers.register_charger(uow, charger, "a-good-password-of-20"))
    return everybody.group_id, yard.group_id


def asked_by(desk: Desk, operator: Operator) -> Request:
    ctx = desk.world.ctx
    actor = identity.authenticate(ctx, operator.access_token, "192.0.2.1")
    return Request(ctx=ctx, uow=UnitOfWork(ctx), actor=actor, request_id="req_1")


def test_of_all_that_is_selected(desk: Desk) -> None:
    one, two = desk.charged(desk.own, 1000), desk.charged(desk.own, 500, charger_id="CP-2")
    desk.guest(desk.own)
    desk.charged(desk.other)
    desk.till.ask_refund(one, 300, from_account_id=f"income:{desk.own.operator_id}:EUR")
    desk.till.run_events()
    assert totals(desk, desk.own.access_token) == [
        {
            "currency": "EUR",
            "count": 3,
            "paid_count": 2,
            "gross": money(1500),
            "fee": money(90),
            "net": money(1110),
            "vat": money(335),
            "refunded": money(300),
            "fee_missing_count": 0,
        }
    ]
    [line] = totals(desk, desk.own.access_token, charger_id="CP-2")
    assert (line["count"], line["gross"]) == (1, money(500))
    assert totals(desk, desk.own.access_token, charger_id="CP-9") == []
    [everybody] = totals(desk)
    assert everybody["count"] == 4
    assert desk.ids(desk.own.access_token, charger_id="CP-2") == [two.payment_id]


def test_a_fee_that_is_not_told_yet_is_said_to_be_missing(desk: Desk) -> None:
    desk.till.fee = Money(45, "USD")
    desk.charged(desk.own, 1000)
    [line] = totals(desk, desk.own.access_token)
    assert (line["gross"], line["fee"], line["net"]) == (money(1000), money(0), money(1000))
    assert (line["paid_count"], line["fee_missing_count"]) == (1, 1)


def test_by_where_the_charger_stands_and_in_what_currency(desk: Desk) -> None:
    payment = desk.charged(desk.own)
    for query in ({"charger_country": "DE"}, {"charger_state": "Berlin"}, {"currency": "EUR"}):
        assert desk.ids(desk.own.access_token, **query) == [payment.payment_id]
    for query in ({"charger_country": "FR"}, {"charger_state": "DE"}, {"currency": "USD"}):
        assert desk.ids(desk.own.access_token, **query) == []


def test_by_a_group_of_chargers(desk: Desk, world: World) -> None:
    """Those that are in it now, or below it; the group says whose payments."""
    everybody, yard = grouped(world, desk.own, "CP-1")
    another, _ = grouped(world, desk.own, "CP-2")
    one, two = desk.charged(desk.own), desk.charged(desk.own, 500, charger_id="CP-2")
    desk.charged(desk.other)
    topup = desk.till.topped_up()
    for token in ("", desk.own.access_token):
        assert desk.ids(token, charger_group_id=everybody) == [one.payment_id]
        assert desk.ids(token, charger_group_id=yard) == [one.payment_id]
        assert desk.ids(token, charger_group_id=another) == [two.payment_id]
        [line] = totals(desk, token, charger_group_id=another)
        assert (line["count"], line["gross"]) == (1, money(500))
    assert topup.payment_id in desk.ids()
    for path in ("", "/totals"):
        assert desk.ask(path, desk.other.access_token, charger_group_id=yard).status == 404
        assert desk.ask(path, operator_id=desk.other.operator_id, charger_group_id=yard).status == 404
        assert desk.ask(path, charger_group_id="cgr_1").status == 404


def test_too_many_are_refused_not_cut(desk: Desk) -> None:
    for number in range(5):
        desk.charged(desk.own, 100, charger_id=f"CP-{number}")
    req = asked_by(desk, desk.own)
    whole = sum_payments(req, PaymentFilter(), most=5, page_size=2)["EUR"]
    assert (whole.count, whole.gross) == (5, 500)
    # What the filters leave out is looked at, too.
    for query in (PaymentFilter(), PaymentFilter(charger_id="CP-1")):
        with pytest.raises(DomainError) as refused:
            sum_payments(req, query, most=4, page_size=2)
        assert refused.value.code == "payments.too_many"
    assert desk.ask("/totals", desk.own.access_token, limit=5).status == 422
