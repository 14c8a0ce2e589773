"""Random interleavings of everything that moves money, with crashes at any store call: the books stay right.

The machine is a careless world: payers, chargers and operators act, notifications repeat, the process dies before or
after any call to the store and is started again. What it may rely on is what a caller was told; what it checks after
every step is the ledger's own proof, and at the end that each fact moved its money exactly once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from chalicelib.kernel import context
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import income_account
from chalicelib.payments import service as payments
from chalicelib.payments.jobs import reconcile
from chalicelib.payments.providers.port import CheckoutState
from chalicelib.wallets import jobs as wallets_jobs
from chalicelib.wallets import service as wallets
from tests import world as worlds
from tests.integration.money.memory_provider import MemoryProvider

DRIVERS = ("drv_1", "drv_2")
OPERATOR = "org_1"
DAY = "2026-03-02"
CONSUMERS = {
    "payment.dispute_lost": (wallets_jobs.on_dispute_changed,),
    "payment.dispute_won": (wallets_jobs.on_dispute_won,),
    "payment.disputed": (wallets_jobs.on_dispute_changed,),
    "payment.succeeded": (wallets_jobs.on_payment_succeeded,),
    "payment.failed": (wallets_jobs.on_payment_failed,),
}

drivers = st.sampled_from(DRIVERS)
amounts = st.integers(1, 1000)
# Which store call of a step the process dies at, and whether that call was carried out; mostly it lives.
crashes = st.none() | st.tuples(st.integers(1, 8), st.booleans())


class Crash(BaseException):
    """The process is gone. Nothing catches it, as nothing catches SIGKILL."""


class MortalContext(Context):
    """A context whose store client kills the process at the n-th call, before or after it is carried out."""

    def __init__(self, inner: Context) -> None:
        super().__init__(inner.settings, inner.clock)
        self._inner = inner
        self._store = inner.dynamodb
        self.crash_at: tuple[int, bool] | None = None
        self.calls = 0

    @property
    def dynamodb(self) -> MortalContext:
        return self

    def client(self, service: str, endpoint_url: str | None = None) -> Any:
        """Of the world: a client costs a tenth of a second to make."""
        return self._inner.client(service, endpoint_url)

    def secret(self, name: str) -> str:
        return self._inner.secret(name)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call = getattr(self._store, operation)

        def mortal(**request: Any) -> Any:
            self.calls += 1
            dies = self.crash_at is not None and self.calls == self.crash_at[0]
            if dies and self.crash_at is not None and not self.crash_at[1]:
                raise Crash
            answer = call(**request)
            if dies:
                raise Crash
            return answer

        return mortal


@dataclass
class Session:
    """What a charging capability would have on its own row."""

    session_id: str
    driver_id: str
    held: int


@dataclass
class Books:
    """What must be in the wallets by what callers were told."""

    adjusted: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DRIVERS, 0))
    captured: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DRIVERS, 0))
    open_holds: dict[str, Session] = field(default_factory=dict)
    topups: dict[str, tuple[str, int, str]] = field(default_factory=dict)  # id: driver, amount, page


class MoneyMachine(RuleBasedStateMachine):
    """See the module."""

    sessions = Bundle("sessions")
    pages = Bundle("pages")

    def __init__(self) -> None:
        super().__init__()
        self.world = worlds.build()
        self.ctx = MortalContext(self.world.ctx)
        self.world.ctx = self.ctx
        context.install(self.ctx)
        self.provider = MemoryProvider(self.ctx.now)
        self.books = Books()
        self.count = 0

    def teardown(self) -> None:
        try:
            self.settle_everything()
        finally:
            self.world.close()

    # -- the process --------------------------------------------------------------------------------------------

    def live(self, work: Callable[[], Any], crash: tuple[int, bool] | None) -> Any:
        """Runs `work`; when the process dies in it, starts it again and runs `work` once more, to its end."""
        self.ctx.calls, self.ctx.crash_at = 0, crash
        try:
            return work()
        except Crash:
            self.ctx.crash_at = None
            return work()
        finally:
            self.ctx.crash_at = None

    def commit(self, decide: Callable[[UnitOfWork], Any], crash: tuple[int, bool] | None) -> str:
        """`done`, or the code of the refusal; `done` also where a retry learns that it had been done."""

        def work() -> str:
            try:
                decide_and_commit(self.ctx, decide)
            except DomainError as error:
                return error.code
            return "done"

        result = self.live(work, crash)
        known = {"ledger.entry_conflict", "ledger.hold_not_open"}
        return "done" if crash is not None and result in known else str(result)

    def next_number(self) -> str:
        self.count += 1
        self.world.advance(1)
        return str(self.count)

    # -- money in -----------------------------------------------------------------------------------------------

    @rule(
        target=pages,
        driver_id=drivers,
        amount=st.integers(50, 1000),
        crash=crashes,
        breaks=st.sampled_from(["ok", "before", "after"]),
    )
    def top_up(self, driver_id: str, amount: int, crash: tuple[int, bool] | None, breaks: str) -> Any:
        number = self.next_number()
        topup_id = derived_id("top", self.ctx.now(), number)
        payment_id = derived_id("pay", self.ctx.now(), number)
        self.provider.breaks.append(breaks)

        def work() -> None:
            """As the endpoint does it: commit, ask the provider, commit."""
            begin = lambda uow: wallets.begin_topup(  # noqa: E731
                uow, topup_id=topup_id, payment_id=payment_id, driver_id=driver_id, amount=Money(amount, "EUR")
            )
            _, payment = decide_and_commit(self.ctx, begin)
            decide_and_commit(self.ctx, lambda uow: payments.open_checkout(uow, self.provider, payment))

        self.live(work, crash)
        self.provider.breaks.clear()
        page = f"page_{payment_id}"
        self.books.topups[topup_id] = (driver_id, amount, page)
        return page if page in self.provider.outcomes else multiple()

    @rule(page=pages, how=st.sampled_from(["pay", "decline", "refuse", "expire"]))
    def payer_acts(self, page: str, how: str) -> None:
        if not self.provider.outcomes[page].may_still_be_paid:
            return
        if how == "pay":
            self.provider.pay(page)
        elif how == "expire":
            self.provider.close(page, CheckoutState.EXPIRED)
        else:
            self.provider.decline(page, final=how == "refuse")

    @rule(page=pages, end=st.sampled_from([CheckoutState.EXPIRED, CheckoutState.FAILED]), crash=crashes)
    def money_arrives_after_the_end(self, page: str, end: CheckoutState, crash: tuple[int, bool] | None) -> None:
        """The page ended, we were told so, and then the money came."""
        if self.provider.outcomes[page].may_still_be_paid:
            self.provider.close(page, end)
            self.notify(page, "evt_end", crash)
        self.provider.pay(page)

    @rule(page=pages, event_id=st.sampled_from(["evt_1", "evt_2"]), crash=crashes)
    def provider_notifies(self, page: str, event_id: str, crash: tuple[int, bool] | None) -> None:
        self.notify(page, event_id, crash)

    def notify(self, page: str, event_id: str, crash: tuple[int, bool] | None) -> None:
        event = self.provider.event(page, f"{page}.{event_id}")
        self.commit(lambda uow: payments.take_event(uow, self.provider, event), crash)

    @rule(crash=crashes)
    def reconciliation_runs(self, crash: tuple[int, bool] | None) -> None:
        self.world.advance(601)
        self.live(lambda: reconcile(self.ctx, lambda _name: self.provider), crash)

    @rule(crash=crashes)
    def outbox_is_delivered(self, crash: tuple[int, bool] | None) -> None:
        self.live(lambda: self.world.run_events(CONSUMERS), crash)

    @rule()
    def outbox_is_delivered_all_over(self) -> None:
        self.world._sequence = 0
        self.world.run_events(CONSUMERS)

    @rule(driver_id=drivers, amount=st.integers(-500, 500).filter(bool), crash=crashes)
    def operator_adjusts(self, driver_id: str, amount: int, crash: tuple[int, bool] | None) -> None:
        entry_id = derived_id("ent", self.ctx.now(), self.next_number())
        result = self.commit(
            lambda uow: wallets.adjust_wallet(
                uow,
                entry_id=entry_id,
                driver_id=driver_id,
                operator_id=OPERATOR,
                direction="top_up" if amount > 0 else "deduct",
                amount=Money(abs(amount), "EUR"),
                reason="cash",
                business_day=DAY,
            ),
            crash,
        )
        assert result in {"done", "ledger.insufficient_funds", "wallet.deduct_exceeds_cash"}
        if result == "done":
            self.books.adjusted[driver_id] += amount

    # -- money out ----------------------------------------------------------------------------------------------

    @rule(target=sessions, driver_id=drivers, amount=amounts, crash=crashes)
    def session_starts(self, driver_id: str, amount: int, crash: tuple[int, bool] | None) -> Any:
        session_id = derived_id("ses", self.ctx.now(), self.next_number())
        result = self.commit(
            lambda uow: wallets.place_session_hold(
                uow,
                driver_id=driver_id,
                session_id=session_id,
                amount=Money(amount, "EUR"),
                expires_at=self.ctx.now() + timedelta(days=365),
            ),
            crash,
        )
        if result != "done" and ledger_has_hold(self.ctx, driver_id, session_id):
            result = "done"  # held before the crash; the retry then found too little for a second one
        if result != "done":
            assert result in {"ledger.insufficient_funds", "wallet.disputed"}
            return multiple()
        session = Session(session_id, driver_id, amount)
        self.books.open_holds[session_id] = session
        return session

    @rule(session=sessions, most=amounts, crash=crashes)
    def session_reserves_more(self, session: Session, most: int, crash: tuple[int, bool] | None) -> None:
        if session.session_id not in self.books.open_holds:
            return
        told: list[int] = []

        def decide(uow: UnitOfWork) -> None:
            by = wallets.extend_session_hold(
                uow,
                driver_id=session.driver_id,
                session_id=session.session_id,
                held=Money(session.held, "EUR"),
                most=Money(most, "EUR"),
            )
            told.append(by.amount)

        self.world.advance(1)
        assert self.commit(decide, crash) == "done"
        session.held += told[0]

    @rule(session=consumes(sessions), cost=st.integers(0, 1500), beyond=st.booleans(), crash=crashes)
    def session_ends(self, session: Session, cost: int, beyond: bool, crash: tuple[int, bool] | None) -> None:
        told: list[wallets.Settlement] = []

        def decide(uow: UnitOfWork) -> None:
            told.append(
                wallets.settle_session(
                    uow,
                    driver_id=session.driver_id,
                    session_id=session.session_id,
                    held=Money(session.held, "EUR"),
                    cost=Money(cost, "EUR"),
                    operator_id=OPERATOR,
                    business_day=DAY,
                    beyond_hold=beyond,
                )
            )

        before = ledger.total_of_period(self.world.ctx, income_account(OPERATOR, "EUR"), DAY)
        assert self.commit(decide, crash) == "done"
        after = ledger.total_of_period(self.world.ctx, income_account(OPERATOR, "EUR"), DAY)
        assert after - before == told[0].captured  # also when a second try was told of another state of the wallet
        self.books.captured[session.driver_id] += told[0].captured.amount
        del self.books.open_holds[session.session_id]
        if crash is not None:
            return
        again = self.commit(decide, None)
        assert again == "ledger.hold_not_open"

    @rule(session=consumes(sessions), crash=crashes)
    def session_is_called_off(self, session: Session, crash: tuple[int, bool] | None) -> None:
        result = self.commit(
            lambda uow: wallets.release_session_hold(
                uow, driver_id=session.driver_id, session_id=session.session_id, held=Money(session.held, "EUR")
            ),
            crash,
        )
        assert result == "done"
        del self.books.open_holds[session.session_id]

    # -- what must hold -----------------------------------------------------------------------------------------

    @invariant()
    def books_are_right(self) -> None:
        proof = proving.prove_ledger(self.ctx)
        assert proof.faults == []
        assert sum(proof.totals.values()) == 0

    def bring_disputes_to_an_end(self) -> None:
        """There are none here: see `test_dispute_interleavings.py`."""

    def withheld(self, _driver_id: str) -> int:
        """What is out of the wallet for disputes."""
        return 0

    def settle_everything(self) -> None:
        """Lets the provider tell everything and the outbox deliver everything; then every cent is accounted for."""
        self.world.advance(601)
        reconcile(self.ctx, lambda _name: self.provider)
        for _, _, page in self.books.topups.values():
            if page in self.provider.outcomes:
                event = self.provider.event(page, f"{page}.last")
                decide_and_commit(self.ctx, partial(payments.take_event, provider=self.provider, event=event))
        self.world.run_events(CONSUMERS)
        self.bring_disputes_to_an_end()
        paid = dict.fromkeys(DRIVERS, 0)
        for topup_id, (driver_id, amount, page) in self.books.topups.items():
            is_paid = self.provider.outcomes[page].state is CheckoutState.PAID
            paid[driver_id] += amount if is_paid else 0
            assert (wallets.require_topup(self.ctx, topup_id).state == "credited") == is_paid
        for driver_id in DRIVERS:
            held = sum(s.held for s in self.books.open_holds.values() if s.driver_id == driver_id)
            expected = paid[driver_id] + self.books.adjusted[driver_id] - self.books.captured[driver_id] - held
            expected -= self.withheld(driver_id)
            assert wallets.available(self.ctx, driver_id, "EUR") == Money(expected, "EUR")


def ledger_has_hold(ctx: Context, driver_id: str, session_id: str) -> bool:
    page = wallets.list_transactions(ctx, driver_id, "EUR", event_type="consumption", limit=200)
    return any(entry.source_id == session_id for entry in page.data)


MoneyMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestInterleavings = MoneyMachine.TestCase
