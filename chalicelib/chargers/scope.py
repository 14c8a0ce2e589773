"""Whose charger a request is about: for all operators' endpoints under `/v1/chargers/{charger_id}`.

Another operator's answers 404, like one that does not exist (`identity/scope.py`).
"""

from __future__ import annotations

from chalicelib.chargers import service
from chalicelib.chargers.model import Charger
from chalicelib.identity.scope import may_see
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import Request


def owned_charger(req: Request, charger_id: str) -> Charger:
    """Raises charger.not_found, also for another operator's."""
    charger = service.get_charger(req.ctx, charger_id)
    if charger is None or not may_see(req, charger.operator_id):
        raise not_found("charger", charger_id)
    return charger
