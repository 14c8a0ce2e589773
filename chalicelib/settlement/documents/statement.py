"""The statement of a business day as people read it: what was sold, who got a part of it, what is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from chalicelib.kernel import pdf
from chalicelib.kernel.money import Money
from chalicelib.settlement.documents.paper import party_in_lines
from chalicelib.settlement.model import Deduction, Line, Run
from chalicelib.settlement.model.einvoice import Party

Parties = tuple[Party | None, Party]
"""The platform, which opens itself with its first administrator; the operator."""

_COLUMNS: Final = (
    pdf.Column("Part of", 4),
    pdf.Column("Sessions", 2, "right"),
    pdf.Column("kWh", 2, "right"),
    pdf.Column("Sold", 2, "right"),
    pdf.Column("Amount", 2, "right"),
    pdf.Column("Fees", 1.5, "right"),
    pdf.Column("Tax", 1.5, "right"),
    pdf.Column("Total", 2, "right"),
)


def statement_as_pdf(run: Run, parties: Parties, zone: str, names: Mapping[str, str]) -> bytes:
    """`parties`: who issues it, and the operator. `names` of beneficiaries by their ids; `zone` is the operator's. The
    same run is the same bytes."""
    issuer, operator = parties
    title = f"Statement {statement_number(run)}"
    posted = "" if run.posted_at is None else f"{run.posted_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
    facts = [
        ("Business day", run.business_day),
        ("Supplement", f"{run.number - 1}: what got onto the day after it was settled" if run.number > 1 else ""),
        ("State", run.state),
        ("Posted", posted),
        ("Dispute", run.difference or ""),
    ]
    blocks: list[pdf.Block] = [
        *(() if issuer is None else (pdf.Text(party_in_lines(issuer), face="bold"), pdf.Space())),
        pdf.Text(party_in_lines(operator)),
        pdf.Space(20),
        pdf.Heading(title),
        pdf.Pairs(facts),
    ]
    for line in run.lines:
        blocks += _blocks_of(line, names)
    if not run.lines:
        blocks += [pdf.Space(), pdf.Text("Nothing was sold on this day, or it is not computed yet.")]
    return pdf.render(title, blocks, footer=f"{title} · {operator.name}")


def statement_number(run: Run) -> str:
    """Of the operator's statements, as people say it: the day, and which supplement of it."""
    return run.business_day if run.number == 1 else f"{run.business_day}/{run.number}"


def _blocks_of(line: Line, names: Mapping[str, str]) -> Iterator[pdf.Block]:
    """What was sold and how it was paid, and apart from that the sum down to what is left."""
    yield pdf.Space(20)
    yield pdf.Heading(line.currency, 2)
    yield pdf.Pairs(_facts_of(line))
    yield pdf.Space()
    columns = [pdf.Column("", 6), pdf.Column("", 3, "right")]
    rows = [("Sold", str(Money(line.gross, line.currency)))]
    rows += [(label, str(Money(amount, line.currency))) for label, amount in _taken_off(line) if amount]
    yield pdf.Table(columns, rows, totals=[("Net", str(Money(line.net, line.currency)))])
    if line.deductions:
        yield pdf.Space()
        yield pdf.Table(_COLUMNS, [_row(deduction, line.currency, names) for deduction in line.deductions])


def _facts_of(line: Line) -> list[tuple[str, str]]:
    of_it = (
        ("Tax in what was sold", line.tax),
        ("Paid from wallets", line.wallets),
        ("Paid by card", line.cards),
        ("On invoices of enterprises", line.invoiced),
        ("Delivered, but not collected", line.uncollected),
    )
    return [
        ("Sessions", str(line.sessions)),
        ("Energy", f"{_kwh(line.energy_wh)} kWh"),
        *((label, str(Money(amount, line.currency)) if amount else "") for label, amount in of_it),
    ]


def _taken_off(line: Line) -> Iterator[tuple[str, int]]:
    """With what was sold, these sum up to the net."""
    yield "Less what enterprises are invoiced", -line.invoiced
    yield "Less commissions", -line.commission
    yield "Less fees of card payments", -line.fees
    yield "Less tax on commissions and fees", -line.commission_tax
    yield "Less shares of agencies", -line.shares
    yield "Less cash taken, and vouchers redeemed", -line.cash
    yield "Less bonuses of packages", -line.promotions


def _row(deduction: Deduction, currency: str, names: Mapping[str, str]) -> tuple[str, ...]:
    amounts = (deduction.gross, deduction.amount, deduction.fee, deduction.vat, deduction.total)
    return (
        names.get(deduction.beneficiary_id, deduction.beneficiary_id),
        str(deduction.sessions),
        _kwh(deduction.energy_wh),
        *(format(Money(amount, currency).to_decimal(), "f") for amount in amounts),
    )


def _kwh(energy_wh: int) -> str:
    return format((Decimal(energy_wh) / 1000).normalize(), "f")
