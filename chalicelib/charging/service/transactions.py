"""TransactionEvent (OCPP 2.0.1 E, 2.1 E), in words of the business: a delivery that the charger tells in pieces.

The pieces come in any order, twice, hours late, or never. One row gathers what they say (`OcppTransaction`); each
piece adds to it, and what is then known decides: a session begins with the first id token or the first energy, and
ends when an end is known, whatever came first. A piece that only meters is one write.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.lookup import SessionFacts
from chalicelib.charging.model import (
    DELIVERING_STATES,
    NO_AUTHORIZATION,
    SESSION_LIFECYCLE,
    Authorization,
    ChargingSession,
    EventOutcome,
    Limits,
    MeterReading,
    MeterSample,
    OcppTransaction,
    Registers,
    TransactionEvent,
    delivered_energy_wh,
    first_register_wh,
    latest_sample,
)
from chalicelib.charging.service.authorizing import authorization_of, authorize_id_token
from chalicelib.charging.service.closing import end_delivery
from chalicelib.charging.service.keeping import save
from chalicelib.charging.service.limiting import limits_of, watch_limits
from chalicelib.charging.service.metering import reading_of
from chalicelib.charging.service.opening import (
    Beginning,
    Superseded,
    authorize_running,
    begin_delivery,
    in_a_commit_before,
    occupy,
    superseding,
)
from chalicelib.charging.service.pieces import (
    began_at,
    evse_no_of,
    is_delivery,
    is_unbilled,
    is_unpaid,
    lacks_begin,
    may_be_asked_for,
    working_start_wh,
)
from chalicelib.charging.service.stopping import forget_orphan, keep_orphan
from chalicelib.charging.store import transaction_pk
from chalicelib.charging.store.transactions import METER_READINGS, TRANSACTIONS, TransactionRow
from chalicelib.kernel import outbox
from chalicelib.kernel.cache import Cache
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork

_REMEMBERED_S = 900
"""Another process may have ended the delivery, and a charger that lost its memory have begun another one under its
name: after this long at most, the money is watched by what is stored."""


@dataclass(frozen=True)
class _Remembered:
    """What a warm process knows of a delivery that runs: enough for the pieces that only meter."""

    transaction: OcppTransaction
    facts: SessionFacts
    authorization: Authorization | None
    """What the payer's id token is answered, where it was given."""


@dataclass(frozen=True)
class _Taken:
    """What became of a piece so far. `session` is what is to be written if it differs from the one that was `read`.
    An end that was told before, when no session was there for it, is listed as an orphan.
    """

    transaction: OcppTransaction
    read: ChargingSession | None
    session: ChargingSession | None
    authorization: Authorization | None = None
    end_was_told: bool = False


def record_transaction_event(uow: UnitOfWork, *, charger: Charger, event: TransactionEvent) -> EventOutcome:
    """Keeps one piece of an OCPP transaction and does what is known to be due: begin, authorise, meter, end.

    Never refused: a charger repeats a refused event for ever. A piece that is told again changes nothing.
    """
    if event.id_token == "" and event.id_token_kind != NO_AUTHORIZATION:
        outcome = record_transaction_event(uow, charger=charger, event=replace(event, id_token=None))
        return replace(outcome, authorization=Authorization("invalid"))
    event = _as_meant(event)
    remembered: _Remembered | None = _cache(uow.ctx).get(_cache_key(charger, event))
    if remembered is not None and _only_meters(remembered, event):
        return _meter(uow, charger, remembered, event)
    return superseding(uow.ctx, lambda: _take(uow, charger, event, may_end=True))


def _as_meant(event: TransactionEvent) -> TransactionEvent:
    """A charger without authorization names any token; EVSE 0 is the charger itself, and delivers nothing."""
    id_token = "" if event.id_token_kind == NO_AUTHORIZATION else event.id_token
    return replace(event, id_token=id_token, evse_no=event.evse_no or None)


# -- pieces that only meter -------------------------------------------------------------------------------------------


def _only_meters(remembered: _Remembered, event: TransactionEvent) -> bool:
    if event.kind != "updated" or remembered.transaction.learning(event) != remembered.transaction:
        return False
    return event.id_token is None or _is_payers(remembered.transaction, remembered.facts.session, event.id_token)


