"""Commands to chargers, and the handshakes that were refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from chalicelib.chargers import service
from chalicelib.chargers.api_operator.common import api, owned_charger
from chalicelib.chargers.model import COMMAND_ACTIONS, Command, ConnectionAttempt
from chalicelib.identity.scope import OperatorPageQuery, listed_operator, may_see
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view

ActionText = Annotated[str, msgspec.Meta(max_length=50, description=f"One of {', '.join(sorted(COMMAND_ACTIONS))}.")]


class CommandCreate(Shape):
    """`payload` as the OCPP action has it; it is checked against the schema of the charger's version when sent."""

    action: ActionText
    payload: dict[str, Any] = msgspec.field(default_factory=dict)


class CommandView(Shape):
    """`answer` is the charger's, `error` tells why there is none."""

    command_id: str
    charger_id: str
    action: str
    payload: dict[str, Any]
    state: str
    requested_by: str
    session_id: str | None
    queued_at: datetime
    expires_at: datetime
    sent_at: datetime | None
    finished_at: datetime | None
    answer: dict[str, Any] | None
    error: str | None


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


def command_view(command: Command) -> CommandView:
    return CommandView(
        command_id=command.command_id,
        charger_id=command.charger_id,
        action=command.action,
        payload=command.payload,
        state=command.state,
        requested_by=command.requested_by,
        session_id=command.session_id,
        queued_at=command.queued_at,
        expires_at=command.expires_at,
        sent_at=command.sent_at,
        finished_at=command.finished_at,
        answer=command.answer,
        error=command.error,
    )


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


@api.post("/v1/chargers/{charger_id}/commands", "chargers:command", status=202)
def create_command(req: Request, charger_id: str, body: CommandCreate) -> CommandView:
    """Asks a charger to do something.

    Queued and sent as soon as the charger can take it; the header Location names where its state can be watched. A
    charger that stays away times it out.
    """
    charger = owned_charger(req, charger_id)
    command = service.queue_command(
        req.uow,
        charger_id=charger.charger_id,
        action=body.action,
        payload=body.payload,
        requested_by=req.actor.user_id or req.actor.login_id,
        purpose="operator",
    )
    req.answer_headers["location"] = f"/v1/commands/{command.command_id}"
    return command_view(command)


@api.get("/v1/commands/{command_id}", "chargers:read")
def get_command(req: Request, command_id: str) -> CommandView:
    """One command and what became of it."""
    command = service.get_command(req.ctx, command_id)
    if command is None or not may_see(req, command.operator_id):
        raise not_found("command", command_id)
    return command_view(command)


@api.get("/v1/chargers/{charger_id}/commands", "chargers:read")
def list_commands(req: Request, charger_id: str, query: PageQuery) -> PageView[CommandView]:
    """The commands of a charger, newest first."""
    charger = owned_charger(req, charger_id)
    page = service.list_commands(req.ctx, charger.charger_id, limit=query.limit, cursor=query.cursor)
    return page_view(page, command_view)


@api.get("/v1/connection-attempts", "chargers:read")
def list_connection_attempts(req: Request, query: AttemptQuery) -> PageView[AttemptView]:
    """Refused handshakes of the last 30 days, newest first.

    The operator's own chargers; the platform's people see the unknown identities with `unknown=true`.
    """
    unknown = query.unknown and req.actor.is_platform
    page = service.list_attempts(
        req.ctx,
        None if unknown else listed_operator(req, query.operator_id),
        charger_id=query.charger_id,
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, attempt_view)
