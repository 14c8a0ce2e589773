"""Use cases of commission invoices: bill a month when all its days are posted; find and list what was billed.

A month of an operator is closed when all its documents are there. A document lands only while its month is open, and a
month is begun only after the one before is closed: so what is on no document yet is known, however many do it at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.spans import month_days, months_before
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.notifications import service as notifications
from chalicelib.notifications.model import Enclosure
from chalicelib.settlement.model import MonthRun, Run
from chalicelib.settlement.model.commission_invoices import (
    CommissionDue,
    CommissionInvoice,
    CommissionInvoiceEntry,
    commissions_due_of,
    draft_commission_invoice,
    issuer_of,
    parse_commission_invoice_id,
    portions_of,
)
from chalicelib.settlement.model.einvoice import Party
from chalicelib.settlement.model.invoices import Series
from chalicelib.settlement.service.days import newest_day
from chalicelib.settlement.service.documents import seller_of
from chalicelib.settlement.service.numbering import next_number
from chalicelib.settlement.service.runs import pending_runs
from chalicelib.settlement.store.commission_invoices import (
    COMMISSION_INVOICE_ENTRIES,
    COMMISSION_INVOICES,
    COMMISSION_MONTHS,
    CommissionInvoiceEntryRow,
    CommissionInvoiceRow,
    commission_invoice_sk,
    commission_month_sk,
)
from chalicelib.settlement.store.common import operator_pk, organization_pk
from chalicelib.settlement.store.invoices import MonthRunRow
from chalicelib.settlement.store.runs import RUNS, RunRow, run_sk

_LATE_MONTHS = 2
"""How far back a run may be that no document has: a day's supplements are opened within three days after it, and no
month is billed before all runs of its days and of those before are posted. One more than it takes."""
_KNOWN_MONTHS = 12
"""Of how many months documents are looked at: for those that bill late runs, and for the one that is credited."""

# -- reading ------------------------------------------------------------------------------------------------------


def find_commission_invoice(ctx: Context, commission_invoice_id: str) -> CommissionInvoice | None:
    parsed = parse_commission_invoice_id(commission_invoice_id)
    if parsed is None:
        return None
    operator_id, beneficiary_id, currency, month = parsed
    return COMMISSION_INVOICES.get(
        ctx, operator_pk(operator_id), commission_invoice_sk(month, beneficiary_id, currency)
    )


def list_received_commission_invoices(
    ctx: Context, operator_id: str, *, month: str | None = None, limit: int, cursor: str | None
) -> Page[CommissionInvoice]:
    """What an operator gave to others, as it was billed; the newest month first."""
    of_month = CommissionInvoiceRow.sk.startswith(commission_invoice_sk(month or ""))
    return COMMISSION_INVOICES.query(
        ctx, operator_pk(operator_id), of_month, newest_first=True, limit=limit, cursor=cursor
    )


def list_issued_commission_invoices(
    ctx: Context, beneficiary_id: str, *, month: str | None = None, limit: int, cursor: str | None
) -> Page[CommissionInvoice]:
    """What was billed in the name of a beneficiary, the newest month first."""
    of_month = CommissionInvoiceEntryRow.sk.startswith(commission_invoice_sk(month or ""))
    entries = COMMISSION_INVOICE_ENTRIES.walk(
        ctx, organization_pk(beneficiary_id), of_month, newest_first=True, cursor=cursor
    )
    return page_of(follow(ctx, entries, COMMISSION_INVOICES, _key_of), limit)


def newest_commission_month(ctx: Context, operator_id: str) -> str | None:
    """The last month of which all is billed."""
    page = COMMISSION_MONTHS.query(
        ctx,
        operator_pk(operator_id),
        MonthRunRow.sk.startswith(commission_month_sk("")),
        newest_first=True,
        limit=1,
        consistent=True,
    )
    return page.data[0].month if page.data else None


def _key_of(entry: CommissionInvoiceEntry) -> tuple[str, str]:
    return operator_pk(entry.operator_id), commission_invoice_sk(entry.month, entry.beneficiary_id, entry.currency)


# -- drawing up ---------------------------------------------------------------------------------------------------


def is_settled_month(ctx: Context, operator_id: str, month: str) -> bool:
    """All its days, and those before, have runs and these are posted."""
    last_day = month_days(month)[1]
    newest = newest_day(ctx, operator_id)
    if newest is None or newest.isoformat() < last_day:
        return False
    return all(pending.business_day > last_day for pending in pending_runs(ctx, operator_id))


def commissions_due(ctx: Context, operator_id: str, month: str) -> list[CommissionDue]:
    """What is to be billed of a month that is settled, after those before it are closed: to each beneficiary what its
    runs gave, and what supplements of earlier days gave that came too late for the document before."""
    portions = portions_of(_runs_until(ctx, operator_id, month))
    return list(commissions_due_of(operator_id, month, portions, _issued_until(ctx, operator_id, month)))


def draft_of_commission(ctx: Context, due: CommissionDue) -> CommissionInvoice:
    """The document as its parties are today."""
    beneficiary = identity.get_organization(ctx, due.beneficiary_id)
    operator = identity.get_organization(ctx, due.operator_id)
    return draft_commission_invoice(
        due,
        seller=seller_of(ctx, beneficiary),
        buyer=seller_of(ctx, operator),
        note=identity.invoicing_of(ctx, beneficiary).note,
        now=ctx.now(),
        zone=operator.time_zone,
    )


def issue_commission_invoice(uow: UnitOfWork, draft: CommissionInvoice) -> CommissionInvoice | None:
    """Gives the draft the next number of its issuer's series and mails it; None where that is done already."""
    ctx = uow.ctx
    closed_key = (operator_pk(draft.operator_id), commission_month_sk(draft.month))
    if COMMISSION_MONTHS.get(ctx, *closed_key) is not None:
        return None
    if find_commission_invoice(ctx, draft.commission_invoice_id) is not None:
        return None
    issuer = identity.get_organization(ctx, issuer_of(draft.operator_id, draft.beneficiary_id, draft.kind))
    series: Series = "commission" if draft.kind == "commission" else "self_billed"
    invoice = replace(draft, number=next_number(uow, issuer, series, draft.issue_date))
    uow.check(COMMISSION_MONTHS, closed_key, MonthRunRow.pk.does_not_exist(), StaleRead("The month"))
    uow.create(COMMISSION_INVOICES, invoice)
    uow.create(
        COMMISSION_INVOICE_ENTRIES,
        CommissionInvoiceEntry(draft.operator_id, draft.beneficiary_id, draft.currency, draft.month),
    )
    _tell_other_side(uow, issuer, invoice)
    return invoice


