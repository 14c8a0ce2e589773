from __future__ import annotations

import pytest

from tests.integration.ocpp.device import Device
from tests.integration.ocpp.street import Street, open_street
from tests.site import Site


@pytest.fixture
def street(site: Site) -> Street:
    """A charger that has booted, at a site whose driver has 20.00."""
    return open_street(site)


@pytest.fixture
def device(site: Site) -> Device:
    """A charger that has connected and not booted."""
    return Device(site)
