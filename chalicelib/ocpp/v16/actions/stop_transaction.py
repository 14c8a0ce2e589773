"""StopTransaction: delivery is over, and this is what the meter shows (OCPP 1.6 4.10). No rule of the business refuses
it, so it has no `refuse`: what could not be stored must not be answered as if it were."""

from __future__ import annotations

from typing import Final

from chalicelib.charging import service as charging
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.id_tokens import read_id_token
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.v16.id_tag_info import id_tag_info
from chalicelib.ocpp.v16.meter_values import read_samples
from chalicelib.ocpp.version import Inbound

_UNKNOWN: Final = 0
"""No transaction of ours: the id of a stop that does not tell whose end it is."""


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    authorization = charging.stop_by_charger(
        uow,
        charger=call.charger,
        transaction_id=call.payload.get("transactionId", _UNKNOWN),
        meter_stop_wh=call.payload.get("meterStop"),
        stopped_at=moment_or_receipt(call.payload["timestamp"], call.received_at),
        reason=call.payload.get("reason"),
        id_token=read_id_token(call.payload.get("idTag", "")) or None,
        samples=read_samples(call.payload.get("transactionData", []), call.received_at),
    )
    return {} if authorization is None else {"idTagInfo": id_tag_info(authorization)}
