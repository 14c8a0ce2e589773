"""Corrections of what was billed: one way for all of them (decision 0047). Called by `resolving`, the operator's API,
and where a card does not pay.

In one commit: the difference moves between who paid and the operator's income, a credit CDR takes back the valid one
whole, another one stands for it, and the session says the new cost. Invariants: what was captured is what the ledger
moved; nobody is overdrawn (what is not there is uncollected); a guest's card is never charged again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from chalicelib.charging import lookup
from chalicelib.charging.model import Cdr, ChargingSession
from chalicelib.charging.model.billing import credit_of, lines_amounting_to, replacement_of, tax_in
from chalicelib.charging.service import collecting
from chalicelib.charging.service.keeping import save
from chalicelib.charging.store.cdrs import CDRS
from chalicelib.kernel import outbox
from chalicelib.kernel.errors import conflict, invalid
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger.model import Posting, business_day, income_account
from chalicelib.payments import service as payments
from chalicelib.payments.model import may_settle
from chalicelib.tariffs.rating import round_half_up


@dataclass(frozen=True)
class Correction:
    """`valid` stands for the CDR that `credit` takes back. `moved` is what the payer paid more; below zero, it was
    given back; `refund_id` is the refund to a guest's card."""

    session: ChargingSession
    credit: Cdr
    valid: Cdr
    moved: Money
    refund_id: str | None = None


def correct_session(
    uow: UnitOfWork,
    session: ChargingSession,
    cdr: Cdr,
    *,
    cost: Money,
    energy_wh: int | None = None,
    lines: list[dict[str, Any]] | None = None,
    tax: Money | None = None,
    most: Money | None = None,
    ended_at: datetime | None = None,
    reason: str,
    by: str,
    is_certain: bool = False,
) -> Correction:
    """Bills a session anew: `cost` is all that it costs from now on, `lines` (else those of the CDR, shared out) what
    it is made of, `tax` what of it is tax. Of it `most` is taken at most, and no more than the payer has. What
    `is_certain` (a charger says it) is given back whether the operator may owe it or not. What else `session` says is
    written with it.

    Raises cdr.corrected_too_often, and those of `payments.request_refund`, before anything is added to `uow`; and
    operator.credit_exhausted.
    """
    day = business_day(uow.ctx.now(), session.business_zone)
    credit = credit_of(cdr, day)
    wanted = cost if most is None else min(cost, max(most, cdr.captured))
    moved = collecting.move(
        uow,
        session,
        wanted - cdr.captured,
        key=credit.cdr_id,
        business_day=day,
        reason=reason,
        requested_by=by,
        is_certain=is_certain,
    )
    if moved.amount.amount < 0:
        session = replace(session, given_back=(session.given_back or 0) - moved.amount.amount)
    correction = _replaced(
        uow,
        session,
        cdr,
        credit,
        cost=cost,
        energy_wh=cdr.energy_wh if energy_wh is None else energy_wh,
        captured=cdr.captured + moved.amount,
        lines=lines_amounting_to(cost, cdr.lines) if lines is None else lines,
        tax=tax,
        ended_at=ended_at,
    )
    return replace(correction, refund_id=moved.refund_id)


def reduce_cost(uow: UnitOfWork, session: ChargingSession, *, cost: Money, reason: str, by: str) -> Correction:
    """Gives a part of a billed session back to who paid it, or asks for less of what nobody could pay.

    Raises charging_session.not_billed, correction.currency, correction.not_lower, and those of `correct_session`.
    """
    cdr = lookup.find_cdr(uow.ctx, session.session_id)
    if cdr is None:
        raise conflict("charging_session.not_billed", "This session has no billing record to correct.")
    if cost.currency != session.currency:
        raise invalid("correction.currency", f"This session is billed in {session.currency}.", "/amount/currency")
    if not 0 <= cost.amount < cdr.total_cost.amount:
        detail = f"A correction lowers the cost, which is {cdr.total_cost}."
        raise conflict("correction.not_lower", detail, "/amount/amount")
    return correct_session(uow, session, cdr, cost=cost, reason=reason, by=by)


