"""What remains of a delivery: the sealed CDR, what takes it back and replaces it, the day's totals, and stops for which
no session could be found. Pure.

A CDR is never edited. A correction is two more, made together: one that takes the valid one back whole, and the one
that is valid from then on. So of each session exactly one CDR is not taken back, and all of them sum to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal

from chalicelib.charging.model.transactions import TransactionId
from chalicelib.kernel.errors import conflict
from chalicelib.kernel.money import Money
from chalicelib.tariffs.rating import round_half_up, shared_by_vat

OrphanCause = Literal["unknown_transaction", "session_over"]

MAX_CORRECTIONS = 9
"""Of one session. Who needs more does not know what it cost."""
OTHER = "OTHER"
"""The dimension of a line that no meter has measured: what was agreed besides."""
REDUCTION = "REDUCTION"
"""The dimension of a line below zero: what was taken off a metered cost."""
_CREDIT_MARK = "C"


@dataclass(frozen=True)
class Cdr:
    """The sealed billing record of one charging session. `captured + uncollected = total_cost`. What was captured, the
    driver's wallet has paid, or a guest's payment (`payment_id`), or `enterprise_id` owes it to the operator.
    `captured_tax` is the tax in it. It is corrected by a credit CDR, which takes it back whole: `credit_reference_id`
    names it, and quantities and amounts are negative (OCPI 2.2.1, 10.1.1.1). `agency_id`: who has a share in it."""

    cdr_id: str
    session_id: str
    operator_id: str
    charger_id: str
    evse_no: int
    id_token: str
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    total_cost: Money
    captured: Money
    uncollected: Money
    business_day: str
    lines: list[dict[str, Any]]
    location_id: str | None = None
    driver_id: str | None = None
    tariff_id: str | None = None
    tariff_version: int | None = None
    stop_reason: str | None = None
    abnormal_cause: str | None = None
    enterprise_id: str | None = None
    payment_id: str | None = None
    agency_id: str | None = None
    captured_tax: Money | None = None
    credit_reference_id: str | None = None

    @property
    def is_credit(self) -> bool:
        return self.credit_reference_id is not None


@dataclass(frozen=True)
class CdrTotals:
    """What the index of a day's CDRs carries."""

    cdr_id: str
    session_id: str
    energy_wh: int
    total_cost: Money
    captured: Money
    uncollected: Money
    driver_id: str | None = None
    location_id: str | None = None
    enterprise_id: str | None = None
    payment_id: str | None = None
    agency_id: str | None = None
    captured_tax: Money | None = None
    credit_reference_id: str | None = None
    charger_id: str | None = None


@dataclass(frozen=True)
class OrphanStop:
    """A stop that could not be billed: kept for the operator, so that the energy is not lost.

    `cause` is unknown_transaction (no session could be found) or session_over (`session_id` was given up before).
    """

    operator_id: str
    charger_id: str
    transaction_id: TransactionId
    stopped_at: datetime
    received_at: datetime
    cause: OrphanCause
    meter_stop_wh: int | None = None
    session_id: str | None = None
    id_token: str | None = None
    reason: str | None = None


def place_of(cdr_id: str) -> tuple[int, bool]:
    """Which of its session's CDRs it is: its number, from 1, and whether it takes back the one of that number. They
    sort in the order in which they were made."""
    tail = cdr_id.partition("-")[2]
    if tail.startswith(_CREDIT_MARK):
        return int(tail.removeprefix(_CREDIT_MARK)), True
    return int(tail or "1"), False


def correction_of(cdr_id: str) -> str:
    """What is the same for the two CDRs of a correction: the one that takes back and the one that replaces."""
    number, is_credit = place_of(cdr_id)
    return f"{cdr_id.partition('-')[0]}-{number if is_credit else number - 1}"


def receipt_no(order_no: str, cdr_id: str) -> str:
    """The number of the receipt that is made of a CDR: that of the order, and of a replacement which one it is."""
    number = place_of(cdr_id)[0]
    return order_no if number == 1 else f"{order_no}-{number}"


def replaced_receipt_no(order_no: str, cdr_id: str) -> str | None:
    """That of the receipt in whose place the one of this CDR stands; None for the first."""
    first_id, number = cdr_id.partition("-")[0], place_of(cdr_id)[0]
    return None if number == 1 else receipt_no(order_no, f"{first_id}-{number - 1}")


