"""Meter readings: the newest, the first, all of them in their order; and what a running delivery is priced by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from chalicelib.chargers.model import charger_key
from chalicelib.charging.lookup.sessions import find_transaction
from chalicelib.charging.model import ChargingSession, MeterReading, missing_seq_nos
from chalicelib.charging.model.sightings import Sighting, sightings_of
from chalicelib.charging.store import session_pk, transaction_pk
from chalicelib.charging.store.transactions import METER_READINGS, MeterReadingRow
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.pages import Page

READINGS_LOOKED_AT = 20
_READINGS_PER_READ = 5
MOST_READINGS = 10_000
"""A day of events, one in ten seconds. A bill goes by so many, the oldest; behind them energy flows evenly."""

_SIGHTINGS = "charging.sightings"
_REMEMBERED_SESSIONS = 128
_REMEMBERED_FOR = timedelta(minutes=10)
"""After this long everything is read anew: a reading that came late may lie before what is remembered."""
_OVERLAP = timedelta(minutes=5)
"""How far readings may overtake each other unnoticed until then."""


@dataclass(frozen=True)
class _Remembered:
    read_at: datetime
    newest: datetime
    by_key: dict[str, tuple[Sighting, ...]]


def readings_owner(session: ChargingSession) -> str:
    """Where the readings of a session are: with the OCPP transaction in 2.x, which tells them before any session is."""
    if isinstance(session.transaction_id, str):
        return transaction_pk(charger_key(session.charger_id), session.transaction_id)
    return session_pk(session.session_id)


def latest_reading(ctx: Context, session: ChargingSession) -> MeterReading | None:
    """The newest meter reading of a session, by the charger's time; each quantity from the newest one that names it
    (of the last READINGS_LOOKED_AT: some frames carry power or state of charge alone, some nothing)."""
    newest: MeterReading | None = None
    readings = _some_readings(ctx, readings_owner(session), newest_first=True)
    for number, reading in enumerate(readings, start=1):
        newest = newest or reading
        newest = replace(
            newest,
            energy_wh=reading.energy_wh if newest.energy_wh is None else newest.energy_wh,
            soc_percent=reading.soc_percent if newest.soc_percent is None else newest.soc_percent,
            charging_state=newest.charging_state or reading.charging_state,
        )
        # Not every car tells its state of charge: it is looked for in what one read brings anyway.
        if newest.energy_wh is not None and (newest.soc_percent is not None or number >= _READINGS_PER_READ):
            return newest
    return newest


def first_register_wh(ctx: Context, owner: str) -> int | None:
    """The oldest register that was read, by the charger's time."""
    readings = _some_readings(ctx, owner, newest_first=False)
    return next((reading.energy_wh for reading in readings if reading.energy_wh is not None), None)


def missing_seq_nos_of(ctx: Context, session: ChargingSession) -> list[int]:
    """The events of the session's transaction that never came; none in OCPP 1.6, which does not number them."""
    if not isinstance(session.transaction_id, str):
        return []
    known = find_transaction(ctx, charger_key(session.charger_id), session.transaction_id)
    readings = METER_READINGS.query_all(ctx, readings_owner(session), MeterReadingRow.sk.startswith("meter#"))
    seen = [reading.seq_no for reading in islice(readings, MOST_READINGS) if reading.seq_no is not None]
    return missing_seq_nos(seen, known.start_seq_no if known else None, known.end_seq_no if known else None)


def sightings_of_session(ctx: Context, session: ChargingSession) -> list[Sighting]:
    """All that was seen of a delivery, as far as it is stored: strongly consistent, no memory."""
    readings = METER_READINGS.query_all(
        ctx, readings_owner(session), MeterReadingRow.sk.startswith("meter#"), consistent=True
    )
    return [seen for reading in islice(readings, MOST_READINGS) for seen in sightings_of(reading)]


def sightings_so_far(ctx: Context, session: ChargingSession) -> list[Sighting]:
    """The same for the cost so far: a warm process asks only for what is new. For some minutes it may miss a reading
    that came late; the bill does not."""
    owner, now = readings_owner(session), ctx.now()
    cache = ctx.cache(_SIGHTINGS, size=_REMEMBERED_SESSIONS)
    known: _Remembered | None = cache.get(owner)
    if known is not None and now - known.read_at >= _REMEMBERED_FOR:
        known = None
    since = "meter#" if known is None else f"meter#{to_rfc3339(min(known.newest, now) - _OVERLAP)}"
    by_key = {} if known is None else dict(known.by_key)
    newest = datetime.min.replace(tzinfo=now.tzinfo) if known is None else known.newest
    readings = METER_READINGS.query_all(ctx, owner, MeterReadingRow.sk.between(since, "meter#~"), consistent=True)
    for reading in islice(readings, MOST_READINGS):
        by_key[METER_READINGS.key_of(reading)[1]] = sightings_of(reading)
        newest = max(newest, reading.taken_at)
    if by_key:
        cache.put(owner, _Remembered(now if known is None else known.read_at, newest, by_key))
    return [seen for key in sorted(by_key)[:MOST_READINGS] for seen in by_key[key]]


def forget_if_late(ctx: Context, reading: MeterReading) -> None:
    """After a reading was stored: one that lies before what is remembered is seen when everything is read anew."""
    cache = ctx.cache(_SIGHTINGS, size=_REMEMBERED_SESSIONS)
    known: _Remembered | None = cache.get(reading.owner)
    if known is not None and min([reading.taken_at, *(s.taken_at for s in reading.samples)]) < known.newest - _OVERLAP:
        cache.forget(reading.owner)


def _some_readings(ctx: Context, owner: str, *, newest_first: bool) -> Iterator[MeterReading]:
    readings = METER_READINGS.query_all(
        ctx,
        owner,
        MeterReadingRow.sk.startswith("meter#"),
        newest_first=newest_first,
        limit=_READINGS_PER_READ,
        consistent=True,
    )
    return islice(readings, READINGS_LOOKED_AT)


def list_readings(ctx: Context, session: ChargingSession, *, limit: int, cursor: str | None) -> Page[MeterReading]:
    """A session's meter readings in the order of the charger's time."""
    return METER_READINGS.query(
        ctx, readings_owner(session), MeterReadingRow.sk.startswith("meter#"), limit=limit, cursor=cursor
    )
