"""The beginning of a delivery, however a version tells it: the session that waited for it, or a new one, with its hold.

Called by `starting` (OCPP 1.6) and `transactions` (2.x). A start is a notification, not a request (steve#254): energy
is recorded whoever presented whatever id token; the answer only tells the charger whether to go on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, charger_key
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    DELIVERING_STATES,
    LONGEST_DELIVERY,
    NO_AUTHORIZATION,
    SESSION_LIFECYCLE,
    START_TIMEOUT,
    Authorization,
    ChargingSession,
    Occupancy,
    Place,
    TransactionId,
    usual_hold,
)
from chalicelib.charging.service import paying
from chalicelib.charging.service.authorizing import (
    LONGEST_MEMORY,
    authorization_of,
    authorization_of_app,
    authorize_payer,
    is_app_token,
    operator_of,
)
from chalicelib.charging.service.keeping import save
from chalicelib.charging.service.pricing import price_for
from chalicelib.charging.service.reserving import use_reservation
from chalicelib.charging.service.watching import close_lost, close_unstarted
from chalicelib.charging.store.sessions import OCCUPANCIES, SESSIONS, OccupancyRow
from chalicelib.drivers import service as drivers
from chalicelib.drivers.model import looks_like_app_token
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.tariffs import service as tariffs
from chalicelib.tariffs.model import TariffVersion

Result = TypeVar("Result")

_MOST_SUPERSEDED = 4
"""Sessions that one start may find in its way: on its EVSE, and under its transaction id."""


@dataclass(frozen=True)
class Beginning:
    """What the charger said. `evse_no` 0: not yet which; `id_token` empty: nobody presented one. `started_at` is the
    charger's clock, `meter_start_wh` its register; `key` recognises a start that is sent again."""

    evse_no: int
    id_token: str
    transaction_id: TransactionId
    meter_start_wh: int | None
    started_at: datetime
    message_id: str
    key: str | None = None
    id_token_kind: str | None = None
    remote_start_id: int | None = None
    reservation_number: int | None = None


class Superseded(Exception):
    """Another session is still open in the way of this one. Raised before anything is written."""

    def __init__(self, session_id: str) -> None:
        super().__init__(session_id)
        self.session_id = session_id


def superseding(ctx: Context, decide: Callable[[], Result]) -> Result:
    """Runs `decide`; a session that it finds open in its way has lost its stop, and is closed first.

    In a commit of its own: that the old session is over is a fact whether or not this start lands, and what its hold
    gives back is there for the new one.
    """
    for _ in range(_MOST_SUPERSEDED):
        try:
            return decide()
        except Superseded as superseded:
            decide_and_commit(ctx, partial(_close_superseded, session_id=superseded.session_id))
    return decide()


def in_a_commit_before(ctx: Context, decide: Callable[[UnitOfWork], Result]) -> Result:
    """For a delivery whose begin and end are told at once: a hold cannot be placed and captured in one commit. Whoever
    is told again after a crash in between finds the session open, and only ends it."""
    return decide_and_commit(ctx, decide)


def begin_delivery(
    uow: UnitOfWork, charger: Charger, beginning: Beginning, place: Place
) -> tuple[ChargingSession, Authorization]:
    """The session of this delivery, begun, and what to answer. Call it inside `superseding`, before other writes."""
    present = place.present
    request = _find_request(uow.ctx, charger, beginning, present)
    told_late = present is not None and _is_told_late(present, beginning)
    if present is not None and present.has_evse and present != request and not told_late:
        if present.transaction_id == beginning.transaction_id:
            raise StaleRead("The transaction")  # another process has begun this very delivery meanwhile
        raise Superseded(present.session_id)
    if request is not None:
        authorization = authorization_of(uow.ctx, request)
        session = _begin(request, beginning)
        save(uow, request, session)
    else:
        session, authorization = _open_session(uow, charger, beginning, None if told_late else present)
    use_reservation(uow, charger, session, beginning.reservation_number)
    occupy(uow, beginning, session, place)
    # Only a request has its workflow already.
    outbox.emit(uow, "charging_session.started", session.session_id, {"requested": request is not None})
    return session, authorization


