"""What bills the parts of their income that operators gave to others, month by month; as list, PDF and XML.

A document is its two parties' and the platform's; for everybody else it is not there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from chalicelib.identity.scope import check_works_everywhere
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Answer, PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import MonthText
from chalicelib.settlement import service
from chalicelib.settlement.api_operator.common import api, pdf_answer, xml_answer
from chalicelib.settlement.model import ContractKind
from chalicelib.settlement.model.commission_invoices import CommissionInvoice, RatePart, document_of_commission
from chalicelib.settlement.model.einvoice import violations


class CommissionInvoicesQuery(PageQuery):
    """`received`: what bills an operator, also what it issues itself for its agencies (what operators see unless they
    say it). `issued`: what is billed in the organisation's name (what others see). `organization_id` is for the
    platform's people. `month`: of the business days, YYYY-MM."""

    side: Literal["received", "issued"] | None = None
    organization_id: str | None = None
    month: MonthText | None = None


class CommissionRateView(Shape):
    """What was given at one rate of tax: `vat` in percent, null where the contract states none. `amount` and `fees`
    (for card payments) without `tax`; of what: `sold`, with its own tax."""

    vat: str | None
    amount: Money
    fees: Money
    tax: Money
    sessions: int
    energy_wh: int
    card_payments: int
    sold: Money


class CommissionInvoiceView(Shape):
    """`gross` = `net` + `tax` is what the settlements gave (of a credit note: took back). It is paid. `kind`
    agency_share: self-billed, the operator issues it in the agency's name. `corrects`: the invoice that a credit note
    goes with. `missing`: the rules of EN 16931 that it breaks, by name, mostly by what its parties have not filled in
    (`/v1/settings/invoicing`); none: it may be sent as an e-invoice."""

    commission_invoice_id: str
    number: str
    type: Literal["invoice", "credit_note"]
    kind: ContractKind
    operator_id: str
    beneficiary_id: str
    month: str
    issued_at: datetime
    issue_date: str
    net: Money
    tax: Money
    gross: Money
    rates: list[CommissionRateView]
    seller_name: str
    buyer_name: str
    corrects: str | None
    settlement_ids: list[str]
    missing: list[str]


@api.get("/v1/commission-invoices", permission="settlements:read")
def list_commission_invoices(req: Request, query: CommissionInvoicesQuery) -> PageView[CommissionInvoiceView]:
    """Commission invoices, the newest month first."""
    check_works_everywhere(req)
    organization_id = query.organization_id or req.organization_id
    if organization_id != req.organization_id and not req.actor.is_platform:
        raise not_found("organization", organization_id)
    side = query.side or ("received" if req.actor.organization_kind == "operator" else "issued")
    of_side = {
        "received": service.list_received_commission_invoices,
        "issued": service.list_issued_commission_invoices,
    }
    page = of_side[side](req.ctx, organization_id, month=query.month, limit=query.limit, cursor=query.cursor)
    return page_view(page, _view)


@api.get("/v1/commission-invoices/{commission_invoice_id}", permission="settlements:read")
def get_commission_invoice(req: Request, commission_invoice_id: str) -> CommissionInvoiceView:
    """One commission invoice."""
    return _view(_owned(req, commission_invoice_id))


@api.get("/v1/commission-invoices/{commission_invoice_id}/pdf", permission="settlements:read")
def get_commission_invoice_pdf(req: Request, commission_invoice_id: str) -> Answer:
    """The commission invoice as PDF, as it was issued."""
    return pdf_answer(document_of_commission(_owned(req, commission_invoice_id)))


@api.get("/v1/commission-invoices/{commission_invoice_id}/xml", permission="settlements:read")
def get_commission_invoice_xml(req: Request, commission_invoice_id: str) -> Answer:
    """The commission invoice as EN 16931 document in UBL 2.1."""
    return xml_answer(document_of_commission(_owned(req, commission_invoice_id)))


def _owned(req: Request, commission_invoice_id: str) -> CommissionInvoice:
    check_works_everywhere(req)
    invoice = service.find_commission_invoice(req.ctx, commission_invoice_id)
    parties = () if invoice is None else (invoice.operator_id, invoice.beneficiary_id)
    if invoice is None or not (req.actor.is_platform or req.actor.organization_id in parties):
        raise not_found("commission_invoice", commission_invoice_id)
    return invoice


def _view(invoice: CommissionInvoice) -> CommissionInvoiceView:
    def money(amount: int) -> Money:
        return Money(amount, invoice.currency)

    def rate_view(part: RatePart) -> CommissionRateView:
        return CommissionRateView(
            vat=part.vat or None,
            amount=money(part.amount),
            fees=money(part.fee),
            tax=money(part.tax),
            sessions=part.sessions,
            energy_wh=part.energy_wh,
            card_payments=part.card_payments,
            sold=money(part.sold),
        )

    return CommissionInvoiceView(
        commission_invoice_id=invoice.commission_invoice_id,
        number=invoice.number,
        type="credit_note" if invoice.is_credit else "invoice",
        kind=invoice.kind,
        operator_id=invoice.operator_id,
        beneficiary_id=invoice.beneficiary_id,
        month=invoice.month,
        issued_at=invoice.issued_at,
        issue_date=invoice.issue_date,
        net=money(invoice.net),
        tax=money(invoice.tax),
        gross=money(invoice.gross),
        rates=[rate_view(part) for part in invoice.parts],
        seller_name=invoice.seller.name,
        buyer_name=invoice.buyer.name,
        corrects=invoice.preceding,
        settlement_ids=invoice.settlement_ids,
        missing=violations(document_of_commission(invoice)),
    )
