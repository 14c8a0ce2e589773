"""MeterValues, in words of the business: one write per frame, and the watch over the driver's money and wishes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime

import msgspec

from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.lookup import SessionFacts
from chalicelib.charging.model import (
    DELIVERING_STATES,
    HOLD_STEP,
    STOP_TIMEOUT,
    ChargingSession,
    Limits,
    MeterReading,
    MeterSample,
    Occupancy,
    TransactionId,
    delivered_energy_wh,
    latest_sample,
)
from chalicelib.charging.service import paying
from chalicelib.charging.service.keeping import save
from chalicelib.charging.service.watching import request_stop
from chalicelib.charging.store import charger_pk
from chalicelib.charging.store.transactions import METER_READINGS
from chalicelib.kernel.cache import Cache
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork

_FINGERPRINT_LENGTH = 8
_MAX_SAMPLES_BYTES = 100_000
"""A row takes 400 KB, and a frame of 128 KB can be more than that when it is normalised. Of what is longer the begin
and the end are kept: a stop that cannot be stored would be sent again for ever."""


def record_meter_values(
    uow: UnitOfWork,
    *,
    charger: Charger,
    evse_no: int,
    transaction_id: TransactionId | None,
    samples: list[MeterSample],
) -> None:
    """Keeps the samples with their session (or with the charger, when none can be found).

    The same frame sent again lands on the same row. When the energy so far costs what was reserved, when a limit of
    the driver's is reached, or when a charger delivers that was told not to, it is told to stop.
    """
    latest = latest_sample(samples)
    if latest is None:
        return
    facts = _facts(uow.ctx, charger, evse_no, transaction_id)
    key = charger.charger_key
    owner = lookup.readings_owner(facts.session) if facts else charger_pk(key)
    reading = reading_of(uow.ctx, owner, samples, latest)
    uow.put(METER_READINGS, reading)
    if facts is not None:
        watch_limits(uow, facts, reading)


def watch_limits(uow: UnitOfWork, facts: SessionFacts, reading: MeterReading) -> None:
    """Reserves more money where `reading` says that it is nearly used up, and tells the charger to stop where there is
    none, or where it reaches another limit.

    `facts` may be old: the session, read again, decides.
    """
    ctx = uow.ctx
    uow.then(lambda: lookup.forget_if_late(ctx, reading))
    facts = _with_hold_as_extended(ctx, facts)
    cost = _cost(ctx, facts, reading)
    if stop_cause(facts, reading, cost) is None and not _is_nearly_used(facts.session, cost):
        return
    session = lookup.require_session(ctx, facts.session.session_id)
    if session.state not in DELIVERING_STATES or session.awaits_begin:
        return
    facts = replace(facts, session=session)
    cost = _cost(ctx, facts, reading)
    extended = session
    if cost is not None and session.state == "charging" and _is_nearly_used(session, cost):
        beyond = max(0, cost.amount - session.held)
        extended = paying.extend_hold(uow, session, Money(HOLD_STEP + beyond, session.currency))
    cause = stop_cause(replace(facts, session=extended), reading, cost)
    asked = cause is not None and _may_ask(session, cause, ctx.now()) and _stop_if_possible(uow, extended, cause)
    if extended.held != session.held:
        if not asked:
            save(uow, session, extended)
        uow.then(lambda: _extended_holds(ctx).put(session.session_id, extended.held))


def stop_cause(facts: SessionFacts, reading: MeterReading, cost: Money | None) -> str | None:
    """Why this delivery must end now: `not_authorized` (it never should have begun), `limit`; None: it may go on.
    `cost` is what it has cost so far, where that counts."""
    session = facts.session
    energy_wh = delivered_energy_wh(session.meter_start_wh, reading.energy_wh)
    if session.authorization != "accepted" and _was_answered(session) and energy_wh:
        return "not_authorized"
    if cost is not None and cost.amount >= session.held:
        return "limit"
    wishes = session.limits
    return "limit" if wishes is not None and _is_reached(wishes, session, energy_wh, reading) else None


def _cost(ctx: Context, facts: SessionFacts, reading: MeterReading) -> Money | None:
    """Where somebody pays, and the reading has a register."""
    session = facts.session
    if reading.energy_wh is None or not session.held or facts.tariff is None:
        return None
    energy_wh = delivered_energy_wh(session.meter_start_wh, reading.energy_wh)
    return lookup.cost_so_far(ctx, facts, energy_wh, reading.taken_at, reading)


def _is_nearly_used(session: ChargingSession, cost: Money | None) -> bool:
    """A charge until full whose hold will not last: what is missing is reserved before it is delivered."""
    if cost is None or session.target != "full" or session.payment_id is not None:
        return False
    return cost.amount + min(HOLD_STEP, session.held) // 4 >= session.held


def _with_hold_as_extended(ctx: Context, facts: SessionFacts) -> SessionFacts:
    """What this process remembers of a session may be older than its last extension. While it runs a hold only grows,
    so that the greater one is the newer."""
    held: int = _extended_holds(ctx).get(facts.session.session_id) or 0
    return facts if held <= facts.session.held else replace(facts, session=replace(facts.session, held=held))


def _extended_holds(ctx: Context) -> Cache[int]:
    return ctx.cache("charging.extended_holds", size=4096)


def _was_answered(session: ChargingSession) -> bool:
    """The charger was told what we think of the id token: in 1.6 always, in 2.x when there was one."""
    return bool(session.id_token) or isinstance(session.transaction_id, int)


def limits_of(session: ChargingSession) -> Limits | None:
    """Where the charger shall end the delivery by itself, if it can: the amount that was paid for, and the wishes."""
    wishes = session.limits or Limits()
    limits = replace(wishes, cost=session.hold if session.target == "amount" and session.held else None)
    return None if limits == Limits() else limits


def _is_reached(wishes: Limits, session: ChargingSession, energy_wh: int, reading: MeterReading) -> bool:
    duration_s = (reading.taken_at - (session.started_at or session.created_at)).total_seconds()
    return any(
        limit is not None and now is not None and now >= limit
        for limit, now in (
            (wishes.energy_wh, energy_wh),
            (wishes.duration_s, duration_s),
            (wishes.soc_percent, reading.soc_percent),
        )
    )


def _may_ask(session: ChargingSession, cause: str, now: datetime) -> bool:
    """A charger that refused is not asked again with every frame; one that goes on where it must not start, never."""
    if session.stop_asked_at is None:
        return True
    return cause == "limit" and now - session.stop_asked_at >= STOP_TIMEOUT


def _stop_if_possible(uow: UnitOfWork, session: ChargingSession, cause: str) -> bool:
    """A full queue of commands must not cost the readings; the next frame tries again."""
    try:
        request_stop(uow, session, requested_by=cause)
    except DomainError as error:
        if error.code != "command.queue_full":
            raise
        return False
    return True


def reading_of(
    ctx: Context,
    owner: str,
    samples: list[MeterSample],
    latest: MeterSample,
    *,
    seq_no: int | None = None,
    charging_state: str | None = None,
) -> MeterReading:
    content = msgspec.json.encode(samples if seq_no is None else [samples, seq_no, charging_state])
    if len(content) > _MAX_SAMPLES_BYTES:
        samples = [samples[0], samples[-1]]
    return MeterReading(
        owner=owner,
        taken_at=latest.taken_at,
        received_at=ctx.now(),
        fingerprint=hashlib.sha256(content).hexdigest()[:_FINGERPRINT_LENGTH],
        energy_wh=latest.energy_wh,
        power_w=latest.power_w,
        soc_percent=latest.soc_percent,
        samples=samples,
        seq_no=seq_no,
        charging_state=charging_state,
    )


def _facts(ctx: Context, charger: Charger, evse_no: int, transaction_id: TransactionId | None) -> SessionFacts | None:
    """The session these values belong to: by transaction id, else the one that is delivering on the EVSE."""
    key = charger.charger_key
    cache = ctx.cache("charging.facts", size=4096)
    if transaction_id is not None:
        known: SessionFacts | None = cache.get((key, transaction_id))
        if known is not None:
            return known
    occupancy = lookup.find_occupancy(ctx, key, evse_no)
    session_id = None if transaction_id is None else _session_of(ctx, key, occupancy, transaction_id)
    wanted = session_id or (occupancy.session_id if occupancy else None)
    session = lookup.find_session(ctx, wanted) if wanted else None
    if session is None or session.started_at is None:
        return None
    if session_id is None and (not session.has_evse or session.evse_no != evse_no):
        return None
    facts = SessionFacts(session, lookup.tariff_of(ctx, session))
    if session_id is not None and session.meter_start_wh is not None:
        cache.put((key, transaction_id), facts)
    return facts


def _session_of(ctx: Context, key: str, occupancy: Occupancy | None, transaction_id: TransactionId) -> str | None:
    """On the connector that was named, else on any other: some firmware names connector 0, or a wrong one."""
    session_id = occupancy.session_of(transaction_id) if occupancy else None
    if session_id is not None:
        return session_id
    elsewhere = (other.session_of(transaction_id) for other in lookup.list_occupancies(ctx, key))
    return next((found for found in elsewhere if found is not None), None)
