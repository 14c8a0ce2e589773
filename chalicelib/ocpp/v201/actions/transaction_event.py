"""TransactionEvent: one piece of what the charger tells about a transaction (OCPP 2.0.1 E01 to E15).

Pieces may come twice, late or out of order; charging puts them together. The answer says whether to go on (only when
an id token was presented), and what it costs so far.
"""

from __future__ import annotations

from typing import Final

from chalicelib.chargers.model import Charger
from chalicelib.charging import lookup
from chalicelib.charging import service as charging
from chalicelib.charging.model import EventKind, EventOutcome, TransactionEvent
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.id_tokens import read_id_token
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.v201.evses import delivering_evse_no
from chalicelib.ocpp.v201.id_token_info import INVALID, id_token_info
from chalicelib.ocpp.v201.meter_values import BEGIN, END, read_samples, register_at
from chalicelib.ocpp.version import Inbound

KINDS: Final[dict[str, EventKind]] = {"Started": "started", "Updated": "updated", "Ended": "ended"}


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    return answer_of(record(uow, call))


def record(uow: UnitOfWork, call: Inbound) -> EventOutcome:
    """What became of the event. One that does not tell its transaction (a broken frame) still meters its EVSE."""
    if "transactionInfo" in call.payload:
        return charging.record_transaction_event(uow, charger=call.charger, event=_read_event(call))
    charging.record_meter_values(
        uow,
        charger=call.charger,
        evse_no=delivering_evse_no(call.payload) or call.charger.only_evse_no,
        transaction_id=None,
        samples=read_samples(call.payload.get("meterValue", []), call.received_at),
    )
    return EventOutcome()


def decides(payload: Payload) -> bool:
    """Whether somebody's money may depend on it: what merely meters goes on with what is known of the charger."""
    return payload.get("eventType") == "Started" or "idToken" in payload


def is_of_known_transaction(ctx: Context, charger: Charger, payload: Payload) -> bool:
    """Whether it tells on about a delivery that was begun before the charger was taken from its location."""
    told = payload.get("transactionInfo")
    return told is not None and lookup.find_transaction(ctx, charger.charger_key, told["transactionId"]) is not None


def refuse(call: Inbound, _error: DomainError) -> Payload:
    """A rule was not met: whoever presented an id token may not charge; of the rest nothing can be told."""
    return {"idTokenInfo": id_token_info(INVALID)} if "idToken" in call.payload else {}


def _read_event(call: Inbound) -> TransactionEvent:
    payload = call.payload
    told, presented = payload["transactionInfo"], payload.get("idToken")
    meter_values = payload.get("meterValue", [])
    return TransactionEvent(
        kind=KINDS[payload["eventType"]],
        transaction_id=told["transactionId"],
        seq_no=payload.get("seqNo", 0),
        at=moment_or_receipt(payload["timestamp"], call.received_at),
        message_id=call.message_id,
        evse_no=delivering_evse_no(payload),
        id_token=None if presented is None else read_id_token(presented["idToken"]),
        id_token_kind=None if presented is None else presented["type"],
        trigger=payload.get("triggerReason", ""),
        charging_state=told.get("chargingState"),
        stop_reason=told.get("stoppedReason"),
        samples=read_samples(meter_values, call.received_at),
        begin_wh=register_at(BEGIN, meter_values),
        end_wh=register_at(END, meter_values),
        offline=payload.get("offline", False),
        remote_start_id=told.get("remoteStartId"),
        reservation_number=payload.get("reservationId"),
    )


def answer_of(outcome: EventOutcome) -> Payload:
    answer: Payload = {}
    if outcome.authorization is not None:
        answer["idTokenInfo"] = id_token_info(outcome.authorization)
    if outcome.total_cost is not None:
        answer["totalCost"] = major_units(outcome.total_cost)
    return answer


def major_units(money: Money) -> float:
    """The amount as OCPP writes it: a JSON number of euros. The last step before the wire, nothing computes with it."""
    return float(money.to_decimal())
