"""A night is settled in the middle of a request: what an operator owes is counted once, wherever it stands then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.identity.model.bank_accounts import BankAccount
from chalicelib.kernel import context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.settlement import jobs
from chalicelib.settlement import service as settlement
from chalicelib.wallets import service as wallets
from tests.integration.money.owing import owed, put_limit, settle_night, take_cash, trust_with, unsettled
from tests.integration.money.paying import charge
from tests.integration.money.test_interleavings import MortalContext
from tests.site import Site

LIMIT = 10_000


class InterruptedContext(MortalContext):
    """Something else happens right before the n-th call to the store."""

    at: int | None = None
    work: Callable[[], Any] | None = None

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call = super().__getattr__(operation)

        def interrupted(**request: Any) -> Any:
            if self.at is not None and self.work is not None and self.calls + 1 == self.at:
                self.at = None
                self.work()
            return call(**request)

        return interrupted

    def interrupt(self, at: int, work: Callable[[], Any]) -> None:
        self.calls, self.at, self.work = 0, at, work


@pytest.fixture
def ctx(site: Site) -> InterruptedContext:
    trust_with(site, LIMIT)
    ctx = InterruptedContext(site.world.ctx)
    site.world.ctx = ctx
    context.install(ctx)
    return ctx


def today(site: Site) -> dict[str, str]:
    return {"operator_id": site.operator.operator_id, "business_day": site.world.clock.now().date().isoformat()}


def take(site: Site, amount: int, business_day: str) -> None:
    entry_id = site.world.ctx.new_id("ent")
    site.world.commit(
        lambda uow: wallets.adjust_wallet(
            uow,
            entry_id=entry_id,
            driver_id=site.driver.driver_id,
            operator_id=site.operator.operator_id,
            direction="top_up",
            amount=Money(amount, "EUR"),
            reason="cash",
            business_day=business_day,
        )
    )


def compute(site: Site, day: dict[str, str]) -> None:
    site.world.run_job(jobs.open_settlements)
    jobs.settlement_compute(day, None)


@pytest.mark.parametrize("at", range(1, 9))
def test_a_night_that_comes_in_between_gives_no_credit_twice(site: Site, ctx: InterruptedContext, at: int) -> None:
    day = today(site)
    take_cash(site, LIMIT)
    site.advance(24 * 60)
    compute(site, day)
    ctx.interrupt(at, lambda: jobs.settlement_post(day, None))
    with suppress(DomainError):
        take(site, LIMIT, today(site)["business_day"])
    assert ctx.at is None, "a request makes so many calls at least"
    assert owed(site) - unsettled(site) == -LIMIT
    settle_night(site)
    assert (owed(site), unsettled(site)) == (-LIMIT, 0)


@pytest.mark.parametrize("at", range(1, 10))
def test_what_is_taken_and_settled_in_between_is_seen(site: Site, ctx: InterruptedContext, at: int) -> None:
    """What is unsettled is then what it was before."""
    day = today(site)
    site.advance(24 * 60)

    def take_and_settle() -> None:
        take(site, LIMIT, day["business_day"])
        compute(site, day)
        jobs.settlement_post(day, None)

    ctx.interrupt(at, take_and_settle)
    with suppress(DomainError):
        take(site, LIMIT, today(site)["business_day"])
    assert ctx.at is None, "a request makes so many calls at least"
    assert owed(site) - unsettled(site) == -LIMIT


@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("other", ["cash", "withdrawal"])
def test_what_is_owed_is_not_withdrawn_beside_cash_that_it_is_good_for(
    site: Site, ctx: InterruptedContext, at: int, other: str
) -> None:
    """Of 3.50: 3.00 in cash and 3.00 withdrawn, in the same moment; or, beside 2.00 in cash, 1.00 withdrawn twice."""
    put_limit(site, 0)
    charge(site, 10_000)
    settle_night(site)
    day = today(site)["business_day"]

    def withdraw(amount: int, key: str) -> None:
        account = BankAccount("Operator", "DE89370400440532013000", ctx.now())
        organization = replace(site.operator.organization, bank_account=account)
        site.world.commit(
            lambda uow: settlement.request_withdrawal(
                uow,
                organization,
                amount=Money(amount, "EUR"),
                method="bank",
                requested_at=ctx.now(),
                requested_by="usr_1",
                login_id="log_1",
                key=key,
            )
        )

    if other == "cash":
        ctx.interrupt(at, lambda: take(site, 300, day))
        amount, left = 300, (350, 300)
    else:
        take(site, 200, day)
        ctx.interrupt(at, lambda: withdraw(100, "other"))
        amount, left = 100, (250, 200)
    with pytest.raises(DomainError, match="insufficient_funds"):
        withdraw(amount, "one")
    assert ctx.at is None, "a request makes so many calls at least"
    assert (owed(site), unsettled(site)) == left