def _meter(uow: UnitOfWork, charger: Charger, remembered: _Remembered, event: TransactionEvent) -> EventOutcome:
    reading = _keep_reading(uow, charger, event)
    watch_limits(uow, remembered.facts, reading)
    session = remembered.facts.session
    authorization = None
    if event.id_token is not None:
        authorization = remembered.authorization or authorization_of(uow.ctx, session)
    return EventOutcome(authorization, _running_cost(uow.ctx, remembered.facts, reading), _limits(session, event))


# -- pieces that tell something new -----------------------------------------------------------------------------------


def _take(uow: UnitOfWork, charger: Charger, event: TransactionEvent, *, may_end: bool) -> EventOutcome:
    ctx, key = uow.ctx, charger.charger_key
    known = lookup.find_transaction(ctx, key, event.transaction_id)
    first_heard = OcppTransaction(key, event.transaction_id, event.at, event.message_id)
    before = first_heard if known is None else known
    if before.is_reused_by(event):
        _demand_closed(ctx, before.session_id)
        before = replace(first_heard, revision=before.revision)
    learned = before.learning(event)
    session = lookup.find_session(ctx, learned.session_id) if learned.session_id else None
    begins = session is None and is_delivery(ctx, learned, event) and not may_be_asked_for(ctx, charger, learned)
    gets_payer = session is not None and _gets_payer(session, learned)
    if may_end and learned.ended_at is not None and (begins or gets_payer):
        in_a_commit_before(ctx, lambda opening: _take(opening, charger, event, may_end=False))
        return _take(uow, charger, event, may_end=True)
    taken = _Taken(learned, session, session, end_was_told=before.ended_at is not None)
    if begins:
        taken = _begin(uow, charger, taken, event)
    elif session is not None:
        taken = _improve(uow, charger, taken, event, gets_payer=gets_payer)
    taken = _end_or_save(uow, charger, taken, event, may_end=may_end)
    _keep_transaction(uow, known, taken.transaction)
    return _outcome(uow, charger, taken, event)


def _demand_closed(ctx: Context, session_id: str | None) -> None:
    """Its end was never told, and never will be under this name."""
    session = lookup.find_session(ctx, session_id) if session_id else None
    if session is not None and session.is_open:
        raise Superseded(session.session_id)


def _begin(uow: UnitOfWork, charger: Charger, taken: _Taken, event: TransactionEvent) -> _Taken:
    learned = taken.transaction
    evse_no = evse_no_of(uow.ctx, charger, learned)
    beginning = Beginning(
        evse_no=evse_no,
        id_token=learned.id_token or "",
        transaction_id=learned.transaction_id,
        meter_start_wh=working_start_wh(uow.ctx, learned, event),
        started_at=began_at(learned, event),
        message_id=event.message_id,
        id_token_kind=learned.id_token_kind,
        remote_start_id=learned.remote_start_id,
        reservation_number=learned.reservation_number,
    )
    session, authorization = begin_delivery(
        uow, charger, beginning, lookup.look_at(uow.ctx, charger.charger_key, evse_no)
    )
    begun = replace(learned, session_id=session.session_id)
    return replace(taken, transaction=begun, session=session, authorization=authorization)


def _improve(uow: UnitOfWork, charger: Charger, taken: _Taken, event: TransactionEvent, *, gets_payer: bool) -> _Taken:
    """A piece that came late may complete a session that runs: its EVSE, its begin, who pays for it."""
    session, learned = taken.session, taken.transaction
    if session is None or session.state not in DELIVERING_STATES:
        return taken
    authorization = None
    if gets_payer:
        session, authorization = authorize_running(uow, charger, session, learned.id_token or "", learned.id_token_kind)
    if not session.evse_no and learned.evse_no:
        session = replace(session, evse_no=learned.evse_no)
        _occupy_late(uow, charger, learned, session, event)
    began = event.kind == "started" and (event.id_token is not None or event.charging_state == "Charging")
    if began and session.started_at is not None and event.at < session.started_at:
        session = replace(session, started_at=event.at)
    if learned.begin_wh is not None:
        session = replace(session, meter_start_wh=learned.begin_wh)
    elif session.meter_start_wh is None:
        session = replace(session, meter_start_wh=first_register_wh(event.samples))
    return replace(taken, session=session, authorization=authorization)


