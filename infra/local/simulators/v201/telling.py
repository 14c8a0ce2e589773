"""Simulated charger → platform in OCPP 2.0.1. A delivery is told in events, each of them until it is answered."""

from __future__ import annotations

import uuid
from typing import Any, Final

from infra.local.simulators.device_model import ENERGY, MEASURANDS, POWER
from infra.local.simulators.evse import Delivery, Evse, Interrupted, Reservation, Status, Stop
from infra.local.simulators.face import Boot, BootReason, Call, text_of
from infra.local.simulators.hardware import Hardware
from infra.local.simulators.ocpp_client import Payload, Refused

MAX_REFUSALS: Final = 3
"""E13: MessageAttempts(TransactionEvent). After so many the event is given up."""

_STATUSES: Final[dict[Status, str]] = {
    "available": "Available",
    "preparing": "Occupied",
    "charging": "Occupied",
    "suspended": "Occupied",
    "finishing": "Occupied",
    "reserved": "Reserved",
    "unavailable": "Unavailable",
}
_BOOT_REASONS: Final[dict[BootReason, str]] = {
    "power_up": "PowerUp",
    "remote_reset": "RemoteReset",
    "scheduled_reset": "ScheduledReset",
    "triggered": "Triggered",
}
_ENDINGS: Final[dict[Stop, tuple[str, str]]] = {
    "remote": ("RemoteStop", "Remote"),
    "full": ("ChargingStateChanged", "StoppedByEV"),
    "deauthorized": ("Deauthorized", "DeAuthorized"),
    "soft_reset": ("ResetCommand", "ImmediateReset"),
    "hard_reset": ("ResetCommand", "ImmediateReset"),
    "unlocked": ("UnlockCommand", "Other"),
    "power_loss": ("AbnormalCondition", "PowerLoss"),
}
"""Trigger and reason of the last event (E06, E07)."""
_UNITS: Final = {ENERGY: "Wh", POWER: "W"}


