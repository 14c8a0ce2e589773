"""The statement of an operator's business day; pure.

Computed from CDRs as a stream, in memory that grows with currencies and agencies alone, never with sessions; a credit
CDR counts as less. A line's `gross` is what wallets, card payments and enterprises gave. What enterprises owe
(`invoiced`) the operator collects itself, what it took in cash it has already; what others get of it by contract
(`deductions`), and bonuses that it promised, are not its own: `net` is what the platform owes to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal

from chalicelib.charging.model import CdrTotals
from chalicelib.charging.model.billing import correction_of, place_of
from chalicelib.identity.model import PLATFORM_ID
from chalicelib.kernel.money import Money
from chalicelib.settlement.model.contracts import (
    Basis,
    Contract,
    ContractKind,
    Part,
    Terms,
    amount_of,
    between,
    cut_together,
    less,
)


@dataclass(frozen=True)
class Deduction:
    """What one beneficiary gets of a day, and of what. Without a contract (`terms` None) an agency gets nothing, and
    still sees what was sold at its places."""

    beneficiary_id: str
    kind: ContractKind
    sessions: int
    energy_wh: int
    gross: int
    tax: int
    card_payments: int
    amount: int = 0
    fee: int = 0
    vat: int = 0
    terms: Terms | None = None

    @property
    def total(self) -> int:
        return self.amount + self.fee + self.vat

    def of_total(self, total: int) -> Deduction:
        """Cut down to a total."""
        vat_percent = Decimal(0) if self.terms is None else self.terms.vat_percent
        part = less(Part(self.amount, self.fee, self.vat), total, vat_percent)
        return replace(self, amount=part.amount, fee=part.fee, vat=part.vat)


@dataclass(frozen=True)
class Line:
    """Totals of one currency, in minor units. `tax` is contained in `gross`; `cards` and `invoiced` are of the gross,
    the rest of it wallets paid. `commission`, `fees` (per card payment) and `commission_tax` go to those above,
    `shares` to agencies. `cash` was taken for wallets, less what was paid out of them; `promotions` are bonuses of the
    operator's packages. `uncollected` was delivered but nobody could pay it. `corrections`: what corrections of orders,
    refunds among them, have changed of the gross; `given_back`: what those have given back to wallets and cards that
    lowered a bill, the others not held against it."""

    currency: str
    sessions: int = 0
    energy_wh: int = 0
    gross: int = 0
    commission: int = 0
    net: int = 0
    uncollected: int = 0
    invoiced: int = 0
    cash: int = 0
    tax: int = 0
    cards: int = 0
    card_payments: int = 0
    fees: int = 0
    commission_tax: int = 0
    shares: int = 0
    promotions: int = 0
    corrections: int = 0
    given_back: int = 0
    deductions: list[Deduction] = field(default_factory=list)

    @property
    def wallets(self) -> int:
        return self.gross - self.invoiced - self.cards

    @property
    def deducted(self) -> int:
        return sum(deduction.total for deduction in self.deductions)

    @property
    def is_empty(self) -> bool:
        return not (self.deductions or any(getattr(self, name) for name in _COUNTED))


_COUNTED = tuple(item.name for item in fields(Line) if item.name not in ("currency", "deductions"))


@dataclass
class Sums:
    """What is counted of the CDRs of one currency."""

    sessions: int = 0
    energy_wh: int = 0
    gross: int = 0
    tax: int = 0
    card_payments: int = 0
    cards: int = 0
    invoiced: int = 0
    uncollected: int = 0
    corrections: int = 0
    given_back: int = 0
    agencies: dict[str, Sums] = field(default_factory=dict)
    halves: dict[str, int] = field(default_factory=dict)
    """Of corrections of which one CDR is still to come: they stand close to each other in the stream."""

    def add(self, cdr: CdrTotals) -> None:
        count = -1 if cdr.credit_reference_id else 1
        self.sessions += count
        self.energy_wh += cdr.energy_wh
        self.gross += cdr.captured.amount
        self.tax += cdr.captured_tax.amount if cdr.captured_tax else 0
        self.uncollected += cdr.uncollected.amount
        if cdr.credit_reference_id or place_of(cdr.cdr_id)[0] > 1:
            self.corrections += cdr.captured.amount
            self.given_back += 0 if cdr.enterprise_id else max(-self._moved_by_correction(cdr), 0)
        if cdr.enterprise_id:
            self.invoiced += cdr.captured.amount
        elif cdr.payment_id:
            self.cards += cdr.captured.amount
            # One that paid nothing is none; a credit CDR takes back one that did.
            self.card_payments += (cdr.captured.amount > 0) - (cdr.captured.amount < 0)

    def _moved_by_correction(self, cdr: CdrTotals) -> int:
        """What the correction has moved that this CDR is the second of; 0 for the first. Both are of the same day."""
        correction = correction_of(cdr.cdr_id)
        if correction not in self.halves:
            self.halves[correction] = cdr.captured.amount
            return 0
        return self.halves.pop(correction) + cdr.captured.amount

    @property
    def basis(self) -> Basis:
        return Basis(self.sessions, self.energy_wh, self.gross, self.tax, self.card_payments)


@dataclass(frozen=True)
class Booked:
    """What the ledger says of a day, by currency: all income, what of it came out of enterprises' credit and what from
    cards, the cash that the operator took for wallets, and the bonuses that it owes them."""

    income: Mapping[str, int] = field(default_factory=dict)
    invoiced: Mapping[str, int] = field(default_factory=dict)
    cash: Mapping[str, int] = field(default_factory=dict)
    cards: Mapping[str, int] = field(default_factory=dict)
    promotions: Mapping[str, int] = field(default_factory=dict)


def sum_cdrs(totals: Iterable[CdrTotals]) -> dict[str, Sums]:
    """By currency, from a stream."""
    sums: dict[str, Sums] = {}
    for cdr in totals:
        of_currency = sums.setdefault(cdr.captured.currency, Sums())
        of_currency.add(cdr)
        if cdr.agency_id:
            of_currency.agencies.setdefault(cdr.agency_id, Sums()).add(cdr)
    return sums


def statement_of(
    sums: Mapping[str, Sums],
    day: str,
    *,
    contracts: Iterable[Contract] = (),
    cash: Mapping[str, int] | None = None,
    promotions: Mapping[str, int] | None = None,
) -> list[Line]:
    """One line per currency in which anything happened, also where nobody charged."""
    contracts, cash, promotions = list(contracts), cash or {}, promotions or {}
    moved = {currency for taken in (cash, promotions) for currency, amount in taken.items() if amount}
    return [
        _line(
            currency,
            sums.get(currency) or Sums(),
            day,
            [contract for contract in contracts if contract.currency == currency],
            cash.get(currency, 0),
            promotions.get(currency, 0),
        )
        for currency in sorted(sums.keys() | moved)
    ]


def _line(currency: str, sums: Sums, day: str, contracts: list[Contract], cash: int, promotions: int) -> Line:
    deductions = _deductions(currency, sums, day, contracts)
    above = [deduction for deduction in deductions if deduction.kind == "commission"]
    line = Line(
        currency=currency,
        sessions=sums.sessions,
        energy_wh=sums.energy_wh,
        gross=sums.gross,
        commission=sum(deduction.amount for deduction in above),
        uncollected=sums.uncollected,
        invoiced=sums.invoiced,
        cash=cash,
        tax=sums.tax,
        cards=sums.cards,
        card_payments=sums.card_payments,
        fees=sum(deduction.fee for deduction in above),
        commission_tax=sum(deduction.vat for deduction in above),
        shares=sum(deduction.total for deduction in deductions if deduction.kind == "agency_share"),
        promotions=promotions,
        corrections=sums.corrections,
        given_back=sums.given_back,
        deductions=deductions,
    )
    return replace(line, net=line.gross - line.invoiced - line.deducted - cash - promotions)


def _deductions(currency: str, sums: Sums, day: str, contracts: list[Contract]) -> list[Deduction]:
    """Law: those who are not the platform get together nothing, or of what was sold as much as the platform's own part
    leaves; an agency no more than was sold at its places. A day on which more was taken back is the mirror. So what is
    left of the gross is below zero by the platform's own terms alone."""
    asked = list(_asked(currency, sums, day, contracts))
    own = [deduction for deduction in asked if deduction.beneficiary_id == PLATFORM_ID]
    others = [deduction for deduction in asked if deduction.beneficiary_id != PLATFORM_ID]
    left = sums.gross - sum(deduction.total for deduction in own)
    bounded = [between(0, deduction.total, deduction.gross) for deduction in others]
    given = cut_together(bounded, between(0, left, sums.gross))
    cut = [deduction.of_total(total) for deduction, total in zip(others, given, strict=True)]
    return sorted([*own, *cut], key=lambda deduction: (deduction.kind != "commission", deduction.beneficiary_id))