def authorize_running(
    uow: UnitOfWork, charger: Charger, session: ChargingSession, id_token: str, id_token_kind: str | None
) -> tuple[ChargingSession, Authorization]:
    """A delivery that began without an id token has got one: from now on its driver pays for all of it. Or nobody
    does, where the charger was set up to ask nobody.

    The caller writes the session.
    """
    if id_token_kind == NO_AUTHORIZATION:
        return replace(session, authorization="accepted", tariff_id=None, tariff_version=None), Authorization(
            "accepted"
        )
    authorization = authorize_payer(
        uow.ctx, charger=charger, id_token=id_token, id_token_kind=id_token_kind, began_at=session.started_at
    )
    if authorization.driver_groups:
        # Frozen when nobody was known: only now is there somebody who may have a price of their own.
        began_at = session.started_at or session.created_at
        session = _priced(session, _price_at(uow, charger, began_at, authorization.driver_groups))
    return _with_payer(uow, replace(session, id_token=id_token, origin="card"), authorization, None)


def occupy(uow: UnitOfWork, beginning: Beginning, session: ChargingSession, place: Place) -> None:
    """Points the EVSE at the session, unless another one runs there that began later."""
    before = place.occupancy
    if not beginning.evse_no:
        return
    after = _occupancy_after(charger_key(session.charger_id), beginning, session, place)
    if before is None:
        uow.create(OCCUPANCIES, after)
        return
    uow.put(
        OCCUPANCIES,
        after,
        condition=(OccupancyRow.session_id == before.session_id) & (OccupancyRow.history == before.history),
        on_conflict=StaleRead("The connector"),
    )


def _close_superseded(uow: UnitOfWork, session_id: str) -> None:
    session = lookup.require_session(uow.ctx, session_id)
    if session.is_pending:
        close_unstarted(uow, session, "cancelled", "another id token started")
    elif session.state in DELIVERING_STATES:
        close_lost(uow, session, "stop_missing")


def _find_request(
    ctx: Context, charger: Charger, beginning: Beginning, present: ChargingSession | None
) -> ChargingSession | None:
    """The request that this delivery answers: the one for its EVSE, else one for another EVSE of the charger, if the
    charger names it by its number or by its driver's app. People plug in where they like."""
    if present is not None and present.is_pending and _answers(beginning, present):
        return present
    if beginning.remote_start_id is None and not looks_like_app_token(beginning.id_token):
        return None
    elsewhere = [
        session
        for session in lookup.sessions_at(ctx, charger.charger_key)
        if session.is_pending and (session.evse_no != beginning.evse_no)
    ]
    named = [session for session in elsewhere if session.remote_start_id == beginning.remote_start_id]
    of_app = [session for session in elsewhere if is_app_token(session.driver_id or "", beginning.id_token)]
    return next(iter(named + of_app), None)


def _answers(beginning: Beginning, request: ChargingSession) -> bool:
    """2.x names our request by its number; some firmware writes the token in another case, or as another type."""
    if beginning.remote_start_id == request.remote_start_id:
        return True
    return beginning.id_token.upper() == request.id_token.upper()


def _is_told_late(present: ChargingSession, beginning: Beginning) -> bool:
    """An offline charger's memory, sent behind what runs now, or is asked for: the running session has not lost its
    stop, and what the driver asked for is still to come."""
    if present.is_pending:
        return beginning.started_at < present.created_at - START_TIMEOUT
    if present.state not in DELIVERING_STATES:
        return False
    return beginning.started_at < min(present.started_at or present.created_at, present.created_at)


def _occupancy_after(key: str, beginning: Beginning, session: ChargingSession, place: Place) -> Occupancy:
    before, present = place.occupancy, place.present
    if before and present and present.session_id != session.session_id and _is_told_late(present, beginning):
        return before.remembering(beginning.transaction_id, session.session_id)
    took_over = before is not None and before.session_id != session.session_id
    return Occupancy(
        charger_key=key,
        evse_no=beginning.evse_no,
        session_id=session.session_id,
        id_token=beginning.id_token,
        transaction_id=session.transaction_id,
        start_key=beginning.key,
        message_id=beginning.message_id,
        history=[] if before is None else before.history_for_successor() if took_over else before.history,
    )


def _begin(session: ChargingSession, beginning: Beginning) -> ChargingSession:
    return replace(
        session,
        state=SESSION_LIFECYCLE.next(session.state, "started"),
        evse_no=beginning.evse_no or session.evse_no,
        transaction_id=beginning.transaction_id,
        meter_start_wh=beginning.meter_start_wh,
        started_at=beginning.started_at,
    )


