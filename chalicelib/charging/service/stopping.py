"""StopTransaction, in words of the business: the charger says that delivery is over, and what the meter shows."""

from __future__ import annotations

from datetime import datetime

from chalicelib.chargers.model import Charger, charger_key
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    DELIVERING_STATES,
    Authorization,
    ChargingSession,
    MeterSample,
    OrphanStop,
    latest_sample,
)
from chalicelib.charging.service.closing import close_delivery
from chalicelib.charging.service.metering import reading_of
from chalicelib.charging.store import METER_READINGS, ORPHAN_STOPS, session_pk
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork


def stop_by_charger(
    uow: UnitOfWork,
    *,
    charger: Charger,
    transaction_id: int,
    meter_stop_wh: int,
    stopped_at: datetime,
    reason: str | None,
    id_token: str | None,
    samples: list[MeterSample],
) -> Authorization | None:
    """Closes the session, with all its money, in the caller's commit. Never refused: a charger repeats a refused stop
    for ever.

    A stop that was already taken changes nothing. One whose transaction nobody knows belongs to the only open session
    of the charger, if there is exactly one (ids 0 and -1 occur in the field), else it is kept as an orphan: as is the
    late stop of a session that was given up, for the energy that was not billed.
    """
    session = _find(uow.ctx, charger, transaction_id, meter_stop_wh, stopped_at)
    if session is None or session.state == "abnormal":
        uow.put(
            ORPHAN_STOPS,
            OrphanStop(
                charger_key=charger_key(charger.charger_id),
                transaction_id=transaction_id,
                meter_stop_wh=meter_stop_wh,
                stopped_at=stopped_at,
                received_at=uow.ctx.now(),
                id_token=id_token,
                reason=reason,
            ),
        )
        return None if session is None else Authorization(session.authorization, session.driver_id)
    latest = latest_sample(samples)
    if session.state in DELIVERING_STATES:
        close_delivery(
            uow, session, event="stopped", meter_stop_wh=meter_stop_wh, stopped_at=stopped_at, reason=reason or "Local"
        )
        if latest is not None:
            uow.put(METER_READINGS, reading_of(uow.ctx, session_pk(session.session_id), samples, latest))
    return Authorization(session.authorization, session.driver_id)


def _find(
    ctx: Context, charger: Charger, transaction_id: int, meter_stop_wh: int, stopped_at: datetime
) -> ChargingSession | None:
    occupancies = lookup.list_occupancies(ctx, charger_key(charger.charger_id))
    for occupancy in occupancies:
        session_id = occupancy.session_of(transaction_id)
        if session_id is not None:
            return lookup.find_session(ctx, session_id)
    candidates = [lookup.find_session(ctx, occupancy.session_id) for occupancy in occupancies]
    delivering = [session for session in candidates if session and session.state in DELIVERING_STATES]
    fitting = len(delivering) == 1 and _may_end(delivering[0], meter_stop_wh, stopped_at)
    return delivering[0] if fitting else None


def _may_end(session: ChargingSession, meter_stop_wh: int, stopped_at: datetime) -> bool:
    """Not with a meter, or a time, from before the session: that is an old stop, sent again."""
    began = min(session.started_at or session.created_at, session.created_at)
    return meter_stop_wh >= (session.meter_start_wh or 0) and stopped_at >= began
