"""Commands to chargers, in the words of OCPP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Command
from chalicelib.chargers.scope import owned_charger
from chalicelib.identity.scope import may_see
from chalicelib.kernel.errors import not_found
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view
from chalicelib.ocpp import preparing
from chalicelib.ocpp.api_operator.common import api
from chalicelib.ocpp.masking import mask_payload

PasswordText = Annotated[str, msgspec.Meta(min_length=16, max_length=40)]
ActionText = Annotated[str, msgspec.Meta(max_length=50, description="An OCPP action of the charger's version.")]


class CommandCreate(Shape):
    """`payload` as the OCPP action has it in the version that the charger speaks. A `requestId` that is left out is
    filled in."""

    action: ActionText
    payload: dict[str, Any] = msgspec.field(default_factory=dict)


class CommandQuery(PageQuery):
    """`action` shows the commands of one action only."""

    action: ActionText | None = None


class ProgressView(Shape):
    status: str
    at: datetime
    detail: str


class CommandView(Shape):
    """`answer` is the charger's, `error` tells why there is none, or which of its items were refused; `ocpp_action` is
    what was sent for an intent of the platform; `progress` what the charger reported later about what it had
    accepted."""

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
    protocol: str | None
    ocpp_action: str
    answer: dict[str, Any] | None
    error: str | None
    progress: list[ProgressView]


def command_view(command: Command) -> CommandView:
    return CommandView(
        command_id=command.command_id,
        charger_id=command.charger_id,
        action=command.action,
        payload={} if command.is_secret else mask_payload(command.payload),
        state=command.state,
        requested_by=command.requested_by,
        session_id=command.session_id,
        queued_at=command.queued_at,
        expires_at=command.expires_at,
        sent_at=command.sent_at,
        finished_at=command.finished_at,
        protocol=command.protocol,
        ocpp_action=command.ocpp_action,
        answer=command.answer,
        error=command.error,
        progress=[ProgressView(status=step.status, at=step.at, detail=step.detail) for step in command.progress],
    )


def queued_view(req: Request, command: Command) -> CommandView:
    """The answer to a request that queued this command: its header Location names where the command can be watched."""
    req.answer_headers["location"] = f"/v1/commands/{command.command_id}"
    view = command_view(command)
    req.audit("command", command.command_id, owner_id=command.operator_id, after=view)
    return view


@api.post("/v1/chargers/{charger_id}/commands", "chargers:command", status=202)
def create_command(req: Request, charger_id: str, body: CommandCreate) -> CommandView:
    """Asks a charger to do something.

    Queued and sent as soon as the charger can take it; the header Location names where its state can be watched. A
    charger that stays away times it out. What the charger's version does not have, or its schema forbids, is refused
    here (422); a charger that never connected is taken to speak the first version that knows the action.
    """
    charger = owned_charger(req, charger_id)
    command = preparing.ask(req.uow, charger, body.action, body.payload, req.actor.person_id)
    return queued_view(req, command)


@api.get("/v1/commands/{command_id}", "chargers:read")
def get_command(req: Request, command_id: str) -> CommandView:
    """One command and what became of it."""
    command = chargers.get_command(req.ctx, command_id)
    if command is None or not may_see(req, command.operator_id):
        raise not_found("command", command_id)
    owned_charger(req, command.charger_id)
    return command_view(command)


@api.get("/v1/chargers/{charger_id}/commands", "chargers:read")
def list_commands(req: Request, charger_id: str, query: CommandQuery) -> PageView[CommandView]:
    """The commands of a charger, newest first; of one that changed hands, not those from before."""
    charger = owned_charger(req, charger_id)
    page = chargers.list_commands(
        req.ctx,
        charger.charger_id,
        action=query.action,
        keep=lambda command: command.operator_id == charger.operator_id or may_see(req, command.operator_id),
        limit=query.limit,
        cursor=query.cursor,
    )
    return page_view(page, command_view)


class PasswordRotation(Shape):
    """`password`: 16 to 40 characters; made when it is left out."""

    password: PasswordText | None = None


@api.post("/v1/chargers/{charger_id}/password-rotations", "chargers:write", status=202)
def rotate_password_by_command(req: Request, charger_id: str, body: PasswordRotation) -> CommandView:
    """Tells the charger a new password over its connection.

    The old and the new one are both let in until the charger has used the new one; then the old one is refused.
    """
    charger = owned_charger(req, charger_id)
    command = chargers.rotate_password_by_command(req.uow, charger, body.password, req.actor.person_id)
    return queued_view(req, command)
