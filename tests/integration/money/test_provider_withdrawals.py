"""A withdrawal that the payment provider pays: from the payee's account to the money, through the local stack's Stripe,
and with a process that dies at any store call."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.kernel import context
from chalicelib.kernel.money import Money
from chalicelib.ledger import proving
from chalicelib.payments import jobs as payments_jobs
from chalicelib.payments import service as payments
from chalicelib.payments.providers.port import PayoutState, ProviderUnavailable
from chalicelib.relay import CONSUMERS
from chalicelib.settlement import service
from chalicelib.settlement.model import Withdrawal
from tests.integration.money.conftest import StripeDesk
from tests.integration.money.memory_provider import MemoryProvider
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.integration.money.test_topups import settle_events, top_up
from tests.settling import Books, open_books, totals_by_class, withdrawal_of
from tests.world import Reply, World

DAY = "2026-03-02"
MOST_CALLS = 60


@pytest.fixture
def books(world: World) -> Books:
    """10.00 are owed to an operator."""
    books = open_books(world)
    books.sell(1000)
    books.sleep()
    books.settle(DAY)
    return books


def ask(books: Books, method: str, path: str, body: Any = None, *, platform: bool = False, **options: Any) -> Reply:
    token = books.world.platform_admin() if platform else books.world.access_token(books.operator.user.email)
    return books.world.rest.request(method, f"/v1{path}", body, token=token, **options)


def request(books: Books, amount: int = 600, key: str = "key-1") -> Reply:
    body = {"amount": {"amount": amount, "currency": "EUR"}, "method": "provider"}
    return ask(books, "POST", "/withdrawals", body, key=key)


def approve(books: Books, withdrawal_id: str) -> Reply:
    return ask(books, "POST", f"/withdrawals/{withdrawal_id}/approve", platform=True, key=f"approve-{withdrawal_id}")


def money(books: Books) -> tuple[int, int]:
    """Owed, under way."""
    return books.owed(), totals_by_class(books.world).get(("withdrawals", "EUR"), 0)


# -- through Stripe -------------------------------------------------------------------------------------------------


def onboard(books: Books, desk: StripeDesk) -> None:
    """The operator opens its account, goes to the provider's page, and comes back."""
    assert ask(books, "PUT", "/payout-account").body["state"] == "incomplete"
    url = ask(books, "POST", "/payout-account/links").body["url"]
    payee_ref = ask(books, "GET", "/payout-account").body["payee_ref"]
    link_id = parse_qs(urlsplit(url).query)["link"][0]

    async def visit() -> None:
        desk.fake.payees.visit(payee_ref, link_id, finished=True)

    desk.run(visit())
    desk.deliver()


def fill_balance(books: Books, desk: StripeDesk) -> None:
    """Somebody pays, so that the platform has something at the provider."""
    driver = books.world.driver_token("drv_payer")
    _, topup = top_up(books.world, driver)
    desk.payer(topup["payment_id"], "succeed")
    desk.deliver()
    settle_events(books.world)


def settle(books: Books, desk: StripeDesk, withdrawal_id: str, *, succeeds: bool) -> str:
    async def act() -> None:
        desk.fake.payees.act_on_payout(withdrawal_id, succeeds=succeeds)

    desk.run(act())
    desk.deliver()
    books.world.run_events()
    return withdrawal_of(books.world.ctx, withdrawal_id).state


def test_from_the_payees_account_to_the_bank(books: Books, desk: StripeDesk) -> None:
    assert ask(books, "GET", "/payout-account").body["state"] == "none"
    assert ask(books, "POST", "/payout-account/links").status == 404
    assert request(books, key="early").body["code"] == "payout.no_payee"
    assert ask(books, "PUT", "/payout-account").body["state"] == "incomplete"
    assert request(books, key="too early").body["code"] == "payout.payee_not_ready"
    onboard(books, desk)
    stored = payments.find_payee_of(books.world.ctx, books.operator_id)
    assert stored is not None
    assert stored.state == "ready"  # the notification told
    fill_balance(books, desk)
    asked = request(books)
    assert (asked.status, asked.body["bank_account"]) == (201, None)
    withdrawal_id = asked.body["withdrawal_id"]
    assert approve(books, withdrawal_id).body["state"] == "paying"
    path = f"/withdrawals/{withdrawal_id}/reject"
    assert ask(books, "POST", path, {"reason": "Late"}, platform=True, key="r").status == 409
    books.world.run_events()
    assert payments.require_payout(books.world.ctx, withdrawal_id).state == "pending"
    assert money(books) == (400, 600)
    assert settle(books, desk, withdrawal_id, succeeds=True) == "paid"
    assert money(books) == (400, 0)
    for body, headers in list(desk.deliveries):
        assert desk.post_event(body, headers) == 200  # everything once more
    books.world.run_events()
    assert money(books) == (400, 0)


