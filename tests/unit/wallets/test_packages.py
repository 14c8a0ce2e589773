"""Packages: who is offered which, what a top-up freezes of one, and the rules of their owners."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.wallets import model, service
from chalicelib.wallets.model import MAX_PACKAGES, TopUpPackage
from tests.world import START, Operator, World


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


@pytest.fixture
def operator(world: World) -> Operator:
    world.platform_admin()
    return world.operator()


@pytest.fixture
def driver_id(world: World, operator: Operator) -> str:
    """A driver on the operator's list."""
    driver = Driver(world.ctx.new_id("drv"), "d@driver.example", "Dora", world.ctx.now())
    world.commit(lambda uow: drivers.create_driver(uow, driver))
    world.commit(lambda uow: drivers.link_operator(uow, operator.operator_id, driver.driver_id))
    return driver.driver_id


def make(world: World, owner_id: str = PLATFORM_ID, **fields: Any) -> TopUpPackage:
    """50.00 and 5.00 on top, on, unless `fields` say otherwise."""
    package = TopUpPackage(
        package_id=world.ctx.new_id("tpk"),
        owner_id=owner_id,
        name="Fifty",
        amount=eur(5000),
        state="on",
        sort_order=0,
        created_at=world.ctx.now(),
        bonus=eur(500),
    )
    package = replace(package, **fields)
    made: TopUpPackage = world.commit(lambda uow: service.create_package(uow, package))
    world.advance(1)
    return made


def refused_code(action: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refused:
        action()
    return refused.value.code


def offered(world: World, driver_id: str) -> list[str]:
    page, _ = service.list_offered(world.ctx, driver_id, limit=200, cursor=None)
    return [package.package_id for package in page.data]


def test_a_driver_is_offered_the_platforms_packages_and_those_of_operators_on_whose_list_they_are(
    world: World, operator: Operator, driver_id: str
) -> None:
    theirs = make(world, operator.operator_id)
    late = make(world, sort_order=5)
    first = make(world, sort_order=1)
    make(world, world.operator().operator_id)
    make(world, state="off")
    assert offered(world, driver_id) == [first.package_id, late.package_id, theirs.package_id]


def test_an_operator_that_turns_a_driver_away_offers_them_nothing(
    world: World, operator: Operator, driver_id: str
) -> None:
    package = make(world, operator.operator_id)
    driver = drivers.require_driver(world.ctx, driver_id)
    world.commit(lambda uow: drivers.set_driver_state(uow, driver, "inactive", operator_id=operator.operator_id))
    assert offered(world, driver_id) == []
    assert refused_code(lambda: service.choose_package(world.ctx, driver_id, package.package_id)) == (
        "topup_package.not_found"
    )


def test_offers_come_in_pages(world: World, driver_id: str) -> None:
    made = [make(world, sort_order=number).package_id for number in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        page, _ = service.list_offered(world.ctx, driver_id, limit=2, cursor=cursor)
        seen += [package.package_id for package in page.data]
        cursor = page.next_cursor
    assert (seen, cursor) == (made, None)


def test_what_is_off_is_not_chosen(world: World, driver_id: str) -> None:
    package = make(world)
    choose = lambda: service.choose_package(world.ctx, driver_id, package.package_id)  # noqa: E731
    assert choose() == package
    world.commit(lambda uow: service.change_package(uow, package, {"state": "off"}))
    assert refused_code(choose) == "topup_package.off"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"bonus": eur(5001)}, "topup_package.bonus"),
        ({"bonus": eur(0)}, "topup_package.bonus"),
        ({"bonus": eur(-1)}, "topup_package.bonus"),
        ({"bonus": Money(1, "USD")}, "topup_package.bonus"),
        ({"amount": eur(0), "bonus": None}, "wallet.amount_invalid"),
        ({"amount": eur(49), "bonus": None}, "wallet.amount_invalid"),
        ({"amount": Money(5000, "USD"), "bonus": None}, "topup_package.currency"),
    ],
)
def test_what_a_package_may_not_be(world: World, operator: Operator, fields: dict[str, Any], code: str) -> None:
    assert refused_code(lambda: make(world, operator.operator_id, **fields)) == code


def test_the_platform_sells_in_any_currency(world: World, operator: Operator) -> None:
    assert make(world, amount=Money(100, "JPY"), bonus=None).amount == Money(100, "JPY")


def test_there_are_so_many_packages_and_deleted_ones_do_not_count() -> None:
    package = TopUpPackage("tpk_1", "org_1", "P", eur(1), "off", 0, START)
    model.check_number([package] * (MAX_PACKAGES - 1) + [replace(package, state="deleted")])
    assert refused_code(lambda: model.check_number([package] * MAX_PACKAGES)) == "topup_package.too_many"


def begin(world: World, driver_id: str, package: TopUpPackage) -> str:
    now = world.ctx.now()
    topup_id = derived_id("top", now, package.package_id)
    world.commit(
        lambda uow: service.begin_topup(
            uow,
            topup_id=topup_id,
            payment_id=derived_id("pay", now, package.package_id),
            driver_id=driver_id,
            amount=package.amount,
            package=package,
        )
    )
    return topup_id


@pytest.mark.parametrize("change", [{"state": "off"}, {"bonus": None}, {"amount": eur(9000)}, {"name": "Other"}])
def test_what_becomes_of_a_package_after_it_was_chosen_changes_nothing(
    world: World, operator: Operator, driver_id: str, change: dict[str, Any]
) -> None:
    package = make(world, operator.operator_id)
    topup_id = begin(world, driver_id, package)
    world.commit(lambda uow: service.change_package(uow, package, change))
    world.commit(lambda uow: service.credit_topup(uow, topup_id, provider="stripe"))
    assert service.available(world.ctx, driver_id, "EUR") == eur(5500)
    topup = service.require_topup(world.ctx, topup_id)
    assert (topup.package_name, topup.amount, topup.bonus) == ("Fifty", eur(5000), eur(500))


def test_two_who_change_a_package_do_not_undo_each_other(world: World, operator: Operator) -> None:
    package = make(world)
    world.commit(lambda uow: service.change_package(uow, package, {"name": "One"}))
    stale = lambda: world.commit(lambda uow: service.change_package(uow, package, {"name": "Two"}))  # noqa: E731
    assert refused_code(stale) == "concurrent_change"


def test_a_deleted_package_is_found_where_it_is_asked_for_and_comes_back_off(world: World, operator: Operator) -> None:
    package = make(world)
    deleted = world.commit(lambda uow: service.set_package_state(uow, package, "deleted"))
    listed = lambda state: service.list_packages(world.ctx, PLATFORM_ID, state=state, limit=9, cursor=None).data  # noqa: E731
    assert (listed(None), listed("deleted")) == ([], [deleted])
    assert refused_code(lambda: world.commit(lambda uow: service.change_package(uow, deleted, {"state": "on"}))) == (
        "topup_package.deleted"
    )
    world.commit(lambda uow: service.set_package_state(uow, deleted, "off"))
    assert [each.state for each in listed(None)] == ["off"]
