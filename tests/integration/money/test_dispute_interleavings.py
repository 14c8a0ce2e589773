"""The careless world of `test_interleavings.py`, in which banks take payments back, come back to what they decided, and
everything about it is told twice, late, out of order, or to a process that dies: the books stay right."""

from __future__ import annotations

from functools import partial

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.money import Money
from chalicelib.ledger import proving
from chalicelib.payments import service as payments
from chalicelib.payments.model import Dispute
from chalicelib.payments.providers.port import CheckoutState, DisputeState
from chalicelib.wallets import service as wallets
from tests.integration.money.memory_provider import DISPUTE_FEE
from tests.integration.money.test_interleavings import CONSUMERS, DRIVERS, MoneyMachine, crashes


class DisputeMachine(MoneyMachine):
    """See the module."""

    @rule(page=MoneyMachine.pages, part=st.none() | st.integers(1, 1000), takes=st.booleans())
    def bank_disputes(self, page: str, part: int | None, takes: bool) -> None:
        outcome = self.provider.outcomes[page]
        if outcome.captured is None or f"dp_{page}" in self.provider.disputes:
            return
        amount = None if part is None else Money(min(part, outcome.captured.amount), "EUR")
        self.provider.dispute(page, amount, takes=takes)

    @rule(number=st.integers(0, 9), won=st.booleans())
    def bank_decides(self, number: int, won: bool) -> None:
        refs = sorted(self.provider.disputes)
        if not refs:
            return
        ref = refs[number % len(refs)]
        if self.provider.disputes[ref].state is not DisputeState.LOST:  # that is for good
            self.provider.decide(ref, won=won)

    @rule(number=st.integers(0, 9), event_id=st.sampled_from(["evt_1", "evt_2", "evt_3"]), crash=crashes)
    def bank_is_told_of(self, number: int, event_id: str, crash: tuple[int, bool] | None) -> None:
        refs = sorted(self.provider.disputes)
        if refs:
            self.tell_dispute(refs[number % len(refs)], event_id, crash)

    @rule(number=st.integers(0, 9), forgives=st.booleans(), crash=crashes)
    def somebody_sees_to_what_is_missing(self, number: int, forgives: bool, crash: tuple[int, bool] | None) -> None:
        self.next_number()
        found = self.all_disputes()
        if not found:
            return
        dispute_id = found[number % len(found)].dispute_id
        see_to = payments.forgive_dispute if forgives else wallets.cover_dispute
        done = self.commit(partial(see_to, dispute_id=dispute_id), crash)
        assert done in {"done", "dispute.covered", "dispute.not_open", "ledger.insufficient_funds"}

    @rule(hours=st.integers(1, 30), crash=crashes)
    def time_passes(self, hours: int, crash: tuple[int, bool] | None) -> None:
        self.world.advance(hours * 3600)
        self.reconciliation_runs(crash)

    def tell_dispute(self, ref: str, event_id: str, crash: tuple[int, bool] | None) -> None:
        event = self.provider.word_of_dispute(ref, f"{ref}.{event_id}")
        self.commit(lambda uow: payments.take_event(uow, self.provider, event), crash)

    def all_disputes(self) -> list[Dispute]:
        return payments.list_disputes(self.ctx, PLATFORM_ID, limit=200).data

    # -- what must hold -----------------------------------------------------------------------------------------

    def bring_disputes_to_an_end(self) -> None:
        for ref in self.provider.disputes:
            self.tell_dispute(ref, f"last.{self.next_number()}", None)
        self.world.run_events(CONSUMERS)
        self.check_disputes()

    def withheld(self, driver_id: str) -> int:
        return sum(d.withheld + d.recovered for d in self.all_disputes() if d.payer_id == driver_id)

    def check_disputes(self) -> None:
        found = self.all_disputes()
        assert {dispute.dispute_ref for dispute in found} == set(self.provider.disputes)
        open_rest = lost = fees = 0
        for dispute in found:
            there = self.provider.disputes[dispute.dispute_ref]
            taken = -sum(line.amount.amount for line in there.lines)
            fees += DISPUTE_FEE * sum(1 for line in there.lines if line.fee)
            assert dispute.state == there.state.value
            assert dispute.booked == [line.movement_ref for line in there.lines]
            assert dispute.taken_amount == taken
            assert dispute.is_unfinished == (there.state in (DisputeState.INQUIRY, DisputeState.OPEN))
            if dispute.state == "lost":
                lost += taken - dispute.withheld - dispute.recovered
            else:
                open_rest += taken - dispute.withheld
            assert 0 <= dispute.withheld + dispute.recovered <= dispute.amount.amount
            assert not dispute.is_blocking or dispute.uncovered.amount > 0
        totals = proving.prove_ledger(self.ctx).totals
        outcomes = self.provider.outcomes.values()
        paid = [each.captured.amount for each in outcomes if each.captured and each.state is CheckoutState.PAID]
        assert totals.get("disputes:EUR", 0) == -open_rest
        assert totals.get("losses:EUR", 0) == -lost
        assert totals.get("fees:EUR", 0) == -fees
        moved = sum(line.amount.amount for dispute in self.provider.disputes.values() for line in dispute.lines)
        assert totals.get("clearing:EUR", 0) == -sum(paid) - moved + fees
        for driver_id in DRIVERS:
            is_missing = any(d.is_blocking for d in found if d.payer_id == driver_id)
            assert wallets.is_disputed(self.ctx, driver_id, "EUR") == is_missing


DisputeMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestDisputes = DisputeMachine.TestCase
