"""`/_local/messages`: what was sent, with the files that went with it."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

from aiohttp.test_utils import TestClient, TestServer

from chalicelib.kernel.clock import VirtualClock
from infra.local.local_api import LocalApi
from infra.local.messages import Outbox
from infra.local.platform import Platform
from tests.unit.infra.local.test_messages import START, send, simple

FILE = {"FileName": "Beleg März.pdf", "RawContent": b"%PDF", "ContentType": "application/pdf"}


async def _ask(platform: Platform, *paths: str) -> list[tuple[int, str, bytes]]:
    async with TestClient(TestServer(LocalApi(platform).application())) as client:
        answers = []
        for path in paths:
            answer = await client.get(path)
            answers.append((answer.status, answer.headers["content-type"], await answer.read()))
        return answers


def test_a_file_is_named_in_the_list_and_served() -> None:
    outbox = Outbox(VirtualClock(START).now)
    restore = outbox.install()
    try:
        content: dict[str, Any] = simple()
        content["Simple"]["Attachments"] = [FILE]
        send(content, "ann@example.com")
    finally:
        restore()
    [message] = outbox.list()
    worker = SimpleNamespace(settle=lambda: None)
    platform = cast(Platform, SimpleNamespace(messages=outbox, worker=worker))
    path = f"/messages/{message.id}/attachments"
    listed, file, none, nobody = asyncio.run(
        _ask(platform, "/messages", f"{path}/0", f"{path}/1", "/messages/x/attachments/0")
    )
    assert b'"size": 4' in listed[2]
    assert file == (200, "application/pdf", b"%PDF")
    assert (none[0], nobody[0]) == (404, 404)
    outbox.close()
