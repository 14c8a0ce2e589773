"""What moves our CALLs when no frame does: a command was queued; a minute has passed."""

from __future__ import annotations

from typing import Any

from chalice import Blueprint, Rate

from chalicelib.chargers import service as chargers
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.task import entry
from chalicelib.ocpp import outbound

jobs = Blueprint(__name__)


def on_command_queued(ctx: Context, event: Event) -> None:
    """Sends what the charger's queue holds. Delivered twice it finds the command sent already."""
    outbound.send_next(ctx, event.payload["charger_id"])


@jobs.schedule(Rate(1, unit=Rate.MINUTES), name="expire-commands")
@entry
def expire_commands(ctx: Context, _event: dict[str, Any]) -> int:
    """Ends commands that were not answered or not sent in time; returns how many chargers had work.

    One charger's trouble does not keep the others waiting.
    """
    busy = 0
    for link in chargers.scan_links(ctx):
        if link.inflight_command_id is None and not link.outbound:
            continue
        busy += 1
        try:
            outbound.time_out_overdue(ctx, link.charger_id)
        except Exception:
            logger.exception("commands not expired", extra={"charger_id": link.charger_id})
    return busy
