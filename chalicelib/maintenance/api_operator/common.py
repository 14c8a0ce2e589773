"""The Api of this folder, and whose charger it is."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.identity.scope import may_see
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Api, Request

api = Api("maintenance", "operator")


def owned_charger(req: Request, charger_id: str) -> Charger:
    """Raises charger.not_found, also for another operator's."""
    charger = chargers.get_charger(req.ctx, charger_id)
    if charger is None or not may_see(req, charger.operator_id):
        raise not_found("charger", charger_id)
    return charger
