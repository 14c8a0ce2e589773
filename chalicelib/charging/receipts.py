"""The receipt of a charge as PDF: who sold what to whom, for how much, what of it is tax, and who has paid.

Made of the billing record that is valid now: a corrected session has another receipt than before.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.identity import service as identity
from chalicelib.identity.model.settings import Invoicing
from chalicelib.kernel import pdf
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Answer
from chalicelib.kernel.money import Money
from chalicelib.kernel.rest import PDF_TYPE

_COLUMNS = (
    pdf.Column("What", 3),
    pdf.Column("Quantity", 3, "right"),
    pdf.Column("Price", 3, "right"),
    pdf.Column("VAT", 2, "right"),
    pdf.Column("Amount", 3, "right"),
)
_DIMENSIONS = {"ENERGY": "Energy", "FLAT": "Start", "PARKING_TIME": "Idle time", "TIME": "Charging time"}


def receipt(ctx: Context, session: ChargingSession) -> Answer:
    """Raises receipt.not_found for a session that is not billed yet."""
    cdr = lookup.find_cdr(ctx, session.session_id)
    if cdr is None:
        raise not_found("receipt", session.session_id)
    operator = identity.get_organization(ctx, session.operator_id)
    location = chargers.get_location(ctx, session.location_id) if session.location_id else None
    place = "" if location is None else f"{location.name}, {location.address}, {location.city}"
    blocks = receipt_blocks(session, cdr, identity.invoicing_of(ctx, operator), place)
    document = pdf.render(f"Receipt {session.order_no}", blocks, footer=f"{session.order_no} · {operator.name}")
    return Answer(
        document,
        headers={
            "content-type": PDF_TYPE,
            "content-disposition": f'attachment; filename="receipt-{session.order_no}.pdf"',
        },
    )


def receipt_blocks(session: ChargingSession, cdr: Cdr, seller: Invoicing, place: str) -> list[pdf.Block]:
    zone = ZoneInfo(session.time_zone)
    energy = format((Decimal(cdr.energy_wh) / 1000).normalize(), "f")
    facts = [
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
        pdf.Table(_COLUMNS, [_row(line) for line in cdr.lines], totals=[("Total", "", "", "", str(cdr.total_cost))]),
        pdf.Space(),
        pdf.Pairs(_paid(cdr)),
    ]
    if seller.note:
        blocks += [pdf.Space(), pdf.Text(seller.note)]
    return blocks


def _registers(session: ChargingSession) -> str:
    """What a calibrated meter showed, for who wants to check."""
    if session.meter_start_wh is None or session.meter_stop_wh is None:
        return ""
    return f"{session.meter_start_wh / 1000:.3f} kWh to {session.meter_stop_wh / 1000:.3f} kWh"


def _row(line: dict[str, Any]) -> tuple[str, ...]:
    dimension, vat, amount = line.get("dimension", ""), line.get("vat"), line["amount"]
    unit = line.get("unit", "")
    money = Money(amount["amount"], amount["currency"])
    return (
        _DIMENSIONS.get(dimension, dimension),
        f"{line.get('quantity', '')} {unit}".strip(),
        f"{line.get('price', '')} / {unit}" if unit else str(line.get("price", "")),
        f"{vat} %" if vat else "–",
        str(money),
    )


def _paid(cdr: Cdr) -> list[tuple[str, str]]:
    tax = cdr.captured_tax
    payer = "an enterprise owes it" if cdr.enterprise_id else "by card" if cdr.payment_id else "from the wallet"
    return [
        ("Paid", f"{cdr.captured} ({payer})"),
        ("Tax in it", str(tax) if tax is not None and tax.amount else ""),
        ("Not paid", str(cdr.uncollected) if cdr.uncollected.amount else ""),
        ("Corrected", "This receipt stands for an earlier one." if cdr.cdr_id.count("-") else ""),
    ]


def _in_lines(seller: Invoicing) -> str:
    city = " ".join(part for part in (seller.postal_code, seller.city) if part)
    tax = f"VAT {seller.tax_number}" if seller.tax_number else None
    lines = (seller.legal_name, seller.address, city, seller.country, tax, seller.registration)
    return "\n".join(line for line in lines if line)
