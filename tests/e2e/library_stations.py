"""The same whole charge told by the `ocpp` package's own client classes: 1.6, 2.0.1 and 2.1.

`Station` is what a story asks of a charger whatever it speaks. The package validates every payload in both directions
against the schemas of the standard, and knows nothing of this platform.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, is_dataclass
from types import ModuleType
from typing import Any, Protocol

import websockets
from ocpp import v21, v201
from ocpp.routing import on
from ocpp.v16 import call as call_16

from tests.e2e.library_charger import ANSWER_WAIT_S, LibraryCharger
from tests.e2e.library_charger import connected as connected_16
from tests.e2e.people import CHARGER_ID, CHARGER_PASSWORD
from tests.e2e.stack import Stack, text_of


class Station(Protocol):
    """One EVSE. Energy is its meter's register in Wh; answers are the authorization status that the platform gave."""

    async def boot(self) -> str: ...
    async def available(self) -> None: ...
    async def plug_in(self) -> None: ...
    async def authorize(self, card: str) -> str: ...
    async def start(self, card: str, meter_wh: int) -> str: ...
    async def started_by_app(self, meter_wh: int) -> str:
        """Waits for the platform's request to start, accepts it, and starts."""
        ...

    async def meter(self, meter_wh: int) -> None: ...
    async def stop(self, meter_wh: int) -> None: ...
    async def stopped_by_app(self, meter_wh: int) -> None:
        """Waits for the platform's request to stop, accepts it, and stops."""
        ...


