from __future__ import annotations

import pytest

from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


@pytest.fixture
def wire(world: World, operator: Operator) -> Wire:
    """A placed charger with two EVSEs, connected, not booted."""
    place(world, operator, "WIRE-1")
    wire = Wire(world, "WIRE-1")
    assert wire.connect() == (200, {"Sec-WebSocket-Protocol": "ocpp1.6"})
    return wire
