"""Simulated charger → platform in OCPP 1.6."""

from __future__ import annotations

from typing import Any, Final

from infra.local.simulators.device_model import ENERGY, MEASURANDS, POWER
from infra.local.simulators.evse import Delivery, Evse, Interrupted, Reservation, Status, Stop
from infra.local.simulators.face import Boot, BootReason, Call, text_of
from infra.local.simulators.hardware import Hardware

_STATUSES: Final[dict[Status, str]] = {
    "available": "Available",
    "preparing": "Preparing",
    "charging": "Charging",
    "suspended": "SuspendedEVSE",
    "finishing": "Finishing",
    "reserved": "Reserved",
    "unavailable": "Unavailable",
}
_REASONS: Final[dict[Stop, str]] = {
    "remote": "Remote",
    "full": "Local",
    "deauthorized": "DeAuthorized",
    "soft_reset": "SoftReset",
    "hard_reset": "HardReset",
    "unlocked": "UnlockCommand",
    "power_loss": "PowerLoss",
}


class Telling:
    subprotocol: Final = "ocpp1.6"

    def __init__(self, identity: str, hardware: Hardware, call: Call) -> None:
        self._identity = identity
        self._hardware = hardware
        self._call = call

    async def boot(self, _why: BootReason) -> Boot:
        """1.6 has no reason."""
        answer = await self._call(
            "BootNotification",
            {
                "chargePointVendor": "Wattfare",
                "chargePointModel": "Simulator AC 2x11",
                "chargePointSerialNumber": self._identity[:25],
                "firmwareVersion": "1.0.0",
            },
        )
        return Boot(answer["status"] == "Accepted", answer["interval"])

    async def heartbeat(self) -> None:
        await self._call("Heartbeat", {})

    def status_word(self, evse: Evse) -> str:
        return _STATUSES[evse.status]

    async def tell_status(self, evse: Evse) -> None:
        payload = {"connectorId": evse.evse_no, "errorCode": "NoError", "status": self.status_word(evse)}
        await self._call("StatusNotification", payload | {"timestamp": self._now()})

    async def begin(self, evse: Evse, delivery: Delivery) -> bool:
        # Sent again after a lost answer this is the same start, to the millisecond.
        payload: dict[str, Any] = {
            "connectorId": evse.evse_no,
            "idTag": delivery.id_token.text,
            "meterStart": delivery.started_wh,
            "timestamp": text_of(delivery.plugged_at),
        }
        if delivery.reservation_number is not None:
            payload["reservationId"] = delivery.reservation_number
        answer = await self._call("StartTransaction", payload)
        delivery.transaction_id = answer["transactionId"]
        return bool(answer["idTagInfo"]["status"] == "Accepted")

    async def meter(self, evse: Evse, delivery: Delivery) -> None:
        await self._tell_meter(evse, delivery, "Sample.Periodic")

    async def tell_reading(self, evse: Evse) -> None:
        """A reading that was asked for, in a delivery or outside of one."""
        evse.measure(self._hardware.now())
        await self._tell_meter(evse, evse.delivery, "Trigger")

    async def end(self, evse: Evse, delivery: Delivery, why: Stop) -> None:
        await self._tell_stop(evse, delivery.transaction_id, _REASONS[why])

    async def end_interrupted(self, evse: Evse, interrupted: Interrupted) -> None:
        await self._tell_stop(evse, interrupted.transaction_id, _REASONS["power_loss"])

    async def tell_expired(self, _reservation: Reservation) -> None:
        """1.6 has no message for it: the status says so."""

    async def _tell_meter(self, evse: Evse, delivery: Delivery | None, context: str) -> None:
        shown = {ENERGY: (evse.register_wh, "Wh"), POWER: (evse.power_w, "W")}
        sampled = [
            {"value": str(shown[name][0]), "context": context, "measurand": name, "unit": shown[name][1]}
            for name in self._hardware.variables[MEASURANDS].split(",")
        ]
        payload: dict[str, Any] = {
            "connectorId": evse.evse_no,
            "meterValue": [{"timestamp": self._now(), "sampledValue": sampled}],
        }
        if delivery is not None and delivery.transaction_id is not None:
            payload["transactionId"] = delivery.transaction_id
        await self._call("MeterValues", payload)

    async def _tell_stop(self, evse: Evse, transaction_id: int | str | None, reason: str) -> None:
        payload = {
            "transactionId": transaction_id,
            "meterStop": evse.register_wh,
            "timestamp": self._now(),
            "reason": reason,
        }
        await self._call("StopTransaction", payload)

    def _now(self) -> str:
        return text_of(self._hardware.now())
