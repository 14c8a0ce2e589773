"""Reads that the use cases of charging share. No decision is taken here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from chalicelib.charging.model import LONGEST_DELIVERY, Cdr, CdrTotals, ChargingSession, MeterReading, Occupancy
from chalicelib.charging.store import (
    CDR_TOTALS,
    CDRS,
    METER_READINGS,
    OCCUPANCIES,
    SESSION_KEYS,
    SESSIONS,
    CdrRow,
    MeterReadingRow,
    OccupancyRow,
    SessionRow,
    charger_pk,
    evse_sk,
    session_pk,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.table import Page
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import Consumption, TariffVersion

READINGS_LOOKED_AT = 20


@dataclass(frozen=True)
class SessionFacts:
    """What never changes once a session delivers: safe to keep in a warm process."""

    session_id: str
    operator_id: str
    meter_start_wh: int
    held: int
    tariff: TariffVersion | None
    session: ChargingSession


def find_session(ctx: Context, session_id: str) -> ChargingSession | None:
    return SESSIONS.get(ctx, session_pk(session_id), "session")


def require_session(ctx: Context, session_id: str) -> ChargingSession:
    """Raises charging_session.not_found."""
    session = find_session(ctx, session_id)
    if session is None:
        raise not_found("charging_session", session_id)
    return session


def find_occupancy(ctx: Context, charger_key: str, evse_no: int) -> Occupancy | None:
    return OCCUPANCIES.get(ctx, charger_pk(charger_key), evse_sk(evse_no))


def list_occupancies(ctx: Context, charger_key: str) -> list[Occupancy]:
    page = OCCUPANCIES.query(ctx, charger_pk(charger_key), OccupancyRow.sk.startswith("evse#"), consistent=True)
    return page.data


def latest_reading(ctx: Context, session_id: str) -> MeterReading | None:
    """The newest meter reading of a session, by the charger's time; the register from the newest one that names it
    (of the last READINGS_LOOKED_AT: some frames carry power or state of charge alone)."""
    readings = METER_READINGS.query_all(
        ctx,
        session_pk(session_id),
        MeterReadingRow.sk.startswith("meter#"),
        newest_first=True,
        limit=5,
        consistent=True,
    )
    newest: MeterReading | None = None
    for reading in islice(readings, READINGS_LOOKED_AT):
        newest = newest or reading
        if reading.energy_wh is not None:
            return replace(newest, energy_wh=reading.energy_wh)
    return newest


def tariff_of(ctx: Context, session: ChargingSession) -> TariffVersion | None:
    if session.tariff_id is None or session.tariff_version is None:
        return None
    return tariffs.get_version(ctx, session.tariff_id, session.tariff_version)


def consumption(session: ChargingSession, energy_wh: int, until: datetime) -> Consumption:
    """What the tariff is applied to; a charger whose clock jumped back has used no time.

    More time than a delivery can take means that the charger's clock was set on the way: then it began when we were
    told, or (told of afterwards) LONGEST_DELIVERY before its end.
    """
    started_at = session.started_at or session.created_at
    if until - started_at > LONGEST_DELIVERY:
        started_at = session.created_at if session.created_at < until else until - LONGEST_DELIVERY
    return Consumption(
        started_at=started_at,
        ended_at=max(started_at, until),
        energy_wh=energy_wh,
        time_zone=session.time_zone,
    )


def list_sessions(
    ctx: Context, *, operator_id: str | None = None, driver_id: str | None = None, limit: int, cursor: str | None
) -> Page[ChargingSession]:
    """Newest first, by operator or by driver. The index holds keys only; the sessions are read beside it."""
    if operator_id is not None:
        keys = SESSION_KEYS.query(
            ctx, operator_id, index=SessionRow.by_operator, newest_first=True, limit=limit, cursor=cursor
        )
    else:
        keys = SESSION_KEYS.query(
            ctx, driver_id or "", index=SessionRow.by_driver, newest_first=True, limit=limit, cursor=cursor
        )
    sessions = SESSIONS.batch_get(ctx, [(session_pk(key.session_id), "session") for key in keys.data])
    return Page(sessions, keys.next_cursor)


def list_readings(ctx: Context, session_id: str, *, limit: int, cursor: str | None) -> Page[MeterReading]:
    """A session's meter readings in the order of the charger's time."""
    return METER_READINGS.query(
        ctx, session_pk(session_id), MeterReadingRow.sk.startswith("meter#"), limit=limit, cursor=cursor
    )


def find_cdr(ctx: Context, session_id: str) -> Cdr | None:
    return CDRS.get(ctx, session_pk(session_id), "cdr")


def list_cdrs(ctx: Context, operator_id: str, day: str, *, limit: int, cursor: str | None) -> Page[Cdr]:
    """The operator's CDRs of one business day, oldest first."""
    keys = CDR_TOTALS.query(ctx, f"{operator_id}#{day}", index=CdrRow.by_day, limit=limit, cursor=cursor)
    return Page(CDRS.batch_get(ctx, [(session_pk(key.session_id), "cdr") for key in keys.data]), keys.next_cursor)


def cdr_totals_of_day(ctx: Context, operator_id: str, day: str) -> Iterator[CdrTotals]:
    """What settlement sums: streamed from the index in bounded memory."""
    return CDR_TOTALS.query_all(ctx, f"{operator_id}#{day}", index=CdrRow.by_day)
