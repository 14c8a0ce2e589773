"""Whose wallets a request may look into: those of the drivers on the asker's list; the platform's people see all."""

from __future__ import annotations

from chalicelib.drivers import service as drivers
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Request


def visible_wallet(req: Request, driver_id: str) -> str:
    """Raises driver.not_found for a driver that is not on the operator's list."""
    if req.actor.is_platform:
        return drivers.require_driver(req.ctx, driver_id).driver_id
    if not drivers.is_linked(req.ctx, req.organization_id, driver_id):
        raise not_found("driver", driver_id)
    return driver_id
