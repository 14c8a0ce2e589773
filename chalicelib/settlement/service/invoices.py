"""Use cases of invoices: draw one up from the CDRs of a month, give it a number, take its payments.

A draft's lines are written first, under a name of their own, outside of any commit; the invoice that names them gets
its number, its place in the list and its mail in one. Drawn up twice at once, one of the two becomes the invoice.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup as charging
from chalicelib.charging.model import Cdr
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import Enterprise
from chalicelib.identity import service as identity
from chalicelib.identity.model import Organization
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead, invalid
from chalicelib.kernel.money import Money
from chalicelib.kernel.pages import Page, follow, page_of
from chalicelib.kernel.spans import month_of, month_span, months_before
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import income_account
from chalicelib.settlement.model import (
    INVOICE_LIFECYCLE,
    Draft,
    Invoice,
    InvoiceEntry,
    InvoiceLine,
    InvoicePayment,
    InvoiceState,
    MonthRun,
    draft_of,
    invoice_id_of,
    line_of,
    payment_entry,
)
from chalicelib.settlement.model.invoices import MAX_MONTHS
from chalicelib.settlement.service.documents import account_of, seller_of
from chalicelib.settlement.service.mailing import mail_invoice
from chalicelib.settlement.service.numbering import next_number
from chalicelib.settlement.store.common import operator_pk
from chalicelib.settlement.store.invoices import (
    INVOICE_ENTRIES,
    INVOICE_LINES,
    INVOICE_PAYMENTS,
    INVOICES,
    MONTH_RUNS,
    InvoiceEntryRow,
    InvoiceLineRow,
    InvoicePaymentRow,
    InvoiceRow,
    MonthRunRow,
    invoice_pk,
    lines_pk,
)

_ABROAD = timedelta(days=2)
"""Business days are of the zone that a session was begun in: no zone is further from another."""


# -- reading ------------------------------------------------------------------------------------------------------


def find_invoice(ctx: Context, invoice_id: str) -> Invoice | None:
    return INVOICES.get(ctx, invoice_pk(invoice_id), "invoice")


def list_invoices(
    ctx: Context,
    operator_id: str,
    *,
    enterprise_id: str | None = None,
    state: InvoiceState | None = None,
    month: str | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Invoice]:
    """An operator's invoices, the newest month first."""

    def keep(invoice: Invoice) -> bool:
        return (
            enterprise_id in (None, invoice.enterprise_id)
            and state in (None, invoice.state)
            and month in (None, invoice.month)
        )

    entries = INVOICE_ENTRIES.walk(
        ctx, operator_pk(operator_id), InvoiceEntryRow.sk.startswith("invoice#"), newest_first=True, cursor=cursor
    )
    return page_of(follow(ctx, entries, INVOICES, lambda entry: (invoice_pk(entry.invoice_id), "invoice")), limit, keep)


def list_lines(ctx: Context, invoice: Invoice, *, limit: int, cursor: str | None) -> Page[InvoiceLine]:
    """By the begin of the charge."""
    return INVOICE_LINES.query(
        ctx, lines_pk(invoice.lines_id), InvoiceLineRow.sk.startswith("line#"), limit=limit, cursor=cursor
    )


def list_payments(ctx: Context, invoice_id: str, *, limit: int, cursor: str | None) -> Page[InvoicePayment]:
    """In the order in which they were recorded."""
    return INVOICE_PAYMENTS.query(
        ctx, invoice_pk(invoice_id), InvoicePaymentRow.sk.startswith("payment#"), limit=limit, cursor=cursor
    )


def newest_month(ctx: Context, operator_id: str) -> str | None:
    """The last month of which all invoices are drawn up."""
    page = MONTH_RUNS.query(
        ctx,
        operator_pk(operator_id),
        MonthRunRow.sk.startswith("invoice_run#"),
        newest_first=True,
        limit=1,
        consistent=True,
    )
    return page.data[0].month if page.data else None


# -- drawing up ---------------------------------------------------------------------------------------------------


def draft_invoice(ctx: Context, operator: Organization, enterprise: Enterprise, month: str) -> Draft | None:
    """What the enterprise owes for a month that is over, with what came too late for the invoice before; None where
    there is nothing, or the invoice is there.

    Raises invoice.disagrees when CDRs and ledger do not say the same of the month: nothing is made then.
    """
    if find_invoice(ctx, invoice_id_of(enterprise.enterprise_id, month)) is not None:
        return None
    cdrs = _cdrs_of(ctx, enterprise, month)
    stated, booked = sum(cdr.captured.amount for cdr in cdrs), _booked(ctx, operator, enterprise, month)
    if stated != booked:
        currency = enterprise.currency
        detail = f"Of {month} CDRs say {Money(stated, currency)}, the ledger {Money(booked, currency)}."
        raise DomainError("invoice.disagrees", detail, Kind.INTERNAL)
    cdrs = [*_told_late(ctx, enterprise, month), *cdrs]
    if sum(cdr.captured.amount for cdr in cdrs) <= 0:
        return None  # nothing, or more was taken back than used: that goes into the next invoice
    lines_id = ctx.new_id("lin")
    return draft_of(
        enterprise,
        seller=seller_of(ctx, operator),
        account=account_of(operator),
        note=identity.invoicing_of(ctx, operator).note,
        month=month,
        lines=_lines_of(ctx, lines_id, cdrs),
        lines_id=lines_id,
        now=ctx.now(),
        zone=operator.time_zone,
    )


def keep_lines(ctx: Context, draft: Draft) -> None:
    """Writes the lines, in a commit of nobody's: they are part of no invoice until `issue_invoice`."""
    INVOICE_LINES.batch_put(ctx, draft.lines)


