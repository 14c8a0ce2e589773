"""A till for tests: payments of a guest and of a driver with a provider in memory, whose lines may break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.kernel.ids import new_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.outbox import Consumer
from chalicelib.ledger import proving
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, clearing_account, wallet_account
from chalicelib.ledger.store import LINES
from chalicelib.payments import jobs, service
from chalicelib.payments.model import Payment, PaymentSite, Refund
from chalicelib.payments.providers.port import ProviderEvent, ProviderEventKind, ProviderUnavailable
from tests.integration.money.memory_provider import MemoryProvider
from tests.world import World

DAY = "2026-03-02"
INCOME = "income:org_1:EUR"
WALLET = wallet_account("drv_1", "EUR")


def euro(amount: int) -> Money:
    return Money(amount, "EUR")


@dataclass
class Till:
    """`events` are those that were told and delivered, oldest first; `faults` what of them wakes somebody."""

    world: World
    provider: MemoryProvider = field(init=False)
    events: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    fee: Money | None = None
    """What the provider keeps of each payment; None: it does not say."""

    def __post_init__(self) -> None:
        self.provider = MemoryProvider(self.world.ctx.now)

    # -- the payer ----------------------------------------------------------------------------------------------

    def create(self, amount: int = 3000, *, purpose: Any = "guest", **options: Any) -> Payment:
        self.world.advance(1)  # so that ids sort as they were made
        values: dict[str, Any] = {"capture": "manual", "site": PaymentSite("org_1", "CP-1", "loc_1", "DE", "Berlin")}
        payment_id = new_id("pay", self.world.ctx.now())
        payment: Payment = self.world.commit(
            lambda uow: service.create_payment(
                uow,
                payment_id=payment_id,
                purpose=purpose,
                purpose_id=f"for_{payment_id}",
                payer_id="payer_1",
                amount=euro(amount),
                description="Charging",
                **(values if purpose == "guest" else {}) | options,
            )
        )
        return payment

    def open(self, amount: int = 3000, **options: Any) -> Payment:
        payment = self.create(amount, **options)
        opened: Payment = self.world.commit(lambda uow: service.open_checkout(uow, self.provider, payment))
        return opened

    def authorized(self, amount: int = 3000) -> Payment:
        payment = self.open(amount)
        self.provider.authorize(page(payment))
        self.tell_fee(payment, self.fee)
        self.notify(payment)
        return self.stored(payment)

    def captured(self, amount: int = 3000, cost: int = 1234) -> Payment:
        payment = self.authorized(amount)
        self.ask_capture(payment, cost)
        self.run_events()
        return self.stored(payment)

    def topped_up(self, amount: int = 2000) -> Payment:
        """A paid top-up, of which the money is in the wallet (as wallets would have booked it)."""
        payment = self.open(amount, purpose="topup")
        self.provider.pay(page(payment))
        self.tell_fee(payment, self.fee)
        self.notify(payment)
        self.credit(amount, payment.payment_id)
        self.run_events()
        return self.stored(payment)

    def tell_fee(self, payment: Payment, fee: Money | None) -> None:
        self.provider.outcomes[page(payment)] = replace(self.provider.outcomes[page(payment)], fee=fee)

    def credit(self, amount: int, source_id: str) -> None:
        now = self.world.ctx.now()
        postings = [Posting(WALLET, amount), Posting(clearing_account("stripe", "EUR"), -amount)]
        entry = Entry(new_id("ent", now), WALLET, "top_up", "EUR", postings, now, source_id)
        self.world.commit(lambda uow: ledger.post(uow, entry))

    # -- what others ask ----------------------------------------------------------------------------------------

    def ask_capture(self, payment: Payment, cost: int, **options: Any) -> Payment:
        values: dict[str, Any] = {"income_account_id": INCOME, "business_day": DAY, "source_id": "ses_1"} | options
        asked: Payment = self.world.commit(
            lambda uow: service.request_capture(uow, payment.payment_id, euro(cost), **values)
        )
        return asked

    def ask_release(self, payment: Payment) -> Payment:
        asked: Payment = self.world.commit(lambda uow: service.request_release(uow, payment.payment_id))
        return asked

    def ask_refund(self, payment: Payment, amount: int, refund_id: str = "ref_1", **options: Any) -> Refund:
        is_guest = payment.purpose == "guest"
        values: dict[str, Any] = {"reason": "Not delivered", "requested_by": "usr_1"}
        values |= {"from_account_id": INCOME, "business_day": DAY} if is_guest else {"from_account_id": WALLET}
        asked: Refund = self.world.commit(
            lambda uow: service.request_refund(
                uow, refund_id=refund_id, payment_id=payment.payment_id, amount=euro(amount), **values | options
            )
        )
        return asked

    # -- the process --------------------------------------------------------------------------------------------

    def notify(
        self, payment: Payment, event_id: str = "", kind: ProviderEventKind = ProviderEventKind.CHECKOUT_PAID
    ) -> str:
        event_id = event_id or new_id("evt", self.world.ctx.now())
        return self.take(self.provider.event(page(payment), event_id, kind))

    def take(self, event: ProviderEvent) -> str:
        done: str = self.world.commit(lambda uow: service.take_event(uow, self.provider, event))
        return done

    def run_events(self) -> list[str]:
        """Delivers what is told, to the consumers of payments alone. Returns the types."""
        delivered = self.world.run_events(self.consumers())
        types = [event.type for event in delivered]
        self.events += types
        self.faults += [event.payload["code"] for event in delivered if event.type == "payment.fault_found"]
        return types

    def consumers(self) -> Mapping[str, Sequence[Consumer]]:
        def provider_of(_name: str) -> MemoryProvider:
            return self.provider

        return {
            "payment.capture_due": (lambda ctx, e: jobs.capture(ctx, e.payload["payment_id"], provider_of),),
            "payment.release_due": (lambda ctx, e: jobs.release(ctx, e.payload["payment_id"], provider_of),),
            "payment.refund_due": (
                lambda ctx, e: jobs.refund(ctx, e.payload["payment_id"], e.payload["refund_id"], provider_of),
            ),
            "payment.fault_found": (jobs.on_fault_found,),
        }

    def reconcile(self) -> dict[str, int]:
        return jobs.reconcile(self.world.ctx, lambda _name: self.provider)

    @contextmanager
    def silence(self, trouble: str = "before") -> Iterator[None]:
        """The provider does not answer; whoever asks it learns nothing."""
        self.provider.breaks.append(trouble)
        try:
            yield
        except ProviderUnavailable:
            pass
        else:
            raise AssertionError("somebody believed a silent provider")
        self.provider.breaks.clear()

    # -- what is there ------------------------------------------------------------------------------------------

    def stored(self, payment: Payment) -> Payment:
        return service.require_payment(self.world.ctx, payment.payment_id)

    def refund(self, payment: Payment, refund_id: str = "ref_1") -> Refund:
        return service.require_refund(self.world.ctx, payment.payment_id, refund_id)

    def books(self) -> dict[str, int]:
        """What is in every account that is not empty, from every entry there is; proved on the way."""
        assert proving.prove_ledger(self.world.ctx).faults == []
        totals: dict[str, int] = {}
        for line in LINES.scan_all(self.world.ctx):
            for posting in line.postings:
                totals[posting.account_id] = totals.get(posting.account_id, 0) + posting.amount
        return {account_id: amount for account_id, amount in totals.items() if amount}


def page(payment: Payment) -> str:
    return f"page_{payment.payment_id}"
