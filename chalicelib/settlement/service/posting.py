"""From the statement to the books: compute, agree, give each beneficiary its part, then the operator its own.

From the moment that statement and ledger agree, the statement stands. Each beneficiary's entry is a commit of its own
(one account may be everybody's, the platform's; any number of agencies fits), and has an id derived from the run: done
twice, it is there once. The operator's entries, the mail and the state `posted` land together, last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from pynamodb.expressions.update import Action

from chalicelib.identity import service as identity
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import (
    Entry,
    Posting,
    cash_account,
    income_account,
    payable_account,
    promotion_account,
    receivable_account,
)
from chalicelib.notifications import service as notifications
from chalicelib.notifications.model import Enclosure
from chalicelib.settlement.model import (
    RUN_LIFECYCLE,
    Deduction,
    Line,
    Payee,
    Run,
    Share,
    added,
    disagreement,
    rest_of,
)
from chalicelib.settlement.service.runs import require_run, runs_of_day
from chalicelib.settlement.service.statements import booked_of, whole_statement
from chalicelib.settlement.store.common import of_organization, organization_pk
from chalicelib.settlement.store.runs import (
    PAYEES,
    PAYEES_PK,
    PENDING_PK,
    PENDING_RUNS,
    RECEIVED,
    RUNS,
    SHARES,
    ReceivedRow,
    RunRow,
    pending_sk,
    received_sk,
)
from chalicelib.wallets import service as wallets


def compute_statement(uow: UnitOfWork, operator_id: str, business_day: str, number: int = 1) -> Run:
    """Sums the day, streaming; of a supplement what the runs before it did not settle. A run that is agreed stays as
    it is."""
    run = require_run(uow.ctx, operator_id, business_day, number)
    if run.state in ("posting", "posted"):
        return run
    whole = whole_statement(uow.ctx, operator_id, business_day)
    computed = replace(
        run,
        state=RUN_LIFECYCLE.next(run.state, "computed"),
        lines=rest_of(whole, _settled(uow.ctx, run)) if number > 1 else whole,
        computed_at=uow.ctx.now(),
        difference=None,
    )
    _save(uow, run, computed)
    return computed


def agree(uow: UnitOfWork, operator_id: str, business_day: str, number: int = 1) -> Run:
    """Holds the statement against the ledger: the run goes on to `posting`, or is disputed and nothing moves."""
    run = require_run(uow.ctx, operator_id, business_day, number)
    if run.state in ("posting", "posted", "disputed"):
        return run
    whole = added([*_settled(uow.ctx, run), *run.lines])
    booked = booked_of(uow.ctx, operator_id, business_day, {line.currency for line in whole})
    difference = disagreement(whole, booked)
    event = "agreed" if difference is None else "disagreed"
    agreed = replace(run, state=RUN_LIFECYCLE.next(run.state, event), difference=difference)
    _save(uow, run, agreed)
    return agreed


def give_share(uow: UnitOfWork, run: Run, line: Line, deduction: Deduction) -> None:
    """Credits a beneficiary with its part of a line, and tells it in its list."""
    payable = payable_account(deduction.beneficiary_id, line.currency)
    if deduction.total:
        income = income_account(run.operator_id, line.currency)
        moved = [Posting(income, -deduction.total), Posting(payable, deduction.total)]
        if ledger.post(uow, _entry(run, line.currency, payable, moved, deduction.beneficiary_id)):
            _count_received(uow, run.operator_id, deduction, line.currency)
        _remember_payee(uow, deduction.beneficiary_id, line.currency)
    uow.put(SHARES, _share_of(run, line.currency, deduction))


def finish(uow: UnitOfWork, operator_id: str, business_day: str, number: int = 1) -> Run:
    """Moves what is left of the day's income, and its cash and bonuses, to what the operator is owed. After all
    beneficiaries have got their parts.

    Raises settlement_run.not_agreed (409).
    """
    run = require_run(uow.ctx, operator_id, business_day, number)
    if run.state == "posted":
        return run
    if run.state != "posting":
        raise conflict("settlement_run.not_agreed", f"A run that is {run.state} is not posted.")
    posted = replace(run, state=RUN_LIFECYCLE.next(run.state, "posted"), posted_at=uow.ctx.now())
    _save(uow, run, posted)
    uow.delete(PENDING_RUNS, (PENDING_PK, pending_sk(operator_id, business_day, number)))
    for entry in _own_entries(run):
        ledger.post(uow, entry)
    for line in run.lines:
        _remember_payee(uow, operator_id, line.currency)
        settled = line.cash + line.promotions + line.given_back
        wallets.note_credit(uow, operator_id, Money(-settled, line.currency))
    _tell_operator(uow, posted)
    outbox.emit(uow, "settlement_run.posted", posted.settlement_id, {"operator_id": operator_id})
    return posted


def _settled(ctx: Context, run: Run) -> list[Line]:
    """What the runs of the day before this one settled."""
    earlier = [other for other in runs_of_day(ctx, run.operator_id, run.business_day) if other.number < run.number]
    return [line for other in earlier for line in other.lines]


def _own_entries(run: Run) -> Iterator[Entry]:
    """What wallets and cards paid is owed to the operator, less what others get of it, less the cash and the bonuses
    that wallets have of it already; what enterprises owe the operator collects itself."""
    for line in run.lines:
        income = income_account(run.operator_id, line.currency)
        payable = payable_account(run.operator_id, line.currency)
        moved = [
            Posting(income, line.deducted - line.wallets - line.cards),
            Posting(cash_account(run.operator_id, line.currency), line.cash),
            Posting(promotion_account(run.operator_id, line.currency), line.promotions),
            Posting(payable, line.net),
        ]
        if any(posting.amount for posting in moved):
            yield _entry(run, line.currency, payable, moved)
        if line.invoiced:
            receivable = receivable_account(run.operator_id, line.currency)
            owed = [Posting(income, -line.invoiced), Posting(receivable, line.invoiced)]
            yield _entry(run, line.currency, receivable, owed, "invoiced")


def _entry(run: Run, currency: str, home_account_id: str, postings: list[Posting], *key: str) -> Entry:
    """Stored under the account that it goes into, so that this one's entries are one list."""
    return Entry(
        entry_id=derived_id("ent", run.opened_at, "settlement", run.settlement_id, currency, *key),
        home_account_id=home_account_id,
        kind="settlement",
        currency=currency,
        postings=[posting for posting in postings if posting.amount],
        occurred_at=run.opened_at,
        source_id=run.settlement_id,
    )


