"""The invoices of enterprises: what they owe for a month, line by line, and what they paid."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.identity.scope import OperatorPageQuery, check_works_everywhere, listed_operator, may_see
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Moment, PageQuery, PageView, Request, Shape, check_moment, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import MonthText
from chalicelib.settlement import service
from chalicelib.settlement.api_operator.common import api, new_id
from chalicelib.settlement.model import Invoice, InvoiceLine, InvoicePayment, InvoiceState, TaxPart
from chalicelib.settlement.model.credit_notes import CreditNote

ReferenceText = Annotated[str, msgspec.Meta(min_length=1, max_length=140, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")]


class InvoicesQuery(OperatorPageQuery):
    """`month`: the month that was used, YYYY-MM."""

    enterprise_id: str | None = None
    state: InvoiceState | None = None
    month: MonthText | None = None


class TaxRateView(Shape):
    """`vat` in percent, null where the tariff names none."""

    vat: str | None
    net: Money
    tax: Money
    gross: Money


class InvoiceView(Shape):
    """`gross` = `net` + `tax` = the sum of its lines; `open_amount` is what is still to be paid. The addressee is as it
    was on the day of issue."""

    invoice_id: str
    number: str
    operator_id: str
    enterprise_id: str
    month: str
    state: InvoiceState
    issued_at: datetime
    issue_date: str
    due_date: str
    net: Money
    tax: Money
    gross: Money
    rates: list[TaxRateView]
    paid: Money
    open_amount: Money
    line_count: int
    seller_name: str
    name: str
    email: str
    tax_number: str | None
    address: str | None
    city: str | None
    postal_code: str | None
    country: str | None
    closed_at: datetime | None
    void_reason: str | None
    credited: Money


class InvoiceLineView(Shape):
    """A charging session of a member. `gross` is what it took of the credit."""

    session_id: str
    cdr_id: str
    order_no: str
    driver_id: str
    driver_name: str
    id_token: str
    location_id: str | None
    location_name: str
    charger_id: str
    evse_no: int
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    net: Money
    tax: Money
    gross: Money
    rates: list[TaxRateView]


class CreditNoteView(Shape):
    """What was taken back of an invoice; `rates` as on it."""

    credit_note_id: str
    number: str
    invoice_id: str
    invoice_number: str
    issued_at: datetime
    issue_date: str
    net: Money
    tax: Money
    gross: Money
    rates: list[TaxRateView]
    reason: str


class PaymentCreate(Shape):
    """What the operator's bank says: `reference` as it stands there."""

    amount: Money
    reference: ReferenceText
    paid_at: Moment


class InvoicePaymentView(Shape):
    payment_id: str
    invoice_id: str
    amount: Money
    reference: str
    paid_at: datetime
    recorded_at: datetime
    recorded_by: str


class InvoiceVoid(Shape):
    reason: ReferenceText


@api.get("/v1/invoices", permission="enterprises:read")
def list_invoices(req: Request, query: InvoicesQuery) -> PageView[InvoiceView]:
    """The invoices of the operator's enterprises, the newest month first."""
    check_works_everywhere(req)
    page = service.list_invoices(
        req.ctx,
        listed_operator(req, query.operator_id),
        enterprise_id=query.enterprise_id,
        state=query.state,
        month=query.month,
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, invoice_view)


@api.get("/v1/invoices/{invoice_id}", permission="enterprises:read")
def get_invoice(req: Request, invoice_id: str) -> InvoiceView:
    """One invoice."""
    return invoice_view(owned_invoice(req, invoice_id))


@api.get("/v1/invoices/{invoice_id}/lines", permission="enterprises:read")
def list_invoice_lines(req: Request, invoice_id: str, query: PageQuery) -> PageView[InvoiceLineView]:
    """The lines of an invoice, by the begin of the charge."""
    invoice = owned_invoice(req, invoice_id)
    page = service.list_lines(req.ctx, invoice, limit=query.limit, cursor=query.cursor)
    return page_view(page, lambda line: _line_view(line, invoice.currency))


