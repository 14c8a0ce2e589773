"""The stand of stand.py, by itself and behind HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from infra.local.payments import add_routes
from tests.unit.infra.local.payments.stand import Stand


@pytest.fixture
def stand(tmp_path: Path) -> Stand:
    return Stand(tmp_path / "payments.sqlite")


@pytest.fixture
async def origin(stand: Stand) -> AsyncIterator[str]:
    local = web.Application()
    add_routes(local, stand.fake, stand.after_click)
    app = web.Application()
    app.add_subapp("/_local", local)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()
