"""Codes on a charger's display that people pay by (OCPP 2.1 C25)."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.scope import owned_charger
from chalicelib.kernel.http import Request
from chalicelib.ocpp.api_operator.commands import CommandView, queued_view
from chalicelib.ocpp.api_operator.common import api


@api.post("/v1/chargers/{charger_id}/web-payments", "chargers:command", status=202)
def enable_web_payments(req: Request, charger_id: str) -> CommandView:
    """Has the charger show a QR code that changes every minute.

    Whoever scans it is led to this very place: a sticker over it, or a photo of it, leads nowhere. OCPP 2.1 chargers
    only; for others the command fails. Its state can be watched where the header Location says.
    """
    charger = owned_charger(req, charger_id)
    command = chargers.enable_web_payments(req.uow, charger, req.actor.person_id)
    return queued_view(req, command)
