"""StartTransaction (OCPP 1.6 4.8), in words of the business: one frame tells the whole beginning.

The invariant: one physical start is one session, however often and under whatever message ids it is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    DELIVERING_STATES,
    Authorization,
    ChargingSession,
    Occupancy,
    TransactionId,
    derive_transaction_id,
    start_key,
)
from chalicelib.charging.service.authorizing import authorization_of
from chalicelib.charging.service.opening import Beginning, begin_delivery, superseding
from chalicelib.kernel.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class StartOutcome:
    transaction_id: int
    authorization: Authorization


@dataclass(frozen=True)
class Start:
    """What the charger said. `started_at` is the charger's clock, `meter_start_wh` its register (None: not told)."""

    charger_key: str
    evse_no: int
    id_token: str
    meter_start_wh: int | None
    started_at: datetime
    message_id: str

    @property
    def key(self) -> str:
        return start_key(self.id_token, self.started_at, self.meter_start_wh)

    def transaction_id(self, salt: str = "") -> int:
        return derive_transaction_id(self.charger_key, self.evse_no, self.key, salt)


def start_by_charger(
    uow: UnitOfWork,
    *,
    charger: Charger,
    evse_no: int,
    id_token: str,
    meter_start_wh: int | None,
    started_at: datetime,
    message_id: str,
    reservation_number: int | None = None,
) -> StartOutcome:
    """Finds or makes the charging session of this delivery and gives it a transaction id.

    The same start sent again (also under another message id) gets the same answer and changes nothing. A session
    that was still open on the EVSE has lost its stop: it is closed as abnormal at its last meter value.
    """
    start = Start(charger.charger_key, evse_no, id_token, meter_start_wh, started_at, message_id)
    return superseding(uow.ctx, lambda: _start(uow, charger, start, reservation_number))


def _start(uow: UnitOfWork, charger: Charger, start: Start, reservation_number: int | None) -> StartOutcome:
    place = lookup.look_at(uow.ctx, charger.charger_key, start.evse_no)
    if place.occupancy is not None:
        repeated = _find_repeated(uow, place.occupancy, place.present, start)
        if repeated is not None:
            return StartOutcome(_number(repeated.transaction_id), authorization_of(uow.ctx, repeated))
    transaction_id = start.transaction_id()
    if place.occupancy is not None and place.occupancy.session_of(transaction_id) is not None:
        transaction_id = start.transaction_id(start.message_id)
    beginning = Beginning(
        evse_no=start.evse_no,
        id_token=start.id_token,
        transaction_id=transaction_id,
        meter_start_wh=start.meter_start_wh,
        started_at=start.started_at,
        message_id=start.message_id,
        key=start.key,
        reservation_number=reservation_number,
    )
    _, authorization = begin_delivery(uow, charger, beginning, place)
    return StartOutcome(transaction_id, authorization)


def _find_repeated(
    uow: UnitOfWork, occupancy: Occupancy, present: ChargingSession | None, start: Start
) -> ChargingSession | None:
    """The session that this start made when it was told before: the present one, or one that is over.

    A charger whose clock stands still starts again and again with the same key; but not while another session runs,
    nor with a register that has moved on since.
    """
    if present is not None and _is_repeated(occupancy, present, start):
        return present
    earlier_id = occupancy.session_of(start.transaction_id())
    earlier = None if earlier_id is None else lookup.find_session(uow.ctx, earlier_id)
    if earlier is None or DELIVERING_STATES & {earlier.state, "" if present is None else present.state}:
        return earlier
    return earlier if (earlier.meter_stop_wh or 0) > (start.meter_start_wh or 0) > 0 else None


def _is_repeated(occupancy: Occupancy, present: ChargingSession, start: Start) -> bool:
    same_message = occupancy.message_id == start.message_id
    if occupancy.start_key == start.key:
        return present.state in DELIVERING_STATES or same_message
    # One whose clock cannot be used is dated by us, at another moment each time that it repeats itself.
    return (
        same_message
        and present.state in DELIVERING_STATES
        and present.meter_start_wh == start.meter_start_wh
        and occupancy.id_token.upper() == start.id_token.upper()
    )


def _number(transaction_id: TransactionId | None) -> int:
    """1.6 numbers its transactions; a charger that has just been downgraded from 2.x repeats none of its own."""
    return transaction_id if isinstance(transaction_id, int) else 0
