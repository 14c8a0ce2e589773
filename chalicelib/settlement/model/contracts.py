"""What an operator gives to others of what it earned: commissions to those above it, shares to its agencies. Pure.

One contract per operator, beneficiary and currency; its terms follow each other by business day, so that a settled day
keeps the terms that it was settled by. Rule of rounding (`amount_of`): per contract and day the percentage and what is
fixed are summed exactly and rounded once, half away from zero, so that a day taken back is the day with another sign;
tax on top is rounded once too. Only where all of them together get more than was sold is less given (`statements`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Literal

from chalicelib.kernel.errors import conflict, invalid
from chalicelib.kernel.money import currency_exponent
from chalicelib.tariffs.rating import split_exactly

ContractKind = Literal["commission", "agency_share"]
PercentOf = Literal["gross", "net"]

MAX_CONTRACTS = 200
"""Of an operator: their amounts of a day stand in one row."""
MAX_TERMS = 100
_HUNDRED = Decimal(100)
_WH_PER_KWH = Decimal(1000)


@dataclass(frozen=True)
class Terms:
    """Days are YYYY-MM-DD, `valid_to` is the last one. `per_kwh` in major units, `per_session` and `per_card_payment`
    in minor ones. `vat_percent` comes on top."""

    valid_from: str
    percent: Decimal = Decimal(0)
    percent_of: PercentOf = "gross"
    per_session: int = 0
    per_kwh: Decimal = Decimal(0)
    per_card_payment: int = 0
    vat_percent: Decimal = Decimal(0)
    valid_to: str | None = None

    def is_valid_on(self, day: str) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    @property
    def whole_percent(self) -> Decimal:
        """With the tax on it."""
        return self.percent * (1 + self.vat_percent / _HUNDRED)


@dataclass(frozen=True)
class Contract:
    """`terms` in the order of days; at most one is valid on a day. Whoever changes the row names `revision`."""

    operator_id: str
    beneficiary_id: str
    kind: ContractKind
    currency: str
    created_at: datetime
    terms: list[Terms] = field(default_factory=list)
    revision: int = 1

    @property
    def contract_id(self) -> str:
        return f"{self.operator_id}.{self.beneficiary_id}.{self.currency}"

    def terms_on(self, day: str) -> Terms | None:
        return next((terms for terms in self.terms if terms.is_valid_on(day)), None)


@dataclass(frozen=True)
class ContractEntry:
    """A beneficiary's list names the contract; its own row stands with the operator's."""

    operator_id: str
    beneficiary_id: str
    currency: str


@dataclass(frozen=True)
class ContractBook:
    """Counts all changes of an operator's contracts: their percentages together never pass 100 (`check_percents`)."""

    operator_id: str
    revision: int


@dataclass(frozen=True)
class Basis:
    """What a beneficiary's part is counted from. `tax` is contained in `gross`."""

    sessions: int = 0
    energy_wh: int = 0
    gross: int = 0
    tax: int = 0
    card_payments: int = 0


@dataclass(frozen=True)
class Part:
    """Minor units: for percentage, sessions and energy; for card payments; the tax on both."""

    amount: int = 0
    fee: int = 0
    vat: int = 0

    @property
    def total(self) -> int:
        return self.amount + self.fee + self.vat


def amount_of(terms: Terms, basis: Basis, currency: str) -> Part:
    """A beneficiary's part by the rule of rounding above."""
    of = basis.gross - (basis.tax if terms.percent_of == "net" else 0)
    by_energy = (terms.per_kwh * basis.energy_wh / _WH_PER_KWH).scaleb(currency_exponent(currency))
    amount = _rounded(of * terms.percent / _HUNDRED + basis.sessions * terms.per_session + by_energy)
    fee = basis.card_payments * terms.per_card_payment
    return Part(amount, fee, _rounded((amount + fee) * terms.vat_percent / _HUNDRED))


