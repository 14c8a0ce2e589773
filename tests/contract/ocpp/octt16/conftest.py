from __future__ import annotations

import pytest

from tests.contract.ocpp import people
from tests.contract.ocpp.octt16.scripted import CARD, ScriptedCharger
from tests.contract.ocpp.wire import Wire
from tests.world import Operator, World


@pytest.fixture
def charger(world: World, operator: Operator, wire: Wire) -> ScriptedCharger:
    """A booted charger, a price, and a driver with 10.00 and a card."""
    people.price(world, operator)
    scripted = ScriptedCharger(wire, operator, people.driver(world, operator, cents=1000, card=CARD))
    scripted.cold_boot()
    return scripted
