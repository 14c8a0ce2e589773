"""Sessions, by id and in lists; who is at an EVSE; what the pieces of a transaction have told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from chalicelib.charging.model import (
    ChargingSession,
    Occupancy,
    OcppTransaction,
    Place,
    SessionFilter,
    WorkflowWait,
)
from chalicelib.charging.store import charger_pk, session_pk
from chalicelib.charging.store.sessions import (
    OCCUPANCIES,
    SESSION_KEYS,
    SESSIONS,
    WORKFLOW_WAITS,
    OccupancyRow,
    SessionRow,
    evse_sk,
)
from chalicelib.charging.store.transactions import (
    TRANSACTIONS,
    transaction_sk,
)
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.pages import Page, Step, page_of
from chalicelib.kernel.spans import id_span

_SESSIONS_PER_READ = 100


def find_session(ctx: Context, session_id: str) -> ChargingSession | None:
    return SESSIONS.get(ctx, session_pk(session_id), "session")


def require_session(ctx: Context, session_id: str) -> ChargingSession:
    """Raises charging_session.not_found."""
    session = find_session(ctx, session_id)
    if session is None:
        raise not_found("charging_session", session_id)
    return session


def session_with_waits(ctx: Context, session_id: str) -> tuple[ChargingSession, dict[str, WorkflowWait]]:
    """The session, and what its workflow waits for by name: they lie beside each other, and cost one read. Raises
    charging_session.not_found."""
    items = SESSIONS.query_items(ctx, session_pk(session_id), SessionRow.sk.between("session", "wait#~"))
    if "session" not in items:
        raise not_found("charging_session", session_id)
    session = SESSIONS.from_item(items.pop("session"))
    waits = (WORKFLOW_WAITS.from_item(item) for sk, item in items.items() if sk.startswith("wait#"))
    return session, {wait.awaited: wait for wait in waits}


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


def find_transaction(ctx: Context, key: str, transaction_id: str) -> OcppTransaction | None:
    """What the pieces of a 2.x transaction have told so far."""
    return TRANSACTIONS.get(ctx, charger_pk(key), transaction_sk(transaction_id))


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


def open_sessions_made(
    ctx: Context, operator_id: str, date_from: datetime, date_to: datetime
) -> Iterator[ChargingSession]:
    """An operator's sessions of a stretch of time that are open as far as an index and an old read tell."""
    if (ids := id_span("ses", (date_from, date_to))) is None:
        return
    keys = SESSION_KEYS.query_all(ctx, operator_id, SessionRow.session_id.between(*ids), index=SessionRow.by_operator)
    while chunk := list(islice(keys, _SESSIONS_PER_READ)):
        rows = [(session_pk(key.session_id), "session") for key in chunk]
        yield from (session for session in SESSIONS.batch_get(ctx, rows, consistent=False) if session.is_open)


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


def sessions_by_id(ctx: Context, session_ids: Iterable[str]) -> dict[str, ChargingSession]:
    """Those that exist."""
    once = dict.fromkeys(session_ids)  # a session that was corrected has several CDRs
    found = SESSIONS.batch_get(ctx, [(session_pk(session_id), "session") for session_id in once])
    return {session.session_id: session for session in found}
