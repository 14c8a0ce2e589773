"""Why an order is abnormal: the table of triggers (decision 0046), and how they are found. Pure.

A cause is found when the session ends, by what it is sealed with, or right after, by its readings. Where the amount is
uncertain the driver is asked what happened; where it is certain (all registers were told, in whatever order) the order
is only shown to the operator. The first cause of a session in the order of the table is its `abnormal_cause`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from chalicelib.charging.model.metering import runs_backwards
from chalicelib.charging.model.sessions import ChargingSession

NOTHING_DELIVERED_AFTER: Final = timedelta(minutes=15)
TOLD_LATE_AFTER: Final = timedelta(hours=12)
CLOCK_AHEAD_BY: Final = timedelta(hours=1)
OFFLINE_FOR: Final = timedelta(minutes=30)
READINGS_GAP: Final = timedelta(hours=2)
UNCOLLECTED_SHARE: Final = 20
"""A twentieth of the cost. A charger stops a little after it is told: what a charge for an amount delivers beyond it is
no episode until it is more than that."""


@dataclass(frozen=True)
class Cause:
    """`title` is for people, `when` says what triggers it. `is_uncertain`: what was delivered is not known for sure."""

    code: str
    title: str
    when: str
    is_uncertain: bool


CAUSES: Final[Mapping[str, Cause]] = {
    cause.code: cause
    for cause in (
        Cause("stop_missing", "End never reported", "given up without the charger's word, or another one began", True),
        Cause("start_missing", "Begin never reported", "the end was told, the begin not within 30 minutes", True),
        Cause("charger_silent", "No meter values for long", "given up: nothing was heard of a running delivery", True),
        Cause("meter_backwards", "Meter ran backwards", "a register is below an earlier one", True),
        Cause("meter_implausible", "Meter leapt", "more than 10 MWh between the registers", True),
        Cause("meter_missing", "No meter reading at all", "no register was told or read", True),
        Cause("meter_start_missing", "Meter at begin missing", "billed from the first reading", True),
        Cause("meter_stop_missing", "Meter at end missing", "billed to the last reading", True),
        Cause("clock_backwards", "Clock ran backwards", "the end is before the begin", True),
        Cause("clock_implausible", "Clock was set on the way", "longer than any delivery may take", True),
        Cause("clock_ahead", "Clock runs ahead", "the end is more than an hour in our future", False),
        Cause("nothing_delivered", "No energy for long", "0 Wh in 15 minutes or more", True),
        Cause("not_authorized", "Delivered without authorisation", "an unknown or refused id token got energy", False),
        Cause("cost_over_hold", "Cost beyond what could be taken", "more than 5 % of the cost is uncollected", False),
        Cause("told_late", "Reported long afterwards", "the end was told more than 12 hours later", False),
        Cause("charger_offline", "Charger offline meanwhile", "readings were told more than 30 minutes late", False),
        Cause("readings_gap", "Gap in the readings", "no reading for more than 2 hours", False),
    )
}


def cause_of(code: str) -> Cause:
    """Of the table; one that is not in it counts as uncertain."""
    return CAUSES.get(code, Cause(code, code.replace("_", " ").capitalize(), "", True))


def is_uncertain(codes: Iterable[str]) -> bool:
    return any(cause_of(code).is_uncertain for code in codes)


def in_order(codes: Iterable[str]) -> list[str]:
    """Each once, as they stand in the table."""
    wanted = dict.fromkeys(codes)
    return [code for code in CAUSES if code in wanted] + [code for code in wanted if code not in CAUSES]


def causes_at_end(session: ChargingSession) -> list[str]:
    """Why a session that has just ended, and its money with it, is abnormal; empty for one that is as it should be."""
    if session.is_open or session.started_at is None or session.stopped_at is None:
        return []
    found = [] if session.abnormal_cause is None else [session.abnormal_cause]
    return in_order(
        [*found, *_of_money(session), *_of_time_and_energy(session, session.started_at, session.stopped_at)]
    )


def is_unpaid(session: ChargingSession) -> bool:
    """More of the cost than is usual could not be taken."""
    cost = session.cost or 0
    return (cost - (session.captured or 0)) * UNCOLLECTED_SHARE > cost


def _of_money(session: ChargingSession) -> Iterable[str]:
    nobody_pays = session.driver_id is None and session.payment_id is None
    uncollected = (session.cost or 0) - (session.captured or 0)
    if session.authorization != "accepted" and session.energy_wh and (nobody_pays or uncollected > 0):
        yield "not_authorized"
    elif is_unpaid(session):
        yield "cost_over_hold"


def _of_time_and_energy(session: ChargingSession, started_at: datetime, stopped_at: datetime) -> Iterable[str]:
    ended_at = session.ended_at or stopped_at
    if session.state != "settled":
        return  # its end is not known
    if stopped_at - ended_at > CLOCK_AHEAD_BY:
        yield "clock_ahead"
    if ended_at - stopped_at > TOLD_LATE_AFTER:
        yield "told_late"
    registers_are_known = session.abnormal_cause is None and None not in (session.meter_start_wh, session.meter_stop_wh)
    if registers_are_known and not session.energy_wh and stopped_at - started_at >= NOTHING_DELIVERED_AFTER:
        yield "nothing_delivered"


def causes_of_readings(
    session: ChargingSession,
    told: Sequence[tuple[datetime, datetime]],
    registers: Sequence[tuple[datetime, int]] = (),
) -> list[str]:
    """What the readings show that came in: `told` is when each was taken by the charger's clock, and when it came;
    `registers` what those say that name one.

    A clock that is wrong makes all of them late alike; a charger that was offline tells some of them later than
    others. One that sends no readings has no gap in them.
    """
    if session.started_at is None or session.stopped_at is None:
        return []
    within = sorted((taken, came) for taken, came in told if session.started_at <= taken <= session.stopped_at)
    if not within:
        return []
    found = []
    if _fell_on_the_way(session, session.started_at, session.stopped_at, registers):
        found.append("meter_backwards")
    delays = [came - taken for taken, came in within]
    if max(delays) - min(delays) > OFFLINE_FOR:
        found.append("charger_offline")
    moments = [session.started_at, *(taken for taken, _ in within), session.stopped_at]
    if any(later - earlier > READINGS_GAP for earlier, later in pairwise(moments)):
        found.append("readings_gap")
    return found


def _fell_on_the_way(
    session: ChargingSession, started_at: datetime, stopped_at: datetime, registers: Sequence[tuple[datetime, int]]
) -> bool:
    """Then the two registers that the bill goes by are no more to be trusted than those in between."""
    within = [register_wh for taken, register_wh in sorted(registers) if started_at <= taken <= stopped_at]
    return runs_backwards(within if session.meter_stop_wh is None else [*within, session.meter_stop_wh])
