"""The load generator: a process of its own, many chargers, each with one CALL outstanding.

`python -m bench.load` reads a `Plan` (JSON) from its standard input, plays it and writes a `Result` to its standard
output. It is a bare asyncio protocol: some 15 µs of CPU a CALL, so that the server, and not this, is the limit.
"""

from __future__ import annotations

import asyncio
import base64
import os
import resource
import sys
import time
from array import array
from collections.abc import Callable
from typing import Literal, cast

import msgspec
import uvloop

from bench import machine
from bench.frames import Script, charger_id, frame

CONNECTING_AT_ONCE = 32
ANSWER_LIMIT_S = 30.0
_RESULT, _ERROR = b"[3", b"[4"

Case = Literal["session", "heartbeat", "status", "meter_values", "paced", "connect"]


class Plan(msgspec.Struct):
    """`seconds` of load by `chargers` on 127.0.0.1:`port`; `paced` sends a frame a second, `connect` only connects."""

    port: int
    case: Case
    chargers: int
    seconds: float
    password: str
    ramp_s: float = 0.0
    """Time over which the chargers begin, one after another; measuring starts after it. Without one they would all
    be in the same moment of their sessions, for ever."""
    first_number: int = 0
    core: int | None = None


class Result(msgspec.Struct):
    """`calls` and `latencies_us` since measuring began; of the whole run the `sessions` that ended with their stop
    answered, and the `refused` answers: CALLERROR, or an id token that is not Accepted."""

    calls: int
    elapsed_s: float
    own_cpu_s: float
    latencies_us: list[int]
    sessions: int = 0
    refused: int = 0
    connect_s: float = 0.0