@api.get("/v1/invoices/{invoice_id}/payments", permission="enterprises:read")
def list_invoice_payments(req: Request, invoice_id: str, query: PageQuery) -> PageView[InvoicePaymentView]:
    """What was paid for an invoice."""
    page = service.list_payments(
        req.ctx, owned_invoice(req, invoice_id).invoice_id, limit=query.limit, cursor=query.cursor
    )
    return page_view(page, _payment_view)


@api.post("/v1/invoices/{invoice_id}/payments", permission="enterprises:write", idempotency_key=True)
def create_invoice_payment(req: Request, invoice_id: str, body: PaymentCreate) -> InvoicePaymentView:
    """Records a payment, of all that is open or of a part: so much of the enterprise's credit is free again."""
    invoice = owned_invoice(req, invoice_id)
    paid, payment = service.record_payment(
        req.uow,
        invoice,
        payment_id=new_id(req, "ipy", invoice_id),
        amount=body.amount,
        reference=body.reference,
        paid_at=check_moment(body.paid_at, "/paid_at"),
        recorded_by=req.actor.person_id,
    )
    audit_invoice(req, invoice, paid)
    req.audit("invoice_payment", payment.payment_id, owner_id=invoice.operator_id, after=_payment_view(payment))
    return _payment_view(payment)


@api.post("/v1/invoices/{invoice_id}/void", permission="enterprises:write", status=200, idempotency_key=True)
def void_invoice(req: Request, invoice_id: str, body: InvoiceVoid) -> InvoiceView:
    """Takes back an invoice for which nothing was paid, by a credit note: nobody owes it any more. Its number stays."""
    invoice = owned_invoice(req, invoice_id)
    void, note = service.void_invoice(
        req.uow,
        invoice,
        credit_note_id=new_id(req, "crn", invoice_id),
        reason=body.reason,
        issued_by=req.actor.person_id,
    )
    audit_invoice(req, invoice, void)
    audit_credit_note(req, note)
    return invoice_view(void)


def owned_invoice(req: Request, invoice_id: str) -> Invoice:
    check_works_everywhere(req)
    invoice = service.find_invoice(req.ctx, invoice_id)
    if invoice is None or not may_see(req, invoice.operator_id):
        raise not_found("invoice", invoice_id)
    return invoice


def audit_invoice(req: Request, before: Invoice, after: Invoice) -> None:
    req.audit(
        "invoice",
        before.invoice_id,
        owner_id=before.operator_id,
        before=invoice_view(before),
        after=invoice_view(after),
    )


def audit_credit_note(req: Request, note: CreditNote) -> None:
    req.audit("credit_note", note.credit_note_id, owner_id=note.operator_id, after=credit_note_view(note))


def invoice_view(invoice: Invoice) -> InvoiceView:
    values = {name: getattr(invoice, name) for name in InvoiceView.__struct_fields__}
    for name in ("net", "tax", "gross", "paid", "credited"):
        values[name] = Money(values[name], invoice.currency)
    return InvoiceView(**values | {"rates": rates_view(invoice.rates, invoice.currency)})


def credit_note_view(note: CreditNote) -> CreditNoteView:
    values = {name: getattr(note, name) for name in CreditNoteView.__struct_fields__}
    for name in ("net", "tax", "gross"):
        values[name] = Money(values[name], note.currency)
    return CreditNoteView(**values | {"rates": rates_view(note.rates, note.currency)})


def _line_view(line: InvoiceLine, currency: str) -> InvoiceLineView:
    values = {name: getattr(line, name) for name in InvoiceLineView.__struct_fields__}
    for name in ("net", "tax", "gross"):
        values[name] = Money(values[name], currency)
    return InvoiceLineView(**values | {"rates": rates_view(line.rates, currency)})


def rates_view(rates: list[TaxPart], currency: str) -> list[TaxRateView]:
    return [
        TaxRateView(
            vat=rate.vat or None,
            net=Money(rate.net, currency),
            tax=Money(rate.tax, currency),
            gross=Money(rate.gross, currency),
        )
        for rate in rates
    ]


def _payment_view(payment: InvoicePayment) -> InvoicePaymentView:
    return InvoicePaymentView(**{name: getattr(payment, name) for name in InvoicePaymentView.__struct_fields__})