def test_a_bank_that_sends_it_back(books: Books, desk: StripeDesk) -> None:
    onboard(books, desk)
    fill_balance(books, desk)
    withdrawal_id = request(books).body["withdrawal_id"]
    approve(books, withdrawal_id)
    books.world.run_events()
    assert settle(books, desk, withdrawal_id, succeeds=True) == "paid"
    assert settle(books, desk, withdrawal_id, succeeds=False) == "failed"
    assert money(books) == (1000, 0)
    assert payments.require_payout(books.world.ctx, withdrawal_id).state == "failed"


def test_a_silent_provider_is_asked_again(books: Books, desk: StripeDesk) -> None:
    onboard(books, desk)
    fill_balance(books, desk)
    withdrawal_id = request(books).body["withdrawal_id"]
    approve(books, withdrawal_id)
    desk.break_next(work_done=True)
    with pytest.raises(ProviderUnavailable):
        books.world.run_events()
    assert payments.require_payout(books.world.ctx, withdrawal_id).state == "requested"
    books.world.advance(601)
    assert books.world.run_job(payments_jobs.reconcile_payments) == {"payout_pending": 1}
    books.world.advance(3 * 24 * 3600)
    assert books.world.run_job(payments_jobs.reconcile_payments) == {"payout_paid": 1}
    books.world.run_events()
    assert withdrawal_of(books.world.ctx, withdrawal_id).state == "paid"
    assert money(books) == (400, 0)


def test_an_account_that_the_provider_did_not_answer_for(books: Books, desk: StripeDesk) -> None:
    desk.break_next(work_done=True)
    assert ask(books, "PUT", "/payout-account").body["state"] == "requested"
    opened = ask(books, "PUT", "/payout-account").body
    assert opened["state"] == "incomplete"
    assert ask(books, "PUT", "/payout-account").body == opened


# -- at every store call --------------------------------------------------------------------------------------------


@pytest.fixture
def mortal(world: World) -> MortalContext:
    ctx = MortalContext(world.ctx)
    world.ctx = ctx
    context.install(ctx)
    return ctx


def ready_payee(books: Books, provider: MemoryProvider) -> None:
    world = books.world
    account = world.commit(lambda uow: payments.begin_payout_account(uow, books.operator.organization))
    opened = world.commit(lambda uow: payments.open_payout_account(uow, provider, account))
    provider.enable(opened.payee_ref)
    world.commit(lambda uow: payments.open_payout_account(uow, provider, opened))


def withdraw(books: Books, number: int) -> Withdrawal:
    books.world.advance(1)
    asked: Withdrawal = books.world.commit(
        lambda uow: service.request_withdrawal(
            uow,
            books.operator.organization,
            amount=Money(10, "EUR"),
            method="provider",
            requested_at=books.world.ctx.now(),
            requested_by="usr_1",
            login_id="log_1",
            key=f"key-{number}",
        )
    )
    return asked


def run(books: Books, provider: MemoryProvider, withdrawal_id: str) -> None:
    """As it is done: approved, then the consumers; what is left the job finishes."""
    world = books.world
    withdrawal = withdrawal_of(world.ctx, withdrawal_id)
    if withdrawal.state == "requested":
        world.commit(lambda uow: service.approve_withdrawal(uow, withdrawal, decided_by="usr_2", login_id="log_2"))
    consumers = {name: CONSUMERS[name] for name in ("payout.paid", "payout.failed")}
    due = {"payment.payout_due": (lambda ctx, e: payments_jobs.pay_out(ctx, e.subject, lambda _name: provider),)}
    world.run_events(consumers | due)
    world.advance(601)
    payments_jobs.reconcile(world.ctx, lambda _name: provider)
    world.run_events(consumers | due)


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("outcome", "expected", "gone"),
    [(PayoutState.PAID, "paid", 10), (PayoutState.FAILED, "failed", 0)],
    ids=lambda value: getattr(value, "value", ""),
)
def test_a_crash_at_any_store_call(
    mortal: MortalContext, books: Books, outcome: PayoutState, expected: str, gone: int, *, carried_out: bool
) -> None:
    """From the approval on. It is done again, and the money has moved once."""
    provider = MemoryProvider(books.world.ctx.now, payout_state=outcome)
    ready_payee(books, provider)
    books.world.run_events()
    for call in range(1, MOST_CALLS):
        before = totals_by_class(books.world)[("clearing", "EUR")]
        withdrawal_id = withdraw(books, call).withdrawal_id
        mortal.calls, mortal.crash_at = 0, (call, carried_out)
        try:
            run(books, provider, withdrawal_id)
            died = False
        except Crash:
            died = True
        mortal.crash_at = None
        run(books, provider, withdrawal_id)
        assert withdrawal_of(books.world.ctx, withdrawal_id).state == expected, f"at call {call}"
        assert totals_by_class(books.world)[("clearing", "EUR")] - before == gone, f"at call {call}"
        if not died:
            assert call > 8, "the way has so few store calls that nothing was tried"
            assert proving.prove_ledger(books.world.ctx).fault_count == 0
            return
    raise AssertionError("the way never ends")
