"""The end of a delivery, as the charger tells it: StopTransaction (1.6), and what 2.x shares with it."""

from __future__ import annotations

from datetime import datetime

from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    DELIVERING_STATES,
    Authorization,
    ChargingSession,
    MeterSample,
    OrphanStop,
    Registers,
    TransactionId,
    latest_sample,
)
from chalicelib.charging.service.authorizing import authorization_of
from chalicelib.charging.service.closing import end_delivery
from chalicelib.charging.service.metering import reading_of
from chalicelib.charging.store.transactions import METER_READINGS, ORPHAN_STOPS, orphan_key
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork


def stop_by_charger(
    uow: UnitOfWork,
    *,
    charger: Charger,
    transaction_id: TransactionId,
    meter_stop_wh: int | None,
    stopped_at: datetime,
    reason: str | None,
    id_token: str | None,
    samples: list[MeterSample],
) -> Authorization | None:
    """Closes the session, with all its money, in the caller's commit. Never refused: a charger repeats a refused stop
    for ever.

    A stop that was already taken changes nothing. One whose transaction nobody knows belongs to the only open session
    of the charger, if there is exactly one (ids 0 and -1 occur in the field), else it is kept as an orphan. The late
    stop of a session that was given up corrects its bill, unless somebody has resolved that already.
    """
    session = _find(uow.ctx, charger, transaction_id, meter_stop_wh, stopped_at)
    latest = latest_sample(samples)
    reading = None
    if session is not None and latest is not None:
        reading = reading_of(uow.ctx, lookup.readings_owner(session), samples, latest)
    if session is not None and session.state == "abnormal":
        # Rare, and the only frame that corrects bills: loaded when it comes.
        from chalicelib.charging.service.resolving import take_late_stop

        late = take_late_stop(
            uow, session, meter_stop_wh=meter_stop_wh, stopped_at=stopped_at, reason=reason, unsaved=reading
        )
        if late is not None:
            return _told_of(uow.ctx, late, id_token)
    if session is None or session.state == "abnormal":
        keep_orphan(uow, charger, session, transaction_id, meter_stop_wh, stopped_at, id_token=id_token, reason=reason)
        return None if session is None else Authorization(session.authorization, session.driver_id)
    if session.state in DELIVERING_STATES:
        told = Registers(session.meter_start_wh, meter_stop_wh)
        if reading is not None:
            uow.put(METER_READINGS, reading)
        end_delivery(uow, session, told, stopped_at=stopped_at, reason=reason, samples=samples, unsaved=reading)
    return _told_of(uow.ctx, session, id_token)


def _told_of(ctx: Context, session: ChargingSession, id_token: str | None) -> Authorization:
    """A charger keeps what it is answered of the token that ended it: also when the card expires, and its group."""
    if id_token is not None and id_token.upper() == session.id_token.upper():
        return authorization_of(ctx, session)
    return Authorization(session.authorization, session.driver_id)


def keep_orphan(
    uow: UnitOfWork,
    charger: Charger,
    session: ChargingSession | None,
    transaction_id: TransactionId,
    meter_stop_wh: int | None,
    stopped_at: datetime,
    *,
    id_token: str | None,
    reason: str | None,
) -> None:
    """A stop that bills nothing (any more): listed for the operator. Told again, it lands on the same row."""
    uow.put(
        ORPHAN_STOPS,
        OrphanStop(
            operator_id=charger.operator_id,
            charger_id=charger.charger_id,
            transaction_id=transaction_id,
            meter_stop_wh=meter_stop_wh,
            stopped_at=stopped_at,
            received_at=uow.ctx.now(),
            cause="unknown_transaction" if session is None else "session_over",
            session_id=None if session is None else session.session_id,
            id_token=id_token,
            reason=reason,
        ),
    )


def forget_orphan(uow: UnitOfWork, charger: Charger, transaction_id: TransactionId, stopped_at: datetime) -> None:
    """The session of a stop was found after all: its begin came behind its end."""
    uow.delete(ORPHAN_STOPS, orphan_key(charger.operator_id, charger.charger_id, transaction_id, stopped_at))


def _find(
    ctx: Context, charger: Charger, transaction_id: TransactionId, meter_stop_wh: int | None, stopped_at: datetime
) -> ChargingSession | None:
    occupancies = lookup.list_occupancies(ctx, charger.charger_key)
    for occupancy in occupancies:
        session_id = occupancy.session_of(transaction_id)
        if session_id is not None:
            return lookup.find_session(ctx, session_id)
    here = lookup.sessions_at(ctx, charger.charger_key)
    delivering = [session for session in here if session.state in DELIVERING_STATES and not session.awaits_begin]
    fitting = len(delivering) == 1 and _may_end(delivering[0], meter_stop_wh, stopped_at)
    return delivering[0] if fitting else None


def _may_end(session: ChargingSession, meter_stop_wh: int | None, stopped_at: datetime) -> bool:
    """Not with a meter, or a time, from before the session: that is an old stop, sent again."""
    began = min(session.started_at or session.created_at, session.created_at)
    forward = meter_stop_wh is None or meter_stop_wh >= (session.meter_start_wh or 0)
    return forward and stopped_at >= began
