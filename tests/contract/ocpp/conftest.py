from __future__ import annotations

import pytest

from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


@pytest.fixture
def protocol() -> str:
    """The subprotocol of `wire`. A test that is parametrized by `protocol` has its own."""
    return "ocpp1.6"


@pytest.fixture
def wire(world: World, operator: Operator, protocol: str) -> Wire:
    """A placed charger with two EVSEs, connected, not booted."""
    place(world, operator, "WIRE-1")
    wire = Wire(world, "WIRE-1", protocol=protocol)
    assert wire.connect() == (200, {"Sec-WebSocket-Protocol": protocol})
    return wire
