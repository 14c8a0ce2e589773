"""An import that is taken back leaves drivers alone who have had money since, in whatever currency."""

from __future__ import annotations

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.files.kinds.drivers import DRIVERS
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.wallets import service as wallets
from tests.unit.files.conftest import Files


@pytest.fixture
def driver_id(files: Files) -> str:
    assert files.imported("drivers", "email,full_name\ndana@driver.example,Dana\n")["state"] == "done"
    found = drivers.list_drivers(
        files.world.ctx, files.operator.operator_id, state=None, words="", limit=10, cursor=None
    )
    return found.data[0].driver_id


def pay_in(files: Files, driver_id: str, direction: str, currency: str) -> None:
    files.world.advance(1)
    files.world.commit(
        lambda uow: wallets.adjust_wallet(
            uow,
            entry_id=files.world.ctx.new_id("ent"),
            driver_id=driver_id,
            # an operator takes cash in its own currency only
            operator_id=files.operator.operator_id if currency == "EUR" else PLATFORM_ID,
            direction=direction,  # type: ignore[arg-type]
            amount=Money(500, currency),
            reason="cash",
            business_day="2026-03-02",
        )
    )


@pytest.mark.parametrize("currency", ["EUR", "NOK"])
def test_money_that_came_and_went_keeps_the_driver(files: Files, driver_id: str, currency: str) -> None:
    for direction in ("top_up", "deduct"):
        pay_in(files, driver_id, direction, currency)
    with pytest.raises(DomainError, match="changed"):
        files.world.commit(lambda uow: DRIVERS.take_back(uow, driver_id))
    assert drivers.get_driver(files.world.ctx, driver_id) is not None


def test_money_that_comes_at_this_moment_keeps_the_driver(files: Files, driver_id: str) -> None:
    taking = UnitOfWork(files.world.ctx)
    DRIVERS.take_back(taking, driver_id)
    pay_in(files, driver_id, "top_up", "EUR")
    with pytest.raises(StaleRead):
        taking.commit()
    assert drivers.get_driver(files.world.ctx, driver_id) is not None


def test_a_driver_without_money_goes(files: Files, driver_id: str) -> None:
    files.world.commit(lambda uow: DRIVERS.take_back(uow, driver_id))
    assert drivers.get_driver(files.world.ctx, driver_id) is None
