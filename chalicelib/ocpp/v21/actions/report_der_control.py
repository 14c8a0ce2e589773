"""ReportDERControl: the controls of the distributed energy resource that were asked for, in parts (OCPP 2.1 R)."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import request_topic
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.words import is_last
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    maintenance.record_event(
        uow,
        call.charger,
        kind="device",
        at=call.received_at,
        summary=f"DER controls, request {payload['requestId']}",
        data=payload,
    )
    if is_last(payload):
        chargers.follow_up(uow, call.charger.charger_id, request_topic(payload["requestId"]), "reported")
    return {}
