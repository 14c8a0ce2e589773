"""Twenty threads at one wallet, each with something else: charges begin, are extended, end and are told again, cash is
taken back, top-ups are paid back. It is never overdrawn, and every cent is where somebody was told that it went."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging import service as charging
from chalicelib.charging.model import MeterSample
from chalicelib.drivers import service as drivers
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.ids import derived_id
from chalicelib.ledger import proving
from chalicelib.ledger.store import LINES
from chalicelib.payments import service as payments
from chalicelib.wallets import service as wallets
from tests.integration.money.test_contention import THREADS, at_once
from tests.site import Site, build_site
from tests.unit.payments.till import Till, euro, page
from tests.world import World

PAID, CASH = 6000, 1000
LEAST_REQUESTED = 450
TRIES = 100
OPEN_OR_REFUSED = {
    "done",
    "ledger.insufficient_funds",
    "refund.exceeds_captured",
    "wallet.deduct_exceeds_cash",
    "wallet.refund_exceeds_balance",
}


@dataclass
class Fight:
    """A wallet with 60.00 paid by card and 10.00 in cash, and chargers enough, one connector each."""

    site: Site
    till: Till
    topup_id: str
    began_at: datetime

    @property
    def world(self) -> World:
        return self.site.world

    @property
    def driver_id(self) -> str:
        return self.site.driver.driver_id

    def charger(self, number: int) -> Charger:
        return chargers.require_charger(self.world.ctx, f"CP-{number}")

    def again(self, decide: Callable[[Any], Any]) -> Any:
        """As somebody who is told to try again."""
        for _ in range(TRIES):
            with suppress(StaleRead):
                return self.world.commit(decide)
        raise AssertionError("it is tried forever")

    def request(self, number: int, amount: int | None) -> str:
        session_id = derived_id("ses", self.began_at, str(number))
        self.again(
            lambda uow: charging.request_session(
                uow,
                session_id=session_id,
                driver_id=self.driver_id,
                charger_id=f"CP-{number}",
                evse_no=1,
                amount=None if amount is None else euro(amount),
            )
        )
        return session_id

    def begin(self, number: int, amount: int | None) -> int:
        self.request(number, amount)
        outcome = self.again(
            lambda uow: charging.start_by_charger(
                uow,
                charger=self.charger(number),
                evse_no=1,
                id_token=drivers.app_token(self.driver_id),
                meter_start_wh=0,
                started_at=self.began_at,
                message_id=f"start-{number}",
            )
        )
        return int(outcome.transaction_id)

    def meter(self, number: int, transaction_id: int, energy_wh: int) -> None:
        sample = MeterSample(self.world.ctx.now(), energy_wh=energy_wh)
        self.again(
            lambda uow: charging.record_meter_values(
                uow, charger=self.charger(number), evse_no=1, transaction_id=transaction_id, samples=[sample]
            )
        )

    def stop(self, number: int, transaction_id: int, energy_wh: int) -> None:
        self.again(
            lambda uow: charging.stop_by_charger(
                uow,
                charger=self.charger(number),
                transaction_id=transaction_id,
                meter_stop_wh=energy_wh,
                stopped_at=self.world.ctx.now(),
                reason="Local",
                id_token=None,
                samples=[],
            )
        )

    def deduct(self, number: int, amount: int) -> None:
        self.again(lambda uow: self.adjust(uow, number, -amount))

    def adjust(self, uow: Any, number: int, amount: int) -> None:
        wallets.adjust_wallet(
            uow,
            entry_id=derived_id("ent", self.began_at, "cash", str(number)),
            driver_id=self.driver_id,
            operator_id=self.site.operator.operator_id,
            direction="top_up" if amount > 0 else "deduct",
            amount=euro(abs(amount)),
            reason="cash",
            business_day="2026-03-02",
        )

    def refund(self, number: int, amount: int) -> None:
        self.again(
            lambda uow: wallets.refund_topup(
                uow,
                refund_id=f"rfd_{number}",
                topup_id=self.topup_id,
                amount=euro(amount),
                reason="asked for",
                requested_by="usr_1",
            )
        )


@pytest.fixture
def fight(world: World) -> Fight:
    world.platform_admin()
    site = build_site(world, money=0)
    for number in range(12):
        new = Charger(f"CP-{number}", site.operator.operator_id, 1, "", world.clock.now())
        charger, _, _ = world.commit(partial(chargers.register_charger, charger=new, password="a-good-password-of-20"))
        charger = world.commit(partial(chargers.place_charger, charger=charger, location=site.location))
        connected = partial(chargers.open_connection, charger=charger, connection_id=f"c{number}=", protocol="ocpp1.6")
        world.commit(connected)
    fight = Fight(site, Till(world), derived_id("top", world.ctx.now(), "1"), world.ctx.now())
    pay(fight)
    world.commit(lambda uow: fight.adjust(uow, 99, CASH))
    world.advance(1)
    return fight


def pay(fight: Fight) -> None:
    payment_id = derived_id("pay", fight.began_at, "1")
    _, payment = fight.world.commit(
        lambda uow: wallets.begin_topup(
            uow, topup_id=fight.topup_id, payment_id=payment_id, driver_id=fight.driver_id, amount=euro(PAID)
        )
    )
    fight.world.commit(lambda uow: payments.open_checkout(uow, fight.till.provider, payment))
    fight.till.provider.pay(page(payment))
    fight.till.notify(payment)
    fight.world.commit(lambda uow: wallets.credit_topup(uow, fight.topup_id, provider="stripe"))


def test_whatever_twenty_do_at_once_the_wallet_is_what_is_left(fight: Fight) -> None:
    until_full = [fight.begin(number, None) for number in (0, 1)]  # 20.00 are held for each
    for_amounts = [fight.begin(number, 300) for number in (2, 3, 4)]
    fight.world.advance(600)
    works: list[Callable[[], object]] = [
        *(partial(fight.request, number, LEAST_REQUESTED) for number in range(5, 9)),
        *(partial(fight.meter, number, until_full[number], 55_000) for number in (0, 1)),
        *(partial(fight.stop, number, for_amounts[number - 2], 5_000 * number) for number in (2, 3, 4)),
        *(partial(fight.stop, number, for_amounts[number - 2], 5_000 * number) for number in (2, 3)),
        *(partial(fight.deduct, number, 300) for number in range(5)),
        *(partial(fight.refund, number, 900) for number in range(4)),
    ]
    assert len(works) == THREADS
    results = at_once(works)
    assert set(results) <= OPEN_OR_REFUSED
    assert results.total() == THREADS
    assert results["ledger.insufficient_funds"] + results["wallet.refund_exceeds_balance"] > 0, "there was not enough"
    assert proving.prove_ledger(fight.world.ctx).fault_count == 0
    for number in (0, 1):
        fight.stop(number, until_full[number], 60_000)
    for session in fight.site.sessions():
        if session.is_pending:
            fight.world.commit(partial(charging.expire_request, session_id=session.session_id))
    check_the_wallet(fight)


def check_the_wallet(fight: Fight) -> None:
    world, operator_id = fight.world, fight.site.operator.operator_id
    cdrs = [
        cdr for session in fight.site.sessions() for cdr in lookup.list_cdrs_of_session(world.ctx, session.session_id)
    ]
    assert len(cdrs) == 5, "one for each charge"
    captured = sum(cdr.captured.amount for cdr in cdrs)
    cash = wallets.cash_taken(world.ctx, fight.driver_id, operator_id, "EUR").amount
    payment_id = wallets.require_topup(world.ctx, fight.topup_id).payment_id
    refunded = payments.require_payment(world.ctx, payment_id).refunded or euro(0)
    left = wallets.available(world.ctx, fight.driver_id, "EUR").amount
    assert left == PAID + cash - refunded.amount - captured
    assert left >= 0
    books = sums(world)
    assert books.pop(f"income:{operator_id}:EUR") == captured
    assert books.pop(f"wallet:{fight.driver_id}:EUR", 0) == left
    assert books.pop("refunds:stripe:EUR", 0) == refunded.amount
    assert books.pop(f"cash:{operator_id}:EUR") == -cash
    assert books == {"clearing:stripe:EUR": -PAID}


def sums(world: World) -> dict[str, int]:
    """By account, from every entry there is; empty accounts left out."""
    totals: dict[str, int] = {}
    for line in LINES.scan_all(world.ctx):
        for posting in line.postings:
            totals[posting.account_id] = totals.get(posting.account_id, 0) + posting.amount
    return {account_id: amount for account_id, amount in totals.items() if amount}
