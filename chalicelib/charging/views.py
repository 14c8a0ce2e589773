"""How charging looks over REST: the shapes that the operator's and the driver's endpoints share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from chalicelib.charging import lookup
from chalicelib.charging.lookup import SessionFacts
from chalicelib.charging.model import (
    DELIVERING_STATES,
    MAX_ENERGY_WH,
    Cdr,
    ChargingSession,
    Limits,
    MeterReading,
    OrphanStop,
    PaymentStatus,
    Reservation,
    SessionState,
    delivered_energy_wh,
    payment_status,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Shape
from chalicelib.kernel.money import Money

Payer = Literal["wallet", "enterprise", "card"]
"""Who pays, or owes: the driver's wallet, the enterprise that the driver is a member of, or a guest's card."""


class LimitsView(Shape):
    """What ends a charge besides its amount: energy, time, the battery's state of charge; the first that is reached."""

    energy_wh: Annotated[int, msgspec.Meta(ge=1, le=MAX_ENERGY_WH)] | None = None
    duration_s: Annotated[int, msgspec.Meta(ge=60, le=86_400)] | None = None
    soc_percent: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None


class SessionView(Shape):
    """A charging session. While it runs, energy, power and cost are those of the latest meter reading.

    `payment_status`: while it is open `held` or `not_held` (nobody is known to pay); then `paid`, `partly_paid`,
    `uncollected`, `free`, or `released` (nothing was delivered, what was held is back); after a correction `refunded`
    (nothing of what was paid is left) or `partly_refunded`.

    The money, each by itself: `reserved` is what was set aside for it in all (in the wallet, of the enterprise's
    credit, on the guest's card), `held` what of that is still. After the end: `captured` was taken, `released` is what
    of the reserved was not, `refunded` what of the captured was given back since, `uncollected` what of the cost nobody
    paid.

    `limits_not_reported`: limits that cannot end this charge, since the charger tells nothing of them (a state of
    charge is reported by DC chargers, and not by all). `silent_since`: from when on a charger that is connected has
    told no meter values.

    `transaction_id` is the charger's name of it. `missing_seq_nos`, in the operator's detail only: of a transaction
    that was told in pieces (OCPP 2.x), those that never came.
    """

    session_id: str
    order_no: str
    state: SessionState
    payment_status: PaymentStatus
    origin: str
    target: str
    charger_id: str
    evse_no: int
    location_id: str | None
    driver_id: str | None
    id_token: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    energy_wh: int
    power_w: int | None
    soc_percent: int | None
    duration_s: int
    cost: Money
    payer: Payer
    enterprise_id: str | None
    payment_id: str | None
    held: Money
    reserved: Money
    captured: Money | None
    released: Money | None
    refunded: Money | None
    uncollected: Money | None
    last_meter_at: datetime | None
    stop_reason: str | None
    abnormal_cause: str | None
    tariff_id: str | None
    transaction_id: str | None
    meter_start_wh: int | None
    meter_stop_wh: int | None
    limits: LimitsView | None
    limits_not_reported: list[str]
    silent_since: datetime | None
    charging_state: str | None
    missing_seq_nos: list[int] | None
    reservation_id: str | None


class MeterReadingView(Shape):
    taken_at: datetime
    received_at: datetime
    energy_wh: int | None
    power_w: int | None
    soc_percent: int | None
    samples: list[Any]
    seq_no: int | None
    charging_state: str | None


class CdrLineView(Shape):
    """A line of a bill. `dimension`: as in the tariff; MIN_PRICE, MAX_PRICE and ROUNDING what those change; OTHER an
    amount that no meter measured; REDUCTION what was taken off. Below zero: it lowers the sum."""

    dimension: str
    quantity: str
    unit: str
    price: str
    vat: str | None
    amount: Money


class CdrView(Shape):
    """A sealed billing record. `credit_reference_id`: it takes that one back whole, all its amounts are below zero; the
    one that stands for it has its own id. `captured_tax`: the tax in what was captured, where it is known."""

    cdr_id: str
    session_id: str
    charger_id: str
    evse_no: int
    location_id: str | None
    driver_id: str | None
    id_token: str
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    total_cost: Money
    captured: Money
    uncollected: Money
    payer: Payer
    enterprise_id: str | None
    business_day: str
    tariff_id: str | None
    tariff_version: int | None
    lines: list[CdrLineView]
    stop_reason: str | None
    abnormal_cause: str | None
    captured_tax: Money | None
    credit_reference_id: str | None


