"""StartTransaction, in words of the business: the charger says that delivery began.

It is a notification, not a request (steve#254): energy is recorded whoever presented whatever token; the answer
only tells the charger whether to go on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, charger_key
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    DEFAULT_CARD_HOLD,
    DELIVERING_STATES,
    LONGEST_DELIVERY,
    PENDING_STATES,
    SESSION_LIFECYCLE,
    Authorization,
    ChargingSession,
    Occupancy,
    derive_transaction_id,
    start_key,
)
from chalicelib.charging.service.authorizing import authorize_id_token, operator_of
from chalicelib.charging.service.watching import close_lost, close_unstarted, save
from chalicelib.charging.store import OCCUPANCIES, SESSIONS, OccupancyRow
from chalicelib.kernel import outbox
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import TariffVersion
from chalicelib.wallets import service as wallets


@dataclass(frozen=True)
class StartOutcome:
    transaction_id: int
    authorization: Authorization


@dataclass(frozen=True)
class Start:
    """What the charger said. `started_at` is the charger's clock, `meter_start_wh` its register."""

    evse_no: int
    id_token: str
    meter_start_wh: int
    started_at: datetime
    message_id: str


def start_by_charger(
    uow: UnitOfWork,
    *,
    charger: Charger,
    evse_no: int,
    id_token: str,
    meter_start_wh: int,
    started_at: datetime,
    message_id: str,
) -> StartOutcome:
    """Finds or makes the charging session of this delivery and gives it a transaction id.

    The same start sent again (also under another message id) gets the same answer and changes nothing. A session
    that was still open on the EVSE has lost its stop: it is closed as abnormal at its last meter value.
    """
    start = Start(evse_no, id_token, meter_start_wh, started_at, message_id)
    try:
        return _start(uow, charger, start)
    except _Superseded as superseded:
        # A commit of its own: that the old session is over is a fact whether or not this start lands, and what its
        # hold gives back is there for the new one.
        session_id = superseded.session_id
        decide_and_commit(uow.ctx, lambda closing: _close_superseded(closing, session_id))
        return _start(uow, charger, start)


class _Superseded(Exception):
    """Another session is still open on the EVSE. Raised before anything is written."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        self.session_id = session_id


def _close_superseded(uow: UnitOfWork, session_id: str) -> None:
    session = lookup.require_session(uow.ctx, session_id)
    if session.state in PENDING_STATES:
        close_unstarted(uow, session, "cancelled", "another id token started")
    elif session.state in DELIVERING_STATES:
        close_lost(uow, session, "stop_missing")


def _start(uow: UnitOfWork, charger: Charger, start: Start) -> StartOutcome:
    key = charger_key(charger.charger_id)
    occupancy = lookup.find_occupancy(uow.ctx, key, start.evse_no)
    present = lookup.find_session(uow.ctx, occupancy.session_id) if occupancy else None
    repeated = _find_repeated(uow, key, occupancy, present, start) if occupancy and present else None
    if repeated is not None:
        return StartOutcome(repeated.transaction_id or 0, Authorization(repeated.authorization, repeated.driver_id))
    transaction_id = _transaction_id(key, start, occupancy)
    if present and present.state in PENDING_STATES and present.id_token.upper() == start.id_token.upper():
        authorization = Authorization("accepted", present.driver_id)
        session = _begin(present, start, transaction_id)
        save(uow, present, session)
    elif present and _is_told_late(present, start):
        session, authorization = _open_session(uow, charger, start, transaction_id, None)
    elif present and present.is_open:
        raise _Superseded(present.session_id)
    else:
        session, authorization = _open_session(uow, charger, start, transaction_id, present)
    _occupy(uow, occupancy, _occupancy_after(key, start, session, occupancy, present))
    # Only a request has its workflow already.
    requested = present is not None and present.session_id == session.session_id
    outbox.emit(uow, "charging_session.started", session.session_id, {"requested": requested})
    return StartOutcome(transaction_id, authorization)


def _key(start: Start) -> str:
    return start_key(start.id_token, start.started_at, start.meter_start_wh)


def _find_repeated(
    uow: UnitOfWork, key: str, occupancy: Occupancy, present: ChargingSession, start: Start
) -> ChargingSession | None:
    """The session that this start made when it was told before: the present one, or one that is over.

    A charger whose clock stands still starts again and again with the same key; but not while another session runs,
    nor with a register that has moved on since.
    """
    if _is_repeated(occupancy, present, start):
        return present
    earlier_id = occupancy.session_of(derive_transaction_id(key, start.evse_no, _key(start)))
    earlier = None if earlier_id is None else lookup.find_session(uow.ctx, earlier_id)
    if earlier is None or present.state in DELIVERING_STATES:
        return earlier
    return earlier if (earlier.meter_stop_wh or 0) > start.meter_start_wh > 0 else None


def _is_repeated(occupancy: Occupancy, present: ChargingSession, start: Start) -> bool:
    same_message = occupancy.message_id == start.message_id
    if occupancy.start_key == _key(start):
        return present.state in DELIVERING_STATES or same_message
    # One whose clock cannot be used is dated by us, at another moment each time that it repeats itself.
    return (
        same_message
        and present.state in DELIVERING_STATES
        and present.meter_start_wh == start.meter_start_wh
        and occupancy.id_token.upper() == start.id_token.upper()
    )


def _is_told_late(present: ChargingSession, start: Start) -> bool:
    """An offline charger's memory, sent behind what runs now: the running session has not lost its stop."""
    if present.state not in DELIVERING_STATES:
        return False
    return start.started_at < min(present.started_at or present.created_at, present.created_at)


