"""BootNotification: the charger has started (OCPP 1.6 4.2).

One without a location is Pending until it is placed; it boots again every minute, which is no news for its journal.
"""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.pending import boot_answer
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    charger, payload = call.charger, call.payload
    chargers.record_boot(
        uow,
        charger,
        vendor=payload["chargePointVendor"],
        model=payload["chargePointModel"],
        firmware_version=payload.get("firmwareVersion"),
        serial_number=payload.get("chargePointSerialNumber") or payload.get("chargeBoxSerialNumber"),
        iccid=payload.get("iccid"),
        imsi=payload.get("imsi"),
    )
    if charger.is_placed:
        names = ("chargePointVendor", "chargePointModel", "firmwareVersion")
        summary = " ".join(payload[name] for name in names if payload.get(name))
        maintenance.record_event(
            uow, charger, kind="boot", at=call.received_at, summary=summary or "started", data=payload
        )
    return boot_answer(charger, call.received_at)