def _occupy_late(
    uow: UnitOfWork, charger: Charger, learned: OcppTransaction, session: ChargingSession, event: TransactionEvent
) -> None:
    """The EVSE is known only now. Where somebody else is by now, the place stays with him or her."""
    place = lookup.look_at(uow.ctx, charger.charger_key, session.evse_no)
    if place.present is not None and place.present.has_evse:
        return
    began_at = session.started_at or event.at
    beginning = Beginning(
        session.evse_no, session.id_token, learned.transaction_id, learned.begin_wh, began_at, event.message_id
    )
    occupy(uow, beginning, session, place)


def _gets_payer(session: ChargingSession, learned: OcppTransaction) -> bool:
    """It began with energy alone, nobody having presented anything; the first id token comes now, or the word that
    none was needed."""
    named = bool(learned.id_token) or learned.id_token_kind == NO_AUTHORIZATION
    return named and is_unpaid(session) and session.state in DELIVERING_STATES


def _end_or_save(uow: UnitOfWork, charger: Charger, taken: _Taken, event: TransactionEvent, *, may_end: bool) -> _Taken:
    learned, session = taken.transaction, taken.session
    if learned.ended_at is None or not may_end:
        if taken.read is not None and session is not None and session != taken.read:
            save(uow, taken.read, session)
        return taken
    if session is not None and session.state in DELIVERING_STATES:
        if taken.end_was_told and not session.awaits_begin:
            forget_orphan(uow, charger, learned.transaction_id, learned.ended_at)
        if lacks_begin(learned, session):
            return _await_begin(uow, taken, session, learned.ended_at)
        closed = end_delivery(
            uow,
            session,
            Registers(learned.begin_wh, learned.end_wh),
            stopped_at=learned.ended_at,
            reason=learned.stop_reason,
            samples=event.samples if event.kind == "ended" else [],
            unsaved=_reading_of(uow.ctx, charger, event),
        )
        return replace(taken, session=closed)
    if event.kind == "ended" and is_unbilled(learned, session):
        corrected = None if session is None else _correct_late(uow, charger, session, learned, event)
        if corrected is not None:
            return replace(taken, session=corrected)
        keep_orphan(
            uow,
            charger,
            session,
            learned.transaction_id,
            learned.end_wh,
            learned.ended_at,
            id_token=event.id_token,
            reason=learned.stop_reason,
        )
    return taken


def _correct_late(
    uow: UnitOfWork, charger: Charger, session: ChargingSession, learned: OcppTransaction, event: TransactionEvent
) -> ChargingSession | None:
    """The end of a session that was given up, told after all."""
    # Rare, and the only frame that corrects bills: loaded when it comes.
    from chalicelib.charging.service.resolving import take_late_stop

    return take_late_stop(
        uow,
        session,
        meter_stop_wh=learned.end_wh,
        stopped_at=learned.ended_at or event.at,
        reason=learned.stop_reason,
        unsaved=_reading_of(uow.ctx, charger, event),
    )


def _await_begin(uow: UnitOfWork, taken: _Taken, session: ChargingSession, ended_at: datetime) -> _Taken:
    """The end has overtaken the begin. The session is not sealed yet: its begin completes it, else its workflow ends
    it BEGIN_TIMEOUT later by what is known. Its EVSE is free."""
    if not session.awaits_begin:
        session = replace(
            session,
            state=SESSION_LIFECYCLE.next(session.state, "end_told"),
            stopped_at=ended_at,
            stop_reason=taken.transaction.stop_reason,
        )
        outbox.emit(uow, "charging_session.begin_missed", session.session_id)
    if taken.read is not None and session != taken.read:
        save(uow, taken.read, session)
    return replace(taken, session=session)


# -- what is kept, and what is answered -------------------------------------------------------------------------------


