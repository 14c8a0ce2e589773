"""BootNotification: the charger has started, and why (OCPP 2.0.1 B01 to B03).

One without a location is Pending until it is placed; it boots again every minute, which is no news for its journal.
"""

from __future__ import annotations

from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.pending import boot_answer
from chalicelib.ocpp.version import Inbound

_NO_NEWS: Final = frozenset({"Triggered"})
"""We asked for this one: nothing restarted."""
_TROUBLES: Final = frozenset({"Watchdog"})


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    charger, station = call.charger, call.payload["chargingStation"]
    modem = station.get("modem", {})
    chargers.record_boot(
        uow,
        charger,
        vendor=station["vendorName"],
        model=station["model"],
        firmware_version=station.get("firmwareVersion"),
        serial_number=station.get("serialNumber"),
        iccid=modem.get("iccid"),
        imsi=modem.get("imsi"),
    )
    reason = call.payload["reason"]
    if charger.is_placed and reason not in _NO_NEWS:
        maintenance.record_event(
            uow,
            charger,
            kind="boot",
            at=call.received_at,
            summary=reason,
            data=call.payload,
            severity="warning" if reason in _TROUBLES else None,
        )
    return boot_answer(charger, call.received_at)
