"""What the chargers of the bench say: OCPP 1.6 CALLs, and the WebSocket frames around them.

A *session* is the mix that BENCHMARKS.md compares by: 19 CALLs, ten of them MeterValues. Every CALL of a charger has
an id of its own, and every session its own start, so that nothing is taken for a repetition.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

CALLS_PER_SESSION = 19
METER_VALUES_PER_SESSION = 10
ENERGY_STEP_WH = 10

_MASK_NOTHING = b"\0\0\0\0"
_BOOT = (
    '"BootNotification",{"chargePointVendor":"Bench","chargePointModel":"One","firmwareVersion":"1.0",'
    '"chargePointSerialNumber":"0001"}'
)
_HEARTBEAT = '"Heartbeat",{}'


def frame(text: str) -> bytes:
    """One text message of a client. The mask is four zeros: legal, and the server works it off like any other."""
    payload = text.encode()
    length = len(payload)
    head = struct.pack("!BB", 0x81, 0x80 | length) if length < 126 else struct.pack("!BBH", 0x81, 0xFE, length)
    return head + _MASK_NOTHING + payload


class Script:
    """The CALLs of one charger, one after another; no message id and no time stamp of its comes twice."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.id_token = id_token(number)
        self.transaction_id = 0
        self._calls = 0
        self._meter_wh = 0

    def boot(self) -> str:
        return self._call(_BOOT)

    def heartbeat(self) -> str:
        return self._call(_HEARTBEAT)

    def status(self, status: str = "Available") -> str:
        return self._call(
            f'"StatusNotification",{{"connectorId":1,"errorCode":"NoError","status":"{status}",'
            f'"timestamp":"{self._moment()}"}}'
        )

    def authorize(self) -> str:
        return self._call(f'"Authorize",{{"idTag":"{self.id_token}"}}')

    def start(self) -> str:
        return self._call(
            f'"StartTransaction",{{"connectorId":1,"idTag":"{self.id_token}","meterStart":{self._meter_wh},'
            f'"timestamp":"{self._moment()}"}}'
        )

    def meter_values(self) -> str:
        """Energy, power and state of charge, as a car park's charger sends each minute."""
        self._meter_wh += ENERGY_STEP_WH
        return self._call(
            f'"MeterValues",{{"connectorId":1,"transactionId":{self.transaction_id},"meterValue":['
            f'{{"timestamp":"{self._moment()}","sampledValue":['
            f'{{"value":"{self._meter_wh}","measurand":"Energy.Active.Import.Register","unit":"Wh"}},'
            f'{{"value":"7000","measurand":"Power.Active.Import","unit":"W"}},'
            f'{{"value":"42","measurand":"SoC","unit":"Percent"}}]}}]}}'
        )

    def stop(self) -> str:
        return self._call(
            f'"StopTransaction",{{"transactionId":{self.transaction_id},"idTag":"{self.id_token}",'
            f'"meterStop":{self._meter_wh},"timestamp":"{self._moment()}","reason":"Local"}}'
        )

    def session(self) -> Iterator[str]:
        """The 19 CALLs. After the start, `transaction_id` must be set before the next one is asked for."""
        yield self.boot()
        yield self.status("Available")
        yield self.authorize()
        yield self.status("Preparing")
        yield self.start()
        yield self.status("Charging")
        for _ in range(METER_VALUES_PER_SESSION):
            yield self.meter_values()
        yield self.stop()
        yield self.status("Finishing")
        yield self.status("Available")

    def _call(self, action_and_payload: str) -> str:
        self._calls += 1
        return f'[2,"{self.number}-{self._calls}",{action_and_payload}]'

    def _moment(self) -> str:
        """A second per CALL on 2 March 2026 and later: chargers' clocks are their own."""
        minutes, second = divmod(self._calls, 60)
        hours, minute = divmod(minutes, 60)
        days, hour = divmod(hours, 24)
        return f"2026-03-{2 + days:02d}T{hour:02d}:{minute:02d}:{second:02d}Z"


def charger_id(number: int) -> str:
    return f"BENCH-{number:05d}"


def id_token(number: int) -> str:
    """The card of the driver who charges at that charger."""
    return f"CARD{number:08d}"
