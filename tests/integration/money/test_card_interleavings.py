"""Random interleavings of everything that moves the money of cards, with crashes at any store call.

Payers, sessions, support and the provider act in any order; notifications repeat, the provider falls silent, refuses,
and lets authorisations run out; the process dies before or after any call to the store and is started again. After
every step the books are proved; at the end they say what the provider says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from chalicelib.kernel import context
from chalicelib.kernel.errors import DomainError
from chalicelib.ledger import proving
from chalicelib.payments import service
from chalicelib.payments.model import DUE, Payment, Refund
from chalicelib.payments.providers.port import (
    CheckoutState,
    ProviderEvent,
    ProviderEventKind,
    ProviderUnavailable,
    RefundState,
)
from tests import world as worlds
from tests.integration.money.test_interleavings import Crash, MortalContext, crashes
from tests.unit.payments.till import INCOME, WALLET, Till, euro, page

REFUSALS = {
    "payment.illegal_transition",
    "payment.capture_conflict",
    "payment.exceeds_authorized",
    "payment.not_refundable",
    "refund.exceeds_captured",
    "ledger.insufficient_funds",
}
START, FEE = 100_000, 3
"""What is in the wallet, and what the provider keeps of each payment."""
Death = tuple[int, bool] | None


class CardMachine(RuleBasedStateMachine):
    """See the module."""

    payments = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.world = worlds.build()
        self.ctx = MortalContext(self.world.ctx)
        self.world.ctx = self.ctx
        context.install(self.ctx)
        self.till = Till(self.world, fee=euro(FEE))
        self.till.credit(START, "start")
        self.refunds: list[tuple[Payment, str]] = []
        self.count = 0

    def teardown(self) -> None:
        try:
            self.settle_everything()
        finally:
            self.world.close()

    def live(self, work: Callable[[], Any], death: Death) -> str:
        """Runs `work`; when the process dies in it, starts it again and runs it once more. The code of a refusal."""
        self.ctx.calls, self.ctx.crash_at = 0, death
        try:
            try:
                work()
            except Crash:
                self.ctx.crash_at = None
                work()
        except ProviderUnavailable:
            return "silent"
        except DomainError as error:
            if error.code not in REFUSALS:
                raise
            return error.code
        finally:
            self.ctx.crash_at = None
            self.till.provider.breaks.clear()
        return "done"

    def next_number(self) -> int:
        self.count += 1
        self.world.advance(1)
        return self.count

    # -- payers -------------------------------------------------------------------------------------------------

    @rule(target=payments, is_guest=st.booleans())
    def payer_comes(self, is_guest: bool) -> Payment:
        self.till.provider.refusal = None  # a page that is refused is no page: nothing can happen on it
        return self.till.open(1000, purpose="guest" if is_guest else "topup")

    @rule(payment=payments, how=st.sampled_from(["good", "good", "decline", "refuse", "expire"]))
    def payer_acts(self, payment: Payment, how: str) -> None:
        ref, provider = page(payment), self.till.provider
        if provider.outcomes[ref].captured is not None or provider.outcomes[ref].authorized is not None:
            return
        if how == "good":  # also after the end of the page: late money
            if payment.capture == "manual":
                provider.authorize(ref)
            else:
                provider.pay(ref)
            self.till.tell_fee(payment, euro(FEE))
        elif how == "expire":
            provider.close(ref, CheckoutState.EXPIRED)
        else:
            provider.decline(ref, final=how == "refuse")

    @rule(payment=payments)
    def authorisation_runs_out(self, payment: Payment) -> None:
        if self.till.provider.outcomes[page(payment)].state is CheckoutState.AUTHORIZED:
            self.till.provider.run_out(page(payment))

    # -- sessions and support -----------------------------------------------------------------------------------

    @rule(payment=payments, cost=st.integers(0, 1000), death=crashes)
    def session_ends(self, payment: Payment, cost: int, death: Death) -> None:
        self.next_number()
        if payment.purpose == "guest":
            self.live(lambda: self.till.ask_capture(payment, cost), death)

    @rule(payment=payments, death=crashes)
    def nothing_is_delivered(self, payment: Payment, death: Death) -> None:
        self.next_number()
        if payment.purpose == "guest":
            self.live(lambda: self.till.ask_release(payment), death)

    @rule(payment=payments, amount=st.integers(1, 1000), death=crashes)
    def support_pays_back(self, payment: Payment, amount: int, death: Death) -> None:
        refund_id = f"ref_{self.next_number()}"
        if self.live(lambda: self.till.ask_refund(payment, amount, refund_id), death) == "done":
            self.refunds.append((payment, refund_id))

    @rule(death=crashes)
    def support_tries_again(self, death: Death) -> None:
        self.next_number()
        for payment, refund_id in self.refunds:
            refund = self.till.refund(payment, refund_id)
            if refund.state == "failed" and not refund.is_of_wallet:
                self.retry(refund, death)

    def retry(self, refund: Refund, death: Death) -> None:
        def work() -> None:
            if service.require_refund(self.ctx, refund.payment_id, refund.refund_id) == refund:
                self.world.commit(lambda uow: service.retry_refund(uow, refund.payment_id, refund.refund_id))

        assert self.live(work, death) == "done"

    # -- the provider -------------------------------------------------------------------------------------------

    @rule(payment=payments, event_id=st.sampled_from(["evt_1", "evt_2", ""]), death=crashes)
    def provider_notifies(self, payment: Payment, event_id: str, death: Death) -> None:
        self.live(lambda: self.till.notify(payment, event_id and f"{event_id}_{payment.payment_id}"), death)

    @rule(state=st.sampled_from(list(RefundState)))
    def refunds_begin_as(self, state: RefundState) -> None:
        self.till.provider.refund_state = state

    @rule(state=st.sampled_from([RefundState.SUCCEEDED, RefundState.FAILED]), death=crashes)
    def refunds_end(self, state: RefundState, death: Death) -> None:
        for ref, outcome in self.till.provider.refunds.items():
            if outcome.state is RefundState.PENDING:
                self.till.provider.settle_refund(ref, state, "bank" if state is RefundState.FAILED else None)
                self.live(partial(self.till.take, self.word_of(ref)), death)

    @rule(refuses=st.booleans())
    def provider_refuses(self, refuses: bool) -> None:
        self.till.provider.refusal = "no" if refuses else None

    @rule(breaks=st.sampled_from(["ok", "before", "after"]), death=crashes)
    def outbox_is_delivered(self, breaks: str, death: Death) -> None:
        self.till.provider.breaks.append(breaks)
        self.live(self.till.run_events, death)

    @rule()
    def outbox_is_delivered_all_over(self) -> None:
        self.world._sequence = 0
        self.live(self.till.run_events, None)

    @rule(breaks=st.sampled_from(["ok", "before", "after"]), death=crashes)
    def reconciliation_runs(self, breaks: str, death: Death) -> None:
        self.world.advance(601)
        self.till.provider.breaks.append(breaks)
        self.live(self.till.reconcile, death)

    def word_of(self, ref: str) -> ProviderEvent:
        request = self.till.provider.refund_requests[ref]
        return ProviderEvent(
            id=f"evt_{ref}",
            kind=ProviderEventKind.REFUND_CHANGED,
            provider_type="refund.updated",
            provider_ref=None,
            payment_id=None,
            payment_ref=request.payment_ref,
            refund_ref=ref,
            refund_id=request.refund_id,
            occurred_at=self.ctx.now(),
        )

    # -- what must hold -----------------------------------------------------------------------------------------

    @invariant()
    def books_are_right(self) -> None:
        proof = proving.prove_ledger(self.ctx)
        assert proof.faults == []
        assert sum(proof.totals.values()) == 0

    def settle_everything(self) -> None:
        """The provider is well, everything is told and delivered; then both say the same."""
        provider = self.till.provider
        provider.refusal, provider.refund_state = None, RefundState.SUCCEEDED
        for _ in range(3):
            self.till.run_events()
            for ref in provider.outcomes:
                payment = service.require_payment(self.ctx, ref.removeprefix("page_"))
                self.till.notify(payment)
            for ref, outcome in list(provider.refunds.items()):
                if outcome.state is RefundState.PENDING:
                    provider.settle_refund(ref, RefundState.SUCCEEDED)
            self.world.advance(601)
            self.till.reconcile()
        self.check_books()

    def check_books(self) -> None:
        provider = self.till.provider
        stored = [service.require_payment(self.ctx, ref.removeprefix("page_")) for ref in provider.outcomes]
        refunds = [self.till.refund(payment, refund_id) for payment, refund_id in self.refunds]
        assert not [payment.state for payment in stored if payment.state in DUE]
        assert not [refund.state for refund in refunds if refund.is_unfinished]
        for payment in stored:
            assert payment.captured == provider.outcomes[page(payment)].captured
        taken = [payment for payment in stored if payment.captured is not None]
        captured = sum(payment.order.amount.amount for payment in taken if payment.order is not None)
        failed = sum(p.order.amount.amount for p in stored if p.order is not None and p.captured is None)
        paid_back = total(refund for refund in refunds if refund.state == "succeeded")
        succeeded = [ref for ref, outcome in provider.refunds.items() if outcome.state is RefundState.SUCCEEDED]
        assert paid_back == sum(provider.refund_requests[ref].amount.amount for ref in succeeded)
        expected = {
            INCOME: captured + failed - total(refund for refund in refunds if not refund.is_of_wallet),
            WALLET: START - total(refund for refund in refunds if refund.is_of_wallet and refund.state == "succeeded"),
            "captures:stripe:EUR": -failed,
            "refunds:stripe:EUR": total(r for r in refunds if r.state == "failed" and not r.is_of_wallet),
            "fees:stripe:EUR": -FEE * len(taken),
            "clearing:stripe:EUR": FEE * len(taken) - captured + paid_back - START,
        }
        assert self.till.books() == {account_id: amount for account_id, amount in expected.items() if amount}


def total(refunds: Iterable[Refund]) -> int:
    return sum(refund.amount.amount for refund in refunds)


CardMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestCardInterleavings = CardMachine.TestCase
