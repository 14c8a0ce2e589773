"""Fixtures of the stories: a running platform, and the usual site on it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.people import Site, open_site
from tests.e2e.stack import Stack

COMPLAINTS = ("Traceback (most recent call last)", "ERROR ")


@pytest.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """A platform on an empty data folder. It must end when it is told to, and never have complained."""
    running = Stack(tmp_path)
    await running.start()
    try:
        yield running
        status = await running.stop() if running.running else 0
    finally:
        if running.running:
            await running.kill()
        log = running.log.read_text()
        print(log)  # noqa: T201  shown by pytest when the test fails
    assert status == 0
    assert not [line for line in log.splitlines() if line.startswith(COMPLAINTS)]


@pytest.fixture
async def site(stack: Stack) -> Site:
    """An operator with one placed charger and a driver with 20.00 and a card."""
    return await open_site(stack)
