"""What the local gateway itself costs: CPU per frame, memory per connection, connects per second.

`python -m bench gateway-echo`, or by itself with `--connections`, `--chargers`, `--seconds`. The server is a
process of its own with an echoing message handler; the load generator is this one. Figures are ratios of one
machine, never a test.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import uvloop

PAYLOAD = b'[2,"7f3c1c1e-8e0e-4b8f-9c1e-000000000001","Heartbeat",{}]'
MASK = b"\x11\x22\x33\x44"
FRAME = bytes((0x81, 0x80 | len(PAYLOAD))) + MASK + bytes(byte ^ MASK[index % 4] for index, byte in enumerate(PAYLOAD))
CONNECTING_AT_ONCE = 32
CONNECTIONS, CHARGERS, SECONDS = 1000, 50, 5.0


def serve() -> None:
    """The server process: prints its port, runs until its standard input closes."""
    import chalice

    from infra.local.gateway.rest import RestApi
    from infra.local.gateway.server import build_application
    from infra.local.gateway.server import serve as serve_application
    from infra.local.gateway.websocket import WebSocketApi

    def accept(event: dict[str, object], context: object) -> dict[str, object]:
        return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "ocpp1.6"}}

    def echo(event: dict[str, object], context: object) -> dict[str, object]:
        return {"statusCode": 200, "body": event["body"]}

    def now() -> datetime:
        return datetime.now(UTC)

    async def live() -> None:
        api = WebSocketApi(accept, echo, accept, now, origin_secret="bench")
        handle = await serve_application(build_application(api, RestApi(chalice.Chalice("bench"), now)))
        sys.stdout.write(f"{handle.port}\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        await handle.stop()

    uvloop.run(live())


class Charger(asyncio.Protocol):
    """A client with one message outstanding; `answers` counts what came back."""

    def __init__(self, name: str) -> None:
        self.upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers = 0
        self.running = False
        self._name = name
        self._received = 0
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET /ocpp/{self._name} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        if not self.upgraded.done():
            self._head += data
            if b"\r\n\r\n" in self._head:
                self.upgraded.set_result(None)
            return
        self._received += len(data)
        if self._received >= len(PAYLOAD) + 2:
            self._received = 0
            self.answers += 1
            if self.running:
                self.transport.write(FRAME)


async def measure(port: int, pid: int, connections: int, chargers: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    gate = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def connect(number: int) -> Charger:
        async with gate:
            _, protocol = await loop.create_connection(lambda: Charger(f"CP{number}"), "127.0.0.1", port)
            await protocol.upgraded
            return protocol

    for number in range(CONNECTING_AT_ONCE):
        (await connect(number)).transport.abort()
    await asyncio.sleep(0.2)
    memory, cpu, started = _memory_kib(pid), _cpu_s(pid), time.perf_counter()
    clients = await asyncio.gather(*(connect(number) for number in range(connections)))
    elapsed = time.perf_counter() - started
    _report("connects/s", connections / elapsed)
    _report("server CPU per connect, us", (_cpu_s(pid) - cpu) / connections * 1e6)
    _report("KiB per connection", (_memory_kib(pid) - memory) / connections)

    active = clients[:chargers]
    cpu, own, started = _cpu_s(pid), _own_cpu_s(), time.perf_counter()
    for client in active:
        client.running = True
        client.transport.write(FRAME)
    await asyncio.sleep(seconds)
    elapsed, answers = time.perf_counter() - started, sum(client.answers for client in active)
    _report("frames/s", answers / elapsed)
    _report("server CPU per frame, us", (_cpu_s(pid) - cpu) / answers * 1e6)
    _report("client CPU per frame, us", (_own_cpu_s() - own) / answers * 1e6)
    for client in clients:
        client.running = False
        client.transport.abort()


def _report(name: str, value: float) -> None:
    sys.stdout.write(f"{name:28}{value:10.1f}\n")


def _memory_kib(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Private_Dirty"))


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def run(connections: int = CONNECTIONS, chargers: int = CHARGERS, seconds: float = SECONDS) -> None:
    """Starts the server, measures it, prints, ends it."""
    command = [sys.executable, "-m", "bench.gateway_echo", "--serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout is None:
            raise RuntimeError("the server has no standard output")
        port = int(server.stdout.readline())
        uvloop.run(measure(port, server.pid, connections, chargers, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--connections", type=int, default=CONNECTIONS)
    parser.add_argument("--chargers", type=int, default=CHARGERS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    if options.serve:
        serve()
    else:
        run(options.connections, options.chargers, options.seconds)


if __name__ == "__main__":
    main()