def _share_of(run: Run, currency: str, deduction: Deduction) -> Share:
    return Share(
        beneficiary_id=deduction.beneficiary_id,
        operator_id=run.operator_id,
        business_day=run.business_day,
        settlement_id=run.settlement_id,
        currency=currency,
        kind=deduction.kind,
        sessions=deduction.sessions,
        energy_wh=deduction.energy_wh,
        gross=deduction.gross,
        tax=deduction.tax,
        card_payments=deduction.card_payments,
        amount=deduction.amount,
        fee=deduction.fee,
        vat=deduction.vat,
    )


def _count_received(uow: UnitOfWork, operator_id: str, deduction: Deduction, currency: str) -> None:
    """What a withdrawal of the beneficiary's is held against (`covering`). Of the platform nobody asks."""
    if deduction.beneficiary_id == PLATFORM_ID:
        return
    changes: list[Action] = [
        ReceivedRow.beneficiary_id.set(deduction.beneficiary_id),
        ReceivedRow.operator_id.set(operator_id),
        ReceivedRow.currency.set(currency),
        ReceivedRow.total.add(deduction.total),
    ]
    uow.update(RECEIVED, (organization_pk(deduction.beneficiary_id), received_sk(currency, operator_id)), changes)


def _remember_payee(uow: UnitOfWork, organization_id: str, currency: str) -> None:
    """Written where it is not known yet: the platform's row is everybody's."""
    if PAYEES.get(uow.ctx, PAYEES_PK, of_organization(organization_id, currency), consistent=False) is None:
        uow.put(PAYEES, Payee(organization_id, currency))


def _tell_operator(uow: UnitOfWork, run: Run) -> None:
    operator = identity.get_organization(uow.ctx, run.operator_id)
    if operator.email and any(line.sessions or line.gross or line.cash or line.promotions for line in run.lines):
        notifications.queue_mail(
            uow,
            dedupe_key=f"statement:{run.settlement_id}",
            to=operator.email,
            template="statement_ready",
            data={"business_day": run.business_day, "lines": _in_words(run.lines)},
            enclosures=[Enclosure("statement", (run.settlement_id,))],
        )


def _in_words(lines: list[Line]) -> str:
    return "\n".join(
        f"Sessions: {line.sessions}, {Decimal(line.energy_wh) / 1000} kWh: "
        f"gross {Money(line.gross, line.currency)}, net {Money(line.net, line.currency)}{_apart_in_words(line)}"
        for line in lines
    )


def _apart_in_words(line: Line) -> str:
    """What of the gross is not in the net, and what is taken off it."""
    apart = (
        ("on invoices", line.invoiced),
        ("commission and fees", line.commission + line.fees + line.commission_tax),
        ("shares of agencies", line.shares),
        ("cash", line.cash),
        ("bonuses", line.promotions),
    )
    return "".join(f", {name} {Money(amount, line.currency)}" for name, amount in apart if amount)


def _save(uow: UnitOfWork, before: Run, after: Run) -> None:
    """Two workflows of one run must not go different ways: what is agreed is what was computed last."""
    unmoved = RunRow.state == before.state
    if before.computed_at is not None:
        unmoved = unmoved & (RunRow.computed_at == before.computed_at)
    uow.put(RUNS, after, condition=unmoved, on_conflict=StaleRead("The settlement run"))
