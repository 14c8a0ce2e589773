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


def statement_as_pdf(run: Run, operator: Party, zone: str, names: Mapping[str, str]) -> bytes:
    """`names` of beneficiaries by their ids; `zone` is the operator's. The same run is the same bytes."""
    title = f"Statement {run.business_day}"
    posted = "" if run.posted_at is None else f"{run.posted_at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
    facts = [
        ("Business day", run.business_day),
        ("Settlement", run.settlement_id),
        ("Supplement", f"{run.number - 1}: what got onto the day after it was settled" if run.number > 1 else ""),
        ("State", run.state),
        ("Posted", posted),
        ("Dispute", run.difference or ""),
    ]
    blocks: list[pdf.Block] = [
        pdf.Text(party_in_lines(operator), face="bold"),
        pdf.Space(20),
        pdf.Heading(title),
        pdf.Pairs(facts),
    ]
    for line in run.lines:
        blocks += _blocks_of(line, names)
    if not run.lines:
        blocks += [pdf.Space(), pdf.Text("Nothing was sold on this day, or it is not computed yet.")]
    return pdf.render(title, blocks, footer=f"{run.settlement_id} · {operator.name}")


def _blocks_of(line: Line, names: Mapping[str, str]) -> Iterator[pdf.Block]:
    yield pdf.Space(20)
    yield pdf.Heading(line.currency, 2)
    yield pdf.Pairs([("Sessions", str(line.sessions)), ("Energy", f"{_kwh(line.energy_wh)} kWh")])
    yield pdf.Space()
    columns = [pdf.Column("", 6), pdf.Column("", 3, "right")]
    rows = [(label, str(Money(amount, line.currency))) for label, amount, is_said in _sums(line) if is_said]
    yield pdf.Table(columns, rows, totals=[("Net", str(Money(line.net, line.currency)))])
    if line.deductions:
        yield pdf.Space()
        yield pdf.Table(_COLUMNS, [_row(deduction, line.currency, names) for deduction in line.deductions])


def _sums(line: Line) -> Iterator[tuple[str, int, bool]]:
    """What stands on every statement, and what does where there is something; what is taken off is below zero."""
    yield "Sold", line.gross, True
    for label, amount in (
        ("Tax in it", line.tax),
        ("From wallets", line.wallets),
        ("By card", line.cards),
        ("On invoices of enterprises", line.invoiced),
        ("Not collected, and not in it", line.uncollected),
        ("Less what enterprises are invoiced", -line.invoiced),
        ("Less commissions", -line.commission),
        ("Less fees of card payments", -line.fees),
        ("Less tax on commissions and fees", -line.commission_tax),
        ("Less shares of agencies", -line.shares),
        ("Less cash that was taken", -line.cash),
        ("Less bonuses of packages", -line.promotions),
    ):
        yield label, amount, bool(amount)


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
