"""What the operator, the platform, the nights and the payment provider do in the town: see `people.py`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chalicelib.charging import lookup, order_lookup
from chalicelib.charging.model.orders import Resolving
from chalicelib.charging.service import correcting, resolving
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import payable_account
from chalicelib.payments.providers.port import (
    CheckoutState,
    PayoutState,
    ProviderEvent,
    ProviderEventKind,
    RefundState,
)
from chalicelib.settlement import jobs as settlement_jobs
from chalicelib.settlement import service as settlement
from chalicelib.settlement.model import Withdrawal, WithdrawalMethod
from chalicelib.wallets import service as wallets
from tests.integration.money.town.people import People, within_the_limit
from tests.integration.money.town.town import Death
from tests.settling import withdrawal_of
from tests.unit.payments.till import euro, page

HALF_A_DAY_S = 12 * 3600


class Office(People):
    """See the module."""

    # -- the operator -------------------------------------------------------------------------------------------

    @within_the_limit
    def adjusts(self, driver_no: int, amount: int, death: Death) -> str:
        """Cash that was taken, or is taken back out."""
        entry_id = self.new_id("ent")
        day = self.town.ctx.now().date().isoformat()
        return self.town.commit(
            lambda uow: wallets.adjust_wallet(
                uow,
                entry_id=entry_id,
                driver_id=self.town.drivers[driver_no].driver_id,
                operator_id=self.town.operator_id,
                direction="top_up" if amount > 0 else "deduct",
                amount=euro(abs(amount)),
                reason="cash",
                business_day=day,
            ),
            death,
        )

    @within_the_limit
    def pays_back(self, number: int, amount: int | None, death: Death) -> str:
        """A top-up, or a part of it."""
        refund_id = self.new_id("rfd")
        if not self.topups:
            return "nothing"
        topup_id = self.topups[number % len(self.topups)][0]
        return self.town.commit(
            lambda uow: wallets.refund_topup(
                uow,
                refund_id=refund_id,
                topup_id=topup_id,
                amount=None if amount is None else euro(amount),
                reason="asked for",
                requested_by="usr_1",
            ),
            death,
        )

    @within_the_limit
    def corrects(self, number: int, cost: int, death: Death) -> str:
        """Lowers what some session has cost."""
        self.town.next_number()
        over = [session for session in self.town.sessions() if not session.is_open]
        if not over:
            return "nothing"
        session_id = over[number % len(over)].session_id

        def decide(uow: UnitOfWork) -> None:
            session = lookup.require_session(uow.ctx, session_id)
            correcting.reduce_cost(uow, session, cost=euro(cost), reason="Sorry", by="usr_1")

        return self.town.commit(decide, death)

    @within_the_limit
    def resolves(self, number: int, wish: Resolving, death: Death) -> str:
        """Some abnormal order that waits for the operator."""
        self.town.next_number()
        waiting = self.orders_waiting()
        if not waiting:
            return "nothing"
        session_id = waiting[number % len(waiting)].session_id

        def decide(uow: UnitOfWork) -> None:
            session = lookup.require_session(uow.ctx, session_id)
            order = order_lookup.require_order(uow.ctx, session)
            resolving.resolve_order(uow, session, order, wish, by="usr_1")

        return self.town.commit(decide, death)

    # -- nights, and what is paid out -----------------------------------------------------------------------------

    def night_falls(self, death: Death) -> str:
        """Half a day, and whatever day is over by then."""
        self.town.world.advance(HALF_A_DAY_S)
        return self.town.act(lambda: self.town.world.run_job(settlement_jobs.open_settlements), death)

    def settles(self, death: Death) -> str:
        """The workflows of all runs that are open."""
        runs = [
            {"operator_id": run.operator_id, "business_day": run.business_day, "number": run.number}
            for run in settlement.pending_runs(self.town.ctx)
        ]
        steps: list[Callable[[], Any]] = [
            partial(task, event, None)
            for event in runs
            for task in (settlement_jobs.settlement_compute, settlement_jobs.settlement_post)
        ]
        before, taken = self.town.room(), self._taken_by_contract()
        done = self.town.act(lambda: [step() for step in steps], death)
        assert self.town.room() >= min(before, 0) - max(self._taken_by_contract() - taken, 0)
        return done

    def _taken_by_contract(self) -> int:
        """What others have got of the operator's days."""
        runs = settlement.runs_between(self.town.ctx, self.town.operator_id, "2026-01-01", "2027-01-01")
        return sum(line.deducted for run in runs if run.state == "posted" for line in run.lines)

    def owed(self) -> int:
        """To the operator, to be paid out."""
        return ledger.balance(self.town.ctx, payable_account(self.town.operator_id, "EUR")).amount

    @within_the_limit
    def withdraws(self, amount: int, method: WithdrawalMethod, death: Death) -> str:
        done = self._withdraw(amount, method, death)
        assert done != "done" or self.owed() >= 0, "more was paid out than was there"
        return done

    def _withdraw(self, amount: int, method: WithdrawalMethod, death: Death) -> str:
        town = self.town
        key, requested_at = str(town.next_number()), town.ctx.now()
        return town.commit(
            lambda uow: settlement.request_withdrawal(
                uow,
                town.organization,
                amount=euro(amount),
                method=method,
                requested_at=requested_at,
                requested_by="usr_1",
                login_id="log_1",
                key=key,
            ),
            death,
        )

    @within_the_limit
    def decides(self, number: int, how: str, death: Death) -> str:
        """The fate of some withdrawal, mostly of one that waits."""
        self.town.next_number()
        found = self.withdrawals()
        chosen = [each for each in found if each.state in ("requested", "approved")] * 3 + found
        withdrawal_id, now = chosen[number % len(chosen)].withdrawal_id, self.town.ctx.now()

        def decide(uow: UnitOfWork) -> None:
            withdrawal = withdrawal_of(uow.ctx, withdrawal_id)
            if how == "approve":
                settlement.approve_withdrawal(uow, withdrawal, decided_by="usr_2", login_id="log_2")
            elif how == "reject":
                settlement.reject_withdrawal(uow, withdrawal, reason="No", decided_by="usr_2")
            else:
                settlement.mark_paid(uow, withdrawal, reference="IBAN 1", paid_at=now)

        return self.town.commit(decide, death)

    def withdrawals(self) -> list[Withdrawal]:
        return settlement.list_withdrawals(
            self.town.ctx, self.town.operator_id, state=None, limit=100, cursor=None
        ).data

    # -- the provider -------------------------------------------------------------------------------------------

    def notifies(self, number: int, event_id: str, death: Death, breaks: str = "ok") -> str:
        payment = self.payment(number)
        if payment is None:
            return "nothing"
        return self.town.act(partial(self.town.till.notify, payment, f"{page(payment)}.{event_id}"), death, breaks)

    def reserved(self) -> list[str]:
        """The pages of cards on which money is reserved."""
        outcomes = self.town.till.provider.outcomes
        return [ref for ref, outcome in outcomes.items() if outcome.state is CheckoutState.AUTHORIZED]

    def runs_out(self, number: int) -> None:
        """Nobody captured in time, or it was released by hand."""
        found = self.reserved()
        self.town.till.provider.run_out(found[number % len(found)])

    def refunds_end(self, state: RefundState, death: Death) -> None:
        """All that are under way, and it is told."""
        provider = self.town.till.provider
        for ref, outcome in list(provider.refunds.items()):
            if outcome.state is RefundState.PENDING:
                provider.settle_refund(ref, state, "bank" if state is RefundState.FAILED else None)
                self.town.act(partial(self.town.till.take, self._word_of(ref)), death)

    def _word_of(self, ref: str) -> ProviderEvent:
        request = self.town.till.provider.refund_requests[ref]
        return ProviderEvent(
            id=f"evt_{ref}",
            kind=ProviderEventKind.REFUND_CHANGED,
            provider_type="refund.updated",
            provider_ref=None,
            payment_id=None,
            payment_ref=request.payment_ref,
            refund_ref=ref,
            refund_id=request.refund_id,
            occurred_at=self.town.ctx.now(),
        )

    def payouts_end(self, state: PayoutState, death: Death) -> None:
        """All that are under way, or (a bank sends them back) were paid; and it is told."""
        provider = self.town.till.provider
        for ref, outcome in list(provider.payouts.items()):
            if outcome.state is PayoutState.PENDING or (outcome.state, state) == (PayoutState.PAID, PayoutState.FAILED):
                provider.settle_payout(ref, state, "bank" if state is PayoutState.FAILED else None)
                self.town.act(partial(self.town.till.take, self._word_of_payout(ref, state)), death)

    def _word_of_payout(self, ref: str, state: PayoutState) -> ProviderEvent:
        return ProviderEvent(
            id=f"evt_{ref}.{state}",
            kind=ProviderEventKind.PAYOUT_CHANGED,
            provider_type="payout.updated",
            provider_ref=None,
            payment_id=None,
            payout_ref=ref,
            payout_id=self.town.till.provider.payout_requests[ref].payout_id,
            occurred_at=self.town.ctx.now(),
        )

    def reconciles(self, death: Death, breaks: str = "ok") -> str:
        self.town.world.advance(601)
        return self.town.act(self.town.till.reconcile, death, breaks)
