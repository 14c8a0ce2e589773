"""What ends a delivery: the driver's money and wishes, and a charger that was told not to begin. Called with every
reading (`metering`, `transactions`), and by the workflow of a session that is near its limit.

A reading tells what is reached. What will be reached before the next one is foretold: an event has the workflow look
again at that moment, and look once more if the charger has slowed down meanwhile (decision 0064).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.charging import lookup
from chalicelib.charging.lookup import SessionFacts
from chalicelib.charging.model import (
    DELIVERING_STATES,
    START_TIMEOUT,
    STOP_TIMEOUT,
    ChargingSession,
    Limits,
    MeterReading,
    delivered_energy_wh,
    usual_hold,
)
from chalicelib.charging.model.deadlines import is_overdue
from chalicelib.charging.model.running_out import LOOK_AHEAD, STOP_LEAD, may_run_out, power_ahead_w, runs_out_after
from chalicelib.charging.service import paying
from chalicelib.charging.service.keeping import save
from chalicelib.charging.service.watching import request_stop
from chalicelib.kernel import outbox
from chalicelib.kernel.cache import Cache
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork

_SAME_MOMENT = timedelta(seconds=10)
"""What is foretold twice as nearly the same is told to the workflow once."""


def watch_limits(uow: UnitOfWork, facts: SessionFacts, reading: MeterReading) -> None:
    """Reserves more money where `reading` says that it is nearly used up, and tells the charger to stop where there is
    none, or where it reaches another limit. One that comes before the next reading is foretold to the workflow.

    `facts` may be old: the session, read again, decides.
    """
    ctx = uow.ctx
    uow.then(lambda: lookup.forget_if_late(ctx, reading))
    facts = _with_hold_as_extended(ctx, facts)
    facts, cost = _keep_limits(uow, facts, reading)
    after = _ends_after(ctx, facts, cost, reading)
    if after is not None:
        _foretell(uow, facts.session.session_id, ctx.now() + after)


def look_at_limits(uow: UnitOfWork, session: ChargingSession) -> timedelta | None:
    """What a reading would bring about that came now, told by the last one and by the time since then. Returns how long
    until a limit should be reached; None: none is in sight, or the charger is told to stop.

    Raises command.queue_full for a session that has gone on for too long: the workflow gives it up then."""
    ctx, now = uow.ctx, uow.ctx.now()
    if session.state != "charging" or session.awaits_begin:
        return None
    if is_overdue(session, now):
        request_stop(uow, session, requested_by="max_duration")
        return None
    expected = _expected_reading(ctx, session)
    facts, cost = _keep_limits(uow, SessionFacts(session, lookup.tariff_of(ctx, session)), expected)
    within = [_ends_after(ctx, facts, cost, expected), _time_left(session, expected)]
    return min((after for after in within if after is not None), default=None)


def _keep_limits(uow: UnitOfWork, facts: SessionFacts, reading: MeterReading) -> tuple[SessionFacts, Money | None]:
    """Returns the facts as they are afterwards, and the cost so far: pricing is most of what a reading takes."""
    ctx = uow.ctx
    cost = _cost(ctx, facts, reading)
    if stop_cause(facts, reading, cost) is None and not _is_nearly_used(facts.session, cost):
        return facts, cost
    session = lookup.require_session(ctx, facts.session.session_id)
    facts = replace(facts, session=session)
    if session.state not in DELIVERING_STATES or session.awaits_begin:
        return facts, cost
    cost = _cost(ctx, facts, reading)
    extended = session
    if cost is not None and session.state == "charging" and _is_nearly_used(session, cost):
        beyond = max(0, cost.amount - session.held)
        most = usual_hold(session.currency) + Money(beyond, session.currency)
        extended = paying.extend_hold(uow, session, most)
    facts = replace(facts, session=extended)
    cause = stop_cause(facts, reading, cost)
    asked = cause is not None and _may_ask(session, cause, ctx.now()) and _stop_if_possible(uow, extended, cause)
    if extended.held != session.held:
        if not asked:
            save(uow, session, extended)
        uow.then(lambda: _extended_holds(ctx).put(session.session_id, extended.held))
    return facts, cost


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


def _cost(ctx: Context, facts: SessionFacts, reading: MeterReading, seen: MeterReading | None = None) -> Money | None:
    """Where somebody pays, and the reading has a register. `seen` was read last, where `reading` is foretold."""
    session = facts.session
    if reading.energy_wh is None or not session.held or facts.tariff is None:
        return None
    energy_wh = delivered_energy_wh(session.meter_start_wh, reading.energy_wh)
    return lookup.cost_so_far(ctx, facts, energy_wh, reading.taken_at, seen or reading)


def _is_nearly_used(session: ChargingSession, cost: Money | None) -> bool:
    """A charge until full whose hold will not last: what is missing is reserved before it is delivered."""
    if cost is None or session.target != "full" or session.payment_id is not None:
        return False
    return cost.amount + min(usual_hold(session.currency).amount, session.held) // 4 >= session.held


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


def _ends_after(ctx: Context, facts: SessionFacts, cost: Money | None, reading: MeterReading) -> timedelta | None:
    """How long after `reading`, by which it has cost so much, its session will have used up its money, or reached its
    energy; None: not soon. And where it has: then it was told to stop, or cannot be."""
    session = facts.session
    if reading.energy_wh is None or session.state != "charging":
        return None
    took = reading.taken_at - (session.started_at or session.created_at)
    money_counts = cost is not None and may_run_out(cost.amount, session.held, took)
    wish_wh = None if session.limits is None else session.limits.energy_wh
    if not money_counts and wish_wh is None:
        return None
    energy_wh = delivered_energy_wh(session.meter_start_wh, reading.energy_wh)
    power_w = power_ahead_w(energy_wh, took, reading.power_w)

    def is_over(after: timedelta) -> bool:
        later = _later(reading, after, power_w)
        if wish_wh is not None and delivered_energy_wh(session.meter_start_wh, later.energy_wh) >= wish_wh:
            return True
        will_cost = _cost(ctx, facts, later, seen=reading) if money_counts else None
        return will_cost is not None and will_cost.amount >= session.held

    return runs_out_after(is_over) or None


def _foretell(uow: UnitOfWork, session_id: str, at: datetime) -> None:
    foretold: Cache[datetime] = uow.ctx.cache("charging.foretold", size=4096)
    known = foretold.get(session_id)
    if known is None or abs(known - at) > _SAME_MOMENT:
        outbox.emit(uow, "charging_session.limit_near", session_id)
        uow.then(lambda: foretold.put(session_id, at))


def _expected_reading(ctx: Context, session: ChargingSession) -> MeterReading:
    """What the charger would tell when a command reaches it. Of one that told no register, the time alone."""
    now = ctx.now()
    last = lookup.latest_reading(ctx, session)
    began_at = session.started_at or session.created_at
    if last is None:
        # By our clock: what the charger's says of the begin may be anything.
        known = min(max(began_at, session.created_at), session.created_at + START_TIMEOUT)
        owner = lookup.readings_owner(session)
        return MeterReading(owner=owner, taken_at=began_at + (now - known), received_at=now, fingerprint="", samples=[])
    since = min(now - last.received_at, LOOK_AHEAD) + STOP_LEAD
    energy_wh = delivered_energy_wh(session.meter_start_wh, last.energy_wh)
    return _later(last, since, power_ahead_w(energy_wh, last.taken_at - began_at, last.power_w))


def _later(reading: MeterReading, after: timedelta, power_w: float) -> MeterReading:
    energy_wh = reading.energy_wh
    if energy_wh is not None:
        energy_wh += int(power_w * after.total_seconds() / 3600)
    return replace(reading, taken_at=reading.taken_at + after, energy_wh=energy_wh)


def _time_left(session: ChargingSession, reading: MeterReading) -> timedelta | None:
    """Of the time that the driver wished to charge; None where it is over, or there is no such wish."""
    wish_s = None if session.limits is None else session.limits.duration_s
    if wish_s is None:
        return None
    left = timedelta(seconds=wish_s) - (reading.taken_at - (session.started_at or session.created_at))
    return left if left > timedelta(0) else None
