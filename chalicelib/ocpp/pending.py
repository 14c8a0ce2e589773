"""Chargers that are not accepted yet: what their boot is answered, and what else they may say.

They may say what their version lets through and what we asked them for; everything else is answered SecurityError
(OCPP 2.0.1 B02.FR.09, B03.FR.07). What we asked is looked up only for what is refused otherwise, in the commands that
were sent to them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Command
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.version import Action

ANSWERS_WITHIN: Final = timedelta(minutes=5)
"""How long after a TriggerMessage the message that it asked for may come."""

BOOT_AGAIN_S: Final = 60
"""How soon a Pending charger boots again: the installer who places it is waiting."""

_TRIGGERS: Final = frozenset({"TriggerMessage", "ExtendedTriggerMessage"})
_CERTIFICATE: Final = "SignCertificate"
_RECENT: Final = 10


def boot_answer(charger: Charger, received_at: datetime) -> Payload:
    """The answer to BootNotification, the same in all versions (1.6 6.4, 2.0.1 BootNotificationResponse): a charger
    without a location is Pending."""
    return {
        "status": "Accepted" if charger.is_placed else "Pending",
        "currentTime": to_rfc3339(received_at),
        "interval": charger.heartbeat_interval_s if charger.is_placed else BOOT_AGAIN_S,
    }


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
