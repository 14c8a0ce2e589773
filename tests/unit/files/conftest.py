"""An operator that imports and exports."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from tests.world import Operator, Reply, World


@dataclass
class Files:
    """`run` works everything off that was queued, as the relay does."""

    world: World
    operator: Operator
    _keys: Any = field(default_factory=lambda: count(1))

    def post(self, path: str, body: dict[str, Any], token: str | None = None, key: str | None = None) -> Reply:
        key = key or f"key-{next(self._keys)}"
        self.world.advance(1)  # what begins in one millisecond has no order
        return self.world.rest.post(path, body, token=token or self.operator.access_token, key=key)

    def get(self, path: str, token: str | None = None, **query: Any) -> Reply:
        return self.world.rest.get(path, token=token or self.operator.access_token, query=query)

    def begin(self, kind: str, content: str | bytes, token: str | None = None, **options: Any) -> Reply:
        raw = content.encode() if isinstance(content, str) else content
        body = {"kind": kind, "file_name": "a.csv", "content": base64.b64encode(raw).decode(), **options}
        return self.post("/v1/imports", body, token)

    def imported(self, kind: str, content: str | bytes, **options: Any) -> Any:
        """The import as it stands when all is worked off."""
        begun = self.begin(kind, content, **options)
        assert begun.status == 202, begun.body
        self.world.run_events()
        return self.get(begun.headers["location"]).body

    def exported(self, kind: str, token: str | None = None, **body: Any) -> Any:
        begun = self.post("/v1/exports", {"kind": kind, **body}, token)
        assert begun.status == 202, begun.body
        self.world.run_events()
        return self.get(begun.headers["location"], token).body

    def file(self, export: Any, token: str | None = None, part: int = 1) -> Reply:
        return self.get(f"/v1/exports/{export['export_id']}/file", token, part=part)

    def table(self, export: Any, token: str | None = None) -> list[dict[str, str]]:
        """The rows of an export as CSV, by column."""
        import csv

        reply = self.file(export, token)
        assert reply.status == 200, reply.body
        return list(csv.DictReader(str(reply.body).removeprefix("\ufeff").splitlines()))


@pytest.fixture
def files(world: World) -> Files:
    return Files(world, world.operator())
