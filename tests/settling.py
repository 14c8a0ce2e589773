"""Days of an operator without chargers: what was sold, taken and promised, as CDRs and ledger entries; their nights.

For tests that are about what becomes of a day. Each sale is both, a CDR and its entry, as charging makes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.charging.model import Cdr
from chalicelib.charging.store.cdrs import CDRS
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import (
    Entry,
    EntryKind,
    Posting,
    account_class,
    captures_account,
    cash_account,
    clearing_account,
    credit_line_account,
    enterprise_account,
    income_account,
    payable_account,
    promotion_account,
    wallet_account,
)
from chalicelib.ledger.store import LINES
from chalicelib.settlement import jobs, service
from chalicelib.settlement.model import Contract, Terms, Withdrawal
from tests.world import Operator, World

Payer = Literal["wallet", "card", "enterprise"]
DRIVER, ENTERPRISE = "drv_settled", "epr_settled"
NIGHT_S = 24 * 3600


@dataclass
class Books:
    """An operator with a past that tests write; wallets and credits are full to begin with."""

    world: World
    operator: Operator
    count: int = 0
    day: str = ""
    sold: list[Cdr] = field(default_factory=list)

    @property
    def operator_id(self) -> str:
        return self.operator.operator_id

    def fill(self, currency: str = "EUR", amount: int = 10**12) -> None:
        """What payers pay with."""
        wallet, credit = wallet_account(DRIVER, currency), enterprise_account(ENTERPRISE, currency)
        self.post(wallet, "top_up", currency, {wallet: amount, clearing_account("stripe", currency): -amount})
        self.post(credit, "credit_line", currency, {credit: amount, credit_line_account(ENTERPRISE, currency): -amount})

    def sell(
        self,
        amount: int,
        payer: Payer = "wallet",
        *,
        day: str | None = None,
        currency: str = "EUR",
        energy_wh: int = 1000,
        tax: int = 0,
        agency_id: str | None = None,
    ) -> Cdr:
        self.count += 1
        money = Money(amount, currency)
        cdr = Cdr(
            cdr_id=self.world.ctx.new_id("cdr"),
            session_id=self.world.ctx.new_id("ses"),
            operator_id=self.operator_id,
            charger_id="CP-1",
            evse_no=1,
            id_token="CARD",
            started_at=self.world.ctx.now(),
            ended_at=self.world.ctx.now(),
            energy_wh=energy_wh,
            total_cost=money,
            captured=money,
            uncollected=Money(0, currency),
            business_day=day or self.today,
            lines=[],
            enterprise_id=ENTERPRISE if payer == "enterprise" else None,
            payment_id=f"pay_{self.count}" if payer == "card" else None,
            agency_id=agency_id,
            captured_tax=Money(tax, currency),
        )
        self._seal(cdr)
        return cdr

    def take_back(self, cdr: Cdr, *, day: str | None = None) -> Cdr:
        """A credit CDR on another day, perhaps."""
        credit = replace(
            cdr,
            cdr_id=f"{cdr.cdr_id}-C1",
            energy_wh=-cdr.energy_wh,
            total_cost=-cdr.total_cost,
            captured=-cdr.captured,
            captured_tax=-(cdr.captured_tax or Money(0, cdr.captured.currency)),
            business_day=day or self.today,
            credit_reference_id=cdr.cdr_id,
        )
        self._seal(credit)
        return credit

    def correct(self, cdr: Cdr, amount: int) -> Cdr:
        """What it should have been, today: a credit CDR and what is valid instead."""
        self.take_back(cdr)
        money = Money(amount, cdr.captured.currency)
        valid = replace(
            cdr, cdr_id=f"{cdr.cdr_id}-2", captured=money, total_cost=money, captured_tax=None, business_day=self.today
        )
        self._seal(valid)
        return valid

    def take_cash(self, amount: int, *, day: str | None = None, currency: str = "EUR") -> None:
        wallet = wallet_account(DRIVER, currency)
        moves = {wallet: amount, cash_account(self.operator_id, currency): -amount}
        self.post(wallet, "manual_entry", currency, moves, day or self.today)

    def promise(self, bonus: int, *, day: str | None = None, currency: str = "EUR") -> None:
        """A top-up of 1.00 with a bonus of the operator's."""
        wallet = wallet_account(DRIVER, currency)
        moves = {
            wallet: 100 + bonus,
            clearing_account("stripe", currency): -100,
            promotion_account(self.operator_id, currency): -bonus,
        }
        self.post(wallet, "top_up", currency, moves, day or self.today)

    def post(self, home: str, kind: EntryKind, currency: str, moves: dict[str, int], day: str | None = None) -> None:
        entry = Entry(
            entry_id=self.world.ctx.new_id("ent"),
            home_account_id=home,
            kind=kind,
            currency=currency,
            postings=[Posting(account_id, amount) for account_id, amount in moves.items() if amount],
            occurred_at=self.world.ctx.now(),
            source_id="test",
            business_day=day,
        )
        self.world.commit(lambda uow: ledger.post(uow, entry))

    @property
    def today(self) -> str:
        return self.day or self.world.clock.now().date().isoformat()

    # -- who gets a part ----------------------------------------------------------------------------------------

    def agree(self, beneficiary_id: str, *, valid_from: str = "", currency: str = "EUR", **terms: Any) -> Contract:
        kind: Literal["commission", "agency_share"] = (
            "commission" if beneficiary_id in self.operator.organization.path else "agency_share"
        )
        agreed = Terms(valid_from or self.today, **terms)
        contract: Contract = self.world.commit(
            lambda uow: service.make_contract(
                uow,
                self.operator.organization,
                beneficiary_id=beneficiary_id,
                kind=kind,
                currency=currency,
                terms=agreed,
            )
        )
        return contract

    def agency(self, name: str = "Agency") -> Organization:
        return open_below(self.world, self.operator.organization, "agency", name)

    # -- nights -------------------------------------------------------------------------------------------------

    def settle(self, day: str | None = None, number: int = 1) -> dict[str, Any]:
        """The whole workflow of a run that is open."""
        event = {"operator_id": self.operator_id, "business_day": day or self.today, "number": number}
        jobs.settlement_compute(event, None)
        answer: dict[str, Any] = jobs.settlement_post(event, None)
        return answer

    def sleep(self) -> None:
        """Until noon of the next day; the runs of what is over are opened."""
        now = self.world.clock.now()
        noon = datetime.fromisoformat(f"{(now + timedelta(days=1)).date()}T12:00:00+00:00")
        self.world.advance((noon - now).total_seconds())
        self.world.run_job(jobs.open_settlements)

    def owed(self, organization_id: str = "", currency: str = "EUR") -> int:
        return ledger.balance(self.world.ctx, payable_account(organization_id or self.operator_id, currency)).amount

    def _seal(self, cdr: Cdr) -> None:
        currency, amount = cdr.captured.currency, cdr.captured.amount
        home = wallet_account(DRIVER, currency)
        if cdr.enterprise_id:
            home = enterprise_account(ENTERPRISE, currency)
        elif cdr.payment_id:
            home = captures_account("stripe", currency)
        income = income_account(self.operator_id, currency)
        entry = Entry(
            entry_id=self.world.ctx.new_id("ent"),
            home_account_id=home,
            kind="consumption",
            currency=currency,
            postings=[Posting(income, amount), Posting(home, -amount)],
            occurred_at=self.world.ctx.now(),
            source_id=cdr.session_id,
            business_day=cdr.business_day,
        )

        def decide(uow: UnitOfWork) -> None:
            uow.create(CDRS, cdr)
            if amount:
                ledger.post(uow, entry)

        self.world.commit(decide)
        self.sold.append(cdr)


def withdrawal_of(ctx: Context, withdrawal_id: str) -> Withdrawal:
    found = service.find_withdrawal(ctx, withdrawal_id)
    assert found is not None
    return found


def open_books(world: World, **fields: Any) -> Books:
    books = Books(world, world.operator(**fields))
    books.fill()
    return books


def open_below(world: World, parent: Organization | None, kind: str, name: str) -> Organization:
    slug = name.replace(" ", "-").lower()
    new = identity.NewOrganization(
        name=name,
        kind=kind,
        email=f"office@{slug}.example",
        currency="EUR",
        time_zone="Europe/Berlin",
        language="en",
        admin=identity.NewUser(email=f"admin@{slug}.example", full_name="Ada Admin"),
    )
    organization, _ = world.commit(lambda uow: identity.create_organization(uow, new, parent))
    return organization


def totals_by_class(world: World) -> dict[tuple[str, str], int]:
    """What is in all accounts of a class and currency together, from every entry there is."""
    totals: dict[tuple[str, str], int] = {}
    for line in LINES.scan_all(world.ctx):
        for posting in line.postings:
            key = account_class(posting.account_id), line.currency
            totals[key] = totals.get(key, 0) + posting.amount
    return totals
