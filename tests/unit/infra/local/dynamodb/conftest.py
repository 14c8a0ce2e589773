"""An engine in memory on a clock that stands still, with one streamed and one expiring table."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.kernel.clock import VirtualClock
from infra.local.dynamodb.engine import Engine

STREAMED, PLAIN = "streamed", "plain-rows"


def create_tables(engine: Engine) -> None:
    definition: dict[str, Any] = {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    }
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    engine.execute("CreateTable", {"TableName": STREAMED, **definition, "StreamSpecification": stream})
    engine.execute("CreateTable", {"TableName": PLAIN, **definition})
    engine.execute(
        "UpdateTimeToLive",
        {"TableName": STREAMED, "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expires_at"}},
    )


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(datetime(2026, 5, 1, 12, 0, tzinfo=UTC))


@pytest.fixture
def engine(clock: VirtualClock) -> Iterator[Engine]:
    made = Engine(":memory:", clock.now)
    create_tables(made)
    yield made
    made.close()