def limits_of(wishes: LimitsView | None) -> Limits | None:
    """What was wished for; None where nothing was."""
    if wishes is None:
        return None
    limits = Limits(energy_wh=wishes.energy_wh, duration_s=wishes.duration_s, soc_percent=wishes.soc_percent)
    return None if limits == Limits() else limits


def session_summary(session: ChargingSession) -> SessionView:
    """A session as it stands in a list: without the reading of a running one, which costs a read each."""
    return _view(session, None, Money(session.cost or 0, session.currency), session.energy_wh or 0)


def session_detail(ctx: Context, session: ChargingSession) -> SessionView:
    """A session with its live values."""
    return session_with(ctx, session, latest_reading(ctx, session))


def operator_detail(ctx: Context, session: ChargingSession) -> SessionView:
    """As `session_detail`, with the gaps in what the charger told: that reads all of its readings."""
    view = session_detail(ctx, session)
    return msgspec.structs.replace(view, missing_seq_nos=lookup.missing_seq_nos_of(ctx, session))


def latest_reading(ctx: Context, session: ChargingSession) -> MeterReading | None:
    return lookup.latest_reading(ctx, session) if session.started_at else None


def session_with(ctx: Context, session: ChargingSession, reading: MeterReading | None) -> SessionView:
    """A session with the values of `reading`."""
    if session.state not in DELIVERING_STATES:
        return _view(session, reading, Money(session.cost or 0, session.currency), session.energy_wh or 0)
    register_wh = reading.energy_wh if reading else None
    energy_wh = delivered_energy_wh(session.meter_start_wh, register_wh)
    return _view(session, reading, live_cost(ctx, session, energy_wh, reading), energy_wh)


def live_cost(ctx: Context, session: ChargingSession, energy_wh: int, reading: MeterReading | None) -> Money:
    """The cost so far: the same pure function over the same values as the final one."""
    until = reading.taken_at if reading else session.started_at or session.created_at
    return lookup.cost_so_far(ctx, SessionFacts(session, lookup.tariff_of(ctx, session)), energy_wh, until)


def _not_reported(session: ChargingSession, reading: MeterReading | None) -> list[str]:
    """Of a charge that runs: a limit of which the charger tells nothing ends nothing."""
    limits = session.limits
    watches_soc = limits is not None and limits.soc_percent is not None and session.state in DELIVERING_STATES
    return ["soc_percent"] if watches_soc and reading is not None and reading.soc_percent is None else []


def _view(session: ChargingSession, reading: MeterReading | None, cost: Money, energy_wh: int) -> SessionView:
    ended = session.ended_at is not None
    running = session.state in DELIVERING_STATES
    left, given_back = (Money(amount or 0, session.currency) for amount in (session.captured, session.given_back))
    taken, nothing = left + given_back, Money.zero(session.currency)
    until = session.stopped_at or (reading.taken_at if reading else session.started_at)
    duration = (until - session.started_at).total_seconds() if until and session.started_at else 0
    return SessionView(
        session_id=session.session_id,
        order_no=session.order_no,
        state=session.state,
        payment_status=payment_status(session),
        origin=session.origin,
        target=session.target,
        charger_id=session.charger_id,
        evse_no=session.evse_no,
        location_id=session.location_id,
        driver_id=session.driver_id,
        id_token=session.id_token,
        created_at=session.created_at,
        started_at=session.started_at,
        ended_at=(session.stopped_at or session.ended_at) if ended else None,
        energy_wh=energy_wh,
        power_w=reading.power_w if reading and running else None,
        soc_percent=reading.soc_percent if reading else None,
        duration_s=max(0, round(duration)),
        cost=cost,
        payer=_payer(session.enterprise_id, session.payment_id),
        enterprise_id=session.enterprise_id,
        payment_id=session.payment_id,
        held=nothing if ended else session.hold,
        reserved=session.hold,
        captured=taken if ended else None,
        released=max(session.hold - taken, nothing) if ended else None,
        refunded=given_back if ended else None,
        uncollected=cost - left if ended else None,
        last_meter_at=reading.taken_at if reading else None,
        stop_reason=session.stop_reason,
        abnormal_cause=session.abnormal_cause,
        tariff_id=session.tariff_id,
        transaction_id=None if session.transaction_id is None else str(session.transaction_id),
        meter_start_wh=session.meter_start_wh,
        meter_stop_wh=session.meter_stop_wh,
        limits=limits_view(session.limits),
        limits_not_reported=_not_reported(session, reading),
        silent_since=session.silent_since if running else None,
        charging_state=reading.charging_state if reading and running else None,
        missing_seq_nos=None,
        reservation_id=session.reservation_id,
    )


