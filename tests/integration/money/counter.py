"""A counter that sells vouchers: its operator, drivers, and the product's services as entry points call them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.identity.model.settings import Credit
from chalicelib.identity.service import settings
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import business_day
from chalicelib.wallets import service as wallets
from chalicelib.wallets.model.vouchers import VoucherBatch
from chalicelib.wallets.service import NewBatch, Presenter
from tests.world import World

CLERK = "usr_clerk"


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


class Counter:
    def __init__(self, world: World, names: int = 2) -> None:
        self.world = world
        world.platform_admin()
        self.organization = world.operator().organization
        self.driver_ids = [self._add_driver(number) for number in range(names)]

    @property
    def operator_id(self) -> str:
        return self.organization.organization_id

    def _add_driver(self, number: int) -> str:
        driver = Driver(
            self.world.ctx.new_id("drv"), f"driver{number}@driver.example", "A driver", self.world.ctx.now()
        )
        self.world.commit(lambda uow: drivers.create_driver(uow, driver))
        return driver.driver_id

    # -- what an entry point decides ------------------------------------------------------------------------------

    def making(self, batch_id: str, size: int, amount: int, valid_for: timedelta) -> Callable[[UnitOfWork], Any]:
        new = NewBatch(
            batch_id=batch_id,
            owner_id=self.operator_id,
            name="Kiosk",
            face_value=eur(amount),
            size=size,
            valid_until=self.world.ctx.now() + valid_for,
            created_by=CLERK,
        )
        return lambda uow: wallets.create_batch(uow, new)

    def activating(self, batch_id: str) -> Callable[[UnitOfWork], Any]:
        return lambda uow: wallets.activate_batch(uow, self.batch(batch_id))

    def blocking(self, batch_id: str) -> Callable[[UnitOfWork], Any]:
        return lambda uow: wallets.block_batch(uow, self.batch(batch_id))

    def voiding(self, voucher_id: str) -> Callable[[UnitOfWork], Any]:
        return lambda uow: wallets.void_voucher(
            uow, wallets.require_voucher(uow.ctx, voucher_id), reason="lost", by=CLERK
        )

    def redeeming(self, code: str, driver_id: str) -> Callable[[UnitOfWork], Any]:
        return lambda uow: wallets.redeem_voucher(
            uow, typed=code, driver_id=driver_id, presenter=Presenter(driver_id, "192.0.2.7")
        )

    def trust_with(self, limit: int) -> None:
        """Minor units that the operator may owe to the platform."""
        known = settings.get_setting(self.world.ctx, self.operator_id, "credit")
        self.world.commit(lambda uow: settings.put_setting(uow, self.organization, known, Credit(limit), None))

    # -- what there is --------------------------------------------------------------------------------------------

    def sell(self, size: int, amount: int, valid_for: timedelta = timedelta(days=30)) -> tuple[str, list[str]]:
        """An active batch, and its codes."""
        batch_id = self.world.ctx.new_id("vcb")
        self.world.commit(self.making(batch_id, size, amount, valid_for))
        self.world.commit(self.activating(batch_id))
        return batch_id, self.codes(batch_id)

    def codes(self, batch_id: str) -> list[str]:
        _, listed = self.world.commit(lambda uow: wallets.list_codes(uow, self.batch(batch_id)))
        return [code for _, code in listed]

    def batch(self, batch_id: str) -> VoucherBatch:
        return wallets.require_batch(self.world.ctx, batch_id)

    def balances(self) -> list[int]:
        return [wallets.available(self.world.ctx, driver_id, "EUR").amount for driver_id in self.driver_ids]

    def cash_of_today(self) -> int:
        day = business_day(self.world.ctx.now(), self.organization.time_zone)
        return -ledger.total_of_period(self.world.ctx, f"cash:{self.operator_id}:EUR", day).amount

    def check_books(self) -> None:
        assert proving.prove_ledger(self.world.ctx).faults == []
