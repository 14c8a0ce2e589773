"""Reads that the use cases of charging share. No decision is taken here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from chalicelib.chargers.model import charger_key
from chalicelib.charging.model import (
    LONGEST_DELIVERY,
    Cdr,
    CdrTotals,
    ChargingSession,
    MeterReading,
    Occupancy,
    OcppTransaction,
    OrphanStop,
    Place,
    Reservation,
    ReservedEvse,
    SessionFilter,
    missing_seq_nos,
)
from chalicelib.charging.store import charger_pk, driver_pk, operator_pk, session_pk, transaction_pk
from chalicelib.charging.store.cdrs import CDR_TOTALS, CDRS, CdrRow, enterprise_month
from chalicelib.charging.store.reservations import (
    RESERVATION_ENTRIES,
    RESERVATIONS,
    RESERVED_EVSES,
    ReservationEntryRow,
    ReservedEvseRow,
    reservation_key,
    reserved_sk,
)
from chalicelib.charging.store.sessions import OCCUPANCIES, SESSION_KEYS, SESSIONS, OccupancyRow, SessionRow, evse_sk
from chalicelib.charging.store.transactions import (
    METER_READINGS,
    ORPHAN_STOPS,
    TRANSACTIONS,
    MeterReadingRow,
    OrphanStopRow,
    transaction_sk,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.ids import number_of
from chalicelib.kernel.pages import Page, Step, follow, page_of
from chalicelib.kernel.spans import id_span
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import Consumption, TariffVersion

READINGS_LOOKED_AT = 20
MOST_READINGS = 10_000
"""A day of events, one in ten seconds."""


@dataclass(frozen=True)
class SessionFacts:
    """What hardly changes while a session delivers: safe to keep in a warm process, as long as nothing is decided
    by it that the session itself does not confirm."""

    session: ChargingSession
    tariff: TariffVersion | None


def find_session(ctx: Context, session_id: str) -> ChargingSession | None:
    return SESSIONS.get(ctx, session_pk(session_id), "session")


def require_session(ctx: Context, session_id: str) -> ChargingSession:
    """Raises charging_session.not_found."""
    session = find_session(ctx, session_id)
    if session is None:
        raise not_found("charging_session", session_id)
    return session


def find_occupancy(ctx: Context, key: str, evse_no: int) -> Occupancy | None:
    return OCCUPANCIES.get(ctx, charger_pk(key), evse_sk(evse_no))


def list_occupancies(ctx: Context, key: str) -> list[Occupancy]:
    page = OCCUPANCIES.query(ctx, charger_pk(key), OccupancyRow.sk.startswith("evse#"), consistent=True)
    return page.data


def look_at(ctx: Context, key: str, evse_no: int) -> Place:
    """Who is at the EVSE now. Nobody is at EVSE 0: it stands for one that is not known."""
    occupancy = find_occupancy(ctx, key, evse_no) if evse_no else None
    session = None if occupancy is None else find_session(ctx, occupancy.session_id)
    return Place(occupancy, session if session is not None and session.evse_no == evse_no else None)


def sessions_at(ctx: Context, key: str) -> list[ChargingSession]:
    """The latest session of each EVSE of a charger, each once."""
    session_ids = dict.fromkeys(occupancy.session_id for occupancy in list_occupancies(ctx, key))
    found = (find_session(ctx, session_id) for session_id in session_ids)
    return [session for session in found if session is not None]


def readings_owner(session: ChargingSession) -> str:
    """Where the readings of a session are: with the OCPP transaction in 2.x, which tells them before any session is."""
    if isinstance(session.transaction_id, str):
        return transaction_pk(charger_key(session.charger_id), session.transaction_id)
    return session_pk(session.session_id)


def latest_reading(ctx: Context, session: ChargingSession) -> MeterReading | None:
    """The newest meter reading of a session, by the charger's time; each quantity from the newest one that names it
    (of the last READINGS_LOOKED_AT: some frames carry power or state of charge alone, some nothing)."""
    newest: MeterReading | None = None
    for reading in _some_readings(ctx, readings_owner(session), newest_first=True):
        newest = newest or reading
        newest = replace(
            newest,
            energy_wh=reading.energy_wh if newest.energy_wh is None else newest.energy_wh,
            charging_state=newest.charging_state or reading.charging_state,
        )
        if newest.energy_wh is not None:
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


def _some_readings(ctx: Context, owner: str, *, newest_first: bool) -> Iterator[MeterReading]:
    readings = METER_READINGS.query_all(
        ctx, owner, MeterReadingRow.sk.startswith("meter#"), newest_first=newest_first, limit=5, consistent=True
    )
    return islice(readings, READINGS_LOOKED_AT)


def find_transaction(ctx: Context, key: str, transaction_id: str) -> OcppTransaction | None:
    """What the pieces of a 2.x transaction have told so far."""
    return TRANSACTIONS.get(ctx, charger_pk(key), transaction_sk(transaction_id))


def tariff_of(ctx: Context, session: ChargingSession) -> TariffVersion | None:
    if session.tariff_id is None or session.tariff_version is None:
        return None
    return tariffs.get_version(ctx, session.tariff_id, session.tariff_version)


def consumption(session: ChargingSession, energy_wh: int, until: datetime) -> Consumption:
    """What the tariff is applied to; a charger whose clock jumped back has used no time.

    More time than a delivery can take means that the charger's clock was set on the way: then it began when we were
    told, and told of afterwards it took no time that anybody knows of. The cause is on the CDR (`clock_fault`).
    """
    started_at = session.started_at or session.created_at
    if until - started_at > LONGEST_DELIVERY:
        started_at = min(session.created_at, until)
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


def find_sessions(
    ctx: Context,
    *,
    operator_id: str,
    wanted: SessionFilter,
    location_ids: frozenset[str] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[ChargingSession]:
    """An operator's sessions that are `wanted`, newest first; at these locations only, unless None (`Places`).

    Those of one driver are looked for among the driver's, which are fewer.
    """

    def keep(session: ChargingSession) -> bool:
        return (
            session.operator_id == operator_id
            and (location_ids is None or session.location_id in location_ids)
            and wanted.matches(session)
        )

    if wanted.driver_id is not None:
        return page_of(_walk_of_driver(ctx, wanted.driver_id, wanted, limit, cursor), limit, keep)
    return page_of(_walk_of_operator(ctx, operator_id, wanted, limit, cursor), limit, keep)


def find_sessions_of_driver(
    ctx: Context, driver_id: str, wanted: SessionFilter, *, limit: int, cursor: str | None
) -> Page[ChargingSession]:
    """A driver's own sessions, at whatever operator's chargers, newest first."""
    return page_of(_walk_of_driver(ctx, driver_id, wanted, limit, cursor), limit, wanted.matches)


def _walk_of_driver(
    ctx: Context, driver_id: str, wanted: SessionFilter, limit: int, cursor: str | None
) -> Iterable[Step[ChargingSession]]:
    if (ids := id_span("ses", wanted.window())) is None:
        return ()
    within, chunk = SessionRow.session_id.between(*ids), limit + 1
    return SESSIONS.walk(
        ctx, driver_id, within, index=SessionRow.by_driver, newest_first=True, cursor=cursor, chunk=chunk
    )


def _walk_of_operator(
    ctx: Context, operator_id: str, wanted: SessionFilter, limit: int, cursor: str | None
) -> Iterable[Step[ChargingSession]]:
    if (ids := id_span("ses", wanted.window())) is None:
        return ()
    within, chunk = SessionRow.session_id.between(*ids), limit + 1
    return SESSIONS.walk(
        ctx, operator_id, within, index=SessionRow.by_operator, newest_first=True, cursor=cursor, chunk=chunk
    )


def list_readings(ctx: Context, session: ChargingSession, *, limit: int, cursor: str | None) -> Page[MeterReading]:
    """A session's meter readings in the order of the charger's time."""
    return METER_READINGS.query(
        ctx, readings_owner(session), MeterReadingRow.sk.startswith("meter#"), limit=limit, cursor=cursor
    )


def list_orphan_stops(
    ctx: Context,
    operator_id: str,
    *,
    keep: Callable[[OrphanStop], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[OrphanStop]:
    """The stops at an operator's chargers that billed nothing, the latest first."""
    steps = ORPHAN_STOPS.walk(
        ctx, operator_pk(operator_id), OrphanStopRow.sk.startswith("orphan_stop#"), newest_first=True, cursor=cursor
    )
    return page_of(steps, limit, keep)