def write_off(uow: UnitOfWork, *, session_id: str, payment_id: str) -> Correction | None:
    """The provider will not pay what a guest's session has cost: its income is taken back, and it is uncollected. None
    where that was done before. Raises payment.illegal_transition for a payment that did not fail."""
    session = lookup.require_session(uow.ctx, session_id)
    cdr = lookup.find_cdr(uow.ctx, session_id)
    if cdr is None or cdr.payment_id != payment_id or cdr.captured.amount <= 0:
        return None
    day = business_day(uow.ctx.now(), session.business_zone)
    if not payments.reverse_capture(uow, payment_id, business_day=day):
        return None
    collecting.owe(uow, session, cdr.captured, is_certain=True)
    credit = credit_of(cdr, day)
    return _replaced(
        uow,
        session,
        cdr,
        credit,
        cost=cdr.total_cost,
        energy_wh=cdr.energy_wh,
        captured=Money.zero(session.currency),
        lines=cdr.lines,
    )


def write_off_disputed(uow: UnitOfWork, *, dispute_id: str) -> Correction | None:
    """A guest's bank took the payment back for good: as much of the session's income goes, and is uncollected. What it
    took beyond is the platform's loss. None where nothing of the income is left, or that was done before."""
    dispute = payments.require_dispute(uow.ctx, dispute_id)
    if not may_settle(dispute):
        return None
    session = lookup.find_session(uow.ctx, dispute.purpose_id)
    cdr = None if session is None else lookup.find_cdr(uow.ctx, session.session_id)
    if session is None or cdr is None or cdr.payment_id != dispute.payment_id or cdr.captured.amount <= 0:
        payments.settle_loss(uow, dispute)
        return None
    day = business_day(uow.ctx.now(), session.business_zone)
    credit, borne = credit_of(cdr, day), min(dispute.taken_amount, cdr.captured.amount)
    income = income_account(session.operator_id, session.currency)
    payments.settle_loss(uow, dispute, borne=borne, others=[Posting(income, -borne)], business_day=day)
    collecting.owe(uow, session, Money(borne, session.currency), is_certain=True)
    return _replaced(
        uow,
        session,
        cdr,
        credit,
        cost=cdr.total_cost,
        energy_wh=cdr.energy_wh,
        captured=cdr.captured - Money(borne, session.currency),
        lines=cdr.lines,
    )


def _replaced(
    uow: UnitOfWork,
    session: ChargingSession,
    cdr: Cdr,
    credit: Cdr,
    *,
    cost: Money,
    energy_wh: int,
    captured: Money,
    lines: list[dict[str, Any]],
    tax: Money | None = None,
    ended_at: datetime | None = None,
) -> Correction:
    valid = replacement_of(
        cdr,
        credit.business_day,
        energy_wh=energy_wh,
        cost=cost,
        captured=captured,
        captured_tax=_tax_in_captured(cost, captured, tax_in(cost, lines) if tax is None else tax),
        lines=lines,
        ended_at=ended_at,
    )
    month = session.usage_month or (credit.business_day[:7] if session.enterprise_id and captured.amount else None)
    after = replace(session, cost=cost.amount, captured=captured.amount, energy_wh=energy_wh, usage_month=month)
    save(uow, session, after)
    uow.create(CDRS, credit)
    uow.create(CDRS, valid)
    outbox.emit(uow, "charging_session.corrected", session.session_id)
    return Correction(after, credit, valid, captured - cdr.captured)


def _tax_in_captured(cost: Money, captured: Money, tax: Money) -> Money:
    """What was taken of a cost has its share of the tax."""
    if not cost.amount:
        return Money.zero(cost.currency)
    return Money(round_half_up(Fraction(tax.amount * captured.amount, cost.amount)), cost.currency)
