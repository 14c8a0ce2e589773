"""Any order of everything that touches an enterprise's credit, with crashes of the month's end: the books stay right.

What is used of the limit is at every moment what is held, what was used and is not invoiced yet, and what is invoiced
and not paid; the members' months say the same; nobody's wallet pays in its stead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chalicelib.charging import lookup
from chalicelib.charging import service as charging
from chalicelib.charging.model import ChargingSession
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Driver, Enterprise, Member
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import months_before
from chalicelib.ledger.model import enterprise_account
from chalicelib.settlement import jobs as settlement_jobs
from chalicelib.settlement import service as settlement
from tests import world as worlds
from tests.integration.money.paying import advance_to, balances_by_class, prove
from tests.site import Site, build_site

CARDS = ("FLEET1", "FLEET2")
DEAR_WH = st.sampled_from([1000, 5000, 90_000, 1, 0])
LIMITS = st.sampled_from([50_000, 40_000, 2500, 500, 35, 0])
EVENINGS_AND_MORNINGS = (
    "2026-03-31T18:00:00+00:00",
    "2026-04-01T08:00:00+00:00",
    "2026-04-30T18:00:00+00:00",
    "2026-05-01T08:00:00+00:00",
)
"""A charge may run from one into the next, and so from month to month; the deadlines end what would run for weeks."""


class CreditMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.world = worlds.build()
        self.site: Site = build_site(self.world, money=0)
        self.people: list[Driver] = []
        self.moments = list(EVENINGS_AND_MORNINGS)
        self.count = 0

    def teardown(self) -> None:
        try:
            for number in range(len(CARDS)):
                self.stop(number, 1000)
            self.agree()
        finally:
            self.world.close()

    @initialize(limit=LIMITS)
    def found(self, limit: int) -> None:
        operator_id, now = self.site.operator.operator_id, self.world.ctx.now()
        enterprise = Enterprise(
            self.world.ctx.new_id("epr"), operator_id, "Fleet", "pay@fleet.example", "EUR", limit, now
        )
        self.enterprise_id = enterprise.enterprise_id
        self.world.commit(lambda uow: drivers.create_enterprise(uow, enterprise))
        for card in CARDS:
            driver = Driver(self.world.ctx.new_id("drv"), f"{card}@driver.example", card, now)
            self.people.append(driver)
            self.world.commit(lambda uow, driver=driver: drivers.create_driver(uow, driver))
            add = {"id_token": card, "operator_id": operator_id, "driver": driver}
            self.world.commit(lambda uow, add=add: drivers.add_card(uow, **add))
            self.site.top_up(100_000, driver.driver_id)
        for number in range(len(CARDS)):
            self.be_member(number, None, None)

    # -- what happens ---------------------------------------------------------------------------------------------

    @rule(limit=LIMITS, state=st.sampled_from(["active", "active", "inactive"]))
    def change(self, limit: int, state: str) -> None:
        self.tolerating(
            lambda uow: drivers.change_enterprise(uow, self.enterprise, {"credit_limit": limit, "state": state}),
            "enterprise.limit_in_use",
        )

    @rule(number=st.integers(0, 1), monthly=st.none() | LIMITS, per_session=st.none() | LIMITS)
    def be_member(self, number: int, monthly: int | None, per_session: int | None) -> None:
        driver = drivers.require_driver(self.world.ctx, self.people[number].driver_id)
        now = self.world.ctx.now()
        member = Member(self.enterprise_id, driver.driver_id, now, monthly, per_session)
        self.world.commit(lambda uow: drivers.put_member(uow, self.enterprise, driver, member))

    @rule(number=st.integers(0, 1))
    def be_none(self, number: int) -> None:
        driver = drivers.require_driver(self.world.ctx, self.people[number].driver_id)
        self.world.commit(lambda uow: drivers.remove_member(uow, self.enterprise, driver))

    @rule(number=st.integers(0, 1))
    def start_by_card(self, number: int) -> None:
        self.count += 1
        self.site.start(CARDS[number], evse_no=number + 1, meter_wh=0, message_id=f"start-{self.count}")

    @rule(number=st.integers(0, 1), amount=st.none() | st.sampled_from([1, 35, 700, 60_000]))
    def ask_by_app(self, number: int, amount: int | None) -> None:
        self.site.advance_s(1)
        session_id = self.world.ctx.new_id("ses")
        self.tolerating(
            lambda uow: charging.request_session(
                uow,
                session_id=session_id,
                driver_id=self.people[number].driver_id,
                charger_id=self.site.charger.charger_id,
                evse_no=number + 1,
                amount=None if amount is None else Money(amount, "EUR"),
                pay_by="enterprise",
            ),
            "enterprise.limit_reached",
            "enterprise.inactive",
            "enterprise.not_member",
            "evse.busy",
            "command.queue_full",
            "order.statement_due",
        )

    @rule(number=st.integers(0, 1))
    def start_by_app(self, number: int) -> None:
        self.count += 1
        token = drivers.app_token(self.people[number].driver_id)
        self.site.start(token, evse_no=number + 1, meter_wh=0, message_id=f"start-{self.count}")

    @rule(number=st.integers(0, 1))
    def nobody_plugs_in(self, number: int) -> None:
        present = self.present(number)
        if present is not None and present.is_pending:
            self.world.commit(lambda uow: charging.expire_request(uow, present.session_id))

    @rule(number=st.integers(0, 1), wh=DEAR_WH)
    def stop(self, number: int, wh: int) -> None:
        present = self.present(number)
        if present is not None and present.state == "charging":
            self.site.stop(present.transaction_id, wh)

    @precondition(lambda self: self.moments)
    @rule(dies=st.booleans())
    def time_passes(self, dies: bool) -> None:
        moment = self.moments.pop(0)
        for number in range(len(CARDS) if "T18" in moment else 0):
            self.nobody_plugs_in(number)
            present = self.present(number)
            if present is not None and present.state == "charging":
                session_id = present.session_id
                self.world.commit(
                    lambda uow, session_id=session_id: charging.give_up_session(uow, session_id, "stop_missing")
                )
        advance_to(self.site, moment)
        operator = self.site.operator.organization
        if dies and "T08" in moment:  # after the lines were written
            draft = settlement.draft_invoice(self.world.ctx, operator, self.enterprise, months_before(moment[:7]))
            if draft is not None:
                settlement.keep_lines(self.world.ctx, draft)
        for _ in range(2):
            self.world.run_job(settlement_jobs.draw_up_invoices)

    @precondition(lambda self: self.moments)
    @rule(number=st.integers(0, 1), wh=DEAR_WH, dies=st.booleans(), share=st.sampled_from([None, 1, 2]))
    def a_month_passes(self, number: int, wh: int, dies: bool, share: int | None) -> None:
        """The whole arc, which single steps seldom complete."""
        self.start_by_card(number)
        self.stop(number, wh)
        self.time_passes(False)
        if self.moments:
            self.time_passes(dies)
        if share is not None:
            self.pay(share)

    @rule(share=st.sampled_from([1, 2, 3]))
    def pay(self, share: int) -> None:
        for invoice in self.invoices():
            amount = Money(max(1, invoice.open_amount.amount // share), "EUR")
            if invoice.state == "open":
                self.world.commit(lambda uow, invoice=invoice, amount=amount: self.record(uow, invoice, amount))

    @rule()
    def void(self) -> None:
        for invoice in self.invoices():
            if invoice.state == "open" and not invoice.paid:
                self.count += 1
                note = {"credit_note_id": self.world.ctx.new_id("crn"), "reason": "Goodwill", "issued_by": "usr_1"}
                self.world.commit(lambda uow, invoice=invoice, note=note: settlement.void_invoice(uow, invoice, **note))

    # -- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def agree(self) -> None:
        if not self.people:
            return
        ours = [s for s in self.site.sessions() if s.enterprise_id == self.enterprise_id]
        held = sum(s.held for s in ours if s.is_open)
        captured = sum(s.captured or 0 for s in ours)
        invoices = self.invoices()
        invoiced = sum(invoice.gross for invoice in invoices)
        unpaid = sum(invoice.open_amount.amount for invoice in invoices)
        free = drivers.free_credit(self.world.ctx, self.enterprise).amount
        assert free >= 0
        assert self.enterprise.credit_limit - free == held + (captured - invoiced) + unpaid
        assert [invoice.number for invoice in invoices] == [
            f"INV-2026-{number:06d}" for number in range(len(invoices), 0, -1)
        ]
        self.agree_on_usage(ours)
        self.agree_on_private_money()
        in_books = balances_by_class(self.site)
        assert in_books.get("credit_line", 0) == -self.enterprise.credit_limit
        prove(self.site)

    def agree_on_usage(self, ours: list[ChargingSession]) -> None:
        counted: dict[tuple[str, str], int] = {}
        for session in ours:
            took = session.held if session.is_open else session.captured or 0
            if session.usage_month is not None:
                key = (session.driver_id or "", session.usage_month)
                counted[key] = counted.get(key, 0) + took
        for (driver_id, month), took in counted.items():
            known = drivers.used_in_month(self.world.ctx, self.enterprise_id, [driver_id], month)
            assert known.get(driver_id, 0) == took

    def agree_on_private_money(self) -> None:
        """A wallet pays for the sessions that name no enterprise, and for no other; nobody pays twice."""
        own = [s for s in self.site.sessions() if s.enterprise_id is None and s.driver_id is not None]
        spent = sum(s.held if s.is_open else s.captured or 0 for s in own)
        wallets = balances_by_class(self.site)["wallet"]
        assert wallets == 100_000 * len(CARDS) - spent
        for session in self.site.sessions():
            cdr = lookup.find_cdr(self.world.ctx, session.session_id)
            assert cdr is None or cdr.enterprise_id == session.enterprise_id

    # -- helpers --------------------------------------------------------------------------------------------------

    @property
    def enterprise(self) -> Enterprise:
        found = drivers.require_enterprise(self.world.ctx, self.enterprise_id)
        assert found.account_id == enterprise_account(self.enterprise_id, "EUR")
        return found

    def invoices(self) -> list[Any]:
        return settlement.list_invoices(self.world.ctx, self.site.operator.operator_id, limit=100, cursor=None).data

    def present(self, number: int) -> ChargingSession | None:
        return lookup.look_at(self.world.ctx, self.site.charger.charger_key, number + 1).present

    def record(self, uow: Any, invoice: Any, amount: Money) -> None:
        settlement.record_payment(
            uow,
            invoice,
            payment_id=self.world.ctx.new_id("ipy"),
            amount=amount,
            reference="IBAN",
            paid_at=self.world.ctx.now(),
            recorded_by="machine",
        )

    def tolerating(self, decide: Callable[[Any], Any], *codes: str) -> None:
        try:
            self.world.commit(decide)
        except DomainError as error:
            if error.code not in codes:
                raise


CreditMachine.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestCredit = CreditMachine.TestCase
