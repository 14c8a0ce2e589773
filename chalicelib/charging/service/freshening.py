"""Fresh values while a driver watches: the charger is asked for a reading now and then (docs/decisions/0020).

Called by the driver's endpoint. It has a commit of its own and never fails its caller: who looks is shown what is
there, and the fresh reading is seen at the next look.
"""

from __future__ import annotations

from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.chargers import service as chargers
from chalicelib.charging.model import DELIVERING_STATES, ChargingSession, MeterReading
from chalicelib.charging.store import session_pk
from chalicelib.charging.store.sessions import SESSIONS, SessionRow
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import UnitOfWork

FRESH_FOR = timedelta(seconds=20)
ASK_EVERY = timedelta(seconds=15)
ASK_AFTER_REFUSAL = timedelta(minutes=10)
"""Not every charger knows TriggerMessage; it is not asked with every look."""


def ask_for_fresh_values(ctx: Context, session: ChargingSession, reading: MeterReading | None) -> None:
    """Asks for a reading of a delivery whose last one was received FRESH_FOR ago: once in ASK_EVERY per session, and
    only a charger that is there and has nothing else to do."""
    now = ctx.now()
    if session.state not in DELIVERING_STATES or session.awaits_begin:
        return
    if reading is not None and now - reading.received_at < FRESH_FOR:
        return
    if session.fresh_after is not None and now < session.fresh_after:
        return
    link = chargers.get_link(ctx, session.charger_id)
    if link is None or link.connection_id is None or link.inflight_command_id is not None or link.outbound:
        return
    uow = UnitOfWork(ctx)
    try:
        _ask(uow, session)
        uow.commit()
    except (DomainError, ClientError, BotoCoreError) as error:
        logger.info("fresh values not asked for", extra={"session_id": session.session_id, "error": str(error)})


def handle_trigger_answer(uow: UnitOfWork, *, session_id: str, accepted: bool) -> None:
    """A charger that does not do it is left alone for ASK_AFTER_REFUSAL."""
    if not accepted:
        uow.update(
            SESSIONS,
            (session_pk(session_id), "session"),
            [SessionRow.fresh_after.set(uow.ctx.now() + ASK_AFTER_REFUSAL)],
            condition=SessionRow.pk.exists(),
        )


def _ask(uow: UnitOfWork, session: ChargingSession) -> None:
    now = uow.ctx.now()
    due = SessionRow.fresh_after.does_not_exist() | (SessionRow.fresh_after <= now)
    uow.update(
        SESSIONS,
        (session_pk(session.session_id), "session"),
        [SessionRow.fresh_after.set(now + ASK_EVERY)],
        condition=SessionRow.pk.exists() & due,
    )
    chargers.queue_command(
        uow,
        charger_id=session.charger_id,
        action="trigger_meter_values",
        payload={"evse_no": session.evse_no, "transaction_id": session.transaction_id},
        requested_by=session.driver_id or "driver",
        session_id=session.session_id,
    )
