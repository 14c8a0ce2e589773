"""A second, independent client: OCPP 1.6-J written frame by frame over aiohttp's WebSocket.

Nothing is validated or repaired on the way, so the tests may send what no library would: repeats, nonsense, silence.
`connect_raw` opens one; commands of the platform wait in `commands` until the test answers them.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import Any

import aiohttp

from tests.e2e.people import CARD, CHARGER_ID, CHARGER_PASSWORD
from tests.e2e.stack import Stack, text_of

ANSWER_WAIT_S = 10
SILENCE_S = 0.3


class CallError(Exception):
    """The platform answered with a CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


class Disconnected(Exception):
    """The socket closed before the answer came."""


@dataclass(frozen=True)
class Command:
    """A CALL of the platform."""

    message_id: str
    action: str
    payload: dict[str, Any]


class RawCharger:
    """One socket. `call` sends a CALL and waits for its answer; several may wait at once."""

    def __init__(self, stack: Stack, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._stack = stack
        self._socket = socket
        self._message_ids = count(1)
        self._answers: dict[str, asyncio.Future[list[Any]]] = {}
        self._reading = asyncio.create_task(self._read())
        self.commands: asyncio.Queue[Command] = asyncio.Queue()
        self.closed = asyncio.Event()

    # -- frames -----------------------------------------------------------------------------------------------------

    async def call(self, action: str, payload: dict[str, Any], message_id: str | None = None) -> dict[str, Any]:
        """The payload of the CALLRESULT. Raises CallError, Disconnected."""
        message_id = message_id or f"raw-{next(self._message_ids)}"
        frame = await self.exchange(json.dumps([2, message_id, action, payload]), message_id)
        if frame[0] == 4:
            raise CallError(frame[2], frame[3])
        return dict(frame[2])

    async def exchange(self, text: str, message_id: str) -> list[Any]:
        """Sends any text; the frame that comes back under this message id."""
        answer = asyncio.get_running_loop().create_future()
        self._answers[message_id] = answer
        try:
            if self.closed.is_set():
                raise Disconnected
            await self._socket.send_str(text)
            return list(await asyncio.wait_for(answer, ANSWER_WAIT_S))
        except aiohttp.ClientConnectionError as error:
            raise Disconnected from error
        finally:
            self._answers.pop(message_id, None)

    async def send(self, text: str) -> None:
        await self._socket.send_str(text)

    async def command(self, action: str) -> Command:
        """The next CALL of the platform, which must be this one. It is not answered yet."""
        command = await asyncio.wait_for(self.commands.get(), ANSWER_WAIT_S)
        assert command.action == action, command
        return command

    async def reply(self, command: Command, payload: dict[str, Any]) -> None:
        await self.send(json.dumps([3, command.message_id, payload]))
        # Answers are served in the order of the frames: when this one came back, ours has been taken.
        await self.call("Heartbeat", {})

    async def accept(self, action: str) -> Command:
        command = await self.command(action)
        await self.reply(command, {"status": "Accepted"})
        return command

    async def is_told_nothing(self) -> bool:
        """No command comes, also after the platform has done all its work."""
        await self._stack.settle()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closed.wait(), SILENCE_S)
        return self.commands.empty()

    async def close(self) -> None:
        await self._socket.close()
        with suppress(asyncio.CancelledError):
            await self._reading

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                frame = json.loads(message.data)
                if frame[0] == 2 and (answer := _unasked(frame[2], frame[3])) is not None:
                    await self._socket.send_str(json.dumps([3, frame[1], answer]))
                elif frame[0] == 2:
                    self.commands.put_nowait(Command(frame[1], frame[2], frame[3]))
                elif frame[1] in self._answers and not self._answers[frame[1]].done():
                    self._answers[frame[1]].set_result(frame)
        finally:
            self.closed.set()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(Disconnected())

    # -- what chargers say ------------------------------------------------------------------------------------------

    async def boot(self) -> dict[str, Any]:
        return await self.call("BootNotification", {"chargePointVendor": "Raw", "chargePointModel": "One"})

    async def report(self, status: str, evse_no: int = 1) -> None:
        await self.call("StatusNotification", {"connectorId": evse_no, "errorCode": "NoError", "status": status})

    async def start(
        self, id_tag: str = CARD, meter_wh: int = 1000, *, evse_no: int = 1, message_id: str | None = None
    ) -> dict[str, Any]:
        payload = {
            "connectorId": evse_no,
            "idTag": id_tag,
            "meterStart": meter_wh,
            "timestamp": text_of(await self._stack.now()),
        }
        return await self.call("StartTransaction", payload, message_id)

    async def meter(self, transaction_id: int, energy_wh: int, *, evse_no: int = 1) -> None:
        at = text_of(await self._stack.now())
        await self.call("MeterValues", meter_payload(transaction_id, energy_wh, at, evse_no=evse_no))

    async def stop(
        self, transaction_id: int, meter_wh: int, reason: str = "Local", message_id: str | None = None
    ) -> dict[str, Any]:
        payload = {
            "transactionId": transaction_id,
            "meterStop": meter_wh,
            "timestamp": text_of(await self._stack.now()),
            "reason": reason,
        }
        return await self.call("StopTransaction", payload, message_id)


def _unasked(action: str, payload: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to what the platform asks of its own accord, beside what the tests are about: after a boot for the
    configuration (it has no key, so nothing is written), with the cards that it shall know, and for fresh readings
    while a driver looks."""
    if action == "SendLocalList":
        return {"status": "Accepted"}
    if action == "GetConfiguration":
        return {"unknownKey": payload.get("key", [])}
    return {"status": "Rejected"} if action == "TriggerMessage" else None


def meter_payload(
    transaction_id: int, energy_wh: int, at: str, *, power_w: int = 7000, evse_no: int = 1
) -> dict[str, Any]:
    sampled = [
        {"value": str(energy_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": f"{power_w / 1000}", "measurand": "Power.Active.Import", "unit": "kW"},
    ]
    return {
        "connectorId": evse_no,
        "transactionId": transaction_id,
        "meterValue": [{"timestamp": at, "sampledValue": sampled}],
    }


def basic_auth(identity: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()}


async def handshake_status(stack: Stack, identity: str, *, password: str | None, protocols: tuple[str, ...]) -> int:
    """The HTTP status with which a handshake is refused; 101 if it is not."""
    headers = basic_auth(identity, password) if password is not None else {}
    async with aiohttp.ClientSession() as http:
        try:
            async with http.ws_connect(stack.charger_url(identity), headers=headers, protocols=protocols):
                return 101
        except aiohttp.WSServerHandshakeError as refusal:
            return refusal.status


@asynccontextmanager
async def connect_raw(stack: Stack, identity: str = CHARGER_ID) -> AsyncIterator[RawCharger]:
    """A charger that has connected; it boots when the test says so."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(
            stack.charger_url(identity), headers=basic_auth(identity, CHARGER_PASSWORD), protocols=("ocpp1.6",)
        ) as socket,
    ):
        assert socket.protocol == "ocpp1.6"
        charger = RawCharger(stack, socket)
        try:
            yield charger
        finally:
            await charger.close()
