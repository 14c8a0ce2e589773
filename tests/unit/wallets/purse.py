"""A driver's wallet whose top-ups are paid at a provider in memory, and disputed there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.outbox import Consumer
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments import service as payments
from chalicelib.payments.model import Dispute, Payment
from chalicelib.wallets import jobs as wallets_jobs
from chalicelib.wallets import service
from chalicelib.wallets.model import TopUp, TopUpPackage
from tests.integration.money.memory_provider import MemoryProvider
from tests.unit.payments.till import Till, euro, page
from tests.world import World

DRIVER = "drv_1"
OPERATOR = "org_1"
WALLET = f"wallet:{DRIVER}:EUR"
DISPUTES = "disputes:stripe:EUR"
LOSSES = f"losses:{PLATFORM_ID}:EUR"
CLEARING = "clearing:stripe:EUR"
FEES = "fees:stripe:EUR"


@dataclass
class Purse:
    world: World
    package_owner: str = OPERATOR
    till: Till = field(init=False)

    def __post_init__(self) -> None:
        self.till = Till(self.world)

    @property
    def provider(self) -> MemoryProvider:
        return self.till.provider

    # -- the driver ---------------------------------------------------------------------------------------------

    def begin(self, amount: int = 2000, bonus: int = 0) -> TopUp:
        """With its page; nobody has paid yet."""
        self.world.advance(1)
        ctx = self.world.ctx
        package = None
        if bonus:
            package = TopUpPackage("tpk_1", self.package_owner, "Big", euro(amount), "on", 0, ctx.now(), euro(bonus))
        topup, payment = self.world.commit(
            lambda uow: service.begin_topup(
                uow,
                topup_id=ctx.new_id("top"),
                payment_id=ctx.new_id("pay"),
                driver_id=DRIVER,
                amount=euro(amount),
                package=package,
            )
        )
        self.world.commit(lambda uow: payments.open_checkout(uow, self.provider, payment))
        begun: TopUp = topup
        return begun

    def top_up(self, amount: int = 2000, bonus: int = 0) -> TopUp:
        topup = self.begin(amount, bonus)
        self.provider.pay(page(self.payment(topup)))
        self.till.notify(self.payment(topup))
        self.run()
        return topup

    def charge(self, amount: int) -> str:
        """Begins one with a hold; `done`, or the code of the refusal."""
        self.world.advance(1)
        session_id = self.world.ctx.new_id("ses")
        expires_at = self.world.ctx.now() + timedelta(days=400)
        try:
            self.world.commit(
                lambda uow: service.place_session_hold(
                    uow, driver_id=DRIVER, session_id=session_id, amount=euro(amount), expires_at=expires_at
                )
            )
        except DomainError as error:
            return error.code
        return session_id

    def spend(self, amount: int) -> None:
        session_id = self.charge(amount)
        self.world.commit(
            lambda uow: service.settle_session(
                uow,
                driver_id=DRIVER,
                session_id=session_id,
                held=euro(amount),
                cost=euro(amount),
                operator_id=OPERATOR,
                business_day="2026-03-02",
            )
        )

    def has(self) -> int:
        return service.available(self.world.ctx, DRIVER, "EUR").amount

    # -- the bank -----------------------------------------------------------------------------------------------

    def disputes(self, topup: TopUp, **how: Any) -> Dispute:
        self.world.advance(1)
        ref = self.provider.dispute(page(self.payment(topup)), **how)
        return self.tell(ref)

    def decides(self, dispute: Dispute, *, won: bool) -> Dispute:
        self.world.advance(1)
        self.provider.decide(dispute.dispute_ref, won=won)
        return self.tell(dispute.dispute_ref)

    def tell(self, dispute_ref: str, *, delivered: bool = True) -> Dispute:
        self.till.take(self.provider.word_of_dispute(dispute_ref, self.world.ctx.new_id("evt")))
        if delivered:
            self.run()
        return self.look(dispute_ref)

    # -- the process --------------------------------------------------------------------------------------------

    def run(self) -> list[str]:
        delivered = [event.type for event in self.world.run_events(self.consumers())]
        self.till.events += delivered
        return delivered

    def consumers(self) -> Mapping[str, Sequence[Consumer]]:
        return {
            "payment.dispute_lost": (wallets_jobs.on_dispute_changed,),
            "payment.dispute_won": (wallets_jobs.on_dispute_won,),
            "payment.disputed": (wallets_jobs.on_dispute_changed,),
            "payment.failed": (wallets_jobs.on_payment_failed,),
            "payment.refund_failed": (wallets_jobs.on_refund_failed,),
            "payment.succeeded": (wallets_jobs.on_payment_succeeded,),
            **self.till.consumers(),
        }

    def refuses(self, decide: Any) -> str:
        try:
            self.world.commit(decide)
        except DomainError as error:
            return error.code
        return "done"

    def cover(self, dispute: Dispute) -> str:
        self.world.advance(1)
        return self.refuses(lambda uow: service.cover_dispute(uow, dispute.dispute_id))

    def forgive(self, dispute: Dispute) -> str:
        return self.refuses(lambda uow: payments.forgive_dispute(uow, dispute.dispute_id))

    def refund(self, topup: TopUp, amount: int | None = None) -> str:
        self.world.advance(1)
        refund_id = self.world.ctx.new_id("rfd")

        def decide(uow: UnitOfWork) -> object:
            return service.refund_topup(
                uow,
                refund_id=refund_id,
                topup_id=topup.topup_id,
                amount=None if amount is None else euro(amount),
                reason="Asked for",
                requested_by="usr_1",
            )

        return self.refuses(decide)

    # -- what is there ------------------------------------------------------------------------------------------

    def payment(self, topup: TopUp) -> Payment:
        return payments.require_payment(self.world.ctx, topup.payment_id)

    def look(self, dispute_ref: str) -> Dispute:
        [dispute] = [
            each
            for each in payments.list_disputes(self.world.ctx, PLATFORM_ID, limit=100).data
            if each.dispute_ref == dispute_ref
        ]
        return dispute

    def books(self) -> dict[str, int]:
        return self.till.books()
