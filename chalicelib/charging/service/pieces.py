"""What the pieces of a 2.x transaction say, taken together: is it a delivery, where, from when and which register on,
and what is still missing. Called by `transactions`; reads, and writes nothing.
"""

from __future__ import annotations

from datetime import datetime

from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.model import (
    BEGIN_TIMEOUT,
    ChargingSession,
    OcppTransaction,
    TransactionEvent,
    first_register_wh,
)
from chalicelib.charging.store import transaction_pk
from chalicelib.kernel.context import Context
from chalicelib.kernel.ids import number_of


def is_delivery(ctx: Context, learned: OcppTransaction, event: TransactionEvent) -> bool:
    """Somebody presented something, or energy flows: a car that was plugged in for nothing is no order."""
    if learned.id_token is not None or learned.remote_start_id is not None or event.charging_state == "Charging":
        return True
    registers = [learned.end_wh, event.end_wh, *(sample.energy_wh for sample in event.samples)]
    highest_wh = max((register for register in registers if register is not None), default=None)
    if highest_wh is None:
        return False
    begin_wh = learned.begin_wh
    if begin_wh is None:
        begin_wh = lookup.first_register_wh(ctx, _readings(learned))
    return begin_wh is not None and highest_wh > begin_wh


def may_be_asked_for(ctx: Context, charger: Charger, learned: OcppTransaction) -> bool:
    """Energy without a name where a driver has asked for a charge: the piece that names the request may be on its way,
    so it is nobody's session yet. The readings are kept; whose they are, that piece tells, or the end, or the time."""
    if learned.id_token is not None or learned.remote_start_id is not None:
        return False
    if learned.started_at is not None and learned.ended_at is not None:
        return False
    evse_no = evse_no_of(ctx, charger, learned)
    present = lookup.look_at(ctx, charger.charger_key, evse_no).present
    here = [] if present is None else [present]
    return any(
        session.is_pending or (session.was_called_off and ctx.now() - _over_since(session) < BEGIN_TIMEOUT)
        for session in (here if evse_no else lookup.sessions_at(ctx, charger.charger_key))
    )


def _over_since(session: ChargingSession) -> datetime:
    return session.ended_at or session.created_at


def evse_no_of(ctx: Context, charger: Charger, learned: OcppTransaction) -> int:
    """As the charger says; where we asked it to start; its only one. Else 0: never a guess."""
    if learned.evse_no:
        return learned.evse_no
    if learned.remote_start_id is not None:
        for occupancy in lookup.list_occupancies(ctx, learned.charger_key):
            if number_of(occupancy.session_id) == learned.remote_start_id:
                return occupancy.evse_no
    return charger.only_evse_no


def working_start_wh(ctx: Context, learned: OcppTransaction, event: TransactionEvent) -> int | None:
    """The register to meter from: the begin as it was told, else the first that anybody saw."""
    if learned.begin_wh is not None:
        return learned.begin_wh
    seen_wh = lookup.first_register_wh(ctx, _readings(learned))
    return first_register_wh(event.samples) if seen_wh is None else seen_wh


def began_at(learned: OcppTransaction, event: TransactionEvent) -> datetime:
    """When the first id token or the first energy was seen; of an end that stands alone, its oldest reading."""
    if event.kind != "ended":
        return event.at
    return learned.started_at or min([event.at, *(sample.taken_at for sample in event.samples)])


def lacks_begin(learned: OcppTransaction, session: ChargingSession) -> bool:
    """The piece that began it was never heard, and with it who pays, or from where on."""
    return learned.started_at is None and (learned.begin_wh is None or is_unpaid(session))


def is_unbilled(learned: OcppTransaction, session: ChargingSession | None) -> bool:
    """Energy may have flowed of which no session tells: its begin was never told, or the session was given up."""
    if session is not None:
        return session.state == "abnormal"
    return learned.started_at is None or (learned.begin_wh is None and learned.end_wh is not None)


def is_unpaid(session: ChargingSession) -> bool:
    """It began with energy alone: nobody has presented anything yet."""
    return not session.id_token and session.authorization != "accepted"


def _readings(known: OcppTransaction) -> str:
    return transaction_pk(known.charger_key, known.transaction_id)
