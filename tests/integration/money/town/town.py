"""A town where everything that moves money happens through the product's own services, and where processes die.

One charger with two connectors, two drivers with wallets and one whose firm pays, guests with cards, an operator with
a contract, a package with a bonus and a bank account, a payment provider in memory. Each `act` runs as an entry point
runs it; when the process dies in it, it is started again and told the same once more. What people and chargers do is
in `people.py` and `office.py`, what must be true in the end in `audit.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from chalicelib import relay
from chalicelib.charging import lookup
from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver
from chalicelib.identity.model import PLATFORM_ID, Organization
from chalicelib.identity.model.bank_accounts import BankAccount
from chalicelib.identity.model.settings import Credit
from chalicelib.identity.service import settings
from chalicelib.kernel import context
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.outbox import Consumer, Event
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import payable_account
from chalicelib.payments import jobs as payments_jobs
from chalicelib.payments import service as payments
from chalicelib.payments.providers.port import ProviderUnavailable
from chalicelib.settlement import service as settlement
from chalicelib.settlement.model import Terms
from chalicelib.wallets import service as wallets
from chalicelib.wallets.model import TopUpPackage
from chalicelib.wallets.store import EXPOSURES, exposure_key
from tests import world as worlds
from tests.integration.money.paying import Fleet
from tests.integration.money.paying import euro as money_view
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.site import build_site
from tests.unit.payments.till import Till, euro

FEE = 3
"""What the provider keeps of each payment."""
BONUS = 77
EMPLOYEE = 2
"""The driver whose firm pays."""
CREDIT = 5000
MUCH = 1_000_000
Death = tuple[int, bool] | None
SILENT = "silent"

REFUSALS = frozenset(
    {
        "charging_session.amount",
        "charging_session.not_billed",
        "command.queue_full",
        "dispute.covered",
        "dispute.not_open",
        "correction.not_lower",
        "enterprise.limit_reached",
        "evse.busy",
        "ledger.insufficient_funds",
        "operator.credit_exhausted",
        "order.resolved",
        "order.statement_due",
        "payment.disputed",
        "payment.illegal_transition",
        "payment.not_refundable",
        "refund.exceeds_captured",
        "resolution.amount_too_high",
        "topup.not_credited",
        "topup.too_many_open",
        "topup.too_many_refunds",
        "cdr.corrected_too_often",
        "wallet.deduct_exceeds_cash",
        "wallet.disputed",
        "wallet.minimum_balance",
        "wallet.refund_exceeds_balance",
        "withdrawal.illegal_transition",
        "withdrawal.not_covered",
        "withdrawal.owing",
        SILENT,
    }
)


@dataclass(frozen=True)
class Delivery:
    """What the charger believes: a transaction that runs, with the register at its begin."""

    transaction_id: int
    evse_no: int
    began_at: datetime
    began_wh: int


class Town:
    """See the module. `running` by connector; `lost`: deliveries of which the charger has not told the end."""

    def __init__(self) -> None:
        self.world = worlds.build()
        self.world.platform_admin()
        self.site = build_site(self.world, money=0)
        self.drivers = [self.site.driver, self._add_driver("dora"), self._add_driver("emil")]
        self.enterprise_id = self._add_enterprise(self.drivers[EMPLOYEE])
        self.package = self._add_package()
        self._agree_terms()
        self.ctx = MortalContext(self.world.ctx)
        self.world.ctx = self.ctx
        context.install(self.ctx)
        self.till = Till(self.world, fee=euro(FEE))
        self._open_payout_account()
        self.registers = {1: 1000, 2: 1000}
        self.running: dict[int, Delivery] = {}
        self.lost: list[Delivery] = []
        self.ended: list[Callable[[], Any]] = []
        self.count = 0
        self.trust_with(MUCH)

    def close(self) -> None:
        self.world.close()

    @property
    def operator_id(self) -> str:
        return self.site.operator.operator_id

    @property
    def organization(self) -> Organization:
        """With a bank account on file."""
        account = BankAccount("Operator", "DE89370400440532013000", self.ctx.now())
        return replace(self.site.operator.organization, bank_account=account)

    # -- the process --------------------------------------------------------------------------------------------

    def act(self, work: Callable[[], Any], death: Death, breaks: str = "ok") -> str:
        """`done`, or the code of an honest refusal; what is not one fails the test."""
        self.ctx.calls, self.ctx.crash_at = 0, death
        self.till.provider.breaks.append(breaks)
        try:
            return self._live(work)
        finally:
            self.ctx.crash_at = None
            self.till.provider.breaks.clear()

    def commit(self, decide: Callable[[UnitOfWork], Any], death: Death) -> str:
        return self.act(lambda: decide_and_commit(self.ctx, decide), death)

    def _live(self, work: Callable[[], Any]) -> str:
        try:
            try:
                work()
            except Crash:
                self.restart()
                work()
        except ProviderUnavailable:
            return SILENT
        except DomainError as error:
            if error.code not in REFUSALS:
                raise
            return error.code
        return "done"

    def restart(self) -> None:
        """What the process remembered is gone."""
        self.ctx.crash_at = None
        self.ctx._caches.clear()

    def next_number(self) -> int:
        """What happens in one millisecond has no order."""
        self.count += 1
        self.world.advance(1)
        return self.count

    # -- what the operator may owe ------------------------------------------------------------------------------

    def trust_with(self, limit: int) -> None:
        """Minor units. At first the operator may owe more than is ever there."""
        known = settings.get_setting(self.ctx, self.operator_id, "credit")
        organization = self.site.operator.organization
        self.world.commit(lambda uow: settings.put_setting(uow, organization, known, Credit(limit), None))
        self.limit = limit

    def room(self) -> int:
        """What the operator may owe still; below zero, what is beyond its limit by what nobody could refuse."""
        payable = ledger.balance(self.ctx, payable_account(self.operator_id, "EUR")).amount
        exposure = EXPOSURES.get(self.ctx, *exposure_key(self.operator_id, "EUR"))
        return self.limit + payable - (0 if exposure is None else exposure.unsettled)

    # -- what follows -------------------------------------------------------------------------------------------

    @property
    def consumers(self) -> Mapping[str, Sequence[Consumer]]:
        """All of the product's, with the provider in memory instead of the one of the settings."""

        def pay_out(ctx: Context, event: Event) -> None:
            payments_jobs.pay_out(ctx, event.payload["payout_id"], lambda _name: self.till.provider)

        return {**relay.CONSUMERS, **self.till.consumers(), "payment.payout_due": (pay_out,)}

    def deliver(self, death: Death = None, breaks: str = "ok") -> str:
        return self.act(lambda: self.world.run_events(self.consumers), death, breaks)

    def deliver_all_over(self) -> str:
        self.world._sequence = 0
        return self.deliver()

    # -- what there is ------------------------------------------------------------------------------------------

    def sessions(self) -> list[ChargingSession]:
        """Oldest first."""
        found: list[ChargingSession] = []
        cursor: str | None = None
        while True:
            page = lookup.list_sessions(self.ctx, operator_id=self.operator_id, limit=100, cursor=cursor)
            found += page.data
            cursor = page.next_cursor
            if cursor is None:
                return found[::-1]

    def open_sessions(self) -> list[ChargingSession]:
        return [session for session in self.sessions() if session.is_open]

    # -- how it began -------------------------------------------------------------------------------------------

    def _add_driver(self, name: str) -> Driver:
        driver = Driver(self.world.ctx.new_id("drv"), f"{name}@driver.example", name, self.world.ctx.now())
        self.world.commit(lambda uow: drivers.create_driver(uow, driver))
        return driver

    def _add_enterprise(self, employee: Driver) -> str:
        fleet = Fleet(self.site, "")
        self.world.commit(lambda uow: drivers.link_operator(uow, self.operator_id, employee.driver_id))
        body = {"name": "Flotte GmbH", "email": "pay@fleet.example", "credit_limit": money_view(CREDIT)}
        reply = fleet.ask("POST", "/v1/enterprises", body)
        assert reply.status == 201, reply.body
        fleet.enterprise_id = str(reply.body["enterprise_id"])
        fleet.set_member(employee, monthly_limit=CREDIT // 2)
        return fleet.enterprise_id

    def _add_package(self) -> TopUpPackage:
        now = self.world.ctx.now()
        package = TopUpPackage("tpk_1", self.operator_id, "Ten", euro(1000), "on", 0, now, euro(BONUS))
        made: TopUpPackage = self.world.commit(lambda uow: wallets.create_package(uow, package))
        return made

    def _open_payout_account(self) -> None:
        """The operator has told the provider all that it wants to know."""
        provider = self.till.provider
        account = self.world.commit(lambda uow: payments.begin_payout_account(uow, self.site.operator.organization))
        account = self.world.commit(lambda uow: payments.open_payout_account(uow, provider, account))
        provider.enable(account.payee_ref)
        self.world.commit(lambda uow: payments.open_payout_account(uow, provider, account))

    def _agree_terms(self) -> None:
        terms = Terms(self.world.ctx.now().date().isoformat(), percent=Decimal("7.5"), per_card_payment=5)
        organization = self.site.operator.organization
        self.world.commit(
            lambda uow: settlement.make_contract(
                uow, organization, beneficiary_id=PLATFORM_ID, kind="commission", currency="EUR", terms=terms
            )
        )
