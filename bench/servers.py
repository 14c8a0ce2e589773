"""Starts what is measured, and the load generator, as processes of their own, each on its core; ends them again.

The invariant: whatever happens, no process of ours outlives its `with`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bench import machine
from bench.load import Plan, Result

START_LIMIT_S = 30.0
STOP_LIMIT_S = 30.0
QUIET_LIMIT_S = 30.0
_LOOK_S = 0.25
_QUIET_CPU_S = 0.03


@dataclass(frozen=True)
class Server:
    name: str
    port: int
    pid: int


@contextmanager
def platform(folder: Path) -> Iterator[Server]:
    """`python -m infra.local` on the data in `folder`, durable as it always is. Ended as Ctrl-C ends it."""
    environment = os.environ | {"DATA_DIR": str(folder), "DEMO": "0", "ADMIN_PASSWORD": "bench-admin-password"}
    with _server("wattfare", ["infra.local"], environment) as server:
        yield server


@contextmanager
def reference() -> Iterator[Server]:
    with _server("ocpp package", ["bench.reference_server", "{port}"], dict(os.environ)) as server:
        yield server


@contextmanager
def _server(name: str, module_and_arguments: list[str], environment: dict[str, str]) -> Iterator[Server]:
    port = _free_port()
    command = [sys.executable, "-m", *(part.format(port=port) for part in module_and_arguments)]
    server_core, _ = machine.cores()
    with subprocess.Popen(
        command,
        env=environment | {"PORT": str(port)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as process:
        try:
            os.sched_setaffinity(process.pid, {server_core})
            _await_answer(process, port)
            yield Server(name, port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(process: subprocess.Popen[bytes], port: int) -> None:
    """Until it answers HTTP, whatever: the platform opens its port before it can serve."""
    limit = time.monotonic() + START_LIMIT_S
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=START_LIMIT_S) as probe:
                probe.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if probe.recv(1):
                    return
        except OSError:
            time.sleep(0.05)  # noqa: TID251 - another process's start, not our clock
    raise TimeoutError(f"nobody answers on {port}")


@dataclass(frozen=True)
class Measured:
    """A run seen from both sides. `cpu_us_per_call` counts the server until it has nothing left to do."""

    result: Result
    cpu_us_per_call: float
    settle_s: float
    kib_per_connection: float
    connect_cpu_s: float

    @property
    def calls_per_s(self) -> float:
        return self.result.calls / self.result.elapsed_s

    def percentile_ms(self, percent: float) -> float:
        """The latency that so many CALLs stayed below, in milliseconds."""
        ordered = sorted(self.result.latencies_us)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] / 1000


def measure(server: Server, plan: Plan, warm_up: Plan | None = None) -> Measured:
    """Plays a plan against a server, after another one whose chargers stay: what a server takes once, with its first
    connections, is not memory per connection. Raises RuntimeError if the load generator fails."""
    with ExitStack() as stack:
        if warm_up is not None:
            _play_and_stay(server, warm_up, stack.enter_context(_generator()))
        return _measure(server, plan, stack.enter_context(_generator()))


@contextmanager
def _generator() -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "bench.load"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.terminate()


def _play_and_stay(server: Server, plan: Plan, process: subprocess.Popen[bytes]) -> None:
    _tell(process, msgspec.json.encode(plan))
    _hear(process)
    _tell(process, b"play")
    _hear(process)
    _hear(process)
    _await_quiet(server)


def _measure(server: Server, plan: Plan, process: subprocess.Popen[bytes]) -> Measured:
    memory, cpu = machine.resident_kib(server.pid), machine.cpu_s(server.pid)
    _tell(process, msgspec.json.encode(plan))
    _hear(process)
    connect_cpu_s = machine.cpu_s(server.pid) - cpu
    _await_quiet(server)
    _tell(process, b"play")
    _hear(process)
    cpu = machine.cpu_s(server.pid)
    result = msgspec.json.decode(_hear(process), type=Result)
    settle_s = _await_quiet(server)
    cpu = machine.cpu_s(server.pid) - cpu
    memory = machine.resident_kib(server.pid) - memory
    _tell(process, b"end")
    return Measured(
        result=result,
        cpu_us_per_call=cpu / max(1, result.calls) * 1e6,
        settle_s=settle_s,
        kib_per_connection=memory / plan.chargers,
        connect_cpu_s=connect_cpu_s,
    )


def _await_quiet(server: Server) -> float:
    """Waits until the server has worked off what the answers left behind; the seconds that it took."""
    started = time.monotonic()
    quiet_since = started
    used = machine.cpu_s(server.pid)
    while time.monotonic() - started < QUIET_LIMIT_S:
        time.sleep(_LOOK_S)  # noqa: TID251 - another process's work, not our clock
        now_used = machine.cpu_s(server.pid)
        if now_used - used <= _QUIET_CPU_S:
            return quiet_since - started
        used, quiet_since = now_used, time.monotonic()
    return QUIET_LIMIT_S


def _tell(process: subprocess.Popen[bytes], line: bytes) -> None:
    if process.stdin is None:
        raise RuntimeError("the load generator has no standard input")
    process.stdin.write(line + b"\n")
    process.stdin.flush()


def _hear(process: subprocess.Popen[bytes]) -> bytes:
    line = process.stdout.readline() if process.stdout else b""
    if not line:
        raise RuntimeError("the load generator gave up; its complaint is above")
    return line