def _occupancy_after(
    key: str, start: Start, session: ChargingSession, before: Occupancy | None, present: ChargingSession | None
) -> Occupancy:
    if before and present and _is_told_late(present, start):
        return before.remembering(session.transaction_id or 0, session.session_id)
    took_over = before is not None and before.session_id != session.session_id
    return Occupancy(
        charger_key=key,
        evse_no=start.evse_no,
        session_id=session.session_id,
        id_token=start.id_token,
        transaction_id=session.transaction_id,
        start_key=_key(start),
        message_id=start.message_id,
        history=[] if before is None else before.history_for_successor() if took_over else before.history,
    )


def _transaction_id(key: str, start: Start, occupancy: Occupancy | None) -> int:
    candidate = derive_transaction_id(key, start.evse_no, _key(start))
    if occupancy is not None and occupancy.session_of(candidate) is not None:
        return derive_transaction_id(key, start.evse_no, _key(start), start.message_id)
    return candidate


def _begin(session: ChargingSession, start: Start, transaction_id: int) -> ChargingSession:
    return replace(
        session,
        state=SESSION_LIFECYCLE.next(session.state, "started"),
        transaction_id=transaction_id,
        meter_start_wh=start.meter_start_wh,
        started_at=start.started_at,
    )


def _open_session(
    uow: UnitOfWork, charger: Charger, start: Start, transaction_id: int, before: ChargingSession | None
) -> tuple[ChargingSession, Authorization]:
    """A session for a start that nobody waits for: a card, a stranger, or a request of the app that is over."""
    ctx = uow.ctx
    session = _describe(uow, charger, start, transaction_id)
    if before is not None and before.was_called_off and before.id_token.upper() == start.id_token.upper():
        authorization, most = _authorize_late(before, start), before.held
        session = replace(session, origin="app", target=before.target)
    else:
        authorization, most = authorize_id_token(ctx, charger=charger, id_token=start.id_token), DEFAULT_CARD_HOLD
    held = 0
    if session.tariff_id is None:
        authorization = replace(authorization, status="blocked")
    elif authorization.driver_id is not None:
        held = wallets.hold_what_is_there(
            uow,
            driver_id=authorization.driver_id,
            session_id=session.session_id,
            most=Money(most, session.currency),
            expires_at=ctx.now() + LONGEST_DELIVERY,
        ).amount
        if not held and authorization.status == "accepted":
            authorization = replace(authorization, status="blocked")
    session = replace(
        session,
        origin=session.origin if authorization.driver_id is not None else "unknown",
        authorization=authorization.status,
        driver_id=authorization.driver_id,
        held=held,
    )
    uow.create(SESSIONS, session)
    return session, authorization


def _authorize_late(request: ChargingSession, start: Start) -> Authorization:
    """The start of a request that was called off or has expired. One that began while it was still wanted (the charger
    was offline and tells us now) is paid by the driver, for no more than was asked; a later one is told to stop."""
    in_time = request.ended_at is not None and start.started_at <= request.ended_at
    return Authorization("accepted" if in_time else "blocked", request.driver_id)


def _describe(uow: UnitOfWork, charger: Charger, start: Start, transaction_id: int) -> ChargingSession:
    ctx = uow.ctx
    location = chargers.get_location(ctx, charger.location_id) if charger.location_id else None
    operator = operator_of(ctx, charger.operator_id)
    tariff = _tariff_or_none(uow, charger)
    return ChargingSession(
        session_id=ctx.new_id("ses"),
        state="charging",
        origin="card",
        target="full",
        operator_id=charger.operator_id,
        location_id=charger.location_id,
        charger_id=charger.charger_id,
        evse_no=start.evse_no,
        id_token=start.id_token,
        authorization="invalid",
        currency=tariff.currency if tariff else operator.currency,
        time_zone=location.time_zone if location else operator.time_zone,
        business_zone=operator.time_zone,
        created_at=ctx.now(),
        tariff_id=tariff.tariff_id if tariff else None,
        tariff_version=tariff.version if tariff else None,
        transaction_id=transaction_id,
        meter_start_wh=start.meter_start_wh,
        started_at=start.started_at,
    )


def _tariff_or_none(uow: UnitOfWork, charger: Charger) -> TariffVersion | None:
    """No tariff, no start; but what was delivered all the same is recorded."""
    try:
        return tariffs.resolve_tariff(
            uow.ctx, charger_id=charger.charger_id, location_id=charger.location_id, operator_id=charger.operator_id
        )
    except DomainError as error:
        if error.kind is not Kind.NOT_FOUND and error.code != "tariff.none":
            raise
        return None


def _occupy(uow: UnitOfWork, before: Occupancy | None, after: Occupancy) -> None:
    if before is None:
        uow.create(OCCUPANCIES, after)
        return
    uow.put(
        OCCUPANCIES,
        after,
        condition=(OccupancyRow.session_id == before.session_id) & (OccupancyRow.history == before.history),
        on_conflict=StaleRead("The connector"),
    )
