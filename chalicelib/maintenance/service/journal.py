"""The journal: everything a charger reports of itself, each thing once; and the procedures it reports about.

One event is one write, without a read: its key is what it says.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final, Literal

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, request_topic
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance.model.journal import (
    ChargerEvent,
    EventKind,
    Procedure,
    Severity,
    advance,
    make_event,
    procedure_severity,
    security_severity,
)
from chalicelib.maintenance.store import (
    EVENT_PREFIX,
    EVENTS,
    PROCEDURE_PREFIX,
    PROCEDURES,
    ChargerEventRow,
    ProcedureRow,
    charger_pk,
    procedure_key,
)

_MAX_DETAIL: Final = 500
_FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC)


def record_event(
    uow: UnitOfWork,
    charger: Charger,
    *,
    kind: EventKind,
    at: datetime,
    summary: str,
    data: dict[str, Any],
    severity: Severity | None = None,
    identity: str | None = None,
) -> None:
    """Adds an entry to the charger's journal. One write; the same event told again lands on the same row.

    `identity` is what tells events of one kind and moment apart; left out, it is summary and data. `data` above 8 KB
    is cut, with a note. `severity`: info (default), warning, critical.
    """
    event = make_event(
        charger_id=charger.charger_id,
        operator_id=charger.operator_id,
        kind=kind,
        at=at,
        received_at=uow.ctx.now(),
        summary=summary,
        data=data,
        severity=severity,
        identity=identity,
    )
    uow.put(EVENTS, event, name="charger event")


def report_security_event(
    uow: UnitOfWork, charger: Charger, *, event_type: str, at: datetime, tech_info: str | None
) -> None:
    """A security event (OCPP 1.6 security whitepaper, 2.0.1 A04): known by its type and time."""
    data = {"event_type": event_type, **({} if tech_info is None else {"tech_info": tech_info})}
    record_event(
        uow,
        charger,
        kind="security",
        at=at,
        summary=event_type if not tech_info else f"{event_type}: {tech_info}",
        data=data,
        severity=security_severity(event_type),
        identity=event_type,
    )


def report_firmware_status(
    uow: UnitOfWork, charger: Charger, *, status: str, request_id: int | None, at: datetime, detail: str = ""
) -> None:
    """The charger's word about a firmware update; the command that asked for it shows it as progress."""
    _report(uow, charger, "firmware", status, request_id, at, detail)


def report_log_status(
    uow: UnitOfWork, charger: Charger, *, status: str, request_id: int | None, at: datetime, detail: str = ""
) -> None:
    """The charger's word about an upload of its log or diagnostics."""
    _report(uow, charger, "log", status, request_id, at, detail)


_UNNUMBERED_TOPICS: Final = {"firmware": "firmware", "log": "diagnostics"}


def _report(
    uow: UnitOfWork,
    charger: Charger,
    kind: Literal["firmware", "log"],
    status: str,
    request_id: int | None,
    at: datetime,
    detail: str,
) -> None:
    """These messages carry no time: a status that is told again is a repeat, and changes nothing."""
    now, detail = uow.ctx.now(), detail[:_MAX_DETAIL]
    known = PROCEDURES.get(uow.ctx, *procedure_key(charger.charger_id, kind, request_id))
    told = Procedure(charger.charger_id, kind, status, detail, now, now, request_id)
    after = advance(known, told, at)
    if after is None:
        return
    unchanged = ProcedureRow.pk.does_not_exist() if known is None else ProcedureRow.changed_at == known.changed_at
    uow.put(PROCEDURES, after, condition=unchanged, name="procedure")
    number = {} if request_id is None else {"request_id": request_id}
    record_event(
        uow,
        charger,
        kind=kind,
        at=at,
        summary=f"{status}: {detail}" if detail else status,
        data={"status": status, **number, **({"detail": detail} if detail else {})},
        severity=procedure_severity(status),
    )
    topic = _UNNUMBERED_TOPICS[kind] if request_id is None else request_topic(request_id)
    chargers.follow_up(uow, charger.charger_id, topic, status, detail)


# -- reading ------------------------------------------------------------------------------------------------------


def list_events(
    ctx: Context,
    charger_id: str,
    *,
    kind: str | None = None,
    severity: str | None = None,
    date_from: datetime | None = None,
    date_to: datetime | None = None,
    limit: int,
    cursor: str | None,
) -> Page[ChargerEvent]:
    """Events of a charger by its clock, newest first; `date_from` is included, `date_to` is not."""
    first = f"{EVENT_PREFIX}{to_rfc3339(date_from or _FIRST)}"
    last = f"{EVENT_PREFIX}{to_rfc3339(date_to or _LAST)}"
    steps = EVENTS.walk(
        ctx,
        charger_pk(charger_id),
        ChargerEventRow.sk.between(first, last),
        newest_first=True,
        cursor=cursor,
    )
    return page_of(steps, limit, lambda event: kind in (None, event.kind) and severity in (None, event.severity))


def list_procedures(ctx: Context, charger_id: str, *, limit: int, cursor: str | None) -> Page[Procedure]:
    """Firmware updates and log uploads of a charger."""
    steps = PROCEDURES.walk(ctx, charger_pk(charger_id), ProcedureRow.sk.startswith(PROCEDURE_PREFIX), cursor=cursor)
    return page_of(steps, limit)
