"""The queue of commands of each charger: one in flight, the others in order, each with an end.

A queued command's id is in `link.outbound`, a sent one's in `link.inflight_command_id`, a finished one's in neither:
command and link change in the same transaction. A unit of work may queue one command per charger.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action

from chalicelib.chargers.model import (
    COMMAND_LIFECYCLE,
    MAX_OUTBOUND,
    MAX_PROGRESS,
    Command,
    CommandState,
    FollowUp,
    Link,
    Progress,
    charger_key,
    lifetime_of,
    request_topic,
)
from chalicelib.chargers.model.commands import EVENT_OF_STATE
from chalicelib.chargers.service.connecting import get_link
from chalicelib.chargers.store.commands import COMMANDS, FOLLOW_UPS, CommandRow, command_key, follow_up_key
from chalicelib.chargers.store.links import LINKS, LinkRow, link_key
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import StaleRead, conflict, invalid, not_found
from chalicelib.kernel.pages import Page, page_of
from chalicelib.kernel.unit_of_work import UnitOfWork

_MAX_PAYLOAD_BYTES = 16_384
_MAX_ERROR = 500


def queue_command(
    uow: UnitOfWork,
    *,
    charger_id: str,
    action: str,
    payload: dict[str, Any],
    requested_by: str,
    session_id: str | None = None,
    purpose: str | None = None,
) -> Command:
    """Adds a command to the charger's queue and tells whoever sends (event `command.queued`).

    `action` is an intent or an OCPP action; whether the charger's version has it is known when it is sent. Also for a
    charger that is offline: it gets what has not expired when it is back. Raises charger.not_found, command.payload,
    command.queue_full.
    """
    if len(msgspec.json.encode(payload)) > _MAX_PAYLOAD_BYTES:
        raise invalid("command.payload", f"The payload is larger than {_MAX_PAYLOAD_BYTES} bytes.", "/payload")
    link = get_link(uow.ctx, charger_id)
    if link is None:
        raise not_found("charger", charger_id)
    if len(link.outbound) >= MAX_OUTBOUND:
        raise conflict("command.queue_full", f"{MAX_OUTBOUND} commands are waiting for this charger already.")
    now = uow.ctx.now()
    command = Command(
        command_id=uow.ctx.new_id("cmd"),
        charger_id=link.charger_id,
        operator_id=link.operator_id,
        action=action,
        payload=payload,
        requested_by=requested_by,
        queued_at=now,
        expires_at=now + lifetime_of(action),
        session_id=session_id,
        purpose=purpose,
    )
    uow.create(COMMANDS, command)
    uow.update(
        LINKS,
        link_key(charger_id),
        [LinkRow.outbound.set(LinkRow.outbound.append([command.command_id]))],
        condition=LinkRow.pk.exists() & LinkRow.outbound[MAX_OUTBOUND - 1].does_not_exist(),
        name="link",
    )
    outbox.emit(uow, "command.queued", command.command_id, {"charger_id": link.charger_id})
    return command


def get_command(ctx: Context, command_id: str) -> Command | None:
    return COMMANDS.get(ctx, *command_key(command_id))


def list_commands(
    ctx: Context,
    charger_id: str,
    *,
    action: str | None = None,
    keep: Callable[[Command], bool] | None = None,
    limit: int,
    cursor: str | None,
) -> Page[Command]:
    """The commands of a charger that `keep` keeps, newest first; of one action only, if named."""
    steps = COMMANDS.walk(
        ctx,
        charger_key(charger_id),
        index=CommandRow.commands_by_charger,
        newest_first=True,
        cursor=cursor,
        chunk=limit,
    )

    def is_wanted(command: Command) -> bool:
        is_asked_for = action is None or action in (command.action, command.sent_as)
        return is_asked_for and (keep is None or keep(command))

    return page_of(steps, limit, is_wanted)


def next_command(ctx: Context, link: Link) -> Command | None:
    """What to send now: the oldest queued command that has not expired. None while another one is in flight.

    Finish `overdue_commands` first, else a charger that never answers blocks its queue.
    """
    if not link.may_send:
        return None
    now = ctx.now()
    waiting = COMMANDS.batch_get(ctx, [command_key(command_id) for command_id in link.outbound])
    return next((command for command in waiting if command.state == "queued" and not command.is_overdue(now)), None)


def overdue_commands(ctx: Context, link: Link) -> list[Command]:
    """The command in flight if its answer is overdue, and the queued ones that expired: to be finished `timed_out`."""
    pending = [*link.outbound, *([link.inflight_command_id] if link.inflight_command_id else [])]
    now = ctx.now()
    commands = COMMANDS.batch_get(ctx, [command_key(command_id) for command_id in pending])
    return [command for command in commands if command.is_overdue(now)]


def mark_sent(
    uow: UnitOfWork,
    link: Link,
    command: Command,
    *,
    sent_as: str | None = None,
    sent_payload: dict[str, Any] | None = None,
    topic: str | None = None,
) -> None:
    """Puts the command in flight; commit before sending, so that a crash never sends it twice.

    `sent_as` and `sent_payload` are the wording of an intent; `topic` is what later reports of the charger about this
    command will carry. StaleRead (decide again) if another sender was faster or the connection changed since `link`
    was read.
    """
    now = uow.ctx.now()
    said: list[Action] = [CommandRow.sent_at.set(now)]
    if link.protocol is not None:
        said.append(CommandRow.protocol.set(link.protocol))
    if sent_as is not None:
        said += [CommandRow.sent_as.set(sent_as), CommandRow.sent_payload.set(sent_payload or {})]
    _move(uow, command, "send", said)
    if topic is not None:
        uow.put(FOLLOW_UPS, FollowUp(command.charger_id, topic, command.command_id, now))
    place, is_there = _place_in_queue(link, command.command_id)
    uow.update(
        LINKS,
        link_key(link.charger_id),
        [LinkRow.inflight_command_id.set(command.command_id), LinkRow.inflight_at.set(now), place],
        condition=is_there
        & LinkRow.inflight_command_id.does_not_exist()
        & (LinkRow.connection_id == (link.connection_id or "")),
        name="link",
    )


def requeue_command(uow: UnitOfWork, command: Command) -> None:
    """Undoes `mark_sent` where the socket was gone: the command is the next one again."""
    _move(uow, command, "requeue", [CommandRow.sent_at.remove()])
    _clear_flight(uow, command, [LinkRow.outbound.set(LinkRow.outbound.prepend([command.command_id]))])


def finish_command(
    uow: UnitOfWork,
    command: Command,
    state: CommandState,
    answer: dict[str, Any] | None = None,
    error: str | None = None,
    payload: dict[str, Any] | None = None,
) -> None:
    """Ends a command: `accepted` or `rejected` with the charger's answer, `failed` or `timed_out` with an error.

    `payload` replaces what was asked, where that must not be kept. `command` is read inside the decision. Raises
    command.illegal_transition for one that is finished already (a late answer) or was never sent.
    """
    ending: list[Action] = [CommandRow.finished_at.set(uow.ctx.now())]
    if answer is not None:
        ending.append(CommandRow.answer.set(answer))
    if error is not None:
        ending.append(CommandRow.error.set(error[:_MAX_ERROR]))
    if command.is_secret:
        ending += [CommandRow.payload.set({}), CommandRow.sent_payload.set({})]
    elif payload is not None:
        ending.append(CommandRow.payload.set(payload))
    _move(uow, command, EVENT_OF_STATE[state], ending)
    if command.state == "sent":
        _clear_flight(uow, command, [])
        return
    link = get_link(uow.ctx, command.charger_id)
    if link is None or command.command_id not in link.outbound:
        raise StaleRead("The command")
    place, is_there = _place_in_queue(link, command.command_id)
    uow.update(LINKS, link_key(command.charger_id), [place], condition=is_there, name="link")


def follow_up(uow: UnitOfWork, charger_id: str, topic: str, status: str, detail: str = "") -> Command | None:
    """The charger reports on a request that it had accepted: kept with the command, newest last, at most MAX_PROGRESS.

    Returns the command, None when nobody asked (a report of the charger's own accord, or one from before our time).
    """
    known = FOLLOW_UPS.get(uow.ctx, *follow_up_key(charger_id, topic))
    command = None if known is None else get_command(uow.ctx, known.command_id)
    if command is None:
        return None
    last = command.progress[-1] if command.progress else None
    if last is None or (last.status, last.detail) != (status, detail[:_MAX_ERROR]):
        progress = [*command.progress, Progress(status, uow.ctx.now(), detail[:_MAX_ERROR])][-MAX_PROGRESS:]
        uow.update(
            COMMANDS,
            command_key(command.command_id),
            [CommandRow.progress.set(progress)],
            condition=CommandRow.progress == command.progress,
            name="command progress",
        )
    return command


def follow_report(uow: UnitOfWork, charger_id: str, request_id: int, parts: int, *, is_last: bool) -> None:
    """A report that a command asked for has begun, or is whole: so many parts of it have come."""
    progress = f"reported ({parts} part{'' if parts == 1 else 's'})" if is_last else "reporting"
    follow_up(uow, charger_id, request_topic(request_id), progress)


def _move(uow: UnitOfWork, command: Command, event: str, actions: list[Action]) -> None:
    state = COMMAND_LIFECYCLE.next(command.state, event)
    uow.update(
        COMMANDS,
        command_key(command.command_id),
        [CommandRow.state.set(state), *actions],
        condition=CommandRow.state == command.state,
        name="command",
    )


def _place_in_queue(link: Link, command_id: str) -> tuple[Action, Condition]:
    """Takes the command out of the queue, provided that it is still where `link` says."""
    if command_id not in link.outbound:
        raise StaleRead("The command")
    entry = LinkRow.outbound[link.outbound.index(command_id)]
    return entry.remove(), entry == command_id


def _clear_flight(uow: UnitOfWork, command: Command, actions: list[Action]) -> None:
    uow.update(
        LINKS,
        link_key(command.charger_id),
        [LinkRow.inflight_command_id.remove(), LinkRow.inflight_at.remove(), *actions],
        condition=LinkRow.inflight_command_id == command.command_id,
        name="link",
    )