def find_cdr(ctx: Context, session_id: str) -> Cdr | None:
    return CDRS.get(ctx, session_pk(session_id), "cdr")


def list_cdrs(
    ctx: Context,
    operator_id: str,
    day: str,
    *,
    keep: Callable[[Cdr], bool] = lambda cdr: True,
    limit: int,
    cursor: str | None,
) -> Page[Cdr]:
    """The operator's CDRs of one business day, oldest first. A page is shorter by those that `keep` leaves out."""
    keys = CDR_TOTALS.query(ctx, f"{operator_id}#{day}", index=CdrRow.by_day, limit=limit, cursor=cursor)
    cdrs = CDRS.batch_get(ctx, [(session_pk(key.session_id), "cdr") for key in keys.data])
    return Page([cdr for cdr in cdrs if keep(cdr)], keys.next_cursor)


def cdr_totals_of_day(ctx: Context, operator_id: str, day: str) -> Iterator[CdrTotals]:
    """What settlement sums: streamed from the index in bounded memory."""
    return CDR_TOTALS.query_all(ctx, f"{operator_id}#{day}", index=CdrRow.by_day)


def cdrs_of_enterprise(ctx: Context, enterprise_id: str, month: str) -> Iterator[Cdr]:
    """What an enterprise took on the business days of a month (YYYY-MM), oldest first. From an index: eventually
    consistent, so a month is summed after it is over."""
    steps = CDRS.walk(ctx, enterprise_month(enterprise_id, month), index=CdrRow.by_enterprise)
    return (cdr for cdr, _ in steps)


