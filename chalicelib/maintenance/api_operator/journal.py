"""A charger's journal, its procedures, and what it told of a customer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from chalicelib.chargers.scope import owned_charger
from chalicelib.kernel.http import Moment, PageQuery, PageView, Request, Shape, check_span, page_view
from chalicelib.maintenance import service
from chalicelib.maintenance.api_operator.common import api
from chalicelib.maintenance.model import ChargerEvent, EventKind, Procedure, Severity


class ChargerEventQuery(PageQuery):
    """`date_from` is included, `date_to` is not; both are the charger's clock."""

    kind: EventKind | None = None
    severity: Severity | None = None
    date_from: Moment | None = None
    date_to: Moment | None = None


class ChargerEventView(Shape):
    """`at` is the charger's clock where it gave a time, `received_at` ours. `data` is in the charger's words."""

    kind: EventKind
    severity: Severity
    at: datetime
    received_at: datetime
    summary: str
    data: dict[str, Any]


class StepView(Shape):
    status: str
    at: datetime
    detail: str


class ProcedureView(Shape):
    """A firmware update or a log upload; `request_id` is null where the charger gives no number (OCPP 1.6)."""

    kind: str
    request_id: int | None
    status: str
    detail: str
    began_at: datetime
    changed_at: datetime
    steps: list[StepView]


class CustomerInformationView(Shape):
    """`is_complete`: the last part came, and none before it is missing."""

    request_id: int
    text: str
    parts: int
    is_complete: bool
    received_at: datetime


class CustomerInformationQuery(Shape):
    """`request_id` is that of the CustomerInformation command."""

    request_id: Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


def _event_view(event: ChargerEvent) -> ChargerEventView:
    return ChargerEventView(
        kind=event.kind,
        severity=event.severity,
        at=event.at,
        received_at=event.received_at,
        summary=event.summary,
        data=event.data,
    )


def _procedure_view(procedure: Procedure) -> ProcedureView:
    return ProcedureView(
        kind=procedure.kind,
        request_id=procedure.request_id,
        status=procedure.status,
        detail=procedure.detail,
        began_at=procedure.began_at,
        changed_at=procedure.changed_at,
        steps=[StepView(status=step.status, at=step.at, detail=step.detail) for step in procedure.steps],
    )


@api.get("/v1/chargers/{charger_id}/events", "chargers:read")
def list_charger_events(req: Request, charger_id: str, query: ChargerEventQuery) -> PageView[ChargerEventView]:
    """What the charger reported of itself, newest first by its own clock.

    Security events, firmware and log uploads, device alerts, limits, certificates. Kept for 90 days; security, firmware
    and certificates for 400.
    """
    charger = owned_charger(req, charger_id)
    date_from, date_to = check_span(query.date_from, query.date_to)
    page = service.list_events(
        req.ctx,
        charger.charger_id,
        kind=query.kind,
        severity=query.severity,
        date_from=date_from,
        date_to=date_to,
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, _event_view)


@api.get("/v1/chargers/{charger_id}/procedures", "chargers:read")
def list_charger_procedures(req: Request, charger_id: str, query: PageQuery) -> PageView[ProcedureView]:
    """Firmware updates and log uploads of a charger, each with its steps."""
    charger = owned_charger(req, charger_id)
    page = service.list_procedures(req.ctx, charger.charger_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, _procedure_view)


@api.get("/v1/chargers/{charger_id}/customer-information", "drivers:read")
def get_customer_information(req: Request, charger_id: str, query: CustomerInformationQuery) -> CustomerInformationView:
    """What the charger told of a customer in answer to the command CustomerInformation.

    Kept for 30 days: it is data of people.
    """
    charger = owned_charger(req, charger_id)
    whole = service.get_customer_information(
        req.ctx, charger.charger_id, query.request_id, operator_id=charger.operator_id
    )
    return CustomerInformationView(
        request_id=whole.request_id,
        text=whole.text,
        parts=whole.parts,
        is_complete=whole.is_complete,
        received_at=whole.received_at,
    )
