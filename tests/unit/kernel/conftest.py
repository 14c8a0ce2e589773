"""A table of the tests' own: the kernel knows none of the product's."""

from __future__ import annotations

import pytest

from tests.unit.kernel.things import create_table
from tests.world import World


@pytest.fixture
def things(world: World) -> World:
    create_table(world)
    return world
