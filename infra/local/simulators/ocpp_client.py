"""The charger's end of an OCPP-J socket: one CALL at a time, CALLs of the platform answered as they come.

Used by `charger.py`, in the platform's loop, for any version. It shares no code with the platform's own OCPP, so that
a mistake there is not made twice.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import aiohttp

CONNECT_LIMIT_S: Final = 10.0
ANSWER_LIMIT_S: Final = 30.0

Payload = dict[str, Any]
Answerer = Callable[[str, Payload], Payload]

_LOG = logging.getLogger(__name__)


class Disconnected(Exception):
    """There is no socket, or it closed before the answer came."""


class Refused(Exception):
    """The platform answered with a CALLERROR."""


class Declined(Exception):
    """Raised by the answerer: the CALL is answered with a CALLERROR of this code."""


class OcppClient:
    """`answer(action, payload)` gives the payload of our answer to the platform's CALL; it may raise Declined."""

    def __init__(self, url: str, identity: str, subprotocol: str, answer: Answerer) -> None:
        self._url = url
        self._identity = identity
        self._subprotocol = subprotocol
        self._answer = answer
        self._http: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self._awaited: tuple[str, asyncio.Future[list[Any]]] | None = None

    @property
    def connected(self) -> bool:
        return self._socket is not None and not self._socket.closed

    async def connect(self, password: bytes) -> None:
        """Raises Disconnected if the platform is not there or does not want us."""
        await self.close()
        secret = base64.b64encode(self._identity.encode() + b":" + password).decode()
        headers = {"Authorization": f"Basic {secret}"}
        self._http = aiohttp.ClientSession()
        try:
            self._socket = await asyncio.wait_for(
                self._http.ws_connect(self._url, protocols=(self._subprotocol,), headers=headers), CONNECT_LIMIT_S
            )
        except (aiohttp.ClientError, TimeoutError, OSError, AssertionError) as error:
            # AssertionError: how aiohttp puts it when the other end hangs up in the moment of the upgrade.
            await self.close()
            raise Disconnected(str(error)) from error
        self._reading = asyncio.create_task(self._read(self._socket))

    async def call(self, action: str, payload: Payload) -> Payload:
        """The answer's payload. Raises Disconnected (also when no answer comes in time), Refused."""
        if self._socket is None or self._socket.closed:
            raise Disconnected(self._url)
        message_id = str(uuid.uuid4())
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._awaited = (message_id, answer)
        try:
            await self._socket.send_str(json.dumps([2, message_id, action, payload]))
            frame = await asyncio.wait_for(answer, ANSWER_LIMIT_S)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            await self.close()
            raise Disconnected(action) from error
        finally:
            self._awaited = None
        if frame[0] == 4:
            raise Refused(f"{action}: {frame[2]} {frame[3]}")
        return dict(frame[2])

    async def close(self) -> None:
        """Hangs up. Twice is harmless."""
        socket, http, reading = self._socket, self._http, self._reading
        self._socket = self._http = self._reading = None
        if socket is not None:
            await socket.close()
        if http is not None:
            await http.close()
        if reading is not None:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._hear(socket, json.loads(message.data))
        except (ValueError, aiohttp.ClientError, OSError):
            _LOG.exception("a simulated charger could not read")
        finally:
            if self._awaited is not None and not self._awaited[1].done():
                self._awaited[1].set_exception(Disconnected(self._url))

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, frame: list[Any]) -> None:
        if frame[0] == 2:
            try:
                answer = [3, frame[1], self._answer(frame[2], frame[3])]
            except Declined as declined:
                answer = [4, frame[1], str(declined), "", {}]
            await socket.send_str(json.dumps(answer))
        elif self._awaited is not None and self._awaited[0] == frame[1] and not self._awaited[1].done():
            self._awaited[1].set_result(frame)