def issue_invoice(uow: UnitOfWork, draft: Draft) -> Invoice:
    """Makes the draft an invoice, with the next number of the operator's series of the year, and mails it. One that is
    there already is returned as it is."""
    known = find_invoice(uow.ctx, draft.invoice.invoice_id)
    if known is not None:
        return known
    operator = identity.get_organization(uow.ctx, draft.invoice.operator_id)
    number = next_number(uow, operator, "invoice", draft.invoice.issue_date)
    invoice = replace(draft.invoice, number=number)
    uow.create(INVOICES, invoice)
    uow.create(INVOICE_ENTRIES, InvoiceEntry(invoice.operator_id, invoice.invoice_id))
    energy_wh = sum(line.energy_wh for line in draft.lines)
    mail_invoice(uow, invoice, energy_wh, to=invoice.email, dedupe_key=f"invoice:{invoice.invoice_id}")
    return invoice


def close_month(uow: UnitOfWork, operator_id: str, month: str) -> None:
    """All of the month's invoices are there; it is not looked at again."""
    uow.put(MONTH_RUNS, MonthRun(operator_id, month, uow.ctx.now()))


def _cdrs_of(ctx: Context, enterprise: Enterprise, month: str) -> list[Cdr]:
    """Those that took something. A charge that cost nothing, or that nobody could pay, is on no invoice."""
    return [cdr for cdr in charging.cdrs_of_enterprise(ctx, enterprise.enterprise_id, month) if cdr.captured.amount]


def _told_late(ctx: Context, enterprise: Enterprise, month: str) -> list[Cdr]:
    """CDRs of earlier months that no invoice has: told after it was made (the operator's zone was changed in between,
    say), or of months that had none because more was taken back than used."""
    late: list[Cdr] = []
    first = month_of(enterprise.created_at - _ABROAD, "UTC")
    for _ in range(MAX_MONTHS):
        month = months_before(month)
        if month < first:
            break
        cdrs = _cdrs_of(ctx, enterprise, month)
        invoice = find_invoice(ctx, invoice_id_of(enterprise.enterprise_id, month))
        if invoice is not None:
            lines = INVOICE_LINES.query_all(ctx, lines_pk(invoice.lines_id), InvoiceLineRow.sk.startswith("line#"))
            listed = {line.cdr_id for line in lines}
            return [cdr for cdr in cdrs if cdr.cdr_id not in listed] + late
        late = cdrs + late
    return late


def _booked(ctx: Context, operator: Organization, enterprise: Enterprise, month: str) -> int:
    """What the ledger moved from the enterprise's credit to the operator's income on the month's business days, also
    where somebody put it right afterwards."""
    begin, _ = month_span(month, operator.time_zone)
    income = income_account(operator.organization_id, enterprise.currency)
    entries = ledger.entries_between(ctx, enterprise.account_id, begin - _ABROAD, ctx.now() + _ABROAD)
    return sum(entry.amount_on(income) for entry in entries if (entry.business_day or "").startswith(month))


def _lines_of(ctx: Context, lines_id: str, cdrs: list[Cdr]) -> list[InvoiceLine]:
    sessions = charging.sessions_by_id(ctx, (cdr.session_id for cdr in cdrs))
    people = drivers.get_drivers(ctx, (cdr.driver_id for cdr in cdrs if cdr.driver_id))
    location_ids = {cdr.location_id for cdr in cdrs if cdr.location_id}
    found = (chargers.get_location(ctx, location_id) for location_id in sorted(location_ids))
    places = {location.location_id: location.name for location in found if location is not None}
    return [
        line_of(
            lines_id,
            cdr,
            order_no=sessions[cdr.session_id].order_no,
            driver_name=people[cdr.driver_id].full_name if cdr.driver_id in people else "",
            location_name=places.get(cdr.location_id or "", ""),
        )
        for cdr in cdrs
    ]


# -- paying -------------------------------------------------------------------------------------------------------


def record_payment(
    uow: UnitOfWork,
    invoice: Invoice,
    *,
    payment_id: str,
    amount: Money,
    reference: str,
    paid_at: datetime,
    recorded_by: str,
) -> tuple[Invoice, InvoicePayment]:
    """Notes what the operator received for an invoice, all of it or a part, and gives the credit back.

    Raises invoice.illegal_transition (409) unless it is open, invoice.currency, invoice.payment_amount,
    invoice.paid_in_future.
    """
    now = uow.ctx.now()
    left = invoice.open_amount
    event = "paid_in_full" if amount.amount == left.amount else "paid_in_part"
    state = INVOICE_LIFECYCLE.next(invoice.state, event)
    if amount.currency != invoice.currency:
        raise invalid("invoice.currency", f"This invoice is in {invoice.currency}.", "/amount/currency")
    if not 0 < amount.amount <= left.amount:
        detail = f"A payment is more than nothing and no more than what is open: {left}."
        raise invalid("invoice.payment_amount", detail, "/amount/amount")
    if paid_at > now + timedelta(days=1):
        raise invalid("invoice.paid_in_future", "This is still to come.", "/paid_at")
    payment = InvoicePayment(payment_id, invoice.invoice_id, amount, reference, paid_at, now, recorded_by)
    uow.create(INVOICE_PAYMENTS, payment)
    ledger.post(uow, payment_entry(invoice, payment, now))
    closed_at = now if state == "paid" else None
    return _save(uow, replace(invoice, state=state, paid=invoice.paid + amount.amount, closed_at=closed_at)), payment


def _save(uow: UnitOfWork, after: Invoice) -> Invoice:
    """Writes the invoice if nobody changed it since it was read."""
    saved = replace(after, revision=after.revision + 1)
    uow.put(INVOICES, saved, condition=InvoiceRow.revision == after.revision, on_conflict=StaleRead("The invoice"))
    return saved
