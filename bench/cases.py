"""The load cases: what is played against the platform and the reference, and how good it should be.

Each platform case starts from a fresh copy of one prepared data folder; after whole sessions the books are read
again, so that a fast run that lost or made money is a failed one.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import installation, machine, servers
from bench.load import Case, Plan
from bench.servers import Measured

CHARGERS, PACED_CHARGERS, CONNECTIONS, FIRST_CONNECTIONS = 50, 20, 1000, 100
SECONDS = 8.0
CPU_RATIO_TARGET = 1.3

Check = tuple[str, Callable[[Measured], float], str, float]
"""A target: its name, the figure, `>=` or `<=`, and the bound."""


def _calls_per_s(measured: Measured) -> float:
    return measured.calls_per_s


def _cpu_us(measured: Measured) -> float:
    return measured.cpu_us_per_call


def _p50_ms(measured: Measured) -> float:
    return measured.percentile_ms(50)


def _p99_ms(measured: Measured) -> float:
    return measured.percentile_ms(99)


def _connects_per_s(measured: Measured) -> float:
    return CONNECTIONS / measured.result.connect_s


def _kib(measured: Measured) -> float:
    return measured.kib_per_connection


@dataclass(frozen=True)
class LoadCase:
    name: str
    case: Case
    title: str
    checks: tuple[Check, ...]
    chargers: int = CHARGERS
    seconds: float = SECONDS
    ramp_s: float = 0.0


_CPU: Check = ("CPU us/CALL", _cpu_us, "<=", 700)
_P99: Check = ("p99 ms", _p99_ms, "<=", 100)

LOAD_CASES = (
    LoadCase(
        "sessions",
        "session",
        "whole sessions of 19 CALLs",
        (("CALL/s", _calls_per_s, ">=", 1500), _CPU, _P99),
        ramp_s=1.0,
    ),
    LoadCase("heartbeat", "heartbeat", "Heartbeat", (("CALL/s", _calls_per_s, ">=", 2000), _CPU, _P99)),
    LoadCase("status", "status", "StatusNotification", (("CALL/s", _calls_per_s, ">=", 1700), _CPU, _P99)),
    LoadCase("meter-values", "meter_values", "MeterValues", (("CALL/s", _calls_per_s, ">=", 1500), _CPU, _P99)),
    LoadCase("light", "paced", "20 chargers, 1 CALL/s each", (("p50 ms", _p50_ms, "<=", 2.5),), PACED_CHARGERS),
    LoadCase(
        "connects",
        "connect",
        "1 000 connects, then Boot and Heartbeat",
        (("connects/s", _connects_per_s, ">=", 800), ("KiB/connection", _kib, "<=", 40)),
        CONNECTIONS,
    ),
)


@dataclass
class Figures:
    """A case as it was measured, for the table and for JSON."""

    name: str
    title: str
    server: str
    calls_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_us_per_call: float
    settle_s: float
    connects_per_s: float | None
    kib_per_connection: float | None
    generator_us_per_call: float
    sessions: int
    refused: int
    missed: list[str] = field(default_factory=list)
    books: dict[str, Any] | None = None


class Bench:
    """Plays load cases. `folder` is the prepared installation; one at a time."""

    def __init__(self, folder: Path, operator_id: str) -> None:
        self._folder = folder
        self._operator_id = operator_id

    def platform(self, case: LoadCase) -> Figures:
        """Targets that were missed, and books that do not close, are in `missed`."""
        with tempfile.TemporaryDirectory() as scratch:
            data = Path(scratch) / "data"
            shutil.copytree(self._folder, data)
            with servers.platform(data) as server:
                measured = servers.measure(server, _plan(case, server.port), _warm_up(case, server.port))
            figures = _figures(case, server.name, measured)
            figures.missed = [text for check in case.checks if (text := _missed(check, measured)) is not None]
            if measured.result.refused:
                figures.missed.append(f"{measured.result.refused} answers were refusals")
            if case.case == "session":
                books = installation.read_books(data, self._operator_id)
                figures.books = vars(books)
                figures.missed += _open_books(books, measured.result.sessions)
            return figures

    def reference(self, case: LoadCase) -> Figures:
        with servers.reference() as server:
            measured = servers.measure(server, _plan(case, server.port), _warm_up(case, server.port))
            return _figures(case, server.name, measured)


@contextmanager
def prepared() -> Iterator[Bench]:
    """A bench with its chargers, drivers and money in a scratch folder."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        operator_id = installation.build(folder, charger_count=CONNECTIONS + FIRST_CONNECTIONS, driver_count=CHARGERS)
        yield Bench(folder, operator_id)


def _plan(case: LoadCase, port: int) -> Plan:
    _, generator_core = machine.cores()
    return Plan(
        port=port,
        case=case.case,
        chargers=case.chargers,
        seconds=case.seconds,
        password=installation.PASSWORD,
        ramp_s=case.ramp_s,
        core=generator_core,
    )


def _warm_up(case: LoadCase, port: int) -> Plan | None:
    """Other chargers that connect first, and stay, where the memory of a connection is asked for."""
    if case.case != "connect":
        return None
    plan = _plan(case, port)
    plan.first_number, plan.chargers = CONNECTIONS, FIRST_CONNECTIONS
    return plan


def _figures(case: LoadCase, server: str, measured: Measured) -> Figures:
    connects = case.case == "connect"
    return Figures(
        name=case.name,
        title=case.title,
        server=server,
        calls_per_s=measured.calls_per_s,
        p50_ms=measured.percentile_ms(50),
        p99_ms=measured.percentile_ms(99),
        cpu_us_per_call=measured.cpu_us_per_call,
        settle_s=measured.settle_s,
        connects_per_s=_connects_per_s(measured) if connects else None,
        kib_per_connection=measured.kib_per_connection if connects else None,
        generator_us_per_call=measured.result.own_cpu_s / max(1, measured.result.calls) * 1e6,
        sessions=measured.result.sessions,
        refused=measured.result.refused,
    )


def _missed(check: Check, measured: Measured) -> str | None:
    name, figure, relation, bound = check
    value = figure(measured)
    holds = value >= bound if relation == ">=" else value <= bound
    return None if holds else f"{name} is {value:.1f}, wanted {relation} {bound:g}"


def _open_books(books: installation.Books, sessions: int) -> list[str]:
    found = []
    if not books.sessions == books.settled == books.cdrs == sessions:
        found.append(f"{sessions} sessions were played, the books have {vars(books)}")
    if books.faults or books.sum_of_accounts:
        found.append(f"the ledger does not prove: {vars(books)}")
    return found
