from __future__ import annotations

import pytest

from tests.contract.ocpp.octt201.station import Station, build_station
from tests.world import Operator, World


@pytest.fixture
def station(world: World, operator: Operator) -> Station:
    """It has booted, both EVSEs are free."""
    station = build_station(world, operator, "ocpp2.0.1")
    station.cold_boot()
    return station