class Charger(asyncio.Protocol):
    """One socket. `ask` sends a CALL and waits for its answer; our own clock measures each."""

    def __init__(self, script: Script, password: str, latencies_us: array[int]) -> None:
        self.script = script
        self.upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.refused = 0
        self._password = password
        self._latencies_us = latencies_us
        self._received = b""
        self._sent_at = 0.0
        self._answer: asyncio.Future[bytes] | None = None
        self._is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        name = charger_id(self.script.number)
        credentials = base64.b64encode(f"{name}:{self._password}".encode()).decode()
        self.transport.write(
            f"GET /ocpp/{name} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            f"Sec-WebSocket-Protocol: ocpp1.6\r\nAuthorization: Basic {credentials}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._received = self._received + data if self._received else data
        if not self._is_open:
            self._upgrade()
            return
        while (message := self._next_message()) is not None:
            self._hear(message)

    def connection_lost(self, exc: Exception | None) -> None:
        lost = ConnectionResetError(f"{charger_id(self.script.number)} was disconnected")
        for waiting in (self.upgraded, self._answer):
            if waiting is not None and not waiting.done():
                waiting.set_exception(lost)

    async def ask(self, call: str) -> bytes:
        sent = frame(call)
        self._answer = asyncio.get_running_loop().create_future()
        self._sent_at = time.perf_counter()
        self.transport.write(sent)
        return await self._answer

    def _upgrade(self) -> None:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        if not head.startswith(b"HTTP/1.1 101"):
            self.upgraded.set_exception(ConnectionRefusedError(head.partition(b"\r\n")[0].decode()))
            return
        self._received, self._is_open = rest, True
        self.upgraded.set_result(None)

    def _next_message(self) -> bytes | None:
        data = self._received
        if len(data) < 2:
            return None
        length, start = data[1], 2
        if length == 126:
            length, start = int.from_bytes(data[2:4], "big"), 4
        if len(data) < start + length:
            return None
        self._received = data[start + length :]
        return data[start : start + length] if data[0] == 0x81 else b""

    def _hear(self, message: bytes) -> None:
        kind = message[:2]
        if kind not in (_RESULT, _ERROR) or self._answer is None or self._answer.done():
            return  # a CALL of the server's, or a control frame: nobody asked for it here
        self._latencies_us.append(round((time.perf_counter() - self._sent_at) * 1e6))
        if kind == _ERROR:
            self.refused += 1
        self._answer.set_result(message)


class Fleet:
    """All chargers of a plan, and what was measured at them."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.latencies_us: array[int] = array("L")
        self.sessions = 0
        self.refused = 0
        self.chargers: list[Charger] = []
        self._until = 0.0

    async def connect(self) -> float:
        """Opens all sockets, a few at a time; the seconds that it took."""
        loop = asyncio.get_running_loop()
        gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

        async def one(number: int) -> Charger:
            async with gate:
                script = Script(number)
                _, protocol = await loop.create_connection(
                    lambda: Charger(script, self.plan.password, self.latencies_us), "127.0.0.1", self.plan.port
                )
                await protocol.upgraded
                return protocol

        started = time.perf_counter()
        first = self.plan.first_number
        self.chargers = list(await asyncio.gather(*(one(n) for n in range(first, first + self.plan.chargers))))
        return time.perf_counter() - started

    async def play(self, on_measuring: Callable[[], None]) -> float:
        """The plan's case at every charger; the seconds from `on_measuring` to the last answer."""
        for charger in self.chargers:
            await self._prepare(charger)
        self._until = time.perf_counter() + self.plan.ramp_s + self.plan.seconds
        play = {
            "session": self._play_sessions,
            "heartbeat": self._play_same,
            "status": self._play_same,
            "meter_values": self._play_same,
            "paced": self._play_paced,
            "connect": self._play_once,
        }[self.plan.case]
        gap_s = self.plan.ramp_s / len(self.chargers)

        async def begin(place: int, charger: Charger) -> None:
            await asyncio.sleep(place * gap_s)
            await play(charger)

        async def measuring() -> float:
            await asyncio.sleep(self.plan.ramp_s)
            del self.latencies_us[:]
            on_measuring()
            return time.perf_counter()

        measured = asyncio.create_task(measuring())
        await asyncio.gather(*(begin(place, charger) for place, charger in enumerate(self.chargers)))
        return time.perf_counter() - await measured

    async def _prepare(self, charger: Charger) -> None:
        """Meter values want a delivery under way."""
        if self.plan.case == "meter_values":
            await charger.ask(charger.script.boot())
            self._note_start(charger, await charger.ask(charger.script.start()))

    async def _play_sessions(self, charger: Charger) -> None:
        """Whole sessions only: the last one ends after the time is over."""
        while time.perf_counter() < self._until:
            for number, call in enumerate(charger.script.session()):
                answer = await charger.ask(call)
                if number == 2 and b'"Accepted"' not in answer:
                    self.refused += 1
                elif number == 4:
                    self._note_start(charger, answer)
            self.sessions += 1

    async def _play_same(self, charger: Charger) -> None:
        make = getattr(charger.script, self.plan.case)
        while time.perf_counter() < self._until:
            await charger.ask(make())

    async def _play_paced(self, charger: Charger) -> None:
        place = charger.script.number - self.plan.first_number
        await asyncio.sleep(place / self.plan.chargers)  # not all in the same moment
        for _ in range(round(self.plan.seconds)):
            due = time.perf_counter() + 1
            await charger.ask(charger.script.status())
            await asyncio.sleep(max(0.0, due - time.perf_counter()))

    async def _play_once(self, charger: Charger) -> None:
        await charger.ask(charger.script.boot())
        await charger.ask(charger.script.heartbeat())

    def _note_start(self, charger: Charger, answer: bytes) -> None:
        if not answer.startswith(_RESULT):
            raise RuntimeError(f"StartTransaction was answered by {answer.decode()}")
        payload = msgspec.json.decode(answer)[2]
        charger.script.transaction_id = payload["transactionId"]
        if payload["idTagInfo"]["status"] != "Accepted":
            self.refused += 1


async def live() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=Plan)
    if plan.core is not None:
        machine.pin(plan.core)
    fleet = Fleet(plan)
    connect_s = await fleet.connect()
    # The one who measures looks at the server now: between connecting and the load.
    _say({"connect_s": connect_s})
    await asyncio.to_thread(sys.stdin.buffer.readline)
    own = _own_cpu_s()

    def on_measuring() -> None:
        nonlocal own
        own = _own_cpu_s()
        _say("measuring")

    elapsed_s = await asyncio.wait_for(fleet.play(on_measuring), plan.ramp_s + plan.seconds + ANSWER_LIMIT_S)
    _say(
        Result(
            calls=len(fleet.latencies_us),
            elapsed_s=elapsed_s,
            own_cpu_s=_own_cpu_s() - own,
            latencies_us=fleet.latencies_us.tolist(),
            sessions=fleet.sessions,
            refused=fleet.refused + sum(charger.refused for charger in fleet.chargers),
            connect_s=connect_s,
        )
    )
    await asyncio.to_thread(sys.stdin.buffer.readline)  # the sockets stay open until they have been looked at


def _say(message: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(message) + b"\n")
    sys.stdout.buffer.flush()


def _own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> int:
    try:
        uvloop.run(live())
    except (OSError, RuntimeError, TimeoutError) as error:
        sys.stderr.write(f"bench.load: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