def sessions_by_id(ctx: Context, session_ids: Iterable[str]) -> dict[str, ChargingSession]:
    """Those that exist."""
    found = SESSIONS.batch_get(ctx, [(session_pk(session_id), "session") for session_id in session_ids])
    return {session.session_id: session for session in found}


def find_reservation(ctx: Context, reservation_id: str) -> Reservation | None:
    return RESERVATIONS.get(ctx, *reservation_key(reservation_id))


def find_reserved_evse(ctx: Context, key: str, evse_no: int) -> ReservedEvse | None:
    """Names the latest reservation of an EVSE; whether it still is one, its own row says."""
    return RESERVED_EVSES.get(ctx, charger_pk(key), reserved_sk(evse_no))


def find_reservation_at(ctx: Context, key: str, evse_no: int) -> Reservation | None:
    """The latest reservation of an EVSE, whatever became of it."""
    reserved = find_reserved_evse(ctx, key, evse_no)
    return None if reserved is None else find_reservation(ctx, reserved.reservation_id)


def find_reservation_by_number(ctx: Context, key: str, number: int) -> Reservation | None:
    """By the number that the charger knows it under; of each EVSE the latest one."""
    page = RESERVED_EVSES.query(ctx, charger_pk(key), ReservedEvseRow.sk.startswith("reserved#"), consistent=True)
    named = next((reserved for reserved in page.data if number_of(reserved.reservation_id) == number), None)
    return None if named is None else find_reservation(ctx, named.reservation_id)


def list_reservations(
    ctx: Context,
    *,
    operator_id: str | None = None,
    driver_id: str | None = None,
    keep: Callable[[Reservation], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Reservation]:
    """Newest first, by operator or by driver."""
    owner = operator_pk(operator_id) if operator_id is not None else driver_pk(driver_id or "")
    entries = RESERVATION_ENTRIES.walk(
        ctx, owner, ReservationEntryRow.sk.startswith("reservation#"), newest_first=True, cursor=cursor
    )
    found = follow(ctx, entries, RESERVATIONS, lambda entry: reservation_key(entry.reservation_id))
    return page_of(found, limit, keep)
