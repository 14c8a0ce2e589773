"""StartTransaction: the charger has begun to deliver (OCPP 1.6 4.8). It is told whether it may go on."""

from __future__ import annotations

from datetime import datetime

from chalicelib.chargers.model import charger_key
from chalicelib.charging import service as charging
from chalicelib.charging.model import derive_transaction_id, start_key
from chalicelib.kernel.errors import DomainError, invalid
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.id_tokens import read_id_token
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.v16.connectors import evse_no_of
from chalicelib.ocpp.v16.id_tag_info import INVALID, id_tag_info
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    evse_no = evse_no_of(call.payload, call.charger)
    if evse_no == 0:
        raise invalid("evse.not_found", "Nothing charges at connector 0.", "/connectorId")
    outcome = charging.start_by_charger(
        uow,
        charger=call.charger,
        evse_no=evse_no,
        id_token=_id_token(call.payload),
        meter_start_wh=call.payload.get("meterStart"),
        started_at=_started_at(call),
        message_id=call.message_id,
        reservation_number=_reservation_number(call.payload),
    )
    return {"transactionId": outcome.transaction_id, "idTagInfo": id_tag_info(outcome.authorization)}


def refuse(call: Inbound, _error: DomainError) -> Payload:
    """Not accepted, but with an id: the charger needs one to report its stop under, and would ask again without."""
    payload = call.payload
    key = start_key(_id_token(payload), _started_at(call), payload.get("meterStart"))
    transaction_id = derive_transaction_id(charger_key(call.charger.charger_id), payload.get("connectorId", 0), key)
    return {"transactionId": transaction_id, "idTagInfo": id_tag_info(INVALID)}


def _id_token(payload: Payload) -> str:
    return read_id_token(payload.get("idTag", ""))


def _started_at(call: Inbound) -> datetime:
    return moment_or_receipt(call.payload["timestamp"], call.received_at)


def _reservation_number(payload: Payload) -> int | None:
    """Chargers without a reservation leave it out, or fill in 0 or -1."""
    number: int = payload.get("reservationId", 0)
    return number if number > 0 else None
