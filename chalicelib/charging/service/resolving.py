"""How an abnormal order is resolved: by the operator, or by the charger that tells its end after all.

Called by the operator's endpoint, and by what takes a stop from a charger. Invariants: an order is resolved once,
whoever is first; the price is that of the frozen tariff, by the function that bills; a charge for an amount costs
no more than that unless a person says so; a charger's word is never refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup, order_lookup
from chalicelib.charging.model import (
    Cdr,
    ChargingSession,
    MeterReading,
    clock_fault,
    delivered_energy_wh,
    meter_fault,
    most_energy_wh,
)
from chalicelib.charging.model.billing import lines_amounting_to, place_of, tax_in
from chalicelib.charging.model.causes import is_uncertain, is_unpaid
from chalicelib.charging.model.orders import (
    AbnormalOrder,
    Resolution,
    ResolutionKind,
    Resolving,
    most_to_deduct,
)
from chalicelib.charging.service.correcting import Correction, correct_session
from chalicelib.charging.service.reviewing import keep_resolution, note_certain
from chalicelib.kernel.errors import DomainError, Kind, StaleRead, conflict, invalid
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork

BY_CHARGER = "charger"


@dataclass(frozen=True)
class _Bill:
    """What a session is to cost, and what of."""

    cost: Money
    tax: Money
    energy_wh: int
    lines: list[dict[str, Any]]
    ended_at: datetime


def resolve_order(
    uow: UnitOfWork, session: ChargingSession, order: AbnormalOrder, wish: Resolving, *, by: str
) -> AbnormalOrder:
    """Resolves an order as the operator wants it, with the money and the CDRs that follow.

    Raises order.resolved, charging_session.not_billed (409), resolution.amount_missing, resolution.reason_missing,
    resolution.currency, resolution.amount_invalid, resolution.amount_too_high, resolution.energy_too_high,
    resolution.duration_too_long, and those of `correct_session`.
    """
    if order.resolution is not None:
        raise conflict("order.resolved", "This order is resolved already.")
    cdr = lookup.find_cdr(uow.ctx, session.session_id)
    if cdr is None:
        raise conflict("charging_session.not_billed", "This session has no billing record.")
    correction = None
    if wish.kind != "as_billed":
        bill = _bill(uow, session, cdr, wish)
        correction = _correct(uow, session, cdr, bill, reason=wish.reason or "Actual consumption", by=by)
    resolution = _resolution(uow, wish.kind, cdr, correction, by=by, reason=wish.reason)
    is_assumed = wish.kind == "order_fee" and wish.energy_wh is None and is_uncertain(order.causes)
    return keep_resolution(uow, order, replace(resolution, is_assumed=is_assumed))


def take_late_stop(
    uow: UnitOfWork,
    session: ChargingSession,
    *,
    meter_stop_wh: int | None,
    stopped_at: datetime,
    reason: str | None,
    unsaved: MeterReading | None = None,
) -> ChargingSession | None:
    """The end of a session that was given up, told after all: the bill is corrected by it, once, and the order resolved
    where that is paid. No more is taken than its end in time would have taken: without a hold, nothing. Returns the
    session as it is then; None: it cannot be (a person has decided already, or what is told cannot be true), and the
    stop is the operator's to look at. `unsaved` is the frame that tells it."""
    order = order_lookup.find_order(uow.ctx, session)
    cdr = lookup.find_cdr(uow.ctx, session.session_id)
    if order is None or cdr is None or meter_stop_wh is None or session.started_at is None:
        return None
    if place_of(cdr.cdr_id)[0] > 1 and session.meter_stop_wh == meter_stop_wh:
        return session  # told again
    if order.resolution is not None:
        return None
    took = stopped_at - session.started_at
    faults = (meter_fault(session.meter_start_wh, meter_stop_wh, took), clock_fault(session.started_at, stopped_at))
    if session.meter_start_wh is None or any(faults):
        return None
    told = replace(session, meter_stop_wh=meter_stop_wh, stopped_at=stopped_at, stop_reason=reason)
    energy_wh = delivered_energy_wh(session.meter_start_wh, meter_stop_wh)
    metered = _metered(uow, told, energy_wh, stopped_at, unsaved)
    try:
        correction = correct_session(
            uow,
            told,
            cdr,
            cost=metered.cost,
            energy_wh=energy_wh,
            lines=metered.lines,
            tax=metered.tax,
            most=None if session.target == "full" and session.held else session.hold,
            ended_at=stopped_at,
            reason="The charger reported the end",
            by=BY_CHARGER,
            is_certain=True,
        )
    except StaleRead:
        raise
    except DomainError as refusal:
        if refusal.kind is not Kind.CONFLICT:
            raise
        return None  # the card, say, is not charged yet, and nothing of it can be paid back
    if is_unpaid(correction.session):
        note_certain(uow, order)
    else:
        keep_resolution(uow, order, _resolution(uow, "late_stop", cdr, correction, by=BY_CHARGER))
    return correction.session


