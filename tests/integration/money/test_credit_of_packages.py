"""Bonuses are an operator's word for as long as a page is open: all open pages together are no more than it may owe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.wallets import service as wallets
from chalicelib.wallets.model import TopUpPackage
from tests.integration.money.owing import owed, settle_night, take_cash, trust_with, unsettled
from tests.site import Site

BONUS = 100


@pytest.fixture
def package(site: Site) -> TopUpPackage:
    """With a bonus of 1.00, of an operator that may owe 2.50."""
    trust_with(site, 250)
    made = TopUpPackage(
        "tpk_1", site.operator.operator_id, "Ten", Money(1000, "EUR"), "on", 0, site.world.ctx.now(), euro(BONUS)
    )
    site.world.commit(lambda uow: wallets.create_package(uow, made))
    return made


def euro(amount: int) -> Money:
    return Money(amount, "EUR")


def begin(site: Site, package: TopUpPackage) -> str:
    """A page that waits for its payer; the id of the top-up, or the code of a refusal."""
    site.advance_s(1)
    topup_id, payment_id = site.world.ctx.new_id("top"), site.world.ctx.new_id("pay")
    try:
        site.world.commit(
            lambda uow: wallets.begin_topup(
                uow,
                topup_id=topup_id,
                payment_id=payment_id,
                driver_id=site.driver.driver_id,
                amount=package.amount,
                package=wallets.choose_package(uow.ctx, site.driver.driver_id, package.package_id),
            )
        )
    except DomainError as error:
        return error.code
    return topup_id


def pay(site: Site, topup_id: str) -> None:
    site.world.commit(lambda uow: wallets.credit_topup(uow, topup_id, provider="stripe"))


def fail(site: Site, topup_id: str) -> None:
    site.world.commit(lambda uow: wallets.fail_topup(uow, topup_id, failure="expired"))


def test_pages_that_are_open_at_once_promise_no_more_than_the_operator_may_owe(
    site: Site, package: TopUpPackage
) -> None:
    pages = [begin(site, package) for _ in range(5)]
    assert pages[2:] == ["operator.credit_exhausted"] * 3
    for topup_id in pages[:2]:
        pay(site, topup_id)
    assert (unsettled(site), take_cash(site, 51).status) == (200, 409)
    settle_night(site)
    assert (owed(site), unsettled(site)) == (-200, 0)
    assert begin(site, package) == "operator.credit_exhausted"


def test_a_page_that_ends_unpaid_gives_its_bonus_back_once(site: Site, package: TopUpPackage) -> None:
    first, second = begin(site, package), begin(site, package)
    for _ in range(2):
        fail(site, first)
    assert unsettled(site) == 100
    assert begin(site, package).startswith("top_")
    pay(site, second)
    fail(site, second)
    assert unsettled(site) == 200, "what is paid stays paid, whatever is told later"


def test_a_page_that_is_paid_after_all_is_kept_to_and_noted(site: Site, package: TopUpPackage) -> None:
    late = begin(site, package)
    fail(site, late)
    assert take_cash(site, 250).status == 201
    for _ in range(2):
        pay(site, late)
    assert unsettled(site) == 350
    assert take_cash(site, 1).status == 409
    settle_night(site)
    assert (owed(site), unsettled(site)) == (-350, 0)


def test_one_driver_does_not_hold_all_that_an_operator_may_owe(site: Site, package: TopUpPackage) -> None:
    trust_with(site, 100_000)
    pages = [begin(site, package) for _ in range(6)]
    assert [page.startswith("top_") for page in pages] == [True] * 5 + [False]
    assert (pages[5], unsettled(site)) == ("topup.too_many_open", 500)
    fail(site, pages[0])
    assert begin(site, package).startswith("top_")
    own = replace(package, package_id="tpk_2", owner_id=PLATFORM_ID)
    site.world.commit(lambda uow: wallets.create_package(uow, own))
    assert begin(site, own).startswith("top_"), "what the platform gives nobody can use up"


def test_the_platforms_bonuses_are_its_own(site: Site, package: TopUpPackage) -> None:
    own = replace(package, package_id="tpk_2", owner_id=PLATFORM_ID)
    site.world.commit(lambda uow: wallets.create_package(uow, own))
    for _ in range(3):
        fail(site, begin(site, own))
        pay(site, begin(site, own))
    assert unsettled(site) == 0
