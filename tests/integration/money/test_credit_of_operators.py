"""Money that an operator puts into wallets without having paid it in: bounded by what the platform trusts it with."""

from __future__ import annotations

from threading import Thread

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.wallets import service as wallets
from tests.integration.money.owing import (
    euro,
    owed,
    put_limit,
    settle_night,
    take_cash,
    trust_with,
    unsettled,
    withdraw,
)
from tests.integration.money.paying import charge
from tests.site import Site
from tests.world import Reply


@pytest.fixture(autouse=True)
def trusted_with_a_hundred(site: Site) -> None:
    trust_with(site, 10_000)


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
    assert owed(site) == -6_000
    assert take_cash(site, 4_001).status == 409
    assert take_cash(site, 4_000).status == 201


@pytest.mark.parametrize("currency", ["USD", "GBP", "KWD"])
def test_the_limit_is_not_there_again_in_every_other_currency(site: Site, currency: str) -> None:
    refused = take_cash(site, 1_000, currency=currency)
    assert (refused.status, refused.body["code"]) == (422, "adjustment.currency")
    assert wallets.available(site.world.ctx, site.driver.driver_id, currency).amount == 0


def test_what_is_owed_to_the_operator_is_good_for_cash_and_stays_until_the_night(site: Site) -> None:
    put_limit(site, 0)
    charge(site, 10_000)  # 3.50
    assert take_cash(site, 1).status == 409, "what was sold today may still be given back today"
    settle_night(site)
    assert (owed(site), take_cash(site, 351).status, take_cash(site, 300).status) == (350, 409, 201)
    refused = withdraw(site, 51)
    assert (refused.status, refused.body["code"]) == (409, "ledger.insufficient_funds")
    assert "0.50 EUR" in refused.body["detail"]
    assert withdraw(site, 50).status == 201
    assert take_cash(site, 1).status == 409
    settle_night(site)
    assert (owed(site), unsettled(site)) == (0, 0)


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
    assert owed(site) == 0
    assert take_cash(site, 10_000).status == 201
    own = site.world.access_token(site.operator.user.email)
    assert site.world.rest.post("/v1/debt-payments", body, token=own, key="own").status == 403