def _bill(uow: UnitOfWork, session: ChargingSession, cdr: Cdr, wish: Resolving) -> _Bill:
    started_at = session.started_at or session.created_at
    ended_at = cdr.ended_at if wish.duration_s is None else started_at + timedelta(seconds=wish.duration_s)
    if ended_at > max(cdr.ended_at, uow.ctx.now()):
        raise invalid("resolution.duration_too_long", "It cannot have gone on until later than now.", "/duration_s")
    energy_wh = cdr.energy_wh if wish.energy_wh is None else wish.energy_wh
    if energy_wh > cdr.energy_wh and energy_wh > _most_energy_wh(uow, session, ended_at - started_at):
        detail = "The charger cannot deliver so much in this time; if it took longer, say how long."
        raise invalid("resolution.energy_too_high", detail, "/energy_wh")
    metered = _metered(uow, session, energy_wh, ended_at)
    if wish.kind == "order_fee":
        return metered
    # The bound goes by what the charger told, not by what is claimed in the same breath.
    cost = _checked_amount(wish, cdr, _metered(uow, session, cdr.energy_wh, cdr.ended_at).cost)
    lines = lines_amounting_to(cost, metered.lines, _vat_of(uow, session))
    return _Bill(cost, tax_in(cost, lines), energy_wh, lines, ended_at)


def _most_energy_wh(uow: UnitOfWork, session: ChargingSession, duration: timedelta) -> int:
    """By the charger's type plate, where that is known: a slip of the finger, or worse, bills no more."""
    charger = chargers.get_charger(uow.ctx, session.charger_id)
    return most_energy_wh(duration, None if charger is None else charger.max_power_w)


def _metered(
    uow: UnitOfWork, session: ChargingSession, energy_wh: int, ended_at: datetime, unsaved: MeterReading | None = None
) -> _Bill:
    """What the price that the session began with makes of a consumption."""
    rated = lookup.bill(uow.ctx, session, energy_wh, ended_at, unsaved)
    if rated is None:
        zero = Money.zero(session.currency)
        return _Bill(zero, zero, energy_wh, [], ended_at)
    return _Bill(rated.total, rated.tax, energy_wh, [msgspec.to_builtins(line) for line in rated.lines], ended_at)


def _checked_amount(wish: Resolving, cdr: Cdr, metered: Money) -> Money:
    amount = wish.amount
    if amount is None:
        raise invalid("resolution.amount_missing", "Name the amount that is deducted instead of the fee.", "/amount")
    if not wish.reason.strip():
        raise invalid("resolution.reason_missing", "Say why another amount is deducted.", "/reason")
    if amount.currency != metered.currency:
        raise invalid("resolution.currency", f"This order is billed in {metered.currency}.", "/amount/currency")
    if amount.amount < 0:
        raise invalid("resolution.amount_invalid", "An amount below nothing cannot be deducted.", "/amount/amount")
    taken_of_card = cdr.captured if cdr.payment_id else None
    most = most_to_deduct(metered, taken_of_card)
    if amount > most:
        why = f"the meter says {metered}" if taken_of_card is None else "a guest's card is not charged again"
        detail = f"Of this order at most {most} may be deducted; {why}."
        raise invalid("resolution.amount_too_high", detail, "/amount/amount")
    return amount


def _vat_of(uow: UnitOfWork, session: ChargingSession) -> str | None:
    """At which rate a session is taxed of which nothing was metered: that of the tariff's first price."""
    tariff = lookup.tariff_of(uow.ctx, session)
    components = [] if tariff is None else [part for element in tariff.elements for part in element.price_components]
    return next((format(part.vat, "f") for part in components if part.vat is not None), None)


def _correct(
    uow: UnitOfWork, session: ChargingSession, cdr: Cdr, bill: _Bill, *, reason: str, by: str
) -> Correction | None:
    """None where the bill says what was billed, and all of it is paid."""
    same = (bill.cost, bill.energy_wh, bill.ended_at) == (cdr.total_cost, cdr.energy_wh, cdr.ended_at)
    if same and not cdr.uncollected.amount:
        return None
    return correct_session(
        uow,
        session,
        cdr,
        cost=bill.cost,
        energy_wh=bill.energy_wh,
        lines=bill.lines,
        tax=bill.tax,
        ended_at=bill.ended_at,
        reason=reason,
        by=by,
    )


def _resolution(
    uow: UnitOfWork, kind: ResolutionKind, cdr: Cdr, correction: Correction | None, *, by: str, reason: str = ""
) -> Resolution:
    valid = cdr if correction is None else correction.valid
    return Resolution(
        kind=kind,
        resolved_at=uow.ctx.now(),
        resolved_by=by,
        cost=valid.total_cost,
        energy_wh=valid.energy_wh,
        moved=Money.zero(valid.total_cost.currency) if correction is None else correction.moved,
        uncollected=valid.uncollected,
        reason=reason,
    )