def _asked(currency: str, sums: Sums, day: str, contracts: list[Contract]) -> Iterator[Deduction]:
    """Of a commission all is the basis, of an agency's share what was sold at its places."""
    shares = {contract.beneficiary_id: contract for contract in contracts if contract.kind == "agency_share"}
    for contract in sorted(contracts, key=lambda contract: contract.beneficiary_id):
        terms = contract.terms_on(day)
        if contract.kind == "commission" and terms is not None and sums.basis != Basis():
            yield _deduction(contract.beneficiary_id, "commission", sums.basis, terms, currency)
    for agency_id, of_agency in sorted(sums.agencies.items()):
        terms = shares[agency_id].terms_on(day) if agency_id in shares else None
        yield _deduction(agency_id, "agency_share", of_agency.basis, terms, currency)


def _deduction(beneficiary_id: str, kind: ContractKind, basis: Basis, terms: Terms | None, currency: str) -> Deduction:
    part = Part() if terms is None else amount_of(terms, basis, currency)
    return Deduction(
        beneficiary_id,
        kind,
        basis.sessions,
        basis.energy_wh,
        basis.gross,
        basis.tax,
        basis.card_payments,
        part.amount,
        part.fee,
        part.vat,
        terms,
    )


# -- days that are settled in several runs --------------------------------------------------------------------------


