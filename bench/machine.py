"""What the operating system knows about a process: CPU, memory, the cores it may use; and what machine this is.

Linux only (/proc); the load cases use it from outside the measured process, so that measuring costs it nothing.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """Seconds of user and system time that a process has used, all threads together. Steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def resident_kib(pid: int) -> int:
    """Memory that the process holds, what it shares with others included."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def cores() -> tuple[int, int]:
    """The core for the server and the one for the load generator; the same where there is only one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[-1]


def pin(core: int) -> None:
    """Keeps this process, and those that it starts, on one core."""
    os.sched_setaffinity(0, {core})


def describe() -> str:
    """`AMD EPYC, 2 cores, Linux 6.1, Python 3.11.2`."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "unknown CPU")
    usable = len(os.sched_getaffinity(0))
    return f"{model}, {usable} cores, Linux {platform.release()}, Python {platform.python_version()}"
