"""The end of a delivery: energy, price, money and CDR, all in the caller's one commit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

import msgspec

from chalicelib.chargers.model import charger_key
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    SESSION_LIFECYCLE,
    Cdr,
    ChargingSession,
    MeterReading,
    MeterSample,
    Registers,
    clock_fault,
    delivered_energy_wh,
    first_register_wh,
    latest_sample,
    meter_fault,
    settle_registers,
)
from chalicelib.charging.service import paying, reviewing
from chalicelib.charging.service.keeping import save
from chalicelib.charging.store.cdrs import CDRS
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger.model import business_day
from chalicelib.tariffs import rating
from chalicelib.tariffs.model import RatedCost


def price_delivery(
    uow: UnitOfWork, session: ChargingSession, energy_wh: int, ended_at: datetime, unsaved: MeterReading | None = None
) -> tuple[Money, list[dict[str, str]]]:
    """Cost and its lines by the tariff frozen into the session; without a tariff nothing can be asked."""
    rated = lookup.bill(uow.ctx, session, energy_wh, ended_at, unsaved)
    return (Money.zero(session.currency), []) if rated is None else (rated.total, _lines(rated))


def close_delivery(
    uow: UnitOfWork,
    session: ChargingSession,
    *,
    event: str,
    meter_stop_wh: int | None,
    stopped_at: datetime,
    reason: str | None,
    abnormal_cause: str | None = None,
    unsaved: MeterReading | None = None,
) -> ChargingSession:
    """Seals the session: settled or abnormal by `event`, the cost captured from the hold, one CDR.

    What the wallet, or the enterprise, could not pay is `uncollected` on the CDR, never a negative wallet. `unsaved` is
    the frame that tells the end: the bill goes by what it says of the way, too.
    """
    now = uow.ctx.now()
    took = None if session.started_at is None else stopped_at - session.started_at
    abnormal_cause = (
        abnormal_cause
        or meter_fault(session.meter_start_wh, meter_stop_wh, took)
        or clock_fault(session.started_at, stopped_at)
    )
    energy_wh = delivered_energy_wh(session.meter_start_wh, meter_stop_wh, took)
    rated = lookup.bill(uow.ctx, session, energy_wh, stopped_at, unsaved)
    cost = Money.zero(session.currency) if rated is None else rated.total
    day = business_day(now, session.business_zone)
    captured = paying.settle(uow, session, cost, day, tax=lambda taken: _captured_tax(rated, taken))
    closed = replace(
        session,
        state=SESSION_LIFECYCLE.next(session.state, event),
        meter_stop_wh=meter_stop_wh,
        stopped_at=stopped_at,
        stop_reason=reason,
        ended_at=now,
        energy_wh=energy_wh,
        cost=cost.amount,
        captured=captured.amount,
        abnormal_cause=abnormal_cause or session.abnormal_cause,
    )
    closed = reviewing.note_end(uow, closed)
    save(uow, session, closed)
    uow.create(CDRS, _cdr(closed, cost, captured, rated, day))
    outbox.emit(uow, "charging_session.ended", session.session_id)
    return closed


def end_delivery(
    uow: UnitOfWork,
    session: ChargingSession,
    told: Registers,
    *,
    stopped_at: datetime,
    reason: str | None,
    samples: list[MeterSample],
    unsaved: MeterReading | None = None,
) -> ChargingSession:
    """Settles a session whose end was told. A register that was not told, or cannot be true, is taken from what was
    read in between, and the session says so (`abnormal_cause`): it may have delivered more."""
    first_wh = last_wh = None
    took = None if session.started_at is None else stopped_at - session.started_at
    if told.start_wh is None or told.stop_wh is None or meter_fault(told.start_wh, told.stop_wh, took):
        first_wh, last_wh = _seen(uow.ctx, session, samples)
    registers = settle_registers(told, first_wh, last_wh, took)
    return close_delivery(
        uow,
        replace(session, meter_start_wh=registers.start_wh),
        event="stopped",
        meter_stop_wh=registers.stop_wh,
        stopped_at=stopped_at,
        reason=reason or "Local",
        abnormal_cause=registers.cause,
        unsaved=unsaved,
    )


def end_without_begin(uow: UnitOfWork, session: ChargingSession) -> ChargingSession:
    """Settles a session whose end was told and whose begin never was: by the end, and as an abnormal order."""
    transaction_id, told = session.transaction_id, Registers(None, None)
    if isinstance(transaction_id, str):
        known = lookup.find_transaction(uow.ctx, charger_key(session.charger_id), transaction_id)
        told = told if known is None else Registers(known.begin_wh, known.end_wh)
    return end_delivery(
        uow,
        replace(session, abnormal_cause="start_missing"),
        told,
        stopped_at=session.stopped_at or uow.ctx.now(),
        reason=session.stop_reason,
        samples=[],
    )


def _seen(ctx: Context, session: ChargingSession, samples: list[MeterSample]) -> tuple[int | None, int | None]:
    """The first and the last register that were read, those that come with the end included."""
    first_wh = lookup.first_register_wh(ctx, lookup.readings_owner(session))
    latest = latest_sample(samples)
    last_wh = None if latest is None else latest.energy_wh
    if last_wh is None:
        reading = lookup.latest_reading(ctx, session)
        last_wh = None if reading is None else reading.energy_wh
    return first_register_wh(samples) if first_wh is None else first_wh, last_wh


def _lines(rated: RatedCost) -> list[dict[str, str]]:
    return [msgspec.to_builtins(line) for line in rated.lines]


def _captured_tax(rated: RatedCost | None, captured: Money) -> Money:
    """The tax in what was captured: as large a part of the bill's tax, rounded half up."""
    if rated is None or not rated.total.amount:
        return Money.zero(captured.currency)
    tax = Fraction(rated.tax.amount * captured.amount, rated.total.amount)
    return Money(rating.round_half_up(tax), captured.currency)


def _cdr(session: ChargingSession, cost: Money, captured: Money, rated: RatedCost | None, day: str) -> Cdr:
    if session.started_at is None or session.stopped_at is None or session.energy_wh is None:
        raise ValueError("only a finished delivery has a CDR")
    return Cdr(
        cdr_id="cdr_" + session.session_id.removeprefix("ses_"),
        session_id=session.session_id,
        operator_id=session.operator_id,
        charger_id=session.charger_id,
        evse_no=session.evse_no,
        id_token=session.id_token,
        started_at=session.started_at,
        ended_at=session.stopped_at,
        energy_wh=session.energy_wh,
        total_cost=cost,
        captured=captured,
        uncollected=cost - captured,
        business_day=day,
        lines=[] if rated is None else _lines(rated),
        location_id=session.location_id,
        driver_id=session.driver_id,
        tariff_id=session.tariff_id,
        tariff_version=session.tariff_version,
        stop_reason=session.stop_reason,
        abnormal_cause=session.abnormal_cause,
        enterprise_id=session.enterprise_id,
        payment_id=session.payment_id,
        agency_id=session.agency_id,
        captured_tax=_captured_tax(rated, captured),
    )
