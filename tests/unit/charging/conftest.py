"""What the tests of races share: somebody who is faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.local import aws_hooks
from tests.world import World

AfterRead = Callable[[str, Callable[[], object]], None]


@pytest.fixture
def after_read(world: World) -> Iterator[AfterRead]:
    """`after_read(pk, act)`: `act` happens when the row under `pk` has just been read, once: somebody is faster."""
    waiting: list[tuple[str, Callable[[], object]]] = []

    def execute(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        answer = world.engine.execute(operation, request)
        if operation == "GetItem" and waiting and request["Key"]["pk"]["S"] == waiting[0][0]:
            waiting.pop()[1]()
        return answer

    restore = aws_hooks.register("dynamodb", execute)
    yield lambda pk, act: waiting.append((pk, act))
    restore()