def added(lines: Iterable[Line]) -> list[Line]:
    """The sum of the statements of several runs of a day, by currency."""
    sums: dict[str, Line] = {}
    for line in lines:
        known = sums.get(line.currency)
        sums[line.currency] = line if known is None else _combined(known, line, 1)
    return [sums[currency] for currency in sorted(sums)]


def rest_of(whole: Iterable[Line], settled: Iterable[Line]) -> list[Line]:
    """What of a day's statement is not settled yet. A day has one set of terms, so nothing is rounded twice."""
    before = {line.currency: line for line in added(settled)}
    now = {line.currency: line for line in whole}
    rest = [
        _combined(now.get(currency, Line(currency)), before.get(currency, Line(currency)), -1)
        for currency in sorted(before.keys() | now.keys())
    ]
    return [line for line in rest if not line.is_empty]


def _combined(one: Line, other: Line, sign: int) -> Line:
    numbers = {name: getattr(one, name) + sign * getattr(other, name) for name in _COUNTED}
    deductions = {_key(deduction): deduction for deduction in one.deductions}
    for deduction in other.deductions:
        known = deductions.get(_key(deduction)) or _nothing_of(deduction)
        deductions[_key(deduction)] = replace(
            known,
            sessions=known.sessions + sign * deduction.sessions,
            energy_wh=known.energy_wh + sign * deduction.energy_wh,
            gross=known.gross + sign * deduction.gross,
            tax=known.tax + sign * deduction.tax,
            card_payments=known.card_payments + sign * deduction.card_payments,
            amount=known.amount + sign * deduction.amount,
            fee=known.fee + sign * deduction.fee,
            vat=known.vat + sign * deduction.vat,
        )
    kept = [deductions[key] for key in sorted(deductions) if deductions[key] != _nothing_of(deductions[key])]
    return replace(one, **numbers, deductions=kept)


def _nothing_of(deduction: Deduction) -> Deduction:
    return Deduction(deduction.beneficiary_id, deduction.kind, 0, 0, 0, 0, 0, terms=deduction.terms)


def _key(deduction: Deduction) -> tuple[str, str]:
    return deduction.kind, deduction.beneficiary_id


# -- agreement ------------------------------------------------------------------------------------------------------


def disagreement(lines: Iterable[Line], booked: Booked) -> str | None:
    """How statement and ledger differ, in words; None if they agree to the last minor unit: in all that was earned, in
    what of it enterprises owe and cards paid, in cash and in bonuses."""
    lines = list(lines)
    kinds = (
        ("CDRs say", "gross", booked.income),
        ("CDRs of enterprises say", "invoiced", booked.invoiced),
        ("CDRs of card payments say", "cards", booked.cards),
        ("of cash the statement says", "cash", booked.cash),
        ("of bonuses the statement says", "promotions", booked.promotions),
    )
    differences = [
        difference
        for who_says, name, kept in kinds
        for difference in _differences(who_says, {line.currency: getattr(line, name) for line in lines}, kept)
    ]
    return "; ".join(differences) or None


def _differences(who_says: str, stated: Mapping[str, int], booked: Mapping[str, int]) -> Iterator[str]:
    for currency in sorted(stated.keys() | booked.keys()):
        said, kept = stated.get(currency, 0), booked.get(currency, 0)
        if said != kept:
            yield f"{who_says} {Money(said, currency)}, the ledger {Money(kept, currency)}"
