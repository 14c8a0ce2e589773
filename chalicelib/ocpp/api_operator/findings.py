"""Where a charger's messages stray from the standard."""

from __future__ import annotations

from datetime import datetime

from chalicelib.chargers.scope import owned_charger
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view
from chalicelib.ocpp import findings
from chalicelib.ocpp.api_operator.common import api
from chalicelib.ocpp.model import Finding


class FindingView(Shape):
    """`rule` is a stable word for the departure, `pointer` where in the payload of `action` it stands (array places as
    `*`; empty: the frame itself), `example` what was sent there last and `detail` what was made of it. `times` counts
    what was noted; a busy charger does it more often."""

    action: str
    protocol: str
    rule: str
    pointer: str
    detail: str
    example: str
    times: int
    first_at: datetime
    last_at: datetime


def finding_view(finding: Finding) -> FindingView:
    return FindingView(
        action=finding.action,
        protocol=finding.protocol,
        rule=finding.rule,
        pointer=finding.pointer,
        detail=finding.detail,
        example=finding.example,
        times=finding.times,
        first_at=finding.first_at,
        last_at=finding.last_at,
    )


@api.get("/v1/chargers/{charger_id}/conformance-findings", "chargers:read")
def list_conformance_findings(req: Request, charger_id: str, query: PageQuery) -> PageView[FindingView]:
    """How a charger's messages break the OCPP standard and were understood all the same, by action.

    What could not be understood is here too, as `not_conforming` or `frame_...`: the charger was told by a CALLERROR.
    """
    charger = owned_charger(req, charger_id)
    page = findings.list_findings(req.ctx, charger.charger_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, finding_view)
