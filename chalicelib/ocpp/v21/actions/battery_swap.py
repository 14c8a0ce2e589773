"""BatterySwap: somebody put batteries in or took them out (OCPP 2.1 S). The platform sells no swaps: nobody pays, and
it is kept with the request that it answers."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import request_topic
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    batteries = ", ".join(battery["serialNumber"] for battery in payload["batteryData"])
    maintenance.record_event(
        uow,
        call.charger,
        kind="device",
        at=call.received_at,
        summary=f"{payload['eventType']}: {batteries}",
        data=payload,
    )
    topic = request_topic(payload["requestId"])
    chargers.follow_up(uow, call.charger.charger_id, topic, payload["eventType"], batteries)
    return {}
