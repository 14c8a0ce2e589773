"""A charger's local authorization list: how it stands, and its synchronisation."""

from __future__ import annotations

from datetime import datetime

from chalicelib.chargers.scope import owned_charger
from chalicelib.kernel.http import Request, Shape
from chalicelib.maintenance import service
from chalicelib.maintenance.api_operator.common import api
from chalicelib.maintenance.model import LocalList, LocalListState


class LocalListSynchronize(Shape):
    """`full` sends the whole list even if the difference would do."""

    full: bool = False


class LocalListView(Shape):
    """`version` and `entry_count` are what the charger has as far as it accepted; `pages_sent` of `pages` belong to
    the synchronisation under way or the last one. `outdated`: the charger has a list that is not from here."""

    charger_id: str
    state: LocalListState
    version: int
    entry_count: int
    pages: int
    pages_sent: int
    detail: str
    changed_at: datetime | None
    synchronized_at: datetime | None


def _view(known: LocalList) -> LocalListView:
    return LocalListView(
        charger_id=known.charger_id,
        state=known.state,
        version=known.version,
        entry_count=known.entry_count,
        pages=known.pages,
        pages_sent=known.pages_sent,
        detail=known.detail,
        changed_at=known.changed_at,
        synchronized_at=known.synchronized_at,
    )


@api.get("/v1/chargers/{charger_id}/local-list", "chargers:read")
def get_local_list(req: Request, charger_id: str) -> LocalListView:
    """Which cards the charger knows by itself: version, state, number of entries, last synchronisation."""
    return _view(service.get_local_list(req.ctx, owned_charger(req, charger_id)))


@api.post("/v1/chargers/{charger_id}/local-list", "chargers:command", status=202)
def synchronize_local_list(req: Request, charger_id: str, body: LocalListSynchronize) -> LocalListView:
    """Sends the operator's active cards to the charger, in pages, each after the other was accepted.

    Only what differs from what the charger has, if that is known. While a synchronisation is under way, and where
    nothing differs, nothing is sent.
    """
    charger = owned_charger(req, charger_id)
    return _view(service.synchronize_local_list(req.uow, charger, full=body.full, requested_by=req.actor.person_id))
