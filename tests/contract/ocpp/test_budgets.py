"""What a frame costs on DynamoDB, in read and write units as AWS counts them. The budgets are the product's price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from infra.local import aws_hooks
from tests.contract.ocpp import people
from tests.contract.ocpp.wire import Wire
from tests.world import Operator, World

AT = "2026-03-02T08:00:00Z"
READS = {"GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems"}


@dataclass
class Meter:
    """Units used since it was last asked."""

    reads: float = 0
    writes: float = 0

    def take(self) -> tuple[float, float]:
        used = self.reads, self.writes
        self.reads = self.writes = 0
        return used


@pytest.fixture
def meter(world: World) -> Iterator[Meter]:
    counted = Meter()

    def execute(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        reply = world.engine.execute(operation, {**request, "ReturnConsumedCapacity": "TOTAL"})
        capacity = reply.pop("ConsumedCapacity")
        units = sum(part["CapacityUnits"] for part in (capacity if isinstance(capacity, list) else [capacity]))
        if operation in READS:
            counted.reads += units
        else:
            counted.writes += units
        return reply

    restore = aws_hooks.register("dynamodb", execute)
    yield counted
    restore()


@pytest.fixture
def busy(world: World, operator: Operator, wire: Wire, meter: Meter) -> Wire:
    """A charger in the middle of its day: booted, seen within the minute, its facts in the warm process."""
    people.price(world, operator)
    people.driver(world, operator, cents=1000, card="CARD-1")
    wire.boot()
    wire.call("Authorize", {"idTag": "CARD-1"})
    meter.take()
    return wire


def begin(wire: Wire) -> int:
    payload = {"connectorId": 1, "idTag": "CARD-1", "meterStart": 0, "timestamp": AT}
    transaction_id: int = wire.call("StartTransaction", payload)["transactionId"]
    return transaction_id


def readings(wire: Wire, transaction_id: int, value: int) -> None:
    sampled = {"value": str(value), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
    payload = {
        "connectorId": 1,
        "transactionId": transaction_id,
        "meterValue": [{"timestamp": AT, "sampledValue": [sampled]}],
    }
    wire.call("MeterValues", payload)


def test_heartbeat(busy: Wire, meter: Meter) -> None:
    busy.call("Heartbeat", {})
    assert meter.take() == (0, 1)


def test_unchanged_status(busy: Wire, meter: Meter) -> None:
    payload = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
    busy.call("StatusNotification", payload)
    meter.take()
    busy.call("StatusNotification", payload)
    reads, writes = meter.take()
    assert writes <= 1
    assert reads <= 1


def test_authorize(busy: Wire, meter: Meter) -> None:
    busy.call("Authorize", {"idTag": "CARD-1"})
    reads, writes = meter.take()
    assert reads <= 1
    assert writes == 0


def test_a_whole_charge(busy: Wire, meter: Meter) -> None:
    transaction_id = begin(busy)
    _, writes = meter.take()
    assert writes <= 12
    readings(busy, transaction_id, 100)
    meter.take()
    readings(busy, transaction_id, 200)
    reads, writes = meter.take()
    assert writes <= 2
    assert reads == 0
    busy.call("StopTransaction", {"transactionId": transaction_id, "meterStop": 300, "timestamp": AT})
    _, writes = meter.take()
    assert writes <= 16


def test_a_frame_after_ninety_seconds_pays_one_unit_more(world: World, busy: Wire, meter: Meter) -> None:
    busy.call("DataTransfer", {"vendorId": "x"})
    assert meter.take() == (0, 0)
    world.advance(90)
    busy.call("DataTransfer", {"vendorId": "x"})
    assert meter.take() == (0, 1)
