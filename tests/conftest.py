"""Fixtures of all suites. Nothing here may reach a network or another test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# botocore looks for credentials when a client is made; without these it asks the network for them.
os.environ["AWS_ACCESS_KEY_ID"] = "test"
os.environ["AWS_SECRET_ACCESS_KEY"] = "test"
os.environ["AWS_DEFAULT_REGION"] = "eu-west-1"
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull

from tests import world as worlds
from tests.site import Site, build_site

# What is tested says something about a change, not about the luck of a run, nor about the machine; `make search` tries
# its luck.
settings.register_profile(
    "same_every_time", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("WATTFARE_PROPERTIES", "same_every_time"))


@pytest.fixture
def world() -> Iterator[worlds.World]:
    """An empty platform: see tests/world.py."""
    built = worlds.build()
    yield built
    built.close()


@pytest.fixture
def site(world: worlds.World) -> Site:
    """A site that charges, in that platform: see tests/site.py."""
    return build_site(world)
