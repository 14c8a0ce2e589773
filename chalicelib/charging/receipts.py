"""The receipt of a charge as PDF: who sold what to whom, for how much, what of it is tax, and who has paid.

Made of the billing record that is valid now: a corrected session has another receipt than before, with a number of its
own, which names the one that it replaces. Its lines sum to its total: what was used, at its price, and by a line of its
own each thing that changed the sum.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.charging.model.billing import OTHER, REDUCTION, receipt_no, replaced_receipt_no
from chalicelib.identity import service as identity
from chalicelib.identity.model.settings import Invoicing
from chalicelib.kernel import pdf
from chalicelib.kernel.context import Context
from chalicelib.kernel.countries import country_name
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Answer
from chalicelib.kernel.money import Money
from chalicelib.kernel.rest import PDF_TYPE
from chalicelib.notifications.model import File

_COLUMNS = (
    pdf.Column("What", 3),
    pdf.Column("Quantity", 3, "right"),
    pdf.Column("Price", 3, "right"),
    pdf.Column("VAT", 2, "right"),
    pdf.Column("Amount", 3, "right"),
)
_DIMENSIONS = {
    "ENERGY": "Energy",
    "FLAT": "Start",
    "PARKING_TIME": "Idle time",
    "TIME": "Charging time",
    "ROUNDING": "Rounding",
    OTHER: "Adjustment",
    REDUCTION: "Reduction",
}
_BOUNDS = {"MIN_PRICE": "Minimum", "MAX_PRICE": "Capped at"}


def enclose_receipt(ctx: Context, ids: tuple[str, ...]) -> list[File]:
    """For the mail that tells a payer what a session has cost. Raises session.not_found, receipt.not_found."""
    return [receipt_file(ctx, lookup.require_session(ctx, ids[0]))]


def receipt(ctx: Context, session: ChargingSession) -> Answer:
    """Raises receipt.not_found for a session that is not billed yet."""
    file = receipt_file(ctx, session)
    disposition = f'attachment; filename="{file.name}"'
    return Answer(file.content, headers={"content-type": file.media_type, "content-disposition": disposition})


def receipt_file(ctx: Context, session: ChargingSession) -> File:
    """Raises receipt.not_found for a session that is not billed yet."""
    cdr = lookup.find_cdr(ctx, session.session_id)
    if cdr is None:
        raise not_found("receipt", session.session_id)
    operator = identity.get_organization(ctx, session.operator_id)
    location = chargers.get_location(ctx, session.location_id) if session.location_id else None
    place = "" if location is None else f"{location.name}, {location.address}, {location.city}"
    blocks = receipt_blocks(session, cdr, identity.invoicing_of(ctx, operator), place)
    number = receipt_no(session.order_no, cdr.cdr_id)
    document = pdf.render(f"Receipt {number}", blocks, footer=f"{number} · {operator.name}")
    return File(f"receipt-{number}.pdf", PDF_TYPE, document)


def receipt_blocks(session: ChargingSession, cdr: Cdr, seller: Invoicing, place: str) -> list[pdf.Block]:
    zone = ZoneInfo(session.time_zone)
    energy = format((Decimal(cdr.energy_wh) / 1000).normalize(), "f")
    replaced = replaced_receipt_no(session.order_no, cdr.cdr_id)
    facts = [
        ("Receipt", receipt_no(session.order_no, cdr.cdr_id)),
        ("Date", cdr.business_day),
        ("Replaces", f"Receipt {replaced}" if replaced else ""),
        ("Order", session.order_no),
        ("Charger", f"{session.charger_id}, connector {session.evse_no}"),
        ("Where", place),
        ("Begin", f"{cdr.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S} ({session.time_zone})"),
        ("End", f"{cdr.ended_at.astimezone(zone):%Y-%m-%d %H:%M:%S}"),
        ("Energy", f"{energy} kWh"),
        ("Meter", _registers(session)),
    ]
    blocks: list[pdf.Block] = [
        pdf.Text(_in_lines(seller), face="bold"),
        pdf.Space(20),
        pdf.Heading("Receipt"),
        pdf.Pairs(facts),
        pdf.Space(),
        pdf.Table(_COLUMNS, _rows(cdr), totals=[("Total incl. VAT", "", "", "", str(cdr.total_cost))]),
        pdf.Space(),
        pdf.Pairs(_paid(session, cdr)),
    ]
    if seller.note:
        blocks += [pdf.Space(), pdf.Text(seller.note)]
    return blocks


def _registers(session: ChargingSession) -> str:
    """What a calibrated meter showed, for who wants to check."""
    if session.meter_start_wh is None or session.meter_stop_wh is None:
        return ""
    return f"{session.meter_start_wh / 1000:.3f} kWh to {session.meter_stop_wh / 1000:.3f} kWh"


def lines_in_words(cdr: Cdr) -> str:
    """What was charged for, one line each: what, how much, at which price and rate of tax."""
    return "\n".join(
        f"{what}: {f'{quantity} at {price}, ' if quantity else ''}VAT {vat}: {amount}"
        for what, quantity, price, vat, amount in _rows(cdr)
    )


def _rows(cdr: Cdr) -> list[tuple[str, ...]]:
    metered = sum(line["amount"]["amount"] for line in cdr.lines if line.get("dimension") not in (OTHER, REDUCTION))
    bound = Money(metered, cdr.total_cost.currency)
    return [_row(line, bound) for line in cdr.lines]


def _row(line: dict[str, Any], bound: Money) -> tuple[str, ...]:
    """`bound`: what the tariff makes of the charge, which is the bound where one counted."""
    dimension, vat, amount = line.get("dimension", ""), line.get("vat"), line["amount"]
    unit = line.get("unit", "")
    what = f"{_BOUNDS[dimension]} {bound}" if dimension in _BOUNDS else _DIMENSIONS.get(dimension, dimension)
    return (
        what,
        f"{line.get('quantity', '')} {unit}" if unit else "",
        f"{line.get('price', '')} / {unit}" if unit else "",
        f"{vat} %" if vat else "–",
        str(Money(amount["amount"], amount["currency"])),
    )


def _paid(session: ChargingSession, cdr: Cdr) -> list[tuple[str, str]]:
    tax = cdr.captured_tax
    payer = "an enterprise owes it" if cdr.enterprise_id else "by card" if cdr.payment_id else "from the wallet"
    given_back = Money(session.given_back or 0, session.currency)
    return [
        ("Paid", f"{cdr.captured + given_back} ({payer})"),
        ("Given back", str(given_back) if given_back.amount else ""),
        ("Paid after that", str(cdr.captured) if given_back.amount else ""),
        ("Tax in it", str(tax) if tax is not None and tax.amount else ""),
        ("Not paid", str(cdr.uncollected) if cdr.uncollected.amount else ""),
    ]


def seller_in_one_line(seller: Invoicing) -> str:
    return ", ".join(_in_lines(seller).splitlines())


def _in_lines(seller: Invoicing) -> str:
    city = " ".join(part for part in (seller.postal_code, seller.city) if part)
    tax = f"VAT {seller.tax_number}" if seller.tax_number else None
    lines = (seller.legal_name, seller.address, city, country_name(seller.country), tax, seller.registration)
    return "\n".join(line for line in lines if line)