class Telling:
    subprotocol: Final = "ocpp2.0.1"

    def __init__(self, identity: str, hardware: Hardware, call: Call) -> None:
        self._identity = identity
        self._hardware = hardware
        self._call = call

    async def boot(self, why: BootReason) -> Boot:
        station = {
            "vendorName": "Wattfare",
            "model": "Simulator AC 2x11",
            "serialNumber": self._identity[:25],
            "firmwareVersion": "1.0.0",
        }
        answer = await self._call("BootNotification", {"reason": _BOOT_REASONS[why], "chargingStation": station})
        return Boot(answer["status"] == "Accepted", answer["interval"])

    async def heartbeat(self) -> None:
        await self._call("Heartbeat", {})

    def status_word(self, evse: Evse) -> str:
        return _STATUSES[evse.status]

    async def tell_status(self, evse: Evse) -> None:
        payload = {"evseId": evse.evse_no, "connectorId": 1, "connectorStatus": self.status_word(evse)}
        await self._call("StatusNotification", payload | {"timestamp": self._now()})

    async def tell_expired(self, reservation: Reservation) -> None:
        payload = {"reservationId": reservation.number, "reservationUpdateStatus": "Expired"}
        await self._call("ReservationStatusUpdate", payload)

    # -- deliveries -------------------------------------------------------------------------------------------------

    async def begin(self, evse: Evse, delivery: Delivery) -> bool:
        if delivery.transaction_id is None:
            delivery.transaction_id = str(uuid.uuid4())
            started = self._event(evse, delivery, "Started", "RemoteStart", self._reading(evse, "Transaction.Begin"))
            started["timestamp"] = text_of(delivery.plugged_at)
            started["idToken"] = {"idToken": delivery.id_token.text, "type": delivery.id_token.kind}
            if delivery.remote_start_id is not None:
                started["transactionInfo"]["remoteStartId"] = delivery.remote_start_id
            if delivery.reservation_number is not None:
                started["reservationId"] = delivery.reservation_number
            self._queue(delivery, started)
        answer = await self._send(delivery)
        return bool(answer.get("idTokenInfo", {}).get("status", "Accepted") == "Accepted")

    async def meter(self, evse: Evse, delivery: Delivery) -> None:
        """What could not be told before is told instead; the next reading comes in its time."""
        if not delivery.unsent:
            changed = self._charging_state(evse) != delivery.charging_state
            trigger = "ChargingStateChanged" if changed else "MeterValuePeriodic"
            reading = self._reading(evse, "Sample.Periodic", self._measurands())
            self._queue(delivery, self._event(evse, delivery, "Updated", trigger, reading))
        await self._send(delivery)

    async def tell_transaction(self, evse: Evse) -> None:
        """A reading of the delivery that was asked for; nothing if it is over by now."""
        delivery = evse.delivery
        if delivery is None or not delivery.is_running:
            return
        if not delivery.unsent:
            evse.measure(self._hardware.now())
            reading = self._reading(evse, "Trigger", self._measurands())
            self._queue(delivery, self._event(evse, delivery, "Updated", "Trigger", reading))
        await self._send(delivery)

    async def tell_reading(self, evse: Evse) -> None:
        evse.measure(self._hardware.now())
        reading = self._reading(evse, "Trigger", self._measurands())
        await self._call("MeterValues", {"evseId": evse.evse_no, "meterValue": [reading]})

    async def end(self, evse: Evse, delivery: Delivery, why: Stop) -> None:
        if not delivery.unsent or delivery.unsent[-1]["eventType"] != "Ended":
            trigger, reason = _ENDINGS[why]
            evse.power_w = 0
            ended = self._event(evse, delivery, "Ended", trigger, self._reading(evse, "Transaction.End"))
            ended["transactionInfo"] |= {"stoppedReason": reason, "chargingState": "EVConnected"}
            self._queue(delivery, ended)
        await self._send(delivery)

    async def end_interrupted(self, evse: Evse, interrupted: Interrupted) -> None:
        trigger, reason = _ENDINGS["power_loss"]
        await self._call(
            "TransactionEvent",
            {
                "eventType": "Ended",
                "timestamp": self._now(),
                "triggerReason": trigger,
                "seqNo": interrupted.seq_no,
                "transactionInfo": {"transactionId": str(interrupted.transaction_id), "stoppedReason": reason},
                "evse": {"id": evse.evse_no, "connectorId": 1},
                "meterValue": [self._reading(evse, "Transaction.End")],
            },
        )

    # -- events -----------------------------------------------------------------------------------------------------

    def _event(self, evse: Evse, delivery: Delivery, kind: str, trigger: str, reading: Payload) -> dict[str, Any]:
        delivery.charging_state = self._charging_state(evse)
        return {
            "eventType": kind,
            "timestamp": self._now(),
            "triggerReason": trigger,
            "seqNo": delivery.seq_no,
            "transactionInfo": {
                "transactionId": delivery.transaction_id,
                "chargingState": delivery.charging_state,
            },
            "evse": {"id": evse.evse_no, "connectorId": 1},
            "meterValue": [reading],
        }

    def _queue(self, delivery: Delivery, event: dict[str, Any]) -> None:
        """Its number is taken before it is sent: after a power loss none is used twice."""
        delivery.unsent.append(event)
        delivery.seq_no += 1
        self._hardware.keep()

    async def _send(self, delivery: Delivery) -> Payload:
        """The answer to the last event. Raises Disconnected, Refused: what was not answered stays."""
        answer: Payload = {}
        while delivery.unsent:
            try:
                answer = await self._call("TransactionEvent", delivery.unsent[0])
            except Refused:
                delivery.refusals += 1
                if delivery.refusals < MAX_REFUSALS:
                    raise
            delivery.unsent.popleft()
            delivery.refusals = 0
        return answer

    @staticmethod
    def _charging_state(evse: Evse) -> str:
        return "Charging" if evse.power_w else "SuspendedEVSE"

    def _measurands(self) -> list[str]:
        return self._hardware.variables[MEASURANDS].split(",")

    def _reading(self, evse: Evse, context: str, measurands: list[str] | None = None) -> dict[str, Any]:
        """Without a list: the register alone."""
        shown = {ENERGY: evse.register_wh, POWER: evse.power_w}
        sampled = [
            {"value": shown[name], "context": context, "measurand": name, "unitOfMeasure": {"unit": _UNITS[name]}}
            for name in measurands or [ENERGY]
        ]
        return {"timestamp": self._now(), "sampledValue": sampled}

    def _now(self) -> str:
        return text_of(self._hardware.now())
