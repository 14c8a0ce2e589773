"""A simulated charger: boots, reports, charges a car when told to, and survives whatever the network does.

`fleet.py` calls `act` whenever `next_due` has come, on the platform's virtual clock, so that an hour's charge passes
when somebody moves the clock by an hour. What it would keep in its own flash memory (meters, the transaction that
runs) is in a file: after a restart it reports a power loss, as real ones do.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from infra.local.simulators.ocpp_client import Disconnected, OcppClient, Payload, Refused, Unsupported

FIRST_BACKOFF: Final = timedelta(seconds=1)
LAST_BACKOFF: Final = timedelta(minutes=1)
PENDING_RETRY: Final = timedelta(seconds=60)
PLUG_IN_TIME: Final = timedelta(seconds=3)
METER_INTERVAL: Final = timedelta(seconds=15)
RESET_TIME: Final = timedelta(seconds=5)
CAR_TAKES_WH: Final = 40_000
_MS_PER_HOUR: Final = 3_600_000

_LOG = logging.getLogger(__name__)


@dataclass
class Evse:
    """One connector and the car at it. `register_wh` is what the meter showed at `measured_at`."""

    evse_no: int
    register_wh: int = 0
    status: str = "Available"
    id_tag: str | None = None
    plugged_at: datetime | None = None
    started_wh: int = 0
    transaction_id: int | None = None
    measured_at: datetime | None = None
    meter_due: datetime | None = None
    stop_reason: str | None = None

    @property
    def is_free(self) -> bool:
        return self.status == "Available" and self.id_tag is None

    def next_due(self) -> datetime | None:
        if self.transaction_id is None:
            return self.plugged_at
        return self.measured_at if self.stop_reason else self.meter_due

    def measure(self, now: datetime, power_w: int) -> None:
        """Reads the meter: whole Wh, the rest is carried on in time."""
        if self.measured_at is None:
            self.measured_at = now
            return
        elapsed_ms = max(0, (now - self.measured_at) // timedelta(milliseconds=1))
        delivered_wh = power_w * elapsed_ms // _MS_PER_HOUR
        self.register_wh += delivered_wh
        self.measured_at += timedelta(milliseconds=-(-delivered_wh * _MS_PER_HOUR // power_w))


@dataclass(frozen=True)
class Remembered:
    """What an EVSE keeps without power."""

    register_wh: int
    transaction_id: int | None


class SimulatedCharger:
    """`now` is the platform's clock; `memory` where the charger keeps its meters, None for nowhere."""

    def __init__(
        self,
        url: str,
        identity: str,
        password: str,
        now: Callable[[], datetime],
        memory: Path | None,
        *,
        evse_count: int = 2,
        power_w: int = 11_000,
    ) -> None:
        self.identity = identity
        self._now = now
        self._memory = memory
        self._power_w = power_w
        self._client = OcppClient(url, identity, password, self._obey)
        self._evses = {evse_no: Evse(evse_no) for evse_no in range(1, evse_count + 1)}
        self._interrupted: list[tuple[Evse, int]] = []
        self._backoff = FIRST_BACKOFF
        self._connect_at = now()
        self._away_until = now()
        self._was_connected = False
        self._accepted = False
        self._heartbeat_interval = PENDING_RETRY
        self._heartbeat_at = now()
        self._remember()

    # -- the clock's side -------------------------------------------------------------------------------------------

    def next_due(self) -> datetime:
        """When `act` has something to do; from any thread."""
        if not self._client.connected:
            return self._connect_at  # of a connection that was just lost: long ago, so that it is noticed at once
        dues = [due for evse in self._evses.values() if (due := evse.next_due()) is not None]
        return min([self._heartbeat_at, *dues]) if self._accepted else self._heartbeat_at

    async def act(self) -> None:
        """Does what is due. Never raises for the network's sake: it connects again later."""
        try:
            await self._act()
        except Disconnected:
            self._lose()
        except Refused as refused:
            _LOG.warning("simulated charger %s was refused: %s", self.identity, refused)
            await self._client.close()
            self._lose()

    def keep_away(self, until: datetime) -> None:
        """Once the connection is gone, no new one before `until`: somebody dug up the cable."""
        self._away_until = until

    async def close(self) -> None:
        await self._client.close()

    async def _act(self) -> None:
        if not self._client.connected:
            if self._was_connected:
                self._lose()
                return
            await self._come_online()
            return
        now = self._now()
        if now >= self._heartbeat_at:
            await self._show_life()
        if not self._accepted:
            return
        for evse in self._evses.values():
            due = evse.next_due()
            if due is not None and now >= due:
                await self._work(evse)

    def _lose(self) -> None:
        self._was_connected = False
        self._connect_at = max(self._now() + self._backoff, self._away_until)
        self._backoff = min(2 * self._backoff, LAST_BACKOFF)

    async def _come_online(self) -> None:
        await self._client.connect()
        self._was_connected = True
        self._backoff = FIRST_BACKOFF
        if not self._accepted:
            await self._boot()
        else:
            await self._report_all()

    async def _show_life(self) -> None:
        if not self._accepted:
            await self._boot()
            return
        await self._client.call("Heartbeat", {})
        self._heartbeat_at = self._now() + self._heartbeat_interval

    async def _boot(self) -> None:
        answer = await self._client.call(
            "BootNotification",
            {
                "chargePointVendor": "Wattfare",
                "chargePointModel": "Simulator AC 2x11",
                "chargePointSerialNumber": self.identity[:25],
                "firmwareVersion": "1.0.0",
            },
        )
        self._accepted = answer["status"] == "Accepted"
        self._heartbeat_interval = timedelta(seconds=max(1, answer["interval"]))
        self._heartbeat_at = self._now() + self._heartbeat_interval
        if self._accepted:
            while self._interrupted:
                evse, transaction_id = self._interrupted[-1]
                await self._stop_transaction(transaction_id, evse.register_wh, "PowerLoss")
                self._interrupted.pop()
            self._keep()
            await self._report_all()

    async def _report_all(self) -> None:
        for evse in self._evses.values():
            await self._report(evse, evse.status)

    # -- charging ---------------------------------------------------------------------------------------------------

    async def _work(self, evse: Evse) -> None:
        if evse.transaction_id is None:
            await self._begin(evse)
            return
        evse.measure(self._now(), self._power_w)
        if evse.stop_reason is None and evse.register_wh - evse.started_wh >= CAR_TAKES_WH:
            evse.stop_reason = "Local"
        if evse.stop_reason is None:
            await self._meter(evse)
        else:
            await self._end(evse, evse.transaction_id, evse.stop_reason)

    async def _begin(self, evse: Evse) -> None:
        if evse.plugged_at is None or evse.id_tag is None:
            return
        await self._report(evse, "Preparing")
        # Sent again after a lost answer this is the same start, to the millisecond.
        answer = await self._client.call(
            "StartTransaction",
            {
                "connectorId": evse.evse_no,
                "idTag": evse.id_tag,
                "meterStart": evse.register_wh,
                "timestamp": _text(evse.plugged_at),
            },
        )
        evse.transaction_id = answer["transactionId"]
        evse.started_wh = evse.register_wh
        evse.measured_at = self._now()
        evse.meter_due = evse.measured_at + METER_INTERVAL
        self._keep()
        if answer["idTagInfo"]["status"] != "Accepted":
            evse.stop_reason = "DeAuthorized"
            return
        await self._report(evse, "Charging")

    async def _meter(self, evse: Evse) -> None:
        now = self._now()
        sampled = [
            {"value": str(evse.register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
            {"value": str(self._power_w), "measurand": "Power.Active.Import", "unit": "W"},
        ]
        payload = {
            "connectorId": evse.evse_no,
            "transactionId": evse.transaction_id,
            "meterValue": [{"timestamp": _text(now), "sampledValue": sampled}],
        }
        await self._client.call("MeterValues", payload)
        evse.meter_due = now + METER_INTERVAL
        self._keep()

    async def _end(self, evse: Evse, transaction_id: int, reason: str) -> None:
        await self._stop_transaction(transaction_id, evse.register_wh, reason)
        left = Evse(evse.evse_no, evse.register_wh, status="Finishing")
        self._evses[evse.evse_no] = left
        self._keep()
        await self._report(left, "Finishing")
        await self._report(left, "Available")

    async def _stop_transaction(self, transaction_id: int, register_wh: int, reason: str) -> None:
        payload = {
            "transactionId": transaction_id,
            "meterStop": register_wh,
            "timestamp": _text(self._now()),
            "reason": reason,
        }
        await self._client.call("StopTransaction", payload)

    async def _report(self, evse: Evse, status: str) -> None:
        evse.status = status
        payload = {"connectorId": evse.evse_no, "errorCode": "NoError", "status": status}
        await self._client.call("StatusNotification", payload | {"timestamp": _text(self._now())})

    # -- the platform's commands ------------------------------------------------------------------------------------

    def _obey(self, action: str, payload: Payload) -> Payload:
        """Answers at once; what follows is done by `act`."""
        orders: dict[str, Callable[[Payload], Payload]] = {
            "RemoteStartTransaction": self._order_start,
            "RemoteStopTransaction": self._order_stop,
            "Reset": self._order_reset,
            "TriggerMessage": self._order_message,
            "UnlockConnector": lambda _: {"status": "Unlocked"},
            "ClearCache": lambda _: {"status": "Accepted"},
            "DataTransfer": lambda _: {"status": "UnknownVendorId"},
            "ChangeConfiguration": lambda _: {"status": "NotSupported"},
            "ChangeAvailability": lambda _: {"status": "Rejected"},
            "GetConfiguration": self._show_configuration,
        }
        if action not in orders:
            raise Unsupported(action)
        return orders[action](payload)

    def _order_start(self, payload: Payload) -> Payload:
        evse = self._evses.get(payload.get("connectorId", 1))
        if evse is None or not evse.is_free:
            return {"status": "Rejected"}
        evse.id_tag = payload["idTag"]
        evse.plugged_at = self._now() + PLUG_IN_TIME
        return {"status": "Accepted"}

    def _order_stop(self, payload: Payload) -> Payload:
        for evse in self._evses.values():
            if evse.transaction_id is not None and evse.transaction_id == payload["transactionId"]:
                evse.stop_reason = "Remote"
                return {"status": "Accepted"}
        return {"status": "Rejected"}

    def _order_reset(self, payload: Payload) -> Payload:
        """What charges is ended first; then the charger boots again."""
        for evse in self._evses.values():
            if evse.transaction_id is not None:
                evse.stop_reason = f"{payload['type']}Reset"
        self._accepted = self._accepted and any(evse.transaction_id for evse in self._evses.values())
        self._heartbeat_at = self._now() + RESET_TIME
        return {"status": "Accepted"}

    def _order_message(self, payload: Payload) -> Payload:
        if payload["requestedMessage"] != "Heartbeat":
            return {"status": "NotImplemented"}
        self._heartbeat_at = self._now()
        return {"status": "Accepted"}

    def _show_configuration(self, payload: Payload) -> Payload:
        known = {
            "HeartbeatInterval": str(int(self._heartbeat_interval.total_seconds())),
            "MeterValueSampleInterval": str(int(METER_INTERVAL.total_seconds())),
            "NumberOfConnectors": str(len(self._evses)),
        }
        asked: list[str] = payload.get("key") or list(known)
        found = [{"key": key, "readonly": True, "value": known[key]} for key in asked if key in known]
        return {"configurationKey": found, "unknownKey": [key for key in asked if key not in known]}

    # -- memory -----------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        if self._memory is None:
            return
        state = {str(e.evse_no): asdict(Remembered(e.register_wh, e.transaction_id)) for e in self._evses.values()}
        draft = self._memory.with_suffix(".new")
        draft.write_text(json.dumps(state))
        draft.replace(self._memory)

    def _remember(self) -> None:
        if self._memory is None or not self._memory.exists():
            return
        state: dict[str, Any] = json.loads(self._memory.read_text())
        for number, kept in state.items():
            evse = self._evses.get(int(number))
            if evse is not None:
                evse.register_wh = kept["register_wh"]
                if kept["transaction_id"] is not None:
                    self._interrupted.append((replace(evse), kept["transaction_id"]))


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