def close_commission_month(uow: UnitOfWork, operator_id: str, month: str) -> None:
    """All of the month's documents are there; it is not looked at again."""
    uow.put(COMMISSION_MONTHS, MonthRun(operator_id, month, uow.ctx.now()))


def _runs_until(ctx: Context, operator_id: str, month: str) -> Iterator[Run]:
    first = months_before(month, _LATE_MONTHS)
    within = RunRow.sk.between(run_sk(month_days(first)[0]), f"{run_sk(month_days(month)[1])}~")
    return RUNS.query_all(ctx, operator_pk(operator_id), within, consistent=True)


def _issued_until(ctx: Context, operator_id: str, month: str) -> Iterator[CommissionInvoice]:
    first = commission_invoice_sk(months_before(month, _KNOWN_MONTHS))
    within = CommissionInvoiceRow.sk.between(first, f"{commission_invoice_sk(month)}~")
    return COMMISSION_INVOICES.query_all(ctx, operator_pk(operator_id), within, consistent=True)


def _tell_other_side(uow: UnitOfWork, issuer: Organization, invoice: CommissionInvoice) -> None:
    """The operator is billed; what it issues itself goes to its agency."""
    billed = invoice.kind == "commission"
    told = identity.get_organization(uow.ctx, invoice.operator_id if billed else invoice.beneficiary_id)
    if not told.email:
        return
    notifications.queue_mail(
        uow,
        dedupe_key=f"commission_invoice:{invoice.commission_invoice_id}",
        to=told.email,
        template="commission_invoice" if billed else "self_billed_invoice",
        language=told.language,
        sender=identity.mail_sender(uow.ctx, issuer),
        enclosures=[Enclosure("commission_invoice", (invoice.commission_invoice_id,))],
        data={
            "number": invoice.number,
            "kind": "Credit note" if invoice.is_credit else "Invoice",
            "name": told.name,
            "issuer": issuer.name,
            "month": invoice.month,
            "net": str(Money(invoice.net, invoice.currency)),
            "tax": str(Money(invoice.tax, invoice.currency)),
            "gross": str(Money(invoice.gross, invoice.currency)),
            "missing": ", ".join(_not_filled_in(invoice.seller)),
        },
    )


def _not_filled_in(seller: Party) -> Iterator[str]:
    """What a document in somebody's name must say of them, and they have not said. It is issued all the same: the money
    was moved. `violations` names all rules that it breaks."""
    if not (seller.address or seller.city):
        yield "your address"
    if not seller.country:
        yield "your country"
    if not (seller.tax_number or seller.registration):
        yield "your VAT identifier, or the number of your registration"
