"""What becomes of an operator's income: a contract with its agency, and a withdrawal of what is owed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from chalicelib.identity import service as identity
from chalicelib.kernel.money import Money
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, clearing_account, income_account
from chalicelib.settlement import jobs, service
from chalicelib.settlement.model import Deduction, Line, Run, Terms, Withdrawal
from chalicelib.settlement.store.runs import RUNS
from tests.site import Site

LONG_AGO = "2026-02-20"


def prepare_income(site: Site, agency_id: str) -> None:
    """Before the first night: the agency's share, and where the operator is paid to."""
    world, operator = site.world, site.operator
    account = {"holder": "Operator", "number": "DE89370400440532013000"}
    path = f"/v1/organizations/{operator.operator_id}"
    assert world.rest.patch(path, {"bank_account": account}, token=operator.access_token).status == 200
    world.commit(
        lambda uow: service.make_contract(
            uow,
            operator.organization,
            beneficiary_id=agency_id,
            kind="agency_share",
            currency="EUR",
            terms=Terms(world.clock.now().date().isoformat(), percent=Decimal(10)),
        )
    )


def things_of_income(site: Site, agency_id: str) -> dict[str, str]:
    """After it: one withdrawal that waits, one that is approved, and a day of which CDRs and ledger disagree."""
    world, operator_id = site.world, site.operator.operator_id
    asked, approved = (withdrawal(site, key) for key in ("asked", "approved"))
    world.commit(lambda uow: service.approve_withdrawal(uow, approved, decided_by="things", login_id="somebody else"))
    owe(site)
    return {
        "contract_id": f"{operator_id}.{agency_id}.EUR",
        "withdrawal_id": asked.withdrawal_id,
        "approved_withdrawal_id": approved.withdrawal_id,
        "disputed_settlement_id": disputed_settlement(site),
        "commission_invoice_id": billed_share(site, agency_id),
    }


def owe(site: Site) -> None:
    """A debt in a currency in which nothing else happens."""
    payable, cash = (f"{kind}:{site.operator.operator_id}:SEK" for kind in ("payable", "cash"))
    now = site.world.ctx.now()
    postings = [Posting(payable, -100), Posting(cash, 100)]
    entry = Entry(site.world.ctx.new_id("ent"), payable, "settlement", "SEK", postings, now, "things")
    site.world.commit(lambda uow: ledger.post(uow, entry))


def billed_share(site: Site, agency_id: str) -> str:
    """Of a month before all others, of which one day was settled."""
    world, operator_id = site.world, site.operator.operator_id
    given = Deduction(agency_id, "agency_share", 1, 1000, 100, 0, 0, amount=10)
    now = world.ctx.now()
    run = Run(operator_id, "2026-01-20", "posted", now, [Line("EUR", deductions=[given])], now, now)
    world.commit(lambda uow: uow.create(RUNS, run))
    [due] = service.commissions_due(world.ctx, operator_id, "2026-01")
    draft = service.draft_of_commission(world.ctx, due)
    world.commit(lambda uow: service.issue_commission_invoice(uow, draft))
    world.run_events()
    return draft.commission_invoice_id


def withdrawal(site: Site, key: str) -> Withdrawal:
    organization = identity.get_organization(site.world.ctx, site.operator.operator_id)
    asked: Withdrawal = site.world.commit(
        lambda uow: service.request_withdrawal(
            uow,
            organization,
            amount=Money(1, "EUR"),
            method="bank",
            requested_at=site.world.ctx.now(),
            requested_by=site.operator.user.user_id,
            login_id="things",
            key=key,
        )
    )
    return asked


def disputed_settlement(site: Site) -> str:
    """Of a day before all others, with income that nobody charged for."""
    world, operator_id = site.world, site.operator.operator_id
    clearing, income = clearing_account("bank", "EUR"), income_account(operator_id, "EUR")
    stray = Entry(
        entry_id=world.ctx.new_id("ent"),
        home_account_id=clearing,
        kind="manual_entry",
        currency="EUR",
        postings=[Posting(income, 5), Posting(clearing, -5)],
        occurred_at=world.ctx.now(),
        source_id="a mistake",
        business_day=LONG_AGO,
    )
    world.commit(lambda uow: ledger.post(uow, stray))
    world.commit(lambda uow: service.open_run(uow, operator_id, date.fromisoformat(LONG_AGO)))
    event = {"operator_id": operator_id, "business_day": LONG_AGO}
    jobs.settlement_compute(event, None)
    assert jobs.settlement_post(event, None)["state"] == "disputed"
    world.run_events()
    return f"{operator_id}.{LONG_AGO}"
