"""What an enterprise owes for a calendar month of the operator, line by line; pure.

An invoice is made once per enterprise and month, of sealed CDRs, and agrees with the ledger or is not made. Its lines
are copies: what is printed does not change with a driver's name. Amounts are minor units of the invoice's currency;
`gross` of a line is what the session took of the enterprise's credit (what nobody could pay is on no invoice).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal
from zoneinfo import ZoneInfo

from chalicelib.charging.model import Cdr
from chalicelib.drivers.model import Enterprise
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import month_after, month_of, month_span
from chalicelib.ledger.model import Entry, Posting, enterprise_account, receivable_account
from chalicelib.settlement.model.einvoice import Account, Party
from chalicelib.settlement.model.runs import GRACE
from chalicelib.tariffs.rating import round_half_up, split_exactly

InvoiceState = Literal["open", "paid", "void"]
Series = Literal["invoice", "credit_note", "commission", "self_billed", "withdrawal"]

_SERIES: Mapping[Series, str] = {
    "invoice": "INV",
    "credit_note": "CN",
    "commission": "COM",
    "self_billed": "SB",
    "withdrawal": "WD",
}

MAX_MONTHS = 12
"""Months that are drawn up at once for one operator."""

INVOICE_LIFECYCLE: Lifecycle[InvoiceState] = Lifecycle(
    noun="invoice",
    initial="open",
    transitions={
        ("open", "paid_in_part"): "open",
        ("open", "paid_in_full"): "paid",
        ("open", "credited_in_part"): "open",
        ("open", "credited_in_full"): "paid",
        ("open", "voided"): "void",
        ("paid", "credited"): "paid",
    },
)


@dataclass(frozen=True)
class TaxPart:
    """What of an amount is taxed at one rate: `vat` in percent as the tariff says it, empty where it says none."""

    vat: str
    net: int
    tax: int
    gross: int


@dataclass(frozen=True)
class InvoiceLine:
    """One charging session. `lines_id` names the set of lines that was drawn up together."""

    lines_id: str
    cdr_id: str
    session_id: str
    order_no: str
    driver_id: str
    driver_name: str
    id_token: str
    location_name: str
    charger_id: str
    evse_no: int
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    net: int
    tax: int
    gross: int
    rates: list[TaxPart] = field(default_factory=list)
    location_id: str | None = None


@dataclass(frozen=True)
class Invoice:
    """`month` is YYYY-MM, dates are YYYY-MM-DD in the operator's zone. The addressee, the `seller` and the `account` to
    pay to are as they were on the day of issue. `credited` is what credit notes have taken back.

    `revision` counts changes: whoever changes the row names the one that was read.
    """

    invoice_id: str
    number: str
    operator_id: str
    enterprise_id: str
    month: str
    state: InvoiceState
    currency: str
    issued_at: datetime
    issue_date: str
    due_date: str
    net: int
    tax: int
    gross: int
    line_count: int
    lines_id: str
    seller_name: str
    name: str
    email: str
    rates: list[TaxPart] = field(default_factory=list)
    paid: int = 0
    revision: int = 1
    tax_number: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None
    closed_at: datetime | None = None
    void_reason: str | None = None
    credited: int = 0
    seller: Party | None = None
    account: Account | None = None
    note: str | None = None

    @property
    def open_amount(self) -> Money:
        left = self.gross - self.paid - self.credited
        return Money(left if self.state == "open" else 0, self.currency)


@dataclass(frozen=True)
class InvoicePayment:
    """Money that the operator received for an invoice; `paid_at` is what its bank says."""

    payment_id: str
    invoice_id: str
    amount: Money
    reference: str
    paid_at: datetime
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True)
class InvoiceEntry:
    """An operator's list names the invoice; its own row has the rest."""

    operator_id: str
    invoice_id: str


@dataclass(frozen=True)
class InvoiceNumber:
    """The last number that was given out in a year of an organisation's series."""

    operator_id: str
    year: str
    last: int
    series: Series = "invoice"


@dataclass(frozen=True)
class MonthRun:
    """All invoices of an operator's month are drawn up."""

    operator_id: str
    month: str
    done_at: datetime


@dataclass(frozen=True)
class Draft:
    """An invoice that has no number yet, and its lines."""

    invoice: Invoice
    lines: list[InvoiceLine]


def line_of(lines_id: str, cdr: Cdr, *, order_no: str, driver_name: str, location_name: str) -> InvoiceLine:
    """The line of a session. Tax is what the tariff had in its prices, rounded half up per rate."""
    rates = _rates_of(cdr)
    return InvoiceLine(
        lines_id=lines_id,
        cdr_id=cdr.cdr_id,
        session_id=cdr.session_id,
        order_no=order_no,
        driver_id=cdr.driver_id or "",
        driver_name=driver_name,
        id_token=cdr.id_token,
        location_id=cdr.location_id,
        location_name=location_name,
        charger_id=cdr.charger_id,
        evse_no=cdr.evse_no,
        started_at=cdr.started_at,
        ended_at=cdr.ended_at,
        energy_wh=cdr.energy_wh,
        net=sum(rate.net for rate in rates),
        tax=sum(rate.tax for rate in rates),
        gross=cdr.captured.amount,
        rates=rates,
    )


