"""Fixtures of the stories: a running platform, and the usual site on it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.people import Site, open_site
from tests.e2e.stack import Stack

COMPLAINTS = ("Traceback (most recent call last)", "ERROR ")


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """A platform on an empty data folder."""
    async with attended(Stack(tmp_path)) as running:
        yield running


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Stack]:
    """A platform as the first start leaves it, with two simulated chargers."""
    async with attended(Stack(tmp_path, demo=True)) as running:
        yield running


@pytest.fixture
async def site(stack: Stack) -> Site:
    """An operator with one placed charger and a driver with 20.00 and a card."""
    return await open_site(stack)


@asynccontextmanager
async def attended(stack: Stack) -> AsyncIterator[Stack]:
    """Started and ended; it must end when it is told to, and never have complained."""
    await stack.start()
    try:
        yield stack
        status = await stack.stop() if stack.running else 0
    finally:
        if stack.running:
            await stack.kill()
        log = stack.log.read_text()
        sys.stdout.write(log)  # shown by pytest when the test fails
    assert status == 0
    assert not [line for line in log.splitlines() if line.startswith(COMPLAINTS)]
