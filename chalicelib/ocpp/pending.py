"""What a charger may say before it has been accepted: what its version lets through, and what we asked it for.

OCPP 2.0.1 B02.FR.09 and B03.FR.07: everything else is answered SecurityError. Looked up only for chargers that are
refused otherwise, in the commands that were sent to them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Command
from chalicelib.kernel.context import Context
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Action

ANSWERS_WITHIN: Final = timedelta(minutes=5)
"""How long after a TriggerMessage the message that it asked for may come."""

_TRIGGERS: Final = frozenset({"TriggerMessage", "ExtendedTriggerMessage"})
_CERTIFICATE: Final = "SignCertificate"
_RECENT: Final = 10


def may_say(ctx: Context, charger: Charger, name: str, action: Action, payload: Payload) -> bool:
    """Whether the charger's CALL of the action `name` is served."""
    if charger.is_placed or action.while_pending:
        return True
    if action.heard_pending is not None and action.heard_pending(ctx, charger, payload):
        return True
    return was_triggered(ctx, charger.charger_id, name)


def was_triggered(ctx: Context, charger_id: str, name: str) -> bool:
    """Whether we asked for this message a short while ago, and it was not refused."""
    recent = chargers.list_commands(ctx, charger_id, limit=_RECENT, cursor=None).data
    return any(_asks_for(command, name) and _is_recent(ctx, command) for command in recent)


def _asks_for(command: Command, name: str) -> bool:
    if command.ocpp_action not in _TRIGGERS or command.state not in ("sent", "accepted"):
        return False
    # SignChargingStationCertificate, SignV2GCertificate ...: what is asked for is the message, for one certificate.
    requested = str(command.ocpp_payload.get("requestedMessage", ""))
    return requested == name or (name == _CERTIFICATE and requested.startswith("Sign"))


def _is_recent(ctx: Context, command: Command) -> bool:
    return command.sent_at is not None and ctx.now() - command.sent_at <= ANSWERS_WITHIN