def _rates_of(cdr: Cdr) -> list[TaxPart]:
    """The captured amount by rate of tax. Of a session that was not paid in full, each rate has its share. A credit CDR
    is the mirror of the one that it takes back, to the last cent."""
    sign = -1 if cdr.captured.amount < 0 else 1
    by_vat: dict[str, int] = {}
    for line in cdr.lines:
        vat = line.get("vat") or ""
        by_vat[vat] = by_vat.get(vat, 0) + sign * line["amount"]["amount"]
    captured, total = sign * cdr.captured.amount, sum(by_vat.values())
    if not total:
        return [TaxPart("", sign * captured, 0, sign * captured)] if captured else []
    vats = sorted(by_vat)
    parts = split_exactly(captured, [Fraction(by_vat[vat] * captured, total) for vat in vats])
    shares = [taxed(vat, gross) for vat, gross in zip(vats, parts, strict=True) if gross]
    return [TaxPart(share.vat, sign * share.net, sign * share.tax, sign * share.gross) for share in shares]


def taxed(vat: str, gross: int) -> TaxPart:
    """A positive gross amount at a rate; the net is rounded half up."""
    net = round_half_up(Fraction(gross) / (1 + Fraction(Decimal(vat or "0")) / 100))
    return TaxPart(vat, net, gross - net, gross)


def totals_by_rate(lines: Iterable[InvoiceLine]) -> list[TaxPart]:
    sums: dict[str, list[int]] = {}
    for line in lines:
        for rate in line.rates:
            total = sums.setdefault(rate.vat, [0, 0, 0])
            total[0] += rate.net
            total[1] += rate.tax
            total[2] += rate.gross
    return [TaxPart(vat, net, tax, gross) for vat, (net, tax, gross) in sorted(sums.items())]


def invoice_id_of(enterprise_id: str, month: str) -> str:
    """One enterprise and month, one id, which sorts by the month. Its moment is in UTC: the id of an operator that
    moves to another zone stays the same."""
    return derived_id("inv", month_span(month, "UTC")[1], enterprise_id, month)


def draft_of(
    enterprise: Enterprise,
    *,
    seller: Party,
    account: Account | None,
    note: str | None,
    month: str,
    lines: list[InvoiceLine],
    lines_id: str,
    now: datetime,
    zone: str,
) -> Draft:
    """The invoice without its number. All sums are of its lines."""
    issued_on = now.astimezone(ZoneInfo(zone)).date()
    invoice = Invoice(
        invoice_id=invoice_id_of(enterprise.enterprise_id, month),
        number="",
        operator_id=enterprise.operator_id,
        enterprise_id=enterprise.enterprise_id,
        month=month,
        state=INVOICE_LIFECYCLE.initial,
        currency=enterprise.currency,
        issued_at=now,
        issue_date=issued_on.isoformat(),
        due_date=(issued_on + timedelta(days=enterprise.payment_days)).isoformat(),
        net=sum(line.net for line in lines),
        tax=sum(line.tax for line in lines),
        gross=sum(line.gross for line in lines),
        rates=totals_by_rate(lines),
        line_count=len(lines),
        lines_id=lines_id,
        seller_name=seller.name,
        seller=seller,
        account=account,
        note=note,
        name=enterprise.name,
        email=enterprise.email,
        tax_number=enterprise.tax_number,
        address=enterprise.address,
        city=enterprise.city,
        postal_code=enterprise.postal_code,
        country=enterprise.country,
    )
    return Draft(invoice, lines)


def number_text(year: str, number: int, series: Series = "invoice") -> str:
    """Of the organisation's series of a year, which begins with 1 and has no gaps."""
    return f"{_SERIES[series]}-{year}-{number:06d}"


def due_months(created_at: datetime, newest: str | None, now: datetime, zone: str) -> list[str]:
    """The months that are over in the operator's zone and have no run yet, oldest first, MAX_MONTHS at a time: those
    after the `newest` run, else since the operator exists."""
    running = month_of(now - GRACE, zone)
    month = month_of(created_at, zone) if newest is None else month_after(newest)
    months: list[str] = []
    while month < running and len(months) < MAX_MONTHS:
        months.append(month)
        month = month_after(month)
    return months


def payment_entry(invoice: Invoice, payment: InvoicePayment, now: datetime) -> Entry:
    """What the operator received makes the credit free again; it is not to be collected any more."""
    amount = payment.amount.amount
    account_id = enterprise_account(invoice.enterprise_id, invoice.currency)
    return Entry(
        entry_id=derived_id("ent", now, payment.payment_id, "invoice_payment"),
        home_account_id=account_id,
        kind="invoice_payment",
        currency=invoice.currency,
        postings=[
            Posting(account_id, amount),
            Posting(receivable_account(invoice.operator_id, invoice.currency), -amount),
        ],
        occurred_at=now,
        source_id=invoice.invoice_id,
        note=payment.reference,
    )
