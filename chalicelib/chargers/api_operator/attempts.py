"""The handshakes that were refused, or that were odd."""

from __future__ import annotations

from datetime import datetime

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import api
from chalicelib.chargers.model import ConnectionAttempt
from chalicelib.chargers.scope import listed_places
from chalicelib.identity.scope import OperatorPageQuery
from chalicelib.kernel.http import PageView, Request, Shape, page_view


class AttemptQuery(OperatorPageQuery):
    """`unknown=true` (the platform's people): identities that nobody registered."""

    charger_id: str | None = None
    unknown: bool = False


class AttemptView(Shape):
    """A refused handshake: HTTP `status`, stable `reason`, and a `detail` for the installer."""

    attempt_id: str
    charger_id: str
    operator_id: str | None
    status: int
    reason: str
    detail: str
    source_ip: str
    offered_protocols: list[str]
    attempted_at: datetime


def attempt_view(attempt: ConnectionAttempt) -> AttemptView:
    return AttemptView(
        attempt_id=attempt.attempt_id,
        charger_id=attempt.charger_id,
        operator_id=attempt.operator_id,
        status=attempt.status,
        reason=attempt.reason,
        detail=attempt.detail,
        source_ip=attempt.source_ip,
        offered_protocols=attempt.offered_protocols,
        attempted_at=attempt.attempted_at,
    )


@api.get("/v1/connection-attempts", "chargers:read")
def list_connection_attempts(req: Request, query: AttemptQuery) -> PageView[AttemptView]:
    """Refused handshakes of the last 30 days, newest first.

    The operator's own chargers; the platform's people see the unknown identities with `unknown=true`.
    """
    unknown = query.unknown and req.actor.is_platform
    places = listed_places(req, query.operator_id)
    page = service.list_attempts(
        req.ctx,
        None if unknown else places.operator_id,
        charger_id=query.charger_id,
        keep=lambda attempt: unknown or places.has_charger(req.ctx, attempt.charger_id),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, attempt_view)