def valid_cdr(cdrs: Iterable[Cdr]) -> Cdr | None:
    """The one of a session's CDRs that is not taken back."""
    return max((cdr for cdr in cdrs if not cdr.is_credit), key=lambda cdr: place_of(cdr.cdr_id), default=None)


def credit_of(cdr: Cdr, business_day: str) -> Cdr:
    """What takes a CDR back whole: all that adds up is below zero. Raises cdr.corrected_too_often (409)."""
    first_id, number = cdr.cdr_id.partition("-")[0], place_of(cdr.cdr_id)[0]
    if number > MAX_CORRECTIONS:
        raise conflict("cdr.corrected_too_often", "This order was corrected too often.")
    return replace(
        cdr,
        cdr_id=f"{first_id}-{_CREDIT_MARK}{number}",
        energy_wh=-cdr.energy_wh,
        total_cost=-cdr.total_cost,
        captured=-cdr.captured,
        uncollected=-cdr.uncollected,
        captured_tax=None if cdr.captured_tax is None else -cdr.captured_tax,
        lines=[_taken_back(line) for line in cdr.lines],
        business_day=business_day,
        credit_reference_id=cdr.cdr_id,
    )


def replacement_of(
    cdr: Cdr,
    business_day: str,
    *,
    energy_wh: int,
    cost: Money,
    captured: Money,
    captured_tax: Money,
    lines: list[dict[str, Any]],
    ended_at: datetime | None = None,
) -> Cdr:
    """What is valid instead of a CDR that was taken back."""
    first_id, number = cdr.cdr_id.partition("-")[0], place_of(cdr.cdr_id)[0]
    return replace(
        cdr,
        cdr_id=f"{first_id}-{number + 1}",
        ended_at=cdr.ended_at if ended_at is None else ended_at,
        energy_wh=energy_wh,
        total_cost=cost,
        captured=captured,
        uncollected=cost - captured,
        captured_tax=captured_tax,
        lines=lines,
        business_day=business_day,
    )


def tax_in(cost: Money, lines: Iterable[dict[str, Any]]) -> Money:
    """The tax contained in a cost with these lines, each at its own rate."""
    taxes = (_tax_of(line["amount"]["amount"], Fraction(Decimal(line.get("vat") or "0"))) for line in lines)
    return Money(round_half_up(sum(taxes, Fraction(0))), cost.currency)


def lines_amounting_to(cost: Money, lines: list[dict[str, Any]], vat: str | None = None) -> list[dict[str, Any]]:
    """The lines of a metered cost, as they are, and what another amount that is due instead makes of their sum. What is
    less is taken off by a line per rate of tax; what is more is a line of its own, taxed like the largest of the others
    (else at `vat`): it is paid for the same service. What was taken off before is not there twice."""
    metered = [line for line in lines if line.get("dimension") != REDUCTION]
    change = cost.amount - sum(line["amount"]["amount"] for line in metered)
    if not change:
        return metered
    if change < 0:
        by_vat: dict[str | None, int] = {}
        for line in metered:
            by_vat[line.get("vat")] = by_vat.get(line.get("vat"), 0) + line["amount"]["amount"]
        shares = shared_by_vat(change, by_vat)
        taken_off = [_besides(REDUCTION, Money(part, cost.currency), rate) for rate, part in shares.items() if part]
        return [*metered, *taken_off]
    largest = max(metered, key=lambda line: int(line["amount"]["amount"]), default=None)
    rate = vat if largest is None else largest.get("vat")
    return [*metered, _besides(OTHER, Money(change, cost.currency), rate)]


def _besides(dimension: str, amount: Money, vat: str | None) -> dict[str, Any]:
    return {
        "dimension": dimension,
        "quantity": "1",
        "unit": "",
        "price": format(amount.to_decimal(), "f"),
        "vat": vat,
        "amount": {"amount": amount.amount, "currency": amount.currency},
    }


def _tax_of(gross: int, vat: Fraction) -> Fraction:
    return gross - gross / (1 + vat / 100)


def _taken_back(line: dict[str, Any]) -> dict[str, Any]:
    amount = line["amount"]
    taken = line | {"amount": {"amount": -amount["amount"], "currency": amount["currency"]}}
    return taken | {"quantity": _negated(str(line["quantity"]))} if "quantity" in line else taken


def _negated(quantity: str) -> str:
    return quantity if Decimal(quantity) == 0 else str(-Decimal(quantity))
