"""NotifyEVChargingSchedule: the plan that the car made of our limits (OCPP 2.0.1 K15, K17). We set no limit that it
could break, so it is taken as it is, and kept."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    maintenance.record_event(
        uow,
        call.charger,
        kind="charging_schedule",
        at=moment_or_receipt(payload["timeBase"], call.received_at),
        summary=f"the car's schedule at EVSE {payload['evseId']}",
        data=payload,
    )
    return {"status": "Accepted"}
