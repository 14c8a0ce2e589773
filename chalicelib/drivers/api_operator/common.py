"""What the operators' endpoints of drivers share."""

from __future__ import annotations

from typing import Annotated

import msgspec

from chalicelib.drivers import service
from chalicelib.drivers.model import Driver
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Api, Request

api = Api("drivers", "operator")


TokenText = Annotated[str, msgspec.Meta(min_length=1, max_length=64, description="1 to 20 characters, without case.")]


def visible_driver(req: Request, driver_id: str) -> Driver:
    """A driver on the list of who asks. Raises driver.not_found (404)."""
    driver = service.get_driver(req.ctx, driver_id)
    if driver is None or not (req.actor.is_platform or service.is_linked(req.ctx, req.organization_id, driver_id)):
        raise not_found("driver", driver_id)
    return driver
