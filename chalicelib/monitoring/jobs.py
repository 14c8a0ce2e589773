"""The scheduled side of monitoring."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from chalice import Blueprint, Rate

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Link
from chalicelib.kernel import task
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.monitoring import service

jobs = Blueprint(__name__)


@jobs.schedule(Rate(1, unit=Rate.MINUTES), name="offline-alerts")
@task.entry
def alert_offline_chargers(ctx: Context, _event: dict[str, Any]) -> dict[str, int]:
    """Tells each operator which chargers fell silent and which came back.

    Reads all links in one scan: twenty of these small rows cost half a read unit, far less than an index that would
    have to be written at every heartbeat. One operator's trouble does not stop the others.
    """
    by_operator: dict[str, list[Link]] = defaultdict(list)
    for link in chargers.scan_links(ctx):
        by_operator[link.operator_id].append(link)
    told = failed = 0
    for operator_id, links in by_operator.items():
        try:
            told += service.tell_changes(ctx, operator_id, links)
        except Exception:
            failed += 1
            logger.exception("offline alerts failed", extra={"operator_id": operator_id})
    if failed:
        raise RuntimeError(f"offline alerts failed for {failed} operators")
    return {"operators": len(by_operator), "told": told}
