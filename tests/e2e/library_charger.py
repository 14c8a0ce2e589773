"""A charger on other people's code: the `ocpp` package's 1.6 client over `websockets`.

It validates every payload in both directions against the schemas of the standard, so that a story told with it shows
a conforming charger on a conforming platform.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result

ANSWER_WAIT_S = 10


class LibraryCharger(ChargePoint):
    """Accepts remote starts and stops, and keeps their payloads for the test to act upon. Has no configuration."""

    def __init__(self, identity: str, connection: Any) -> None:
        super().__init__(identity, connection, response_timeout=ANSWER_WAIT_S)
        self._remote_starts: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._remote_stops: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    @on("RemoteStartTransaction")
    def on_remote_start(self, **payload: Any) -> Any:
        self._remote_starts.put_nowait(payload)
        return call_result.RemoteStartTransaction(status="Accepted")

    @on("RemoteStopTransaction")
    def on_remote_stop(self, **payload: Any) -> Any:
        self._remote_stops.put_nowait(payload)
        return call_result.RemoteStopTransaction(status="Accepted")

    @on("GetConfiguration")
    def on_get_configuration(self, key: list[str] | None = None, **payload: Any) -> Any:
        return call_result.GetConfiguration(unknown_key=key or [])

    @on("SendLocalList")
    def on_local_list(self, **payload: Any) -> Any:
        return call_result.SendLocalList(status="Accepted")

    async def remote_start(self) -> dict[str, Any]:
        """The next RemoteStartTransaction, which has been accepted."""
        return await asyncio.wait_for(self._remote_starts.get(), ANSWER_WAIT_S)

    async def remote_stop(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._remote_stops.get(), ANSWER_WAIT_S)

    async def ask(self, payload: Any) -> Any:
        """The answer to a CALL; a CALLERROR is raised."""
        return await self.call(payload, suppress=False)

    async def boot(self) -> Any:
        return await self.ask(
            call.BootNotification(
                charge_point_vendor="Wallbox Works", charge_point_model="W22", firmware_version="1.4.2"
            )
        )

    async def report(self, status: str, connector_id: int = 1) -> None:
        await self.ask(call.StatusNotification(connector_id=connector_id, error_code="NoError", status=status))


@asynccontextmanager
async def connected(url: str, identity: str, password: str) -> AsyncIterator[LibraryCharger]:
    """A charger that has connected and listens."""
    secret = base64.b64encode(f"{identity}:{password}".encode()).decode()
    async with websockets.connect(
        url,
        subprotocols=[websockets.Subprotocol("ocpp1.6")],
        additional_headers={"Authorization": f"Basic {secret}"},
        proxy=None,
    ) as connection:
        assert connection.subprotocol == "ocpp1.6"
        charger = LibraryCharger(identity, connection)
        listening = asyncio.create_task(charger.start())
        try:
            yield charger
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError, websockets.ConnectionClosed):
                await listening
