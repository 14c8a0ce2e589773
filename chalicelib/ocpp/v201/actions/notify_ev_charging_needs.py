"""NotifyEVChargingNeeds: the car tells what it needs and waits for a schedule (OCPP 2.0.1 K15, K17).

Accepted promises one: SetChargingProfile goes out behind the answer. Rejected means that none will come.
"""

from __future__ import annotations

from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging.model import DELIVERING_STATES, TransactionId
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.v201.charging_needs import profile_for
from chalicelib.ocpp.v201.evses import evse_no_of
from chalicelib.ocpp.version import Inbound

REQUESTED_BY: Final = "charging_needs"


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    return {"status": "Accepted" if grant(uow, call) else "Rejected"}


def refuse(_call: Inbound, _error: DomainError) -> Payload:
    return {"status": "Rejected"}


def grant(uow: UnitOfWork, call: Inbound) -> bool:
    """Keeps the needs and queues the schedule; False when there is none to give: nobody charges there, or the car
    names no maximum."""
    needs, evse_no = call.payload["chargingNeeds"], evse_no_of(call.payload, call.charger)
    maintenance.record_event(
        uow,
        call.charger,
        kind="charging_needs",
        at=moment_or_receipt(call.payload.get("timestamp"), call.received_at),
        summary=f"{needs['requestedEnergyTransfer']} at EVSE {evse_no}",
        data=call.payload,
    )
    transaction_id = _transaction_at(uow.ctx, call.charger, evse_no)
    if transaction_id is None:
        return False
    profile = profile_for(
        needs, transaction_id=str(transaction_id), evse_no=evse_no, starts_at=to_rfc3339(call.received_at)
    )
    return profile is not None and _queue(uow, call, profile)


def _transaction_at(ctx: Context, charger: Charger, evse_no: int) -> TransactionId | None:
    """The transaction that is running on the EVSE."""
    session = lookup.look_at(ctx, charger.charger_key, evse_no).present
    return session.transaction_id if session is not None and session.state in DELIVERING_STATES else None


def _queue(uow: UnitOfWork, call: Inbound, profile: Payload) -> bool:
    try:
        chargers.queue_command(
            uow,
            charger_id=call.charger.charger_id,
            action="SetChargingProfile",
            payload=profile,
            requested_by=REQUESTED_BY,
        )
    except DomainError as error:
        if error.kind is not Kind.CONFLICT:
            raise
        return False  # its queue is full: no schedule will come in time
    return True
