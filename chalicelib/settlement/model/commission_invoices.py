"""What bills the parts of its income that an operator gave to others: one document per beneficiary, currency and month
of business days. Pure.

It says what settled days gave, to the cent, and is paid already: it was taken of the operator's income. A commission is
billed by who gets it; for an agency's share the operator issues the document in the agency's name (self-billed). A
month that took back more than it gave is a credit note. Each run that gave something is on exactly one document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from chalicelib.kernel.money import Money
from chalicelib.kernel.spans import month_days
from chalicelib.settlement.model.contracts import ContractKind
from chalicelib.settlement.model.einvoice import EInvoice, Line, Party, TypeCode, rate_of, rounding_of, tax_totals
from chalicelib.settlement.model.runs import Run
from chalicelib.settlement.model.statements import Deduction

Recipient = tuple[str, str]
"""Beneficiary and currency."""

_TYPE_CODES: Mapping[tuple[ContractKind, bool], TypeCode] = {
    ("commission", False): "380",
    ("commission", True): "381",
    ("agency_share", False): "389",
    ("agency_share", True): "261",
}


@dataclass(frozen=True)
class Portion:
    """What one run gave to a beneficiary."""

    settlement_id: str
    deduction: Deduction


@dataclass(frozen=True)
class RatePart:
    """What was given at one rate of tax (`vat` in percent, empty where the contract states none): `amount`, `fee` for
    card payments and the `tax` on both; and of what: `sold` with its tax."""

    vat: str
    amount: int
    fee: int
    tax: int
    sessions: int
    energy_wh: int
    card_payments: int
    sold: int


@dataclass(frozen=True)
class CommissionDue:
    """What of a month, and of what came late for the documents before, is to be billed. `preceding`: the newest invoice
    between the two."""

    operator_id: str
    beneficiary_id: str
    currency: str
    month: str
    kind: ContractKind
    portions: Sequence[Portion]
    preceding: str | None


@dataclass(frozen=True)
class CommissionInvoice:
    """Parties are as they were on the day of issue. Amounts are as the document says them: of a credit note
    (`is_credit`) what is taken back, positive. `settlement_ids` are the runs that it bills."""

    operator_id: str
    beneficiary_id: str
    currency: str
    month: str
    kind: ContractKind
    is_credit: bool
    number: str
    issued_at: datetime
    issue_date: str
    net: int
    tax: int
    gross: int
    seller: Party
    buyer: Party
    parts: list[RatePart] = field(default_factory=list)
    settlement_ids: list[str] = field(default_factory=list)
    preceding: str | None = None
    note: str | None = None

    @property
    def commission_invoice_id(self) -> str:
        return commission_invoice_id_of(self.operator_id, self.beneficiary_id, self.currency, self.month)

    @property
    def type_code(self) -> TypeCode:
        return _TYPE_CODES[(self.kind, self.is_credit)]


@dataclass(frozen=True)
class CommissionInvoiceEntry:
    """The list of those in whose name documents are issued; a document itself stands with its operator."""

    operator_id: str
    beneficiary_id: str
    currency: str
    month: str


def commission_invoice_id_of(operator_id: str, beneficiary_id: str, currency: str, month: str) -> str:
    return f"{operator_id}.{beneficiary_id}.{currency}.{month}"


def parse_commission_invoice_id(commission_invoice_id: str) -> tuple[str, str, str, str] | None:
    """Operator, beneficiary, currency, month; None for what is no such id."""
    parts = commission_invoice_id.split(".")
    return (parts[0], parts[1], parts[2], parts[3]) if len(parts) == 4 and all(parts) else None


def issuer_of(operator_id: str, beneficiary_id: str, kind: ContractKind) -> str:
    """In whose series the document is, and who sends it."""
    return beneficiary_id if kind == "commission" else operator_id


def portions_of(runs: Iterable[Run]) -> dict[Recipient, list[Portion]]:
    """What posted runs gave, in their order. A day that gave nothing to a beneficiary is on no document."""
    found: dict[Recipient, list[Portion]] = {}
    for run in runs:
        for line in run.lines if run.state == "posted" else ():
            for deduction in line.deductions:
                if deduction.amount or deduction.fee or deduction.vat:
                    portion = Portion(run.settlement_id, deduction)
                    found.setdefault((deduction.beneficiary_id, line.currency), []).append(portion)
    return found


def commissions_due_of(
    operator_id: str, month: str, portions: Mapping[Recipient, Sequence[Portion]], issued: Iterable[CommissionInvoice]
) -> Iterator[CommissionDue]:
    """What `issued`, the documents of this month and of those before, does not bill yet. A month that has its document
    keeps it: what comes later waits for the next one."""
    by_recipient: dict[Recipient, list[CommissionInvoice]] = {}
    for invoice in issued:
        by_recipient.setdefault((invoice.beneficiary_id, invoice.currency), []).append(invoice)
    for recipient in sorted(portions):
        known = by_recipient.get(recipient, [])
        if any(invoice.month == month for invoice in known):
            continue
        billed = {settlement_id for invoice in known for settlement_id in invoice.settlement_ids}
        left = [portion for portion in portions[recipient] if portion.settlement_id not in billed]
        if left:
            invoices = [invoice for invoice in known if not invoice.is_credit]
            newest = max(invoices, key=lambda invoice: invoice.month, default=None)
            preceding = None if newest is None else newest.number
            yield CommissionDue(operator_id, *recipient, month, left[0].deduction.kind, left, preceding)


def draft_commission_invoice(
    due: CommissionDue, *, seller: Party, buyer: Party, note: str | None, now: datetime, zone: str
) -> CommissionInvoice:
    """The document without its number. `zone` is the operator's, whose months are billed: all documents of a month have
    the date of one night, and none is of the month before it was over."""
    totals = [portion.deduction.total for portion in due.portions]
    is_credit = sum(totals) < 0
    parts = _parts_of(due.portions, -1 if is_credit else 1)
    return CommissionInvoice(
        operator_id=due.operator_id,
        beneficiary_id=due.beneficiary_id,
        currency=due.currency,
        month=due.month,
        kind=due.kind,
        is_credit=is_credit,
        number="",
        issued_at=now,
        issue_date=now.astimezone(ZoneInfo(zone)).date().isoformat(),
        net=sum(part.amount + part.fee for part in parts),
        tax=sum(part.tax for part in parts),
        gross=abs(sum(totals)),
        seller=seller,
        buyer=buyer,
        parts=parts,
        settlement_ids=[portion.settlement_id for portion in due.portions],
        preceding=due.preceding if is_credit else None,
        note=note,
    )


def _parts_of(portions: Iterable[Portion], sign: int) -> list[RatePart]:
    sums: dict[str, list[int]] = {}
    for portion in portions:
        one = portion.deduction
        percent = one.terms.vat_percent if one.terms else Decimal(0)
        counted = (one.amount, one.fee, one.vat, one.sessions, one.energy_wh, one.card_payments, one.gross)
        total = sums.setdefault(rate_of(str(percent)) if percent else "", [0] * len(counted))
        for place, value in enumerate(counted):
            total[place] += sign * value
    return [RatePart(vat, *sums[vat]) for vat in sorted(sums)]


def document_of_commission(invoice: CommissionInvoice) -> EInvoice:
    """As EN 16931 means it. Tax was rounded day by day, and is computed of the sum here: the cents in between are the
    rounding amount, so that what was settled is what is billed, and nothing is left to pay."""
    lines = list(_lines_of(invoice))
    taxes = tax_totals(lines)
    taken = f"Settled with the income of {invoice.month}: nothing is left to pay."
    return EInvoice(
        number=invoice.number,
        type_code=invoice.type_code,
        issue_date=invoice.issue_date,
        currency=invoice.currency,
        seller=invoice.seller,
        buyer=invoice.buyer,
        lines=lines,
        taxes=taxes,
        rounding=rounding_of(lines, taxes, invoice.gross),
        period=month_days(invoice.month),
        paid=invoice.gross,
        preceding=invoice.preceding,
        note=f"{taken}\n{invoice.note}" if invoice.note else taken,
    )


def _lines_of(invoice: CommissionInvoice) -> Iterator[Line]:
    """One per rate of tax and kind of charge. A rate of which all was taken back in the month has a line all the same:
    cents of its tax may be left."""
    name = "Commission" if invoice.kind == "commission" else "Share"
    number = 0
    for part in invoice.parts:
        energy = format((Decimal(part.energy_wh) / 1000).normalize(), "f")
        sold = f"{_count(part.sessions, 'session')}, {energy} kWh, {Money(part.sold, invoice.currency)} sold"
        paid = _count(part.card_payments, "card payment")
        for title, net, of, is_said in (
            (name, part.amount, sold, part.amount or not part.fee),
            ("Fees of card payments", part.fee, paid, part.fee),
        ):
            if is_said:
                number += 1
                yield Line(str(number), f"{title} {invoice.month}", net, part.vat or None, of)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if abs(number) == 1 else f"{number} {noun}s"
