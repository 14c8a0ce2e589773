"""Commands to chargers, in the words of OCPP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Command
from chalicelib.identity.scope import may_see
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import invalid, not_found
from chalicelib.kernel.http import PageQuery, PageView, Request, Shape, page_view
from chalicelib.ocpp import preparing
from chalicelib.ocpp.api_operator.common import api, owned_charger
from chalicelib.ocpp.version import Version
from chalicelib.ocpp.versions import VERSIONS

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
    """`answer` is the charger's, `error` tells why there is none; `ocpp_action` is what was sent for an intent of the
    platform; `progress` what the charger reported later about what it had accepted."""

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
        payload=command.payload,
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


@api.post("/v1/chargers/{charger_id}/commands", "chargers:command", status=202)
def create_command(req: Request, charger_id: str, body: CommandCreate) -> CommandView:
    """Asks a charger to do something.

    Queued and sent as soon as the charger can take it; the header Location names where its state can be watched. A
    charger that stays away times it out. What the charger's version does not have, or its schema forbids, is refused
    here (422); a charger that never connected is taken to speak the first version that knows the action.
    """
    charger = owned_charger(req, charger_id)
    version = _version(req.ctx, charger, body.action)
    command = chargers.queue_command(
        req.uow,
        charger_id=charger.charger_id,
        action=body.action,
        payload=preparing.prepare(req.ctx, version, body.action, body.payload),
        requested_by=req.actor.user_id or req.actor.login_id,
        purpose="operator",
    )
    req.answer_headers["location"] = f"/v1/commands/{command.command_id}"
    return command_view(command)


@api.get("/v1/commands/{command_id}", "chargers:read")
def get_command(req: Request, command_id: str) -> CommandView:
    """One command and what became of it."""
    command = chargers.get_command(req.ctx, command_id)
    if command is None or not may_see(req, command.operator_id):
        raise not_found("command", command_id)
    return command_view(command)


@api.get("/v1/chargers/{charger_id}/commands", "chargers:read")
def list_commands(req: Request, charger_id: str, query: CommandQuery) -> PageView[CommandView]:
    """The commands of a charger, newest first."""
    charger = owned_charger(req, charger_id)
    page = chargers.list_commands(
        req.ctx, charger.charger_id, action=query.action, limit=query.limit, cursor=query.cursor
    )
    return page_view(page, command_view)


def _version(ctx: Context, charger: Charger, action: str) -> Version:
    """Raises command.action (422) for what this charger cannot be asked."""
    link = chargers.get_link(ctx, charger.charger_id)
    spoken = None if link is None else VERSIONS.get(link.protocol or "")
    candidates = [spoken] if spoken is not None else list(VERSIONS.values())
    found = next((version for version in candidates if action in version.commands), None)
    if found is None:
        names = sorted({name for version in candidates for name in version.commands})
        raise invalid("command.action", f"{action!r} is not a command: {', '.join(names)}.", "/action")
    return found
