"""Money that an operator puts into wallets without having paid it in: bounded by what the platform trusts it with."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import payable_account
from chalicelib.settlement import jobs as settlement
from chalicelib.wallets import service as wallets
from tests.site import Site
from tests.world import Reply


def euro(amount: int) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


@pytest.fixture(autouse=True)
def trusted_with_a_hundred(site: Site) -> None:
    site.world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, site.driver.driver_id))
    reply = put_limit(site, 10_000, site.world.platform_admin())
    assert reply.status == 200, reply.body


def put_limit(site: Site, limit: int | None, token: str) -> Reply:
    query = {"organization_id": site.operator.operator_id}
    return site.world.rest.put("/v1/settings/credit", {"limit": limit}, token=token, query=query)


def take_cash(site: Site, amount: int, key: str = "", direction: str = "top_up") -> Reply:
    site.advance_s(1)
    token = site.world.access_token(site.operator.user.email)
    body = {"direction": direction, "amount": euro(amount), "reason": "cash"}
    path = f"/v1/wallets/{site.driver.driver_id}/adjustments"
    return site.world.rest.post(path, body, token=token, key=key or f"cash-{site.world.clock.now()}")


def settle_night(site: Site) -> None:
    event = {"operator_id": site.operator.operator_id, "business_day": site.world.clock.now().date().isoformat()}
    site.advance(24 * 60)
    site.world.run_job(settlement.open_settlements)
    settlement.settlement_compute(event, None)
    settlement.settlement_post(event, None)


def test_no_more_cash_than_the_operator_may_owe(site: Site) -> None:
    assert take_cash(site, 9_000).status == 201
    refused = take_cash(site, 1_001)
    assert (refused.status, refused.body["code"]) == (409, "operator.credit_exhausted")
    assert "10.00 EUR" in refused.body["detail"]
    assert take_cash(site, 1_000).status == 201


def test_what_is_taken_back_is_owed_no_more(site: Site) -> None:
    assert take_cash(site, 10_000).status == 201
    assert take_cash(site, 4_000, direction="deduct").status == 201
    assert take_cash(site, 4_001).status == 409
    assert take_cash(site, 4_000).status == 201


def test_what_was_settled_is_counted_once_as_what_is_owed(site: Site) -> None:
    assert take_cash(site, 6_000).status == 201
    settle_night(site)
    owed = ledger.balance(site.world.ctx, payable_account(site.operator.operator_id, "EUR"))
    assert owed == Money(-6_000, "EUR")
    assert take_cash(site, 4_001).status == 409
    assert take_cash(site, 4_000).status == 201


def test_clerks_at_ten_counters_do_not_exceed_it_together(site: Site) -> None:
    ctx, operator_id = site.world.ctx, site.operator.operator_id
    done: list[str] = []

    def take(number: int) -> None:
        try:
            site.world.commit(
                lambda uow: wallets.adjust_wallet(
                    uow,
                    entry_id=ids[number],
                    driver_id=site.driver.driver_id,
                    operator_id=operator_id,
                    direction="top_up",
                    amount=Money(3_000, "EUR"),
                    reason="cash",
                    business_day="2026-03-02",
                )
            )
            done.append("taken")
        except DomainError as error:
            done.append(error.code)

    ids = [ctx.new_id("ent") for _ in range(10)]
    threads = [Thread(target=take, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= done.count("taken") <= 3
    assert set(done) <= {"taken", "operator.credit_exhausted", "concurrent_change"}


def test_an_operator_does_not_set_its_own_limit(site: Site) -> None:
    assert put_limit(site, 10**9, site.operator.access_token).status == 403


def test_a_correction_gives_back_no_more_than_the_operator_may_owe(site: Site) -> None:
    outcome = site.start(meter_wh=1000)
    site.advance(60)
    site.stop(outcome.transaction_id, 11_000)
    [session] = site.sessions()
    assert (session.captured, session.abnormal_cause) == (350, None)
    put_limit(site, 0, site.world.platform_admin())
    path = f"/v1/sessions/{session.session_id}/corrections"
    token = site.world.access_token(site.operator.user.email)
    reply = site.world.rest.post(path, {"amount": euro(0), "reason": "A friend"}, token=token, key="friend")
    assert (reply.status, reply.body["code"]) == (409, "operator.credit_exhausted")
    assert site.session(session.session_id).captured == 350


def test_what_an_operator_pays_of_its_debt_is_credit_again(site: Site) -> None:
    take_cash(site, 10_000)
    settle_night(site)
    assert take_cash(site, 1).status == 409
    site.world.platform_admin()
    body = {
        "organization_id": site.operator.operator_id,
        "amount": euro(10_000),
        "reference": "SEPA 7",
        "paid_at": site.world.clock.now().isoformat(),
    }

    def pay(key: str) -> Reply:
        token = site.world.access_token("admin@platform.example")
        return site.world.rest.post("/v1/debt-payments", body, token=token, key=key)

    assert [pay("once").status, pay("once").status] == [201, 201]
    assert pay("twice").body["code"] == "debt_payment.exceeds_debt"
    assert ledger.balance(site.world.ctx, payable_account(site.operator.operator_id, "EUR")).amount == 0
    assert take_cash(site, 10_000).status == 201
    own = site.world.access_token(site.operator.user.email)
    assert site.world.rest.post("/v1/debt-payments", body, token=own, key="own").status == 403