class Station16:
    """OCPP 1.6 by `ocpp.v16`."""

    def __init__(self, stack: Stack, charger: LibraryCharger) -> None:
        self._stack = stack
        self._charger = charger
        self._transaction_id = 0

    async def boot(self) -> str:
        return str((await self._charger.boot()).status)

    async def available(self) -> None:
        await self._charger.report("Available")

    async def plug_in(self) -> None:
        await self._charger.report("Preparing")

    async def authorize(self, card: str) -> str:
        return _status((await self._charger.ask(call_16.Authorize(id_tag=card))).id_tag_info)

    async def start(self, card: str, meter_wh: int) -> str:
        answer = await self._charger.ask(
            call_16.StartTransaction(connector_id=1, id_tag=card, meter_start=meter_wh, timestamp=await self._now())
        )
        self._transaction_id = answer.transaction_id
        await self._charger.report("Charging")
        return _status(answer.id_tag_info)

    async def started_by_app(self, meter_wh: int) -> str:
        request = await self._charger.remote_start()
        return await self.start(request["id_tag"], meter_wh)

    async def meter(self, meter_wh: int) -> None:
        sample = {"value": str(meter_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        values = [{"timestamp": await self._now(), "sampledValue": [sample]}]
        await self._charger.ask(
            call_16.MeterValues(connector_id=1, transaction_id=self._transaction_id, meter_value=values)
        )

    async def stop(self, meter_wh: int) -> None:
        await self._end(meter_wh, "Local")

    async def stopped_by_app(self, meter_wh: int) -> None:
        request = await self._charger.remote_stop()
        assert request == {"transaction_id": self._transaction_id}
        await self._end(meter_wh, "Remote")

    async def _end(self, meter_wh: int, reason: str) -> None:
        await self._charger.ask(
            call_16.StopTransaction(
                transaction_id=self._transaction_id, meter_stop=meter_wh, timestamp=await self._now(), reason=reason
            )
        )
        await self.available()

    async def _now(self) -> str:
        return text_of(await self._stack.now())


class Station2:
    """OCPP 2.0.1 by `ocpp.v201`, 2.1 by `ocpp.v21`: the classes differ in their schemas."""

    _TRANSACTION_ID = "library-transaction-1"

    def __init__(self, stack: Stack, charger: Any, package: ModuleType) -> None:
        self._stack = stack
        self._charger = charger
        self._call = package.call
        self._seq_no = 0

    async def boot(self) -> str:
        station = {"vendor_name": "Wallbox Works", "model": "W22"}
        return str((await self._ask(self._call.BootNotification(charging_station=station, reason="PowerUp"))).status)

    async def available(self) -> None:
        await self._report("Available")

    async def plug_in(self) -> None:
        await self._report("Occupied")

    async def authorize(self, card: str) -> str:
        return _status((await self._ask(self._call.Authorize(id_token=_token(card)))).id_token_info)

    async def start(self, card: str, meter_wh: int) -> str:
        answer = await self._event("Started", "Authorized", meter_wh, "Transaction.Begin", id_token=_token(card))
        return _status(answer.id_token_info)

    async def started_by_app(self, meter_wh: int) -> str:
        request = await asyncio.wait_for(self._charger.starts.get(), ANSWER_WAIT_S)
        answer = await self._event(
            "Started",
            "RemoteStart",
            meter_wh,
            "Transaction.Begin",
            id_token=request["id_token"],
            transaction={"remote_start_id": request["remote_start_id"]},
        )
        return _status(answer.id_token_info)

    async def meter(self, meter_wh: int) -> None:
        await self._event("Updated", "MeterValuePeriodic", meter_wh, "Sample.Periodic")

    async def stop(self, meter_wh: int) -> None:
        await self._end(meter_wh, "StopAuthorized", "Local")

    async def stopped_by_app(self, meter_wh: int) -> None:
        request = await asyncio.wait_for(self._charger.stops.get(), ANSWER_WAIT_S)
        assert request["transaction_id"] == self._TRANSACTION_ID
        await self._end(meter_wh, "RemoteStop", "Remote")

    async def _end(self, meter_wh: int, trigger: str, reason: str) -> None:
        transaction = {"stopped_reason": reason, "charging_state": "EVConnected"}
        await self._event("Ended", trigger, meter_wh, "Transaction.End", transaction=transaction)
        await self.available()

    async def _event(
        self,
        kind: str,
        trigger: str,
        meter_wh: int,
        context: str,
        *,
        id_token: Mapping[str, Any] | None = None,
        transaction: Mapping[str, Any] | None = None,
    ) -> Any:
        now = await self._now()
        sample = {"value": meter_wh, "context": context, "measurand": "Energy.Active.Import.Register"}
        event = self._call.TransactionEvent(
            event_type=kind,
            timestamp=now,
            trigger_reason=trigger,
            seq_no=self._seq_no,
            transaction_info={
                "transaction_id": self._TRANSACTION_ID,
                "charging_state": "Charging",
                **(transaction or {}),
            },
            meter_value=[{"timestamp": now, "sampled_value": [sample]}],
            evse={"id": 1, "connector_id": 1},
            id_token=id_token,
        )
        self._seq_no += 1
        return await self._ask(event)

    async def _report(self, status: str) -> None:
        await self._ask(
            self._call.StatusNotification(
                timestamp=await self._now(), connector_status=status, evse_id=1, connector_id=1
            )
        )

    async def _ask(self, payload: Any) -> Any:
        return await self._charger.call(payload, suppress=False)

    async def _now(self) -> str:
        return text_of(await self._stack.now())


class _Handlers2:
    """What a 2.x station does when it is asked; the answers are of the package's class for its version."""

    results: Any

    def __init__(self, identity: str, connection: Any) -> None:
        super().__init__(identity, connection, response_timeout=ANSWER_WAIT_S)  # type: ignore[call-arg]
        self.starts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.stops: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @on("RequestStartTransaction")
    def on_start(self, **payload: Any) -> Any:
        self.starts.put_nowait(payload)
        return self.results.RequestStartTransaction(status="Accepted")

    @on("RequestStopTransaction")
    def on_stop(self, **payload: Any) -> Any:
        self.stops.put_nowait(payload)
        return self.results.RequestStopTransaction(status="Accepted")

    @on("GetBaseReport")
    def on_report(self, **payload: Any) -> Any:
        return self.results.GetBaseReport(status="NotSupported")

    @on("GetVariables")
    def on_get_variables(self, get_variable_data: list[dict[str, Any]], **payload: Any) -> Any:
        asked = [{**_named(data), "attribute_status": "UnknownVariable"} for data in get_variable_data]
        return self.results.GetVariables(get_variable_result=asked)

    @on("SetVariables")
    def on_set_variables(self, set_variable_data: list[dict[str, Any]], **payload: Any) -> Any:
        asked = [{**_named(data), "attribute_status": "UnknownVariable"} for data in set_variable_data]
        return self.results.SetVariables(set_variable_result=asked)

    @on("TriggerMessage")
    def on_trigger(self, **payload: Any) -> Any:
        return self.results.TriggerMessage(status="NotImplemented")

    @on("SendLocalList")
    def on_local_list(self, **payload: Any) -> Any:
        return self.results.SendLocalList(status="Accepted")


class _Station201(_Handlers2, v201.ChargePoint):
    results = v201.call_result


class _Station21(_Handlers2, v21.ChargePoint):
    results = v21.call_result


_CLASSES: Mapping[str, tuple[Any, ModuleType]] = {"ocpp2.0.1": (_Station201, v201), "ocpp2.1": (_Station21, v21)}
PROTOCOLS = ("ocpp1.6", *_CLASSES)


@asynccontextmanager
async def connected(stack: Stack, protocol: str) -> AsyncIterator[Station]:
    """A station that has connected with this subprotocol and listens."""
    if protocol == "ocpp1.6":
        async with connected_16(stack.charger_url(CHARGER_ID), CHARGER_ID, CHARGER_PASSWORD) as charger_16:
            yield Station16(stack, charger_16)
        return
    client_class, package = _CLASSES[protocol]
    secret = base64.b64encode(f"{CHARGER_ID}:{CHARGER_PASSWORD}".encode()).decode()
    async with websockets.connect(
        stack.charger_url(CHARGER_ID),
        subprotocols=[websockets.Subprotocol(protocol)],
        additional_headers={"Authorization": f"Basic {secret}"},
        proxy=None,
    ) as connection:
        assert connection.subprotocol == protocol
        charger = client_class(CHARGER_ID, connection)
        listening = asyncio.create_task(charger.start())
        try:
            yield Station2(stack, charger, package)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, websockets.ConnectionClosed):
                await listening


def _token(card: str) -> dict[str, str]:
    return {"id_token": card, "type": "ISO14443"}


def _named(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"component": data["component"], "variable": data["variable"]}


def _status(info: Any) -> str:
    """The package gives a dictionary or one of its dataclasses, by version."""
    return str((asdict(info) if is_dataclass(info) and not isinstance(info, type) else info)["status"])
