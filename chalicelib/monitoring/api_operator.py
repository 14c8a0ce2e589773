"""The operator's endpoints of monitoring: the offline rule, and the chargers that are silent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from chalicelib.chargers.scope import listed_places
from chalicelib.identity.scope import OperatorPageQuery, check_works_everywhere
from chalicelib.kernel.http import Api, PageView, Request, Shape, page_view
from chalicelib.kernel.texts import EmailText
from chalicelib.monitoring import service
from chalicelib.monitoring.model import OfflineNotification, Outage

api = Api("monitoring", "operator")

MAX_CHARGERS = 100
"""Each one is looked up. Who watches more of them watches all."""


class OfflineNotificationBody(Shape):
    """`timeout_min` must be more than 10. `charger_ids` null means all chargers, `email` null the operator's own."""

    enabled: bool
    timeout_min: int
    email: EmailText | None = None
    charger_ids: Annotated[list[str], msgspec.Meta(max_length=MAX_CHARGERS)] | None = None


class OfflineChargerView(Shape):
    charger_id: str
    since: datetime
    alerted_at: datetime
    offline_s: int


@api.get("/v1/offline-notification", permission="monitoring:read")
def get_offline_notification(req: Request) -> OfflineNotificationBody:
    """When and whom to tell of a silent charger."""
    return _view(service.offline_rule(req.ctx, req.organization_id))


@api.put("/v1/offline-notification", permission="monitoring:write")
def put_offline_notification(req: Request, body: OfflineNotificationBody) -> OfflineNotificationBody:
    """Set when and whom to tell of a silent charger."""
    check_works_everywhere(req)
    rule = OfflineNotification(
        operator_id=req.organization_id,
        enabled=body.enabled,
        timeout_min=body.timeout_min,
        email=body.email,
        charger_ids=body.charger_ids,
    )
    before = _view(service.offline_rule(req.ctx, rule.operator_id))
    after = _view(service.set_offline_rule(req.uow, rule))
    req.audit("offline_notification", rule.operator_id, before=before, after=after)
    return after


@api.get("/v1/offline-chargers", permission="monitoring:read")
def list_offline_chargers(req: Request, query: OperatorPageQuery) -> PageView[OfflineChargerView]:
    """Chargers whose silence was told and that have not come back, by identity."""
    now = req.ctx.now()
    places = listed_places(req, query.operator_id)
    page = service.list_outages(
        req.ctx,
        places.operator_id,
        keep=lambda outage: places.has_charger(req.ctx, outage.charger_id),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, lambda outage: _outage_view(outage, now))


def _outage_view(outage: Outage, now: datetime) -> OfflineChargerView:
    return OfflineChargerView(
        charger_id=outage.charger_id,
        since=outage.since,
        alerted_at=outage.alerted_at,
        offline_s=round((now - outage.since).total_seconds()),
    )


def _view(rule: OfflineNotification) -> OfflineNotificationBody:
    return OfflineNotificationBody(
        enabled=rule.enabled, timeout_min=rule.timeout_min, email=rule.email, charger_ids=rule.charger_ids
    )