def _keep_transaction(uow: UnitOfWork, known: OcppTransaction | None, learned: OcppTransaction) -> None:
    if known is None:
        uow.create(TRANSACTIONS, learned)
    elif learned != known:
        uow.put(
            TRANSACTIONS,
            replace(learned, revision=known.revision + 1),
            condition=TransactionRow.revision == known.revision,
            on_conflict=StaleRead("The transaction"),
        )


def _keep_reading(uow: UnitOfWork, charger: Charger, event: TransactionEvent) -> MeterReading:
    """Each update is a row, also one without a value: by its number it is known to have come."""
    reading = _reading_of(uow.ctx, charger, event)
    if event.samples or event.kind == "updated":
        uow.put(METER_READINGS, reading)
    return reading


def _reading_of(ctx: Context, charger: Charger, event: TransactionEvent) -> MeterReading:
    owner = transaction_pk(charger.charger_key, event.transaction_id)
    latest = latest_sample(event.samples) or MeterSample(event.at)
    return reading_of(ctx, owner, event.samples, latest, seq_no=event.seq_no, charging_state=event.charging_state)


def _outcome(uow: UnitOfWork, charger: Charger, taken: _Taken, event: TransactionEvent) -> EventOutcome:
    reading = _keep_reading(uow, charger, event)
    session = taken.session
    authorization = taken.authorization
    if authorization is None:
        authorization = _authorization(uow.ctx, charger, taken, event)
    elif event.id_token is None:
        authorization = None
    if session is None:
        return EventOutcome(authorization)
    if session.state not in DELIVERING_STATES:
        # A piece that comes behind the end is told what the whole cost, not what it cost by then.
        uow.then(lambda: _cache(uow.ctx).forget(_cache_key(charger, event)))
        return EventOutcome(authorization, Money(session.cost or 0, session.currency))
    facts = SessionFacts(session, lookup.tariff_of(uow.ctx, session))
    if session == taken.read and event.kind == "updated":
        watch_limits(uow, facts, reading)
    if session.meter_start_wh is not None and not is_unpaid(session):
        of_payer = event.id_token is not None and _is_payers(taken.transaction, session, event.id_token)
        remembered = _Remembered(taken.transaction, facts, authorization if of_payer else None)
        uow.then(lambda: _cache(uow.ctx).put(_cache_key(charger, event), remembered))
    running_cost = _running_cost(uow.ctx, facts, reading)
    return EventOutcome(authorization, running_cost, _limits(session, event, opened=taken.read is None))


def _authorization(ctx: Context, charger: Charger, taken: _Taken, event: TransactionEvent) -> Authorization | None:
    """What to say about the token of this event. A second one may end the delivery, but never pays for it."""
    session = taken.session
    if event.id_token is None:
        return None
    if session is not None and event.id_token and _is_payers(taken.transaction, session, event.id_token):
        return authorization_of(ctx, session)
    found = authorize_id_token(ctx, charger=charger, id_token=event.id_token, id_token_kind=event.id_token_kind)
    if session is not None and found.driver_id is not None and found.driver_id == session.driver_id:
        return authorization_of(ctx, session)
    return found


def _is_payers(known: OcppTransaction, session: ChargingSession, id_token: str) -> bool:
    return id_token.upper() in (session.id_token.upper(), (known.id_token or "").upper())


def _running_cost(ctx: Context, facts: SessionFacts, reading: MeterReading) -> Money | None:
    start_wh = facts.session.meter_start_wh
    if start_wh is None or reading.energy_wh is None:
        return None
    energy_wh = delivered_energy_wh(start_wh, reading.energy_wh)
    return lookup.cost_so_far(ctx, facts, energy_wh, reading.taken_at, reading)


def _limits(session: ChargingSession, event: TransactionEvent, *, opened: bool = False) -> Limits | None:
    """Told where something may have changed, not with each reading."""
    asked = opened or event.kind == "started" or event.id_token is not None
    return limits_of(session) if asked and session.authorization == "accepted" else None


def _cache(ctx: Context) -> Cache[_Remembered]:
    return ctx.cache("charging.transactions", size=4096, ttl_s=_REMEMBERED_S)


def _cache_key(charger: Charger, event: TransactionEvent) -> tuple[str, str]:
    return charger.charger_key, event.transaction_id