def _open_session(
    uow: UnitOfWork, charger: Charger, beginning: Beginning, before: ChargingSession | None
) -> tuple[ChargingSession, Authorization]:
    """A session for a start that nobody waits for: a card, a stranger, or a request of the app that is over."""
    most: int | None = None
    if before is not None and before.was_called_off and _answers(beginning, before):
        authorization = replace(_authorize_late(before, beginning), enterprise_id=before.enterprise_id)
        most = before.held
        session = _describe(uow, charger, beginning, _groups_of(uow.ctx, charger, before.driver_id))
        session = replace(session, origin="app", target=before.target, limits=before.limits)
    else:
        authorization = authorize_payer(
            uow.ctx,
            charger=charger,
            id_token=beginning.id_token,
            id_token_kind=beginning.id_token_kind,
            began_at=beginning.started_at,
        )
        session = _describe(uow, charger, beginning, authorization.driver_groups)
    session, authorization = _with_payer(uow, session, authorization, most)
    uow.create(SESSIONS, session)
    return session, authorization


def _with_payer(
    uow: UnitOfWork, session: ChargingSession, authorization: Authorization, most: int | None
) -> tuple[ChargingSession, Authorization]:
    """Holds what who pays has, `most` minor units at most (None: what is usual). Without a price, or money, the charger
    is told to stop."""
    session = replace(
        session,
        origin=session.origin if authorization.driver_id is not None else "unknown",
        driver_id=authorization.driver_id,
        enterprise_id=authorization.enterprise_id,
    )
    if session.tariff_id is None and session.id_token:
        authorization = replace(authorization, status="blocked")
    elif authorization.driver_id is not None:
        until = uow.ctx.now() + LONGEST_DELIVERY
        bound = usual_hold(session.currency) if most is None else Money(most, session.currency)
        session = paying.hold_what_is_there(uow, session, bound, until, known=authorization.available)
        if not session.held and authorization.status == "accepted":
            authorization = replace(authorization, status="no_credit")
    return replace(session, authorization=authorization.status), authorization


def _authorize_late(request: ChargingSession, beginning: Beginning) -> Authorization:
    """The start of a request that was called off or has expired. One that began while it was still wanted (the charger
    was offline and tells us now) is paid by the driver, for no more than was asked; a later one is told to stop."""
    in_time = request.ended_at is not None and beginning.started_at <= request.ended_at
    return authorization_of_app(request.driver_id or "", "accepted" if in_time else "blocked")


def _groups_of(ctx: Context, charger: Charger, driver_id: str | None) -> tuple[str, ...]:
    driver = None if driver_id is None else drivers.get_driver(ctx, driver_id)
    return () if driver is None else drivers.groups_at(driver.groups, charger.operator_id)


def _describe(
    uow: UnitOfWork, charger: Charger, beginning: Beginning, driver_groups: tuple[str, ...]
) -> ChargingSession:
    ctx = uow.ctx
    location = chargers.get_location(ctx, charger.location_id) if charger.location_id else None
    operator = operator_of(ctx, charger.operator_id)
    nobody_asked = beginning.id_token_kind == NO_AUTHORIZATION
    tariff = None if nobody_asked else _price_at(uow, charger, beginning.started_at, driver_groups)
    session = ChargingSession(
        session_id=ctx.new_id("ses"),
        state="charging",
        origin="card",
        target="full",
        operator_id=charger.operator_id,
        location_id=charger.location_id,
        charger_id=charger.charger_id,
        evse_no=beginning.evse_no,
        id_token=beginning.id_token,
        authorization="invalid",
        currency=operator.currency,
        time_zone=location.time_zone if location else operator.time_zone,
        business_zone=operator.time_zone,
        created_at=ctx.now(),
        transaction_id=beginning.transaction_id,
        meter_start_wh=beginning.meter_start_wh,
        started_at=beginning.started_at,
        agency_id=location.agency_id if location else None,
    )
    return _priced(session, tariff)


def _priced(session: ChargingSession, tariff: TariffVersion | None) -> ChargingSession:
    """The session with the price frozen into it, if there is one."""
    if tariff is None:
        return session
    return replace(session, currency=tariff.currency, tariff_id=tariff.tariff_id, tariff_version=tariff.version)


def _price_at(
    uow: UnitOfWork, charger: Charger, started_at: datetime, driver_groups: tuple[str, ...]
) -> TariffVersion | None:
    """What was asked when it began: a charger that was offline tells it later, and the price has changed meanwhile."""
    tariff = _tariff_or_none(uow, charger, driver_groups)
    if tariff is None or not timedelta(0) < uow.ctx.now() - started_at <= LONGEST_MEMORY:
        return tariff
    return tariffs.version_at(uow.ctx, tariff, started_at)


def _tariff_or_none(uow: UnitOfWork, charger: Charger, driver_groups: tuple[str, ...]) -> TariffVersion | None:
    """No tariff, no start; but what was delivered all the same is recorded."""
    try:
        return price_for(uow.ctx, charger, driver_groups)
    except DomainError as error:
        if error.kind is not Kind.NOT_FOUND and error.code != "tariff.none":
            raise
        return None
