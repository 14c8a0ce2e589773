"""A provider in memory that keeps a statement of its balance, as a real one does; tests may tamper with it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.kernel.ids import new_id
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, account_owner, clearing_account, wallet_account
from chalicelib.payments import reconciliation_jobs, service
from chalicelib.payments.model import Difference, Payment, Reconciliation
from chalicelib.payments.providers.port import (
    CaptureOutcome,
    Movement,
    MovementKind,
    PayoutOutcome,
    PayoutRequest,
    PayoutState,
    RefundOutcome,
    RefundRequest,
    RefundState,
)
from tests.integration.money.memory_provider import MemoryProvider
from tests.unit.payments.till import DAY, Till, euro, page

NIGHT_S = 24 * 3600
FEE = euro(25)


@dataclass
class StatementProvider(MemoryProvider):
    """Each payment costs FEE. Money leaves with a refund or a payout at once, and comes back when that fails."""

    def move(self, kind: MovementKind, amount: Money, *, fee: Money | None = None, **names: Any) -> Movement:
        ref = f"txn_{len(self.movements) + 1}"
        line = Movement(
            movement_ref=ref,
            kind=kind,
            amount=amount,
            fee=fee,
            created_at=self.now(),
            **{"source_ref": f"src_{ref}"} | names,
        )
        self.movements.append(line)
        return line

    def pay(self, provider_ref: str, amount: Money | None = None) -> None:
        super().pay(provider_ref, amount)
        outcome = self.outcomes[provider_ref] = replace(self.outcomes[provider_ref], fee=FEE)
        assert outcome.captured is not None
        self.move("payment", outcome.captured, fee=FEE, payment_id=outcome.payment_id)

    def capture(self, payment_ref: str, amount: Money, *, idempotency_key: str) -> CaptureOutcome:
        ref = self._page_of(payment_ref)
        if self.outcomes[ref].captured is None:
            self.outcomes[ref] = replace(self.outcomes[ref], fee=FEE)
        was_captured = self.outcomes[ref].captured is not None
        try:
            return super().capture(payment_ref, amount, idempotency_key=idempotency_key)
        finally:
            outcome = self.outcomes[ref]
            if outcome.captured is not None and not was_captured:
                self.move("payment", outcome.captured, fee=FEE, payment_id=outcome.payment_id)

    def refund(self, request: RefundRequest) -> RefundOutcome:
        known = set(self.refunds)
        try:
            return super().refund(request)
        finally:
            if set(self.refunds) - known:
                self.move("refund", -request.amount, **self.names_of_refund(request))

    def settle_refund(self, refund_ref: str, state: RefundState, failure: str | None = None) -> None:
        if state is RefundState.FAILED and self.refunds[refund_ref].state is not state:
            request = self.refund_requests[refund_ref]
            self.move("refund", request.amount, **self.names_of_refund(request))
        super().settle_refund(refund_ref, state, failure)

    def names_of_refund(self, request: RefundRequest) -> dict[str, Any]:
        payment_id = self.outcomes[self._page_of(request.payment_ref)].payment_id
        return {"refund_id": request.refund_id, "payment_id": payment_id}

    def pay_out(self, request: PayoutRequest) -> PayoutOutcome:
        known = set(self.payouts)
        try:
            return super().pay_out(request)
        finally:
            if set(self.payouts) - known:
                self.move("transfer", -request.amount, payout_id=request.payout_id)

    def settle_payout(self, payout_ref: str, state: PayoutState, failure: str | None = None) -> None:
        if state is PayoutState.FAILED and self.payouts[payout_ref].state is not state:
            request = self.payout_requests[payout_ref]
            self.move("transfer", request.amount, payout_id=request.payout_id)
        super().settle_payout(payout_ref, state, failure)


@dataclass
class Counter(Till):
    """A till whose provider keeps a statement, with its nights."""

    provider: StatementProvider = field(init=False)

    def __post_init__(self) -> None:
        self.provider = StatementProvider(self.world.ctx.now)
        self.open(100)  # somebody who looks at the page and goes away: since then there are days to compare

    def guest(self, cost: int = 1234) -> Payment:
        payment = self.open(3000)
        self.provider.authorize(page(payment))
        self.notify(payment)
        self.ask_capture(payment, cost)
        self.run_events()
        return self.stored(payment)

    def topup(self, amount: int = 2000, *, told: bool = True) -> Payment:
        payment = self.open(amount, purpose="topup")
        self.provider.pay(page(payment))
        if told:
            self.notify(payment)
        self.run_events()
        return self.stored(payment)

    def tell_fee(self, payment: Payment, fee: Money | None) -> None:
        """It is on the statement."""

    def consumers(self) -> Any:
        def credited(_ctx: Any, event: Any) -> None:
            payment = service.require_payment(self.world.ctx, event.payload["payment_id"])
            self.credit_once(payment)

        return {**super().consumers(), "payment.succeeded": (credited,)}

    def credit_once(self, payment: Payment) -> None:
        """As wallets do: by the top-up's id, once."""
        wallet = wallet_account("drv_1", payment.amount.currency)
        entries = ledger.entries_of_account(self.world.ctx, wallet)
        if payment.captured is not None and all(entry.source_id != payment.purpose_id for entry in entries):
            self.clear("top_up", payment.purpose_id, payment.captured.amount, wallet, payment.captured.currency)

    def clear(self, kind: str, source_id: str, amount: int, home: str, currency: str = "EUR") -> Entry:
        """Posts `amount` out of clearing."""
        now = self.world.ctx.now()
        postings = [Posting(home, amount), Posting(clearing_account("stripe", currency), -amount)]
        day = DAY if account_owner(home).startswith("org") else None
        entry = Entry(new_id("ent", now), home, kind, currency, postings, now, source_id, business_day=day)
        self.world.commit(lambda uow: ledger.post(uow, entry))
        return entry

    # -- the night ----------------------------------------------------------------------------------------------

    @property
    def today(self) -> str:
        return self.world.ctx.now().date().isoformat()

    def sleep(self) -> dict[str, int]:
        """Until three in the morning; the days that are over are compared."""
        now = self.world.ctx.now()
        self.world.advance(NIGHT_S - (now.hour * 3600 + now.minute * 60 + now.second) + 3 * 3600)
        return self.compare()

    def compare(self) -> dict[str, int]:
        found = reconciliation_jobs.reconcile_due(self.world.ctx, lambda _name: self.provider)
        self.run_events()
        return found

    def again(self, day: str) -> Reconciliation:
        """A person asks for a day once more; the turns of the relay follow."""
        ctx = self.world.ctx
        self.world.commit(lambda uow: service.begin_reconciliation(uow, day, "stripe", requested_by="usr_1"))
        for _ in range(30):
            reconciliation_jobs.take_turn(ctx, self.provider, day)
        return service.require_reconciliation(ctx, day, "stripe")

    def differences(self, day: str = "") -> dict[str, Difference]:
        """Those that are not closed (or all of a day), by what they are about."""
        ctx = self.world.ctx
        if day:
            found = service.list_differences_of_day(ctx, "stripe", day, limit=200).data
        else:
            found = service.list_unclosed_differences(ctx, limit=200).data
        return {difference.item_id: difference for difference in found}
