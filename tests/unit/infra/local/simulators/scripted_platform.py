"""The platform's end of a simulated charger's socket, for tests: answers as it is told, remembers what it heard.

Every frame of the charger, calls and answers alike, is checked against the JSON schema of its version.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import BasicAuth, WSMsgType, web

from chalicelib.kernel.clock import VirtualClock
from chalicelib.ocpp.schemas import SchemaFolder
from infra.local.simulators.charger import SimulatedCharger

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PASSWORD = "a charger's password"
FOLDERS = {"ocpp1.6": ("v16", ""), "ocpp2.0.1": ("v201", "Request")}
POWER_W = 12_000
"""50 Wh in 15 s."""
MAX_STEPS = 2000


class ScriptedPlatform:
    """`answers` by action; `hangs_up_on` these once, after having heard them; `refuses` these while they are in it."""

    def __init__(self, subprotocol: str) -> None:
        self.subprotocol = subprotocol
        folder, self._suffix = FOLDERS[subprotocol]
        self._schemas = SchemaFolder(folder)
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.passwords: list[str] = []
        self.wrong: list[str] = []
        self.hangs_up_on: set[str] = set()
        self.refuses: set[str] = set()
        now = "2026-03-02T12:00:00Z"
        self.answers: dict[str, dict[str, Any]] = {
            "BootNotification": {"status": "Accepted", "currentTime": now, "interval": 540},
            "Heartbeat": {"currentTime": now},
            "StartTransaction": {"transactionId": 4711, "idTagInfo": {"status": "Accepted"}},
        }
        self._socket: web.WebSocketResponse | None = None
        self._asked: asyncio.Future[list[Any]] | None = None

    def told(self, action: str) -> list[dict[str, Any]]:
        return [payload for name, payload in self.heard if name == action]

    def statuses(self, evse_no: int = 1) -> list[str]:
        """The statuses that were told of an EVSE, in order, in either version's words."""
        told = self.told("StatusNotification")
        of_evse = [status for status in told if status.get("evseId", status["connectorId"]) == evse_no]
        return [str(status.get("connectorStatus", status.get("status"))) for status in of_evse]

    async def command(self, action: str, payload: dict[str, Any]) -> Any:
        """The charger's answer; of a CALLERROR its code."""
        assert self._socket is not None
        self._asked = asyncio.get_running_loop().create_future()
        await self._socket.send_str(json.dumps([2, "ask", action, payload]))
        frame = await asyncio.wait_for(self._asked, 5)
        if frame[0] == 4:
            return frame[2]
        self._check(f"{action}Response", frame[2])
        return frame[2]

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        self.passwords.append(BasicAuth.decode(request.headers["Authorization"]).password)
        socket = web.WebSocketResponse(protocols=(self.subprotocol,))
        await socket.prepare(request)
        assert socket.ws_protocol == self.subprotocol
        self._socket = socket
        async for message in socket:
            assert message.type is WSMsgType.TEXT
            frame = json.loads(message.data)
            if frame[0] != 2:
                assert self._asked is not None
                self._asked.set_result(frame)
                continue
            _, message_id, action, payload = frame
            self._check(f"{action}{self._suffix}", payload)
            self.heard.append((action, payload))
            if action in self.hangs_up_on:
                self.hangs_up_on.discard(action)
                break
            if action in self.refuses:
                await socket.send_str(json.dumps([4, message_id, "InternalError", "", {}]))
            else:
                await socket.send_str(json.dumps([3, message_id, self.answers.get(action, {})]))
        await socket.close()
        return socket

    def _check(self, schema: str, payload: dict[str, Any]) -> None:
        violation = self._schemas.violation(schema, payload)
        if violation is not None:
            self.wrong.append(f"{schema}: {violation.detail}")


class Street:
    """A charger, the platform it talks to, and the clock."""

    def __init__(self, platform: ScriptedPlatform, charger: SimulatedCharger, clock: VirtualClock) -> None:
        self.platform = platform
        self.charger = charger
        self.clock = clock

    async def pass_time(self, seconds: float) -> None:
        """Everything that falls due on the way is done, in order."""
        target = self.clock.now() + timedelta(seconds=seconds)
        for _ in range(MAX_STEPS):
            due = self.charger.next_due()
            if due > target:
                break
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()))
            await self.charger.act()
        else:
            raise AssertionError("it never comes to rest")
        self.clock.advance((target - self.clock.now()).total_seconds())

    async def cut_the_line(self) -> None:
        """Returns when the charger has noticed."""
        await self.platform.close()
        for _ in range(MAX_STEPS):
            if self.charger.next_due() <= self.clock.now():
                return
            await asyncio.sleep(0)
        raise AssertionError("it does not notice")


@asynccontextmanager
async def street(subprotocol: str, *, memory: Path | None = None, boots: bool = True) -> AsyncIterator[Street]:
    """A charger that has booted, unless `boots` is False."""
    clock, platform = VirtualClock(NOON), ScriptedPlatform(subprotocol)
    application = web.Application()
    application.router.add_get("/ocpp/X", platform.serve)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    charger = SimulatedCharger(
        f"ws://127.0.0.1:{port}/ocpp/X", "X", PASSWORD, clock.now, memory, subprotocol=subprotocol, power_w=POWER_W
    )
    here = Street(platform, charger, clock)
    try:
        if boots:
            await here.pass_time(0)
        yield here
    finally:
        await charger.close()
        await runner.cleanup()
    assert platform.wrong == []
