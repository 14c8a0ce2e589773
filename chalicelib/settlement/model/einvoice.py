"""Invoices and credit notes as EN 16931-1 means them: the business terms (BT) that ours have, and the rules (BR)
between them. Pure.

Documents are made of what is stored and are the same whenever they are asked for. Amounts are minor units. What was
taken of a payer is what is invoiced, to the cent: tax is computed per rate on the sum of its lines (BR-CO-17), and the
cents by which that differs from what sessions were rounded to are the rounding amount (BT-114).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

from chalicelib.tariffs.rating import round_half_up

TypeCode = Literal["380", "381", "389", "261"]
"""BT-3 (UNTDID 1001): invoice, credit note; the same as their buyer issues them in the seller's name (self-billed)."""
Category = Literal["S", "Z", "E"]
"""BT-118 (UNTDID 5305): standard rate, zero rated, exempt."""

NO_TAX_STATED: Final = "The price states no tax."
"""BT-120, the reason for exemption, where a tariff has no tax."""


@dataclass(frozen=True)
class Party:
    """BG-4 to BG-8: name (BT-27, BT-44), VAT identifier (BT-31, BT-48), registration (BT-30), address, country."""

    name: str
    tax_number: str | None = None
    registration: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    country: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class Account:
    """BG-17: where a credit transfer goes: BT-84 number, BT-85 holder, BT-86 BIC."""

    number: str
    holder: str
    bic: str | None = None


@dataclass(frozen=True)
class Line:
    """BG-25: one position at one rate. `net` is BT-131; `vat` in percent, None where the price states none."""

    line_id: str
    name: str
    net: int
    vat: str | None
    description: str = ""

    @property
    def category(self) -> Category:
        return category_of(self.vat)


@dataclass(frozen=True)
class TaxTotal:
    """BG-23: `taxable` BT-116, `tax` BT-117, of one category and rate (BT-118, BT-119)."""

    category: Category
    vat: str
    taxable: int
    tax: int


@dataclass(frozen=True)
class EInvoice:
    """One document. `paid` is BT-113, `rounding` BT-114; `preceding` the number that a credit note corrects (BT-25)."""

    number: str
    type_code: TypeCode
    issue_date: str
    currency: str
    seller: Party
    buyer: Party
    lines: Sequence[Line]
    taxes: Sequence[TaxTotal]
    rounding: int
    period: tuple[str, str] | None = None
    due_date: str | None = None
    paid: int = 0
    account: Account | None = None
    preceding: str | None = None
    buyer_reference: str | None = None
    note: str | None = None

    @property
    def is_credit(self) -> bool:
        return self.type_code in ("381", "261")

    @property
    def net(self) -> int:
        """BT-106 and BT-109: there are no allowances at the level of the document."""
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        """BT-110."""
        return sum(total.tax for total in self.taxes)

    @property
    def total(self) -> int:
        """BT-112."""
        return self.net + self.tax

    @property
    def payable(self) -> int:
        """BT-115 (BR-CO-16)."""
        return self.total - self.paid + self.rounding


def category_of(vat: str | None) -> Category:
    if not vat:
        return "E"
    return "S" if Decimal(vat) else "Z"


def rate_of(vat: str | None) -> str:
    """The rate as it is written: 19, 7.5, and 0 where none is stated."""
    return format(Decimal(vat or "0").normalize(), "f")


def tax_totals(lines: Iterable[Line]) -> list[TaxTotal]:
    """One per category and rate; the tax is that of the sum, rounded half up (BR-CO-17). Negative sums round alike."""
    sums: dict[tuple[Category, str], int] = {}
    for line in lines:
        key = (line.category, rate_of(line.vat))
        sums[key] = sums.get(key, 0) + line.net
    return [
        TaxTotal(category, vat, taxable, _tax_of(taxable, vat)) for (category, vat), taxable in sorted(sums.items())
    ]


def rounding_of(lines: Sequence[Line], taxes: Sequence[TaxTotal], gross: int) -> int:
    """BT-114: by how much what was taken (`gross`) differs from the total with tax."""
    return gross - sum(line.net for line in lines) - sum(total.tax for total in taxes)


def violations(document: EInvoice) -> list[str]:
    """The rules of EN 16931-1 that the document breaks, by their names: empty for one that may be sent.

    Those between amounts hold for what this module makes; those on parties depend on what people have filled in.
    """
    broken = [name for name, holds in _rules(document) if not holds]
    broken += [name for line in document.lines for name, holds in _line_rules(line) if not holds]
    return list(dict.fromkeys(broken))


def _rules(document: EInvoice) -> list[tuple[str, bool]]:
    seller, buyer = document.seller, document.buyer
    charged = any(total.category == "S" for total in document.taxes)
    by_key = {(total.category, total.vat): total for total in document.taxes}
    return [
        ("BR-02", bool(document.number)),
        ("BR-03", bool(document.issue_date)),
        ("BR-05", len(document.currency) == 3),
        ("BR-06", bool(seller.name)),
        ("BR-07", bool(buyer.name)),
        ("BR-08", bool(seller.address or seller.city or seller.country)),
        ("BR-09", bool(seller.country)),
        ("BR-10", bool(buyer.address or buyer.city or buyer.country)),
        ("BR-11", bool(buyer.country)),
        ("BR-16", bool(document.lines)),
        ("BR-CO-10", document.net == sum(line.net for line in document.lines)),
        ("BR-CO-14", document.tax == sum(total.tax for total in document.taxes)),
        ("BR-CO-15", document.total == document.net + document.tax),
        ("BR-CO-16", document.payable == document.total - document.paid + document.rounding),
        ("BR-CO-17", all(total.tax == _tax_of(total.taxable, total.vat) for total in document.taxes)),
        ("BR-CO-18", bool(document.taxes)),
        ("BR-CO-25", document.payable <= 0 or document.due_date is not None),
        ("BR-CO-26", bool(seller.tax_number or seller.registration)),
        ("BR-S-02", not charged or bool(seller.tax_number)),
        ("BR-S-08", {key: total.taxable for key, total in by_key.items()} == _nets(document.lines)),
        ("BR-55", not document.is_credit or bool(document.preceding)),
    ]


def _line_rules(line: Line) -> list[tuple[str, bool]]:
    return [
        ("BR-21", bool(line.line_id)),
        ("BR-25", bool(line.name)),
        ("BR-S-05", line.category != "S" or Decimal(line.vat or "0") > 0),
    ]


def _nets(lines: Iterable[Line]) -> dict[tuple[Category, str], int]:
    return {(total.category, total.vat): total.taxable for total in tax_totals(lines)}


def _tax_of(taxable: int, vat: str) -> int:
    exact = abs(taxable) * Fraction(vat) / 100
    return round_half_up(exact) if taxable >= 0 else -round_half_up(exact)