def less(part: Part, total: int, vat_percent: Decimal) -> Part:
    """The part cut down to `total`, of the same sign or nothing: its tax is what is in that at its rate."""
    if total == part.total:
        return part
    without_tax = _rounded(total / (1 + vat_percent / _HUNDRED))
    fee = _rounded(Decimal(without_tax * part.fee) / (part.amount + part.fee))
    return Part(without_tax - fee, fee, total - without_tax)


def between(one: int, amount: int, other: int) -> int:
    """The amount, or the bound that it is beyond. The bounds in any order."""
    return max(min(one, other), min(amount, max(one, other)))


def cut_together(totals: Sequence[int], most: int) -> list[int]:
    """The totals, in proportion less where all together they are beyond `most`, or on the other side of nothing. What
    is left over by rounding goes to the largest remainders."""
    asked = sum(totals)
    given = between(0, asked, most)
    if asked == given:
        return list(totals)
    sign = 1 if asked > given else -1
    cut = [max(sign * total, 0) for total in totals]
    left = sum(cut) - abs(asked - given)
    parts = split_exactly(left, [Fraction(total * left, sum(cut)) for total in cut])
    return [sign * part if of else total for total, of, part in zip(totals, cut, parts, strict=True)]


def _rounded(amount: Decimal) -> int:
    return int(amount.to_integral_value(ROUND_HALF_UP))


def with_terms(contract: Contract, terms: Terms, first_open_day: str) -> Contract:
    """The contract with terms that are valid from their first day on, instead of whatever was to be valid later.

    Raises contract.settled (409) for days that have a run, contract.valid_to (422), contract.terms_full (409).
    """
    if terms.valid_to is not None and terms.valid_to < terms.valid_from:
        raise invalid("contract.valid_to", "The last day is not before the first.", "/terms/valid_to")
    _check_open(terms.valid_from, first_open_day, "/terms/valid_from")
    kept = [_until(old, _day_before(terms.valid_from)) for old in contract.terms if old.valid_from < terms.valid_from]
    if len(kept) >= MAX_TERMS:
        raise conflict("contract.terms_full", f"A contract has at most {MAX_TERMS} terms.")
    return replace(contract, terms=[*kept, terms])


def ended(contract: Contract, last_day: str, first_open_day: str) -> Contract:
    """The contract until a day, which is the last one. Raises contract.settled (409) for one that is settled, other
    than the last of these."""
    _check_open(_day_after(last_day), first_open_day, "/last_day")
    return replace(contract, terms=[_until(old, last_day) for old in contract.terms if old.valid_from <= last_day])


def check_percents(contracts: Iterable[Contract], first_open_day: str) -> None:
    """On no day that is to come more is given away than was earned: all commissions and the highest share of an agency
    (a session is at one agency's place), their tax included. Raises contract.percent_sum (422)."""
    contracts = list(contracts)
    begins = {terms.valid_from for contract in contracts for terms in contract.terms} | {first_open_day}
    for currency in {contract.currency for contract in contracts}:
        for day in sorted(day for day in begins if day >= first_open_day):
            commissions, share = Decimal(0), Decimal(0)
            for contract in contracts:
                terms = contract.terms_on(day) if contract.currency == currency else None
                if terms is not None and contract.kind == "commission":
                    commissions += terms.whole_percent
                elif terms is not None:
                    share = max(share, terms.whole_percent)
            if commissions + share > _HUNDRED:
                raise invalid(
                    "contract.percent_sum",
                    f"From {day} on, {commissions + share:f} percent would be given away, tax included.",
                    "/terms/percent",
                )


def _until(terms: Terms, last_day: str) -> Terms:
    return terms if terms.valid_to is not None and terms.valid_to <= last_day else replace(terms, valid_to=last_day)


def _check_open(day: str, first_open_day: str, pointer: str) -> None:
    if day < first_open_day:
        detail = f"Days before {first_open_day} are settled by the terms that they had."
        raise conflict("contract.settled", detail, pointer)


def _day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


def _day_after(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
