"""NotifyChargingLimit: somebody outside (grid, energy management) limits the charger (OCPP 2.0.1 K11, K12)."""

from __future__ import annotations

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    where = f" at EVSE {payload['evseId']}" if payload.get("evseId") else ""
    maintenance.record_event(
        uow,
        call.charger,
        kind="charging_limit",
        at=call.received_at,
        summary=f"limit of {payload['chargingLimit']['chargingLimitSource']}{where} set",
        data=payload,
    )
    return {}