def limits_view(limits: Limits | None) -> LimitsView | None:
    return (
        None
        if limits is None
        else LimitsView(energy_wh=limits.energy_wh, duration_s=limits.duration_s, soc_percent=limits.soc_percent)
    )


def reading_view(reading: MeterReading) -> MeterReadingView:
    return MeterReadingView(
        taken_at=reading.taken_at,
        received_at=reading.received_at,
        energy_wh=reading.energy_wh,
        power_w=reading.power_w,
        soc_percent=reading.soc_percent,
        samples=list(reading.samples),
        seq_no=reading.seq_no,
        charging_state=reading.charging_state,
    )


def _payer(enterprise_id: str | None, payment_id: str | None) -> Payer:
    return "enterprise" if enterprise_id else "card" if payment_id else "wallet"


def cdr_view(cdr: Cdr) -> CdrView:
    return CdrView(
        cdr_id=cdr.cdr_id,
        session_id=cdr.session_id,
        charger_id=cdr.charger_id,
        evse_no=cdr.evse_no,
        location_id=cdr.location_id,
        driver_id=cdr.driver_id,
        id_token=cdr.id_token,
        started_at=cdr.started_at,
        ended_at=cdr.ended_at,
        energy_wh=cdr.energy_wh,
        total_cost=cdr.total_cost,
        captured=cdr.captured,
        uncollected=cdr.uncollected,
        payer=_payer(cdr.enterprise_id, cdr.payment_id),
        enterprise_id=cdr.enterprise_id,
        business_day=cdr.business_day,
        tariff_id=cdr.tariff_id,
        tariff_version=cdr.tariff_version,
        lines=[_line_view(line) for line in cdr.lines],
        stop_reason=cdr.stop_reason,
        abnormal_cause=cdr.abnormal_cause,
        captured_tax=cdr.captured_tax,
        credit_reference_id=cdr.credit_reference_id,
    )


def valid_cdr_view(ctx: Context, session_id: str) -> CdrView:
    """For who paid. Raises cdr.not_found for a session that is not billed."""
    cdr = lookup.find_cdr(ctx, session_id)
    if cdr is None:
        raise not_found("cdr", session_id)
    return cdr_view(cdr)


def _line_view(line: dict[str, Any]) -> CdrLineView:
    amount = line["amount"]
    return CdrLineView(
        dimension=line.get("dimension", ""),
        quantity=line.get("quantity", ""),
        unit=line.get("unit", ""),
        price=line.get("price", ""),
        vat=line.get("vat"),
        amount=Money(amount["amount"], amount["currency"]),
    )


class OrphanStopView(Shape):
    """A stop that billed nothing: its transaction is unknown, or its session had been given up."""

    charger_id: str
    transaction_id: str
    meter_stop_wh: int | None
    stopped_at: datetime
    received_at: datetime
    cause: str
    session_id: str | None
    id_token: str | None
    reason: str | None


class ReservationView(Shape):
    """An EVSE (0: any of the charger) kept for an id token until `expires_at`."""

    reservation_id: str
    number: int
    state: str
    charger_id: str
    evse_no: int
    id_token: str
    group_id: str | None
    connector_type: str | None
    driver_id: str | None
    created_at: datetime
    expires_at: datetime
    session_id: str | None
    detail: str | None


def orphan_stop_view(stop: OrphanStop) -> OrphanStopView:
    return OrphanStopView(
        charger_id=stop.charger_id,
        transaction_id=str(stop.transaction_id),
        meter_stop_wh=stop.meter_stop_wh,
        stopped_at=stop.stopped_at,
        received_at=stop.received_at,
        cause=stop.cause,
        session_id=stop.session_id,
        id_token=stop.id_token,
        reason=stop.reason,
    )


def reservation_view(reservation: Reservation, now: datetime) -> ReservationView:
    return ReservationView(
        reservation_id=reservation.reservation_id,
        number=reservation.number,
        state=reservation.state_at(now),
        charger_id=reservation.charger_id,
        evse_no=reservation.evse_no,
        id_token=reservation.id_token,
        group_id=reservation.group_id,
        connector_type=reservation.connector_type,
        driver_id=reservation.driver_id,
        created_at=reservation.created_at,
        expires_at=reservation.until,
        session_id=reservation.session_id,
        detail=reservation.detail,
    )
