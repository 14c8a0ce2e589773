"""Our CALLs: the next queued command goes out, its answer (or silence) comes home. One at a time per charger.

Called by the gateway (an answer arrived) and by the jobs (a command was queued, time passed). The invariants: a
command is marked as sent before it is posted, so that it is never sent twice; what the business asked for is told
its outcome in the same commit that finishes the command.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import MAX_OUTBOUND, Command, CommandState
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ocpp import frames
from chalicelib.ocpp.exchange import Settle
from chalicelib.ocpp.version import Answer, CommandRoute, Version
from chalicelib.ocpp.versions import VERSIONS

MAX_MESSAGE_BYTES: Final = 32 * 1024
"""API Gateway's limit of a WebSocket frame."""
_MAX_ROUNDS: Final = 2 * MAX_OUTBOUND


def send_next(ctx: Context, charger_id: str) -> None:
    """Posts the next queued command if the charger is connected and owes no answer.

    A command that cannot be sent at all (unknown to the charger's version, against its schema, called off) fails with
    the reason, and the one behind it has its turn.
    """
    for _ in range(_MAX_ROUNDS):
        move = decide_and_commit(ctx, lambda uow: _next_move(uow, charger_id))
        if move is None:
            return
        if move.connection_id is None:
            continue
        if _post(ctx, move.command, move.connection_id):
            return


def settle(ctx: Context, charger_id: str, version: Version, answer: Settle) -> bool:
    """The charger answered. False when the answer belongs to no command in flight: then nothing changes."""
    return decide_and_commit(ctx, lambda uow: _settle(uow, charger_id, version, answer))


def time_out_overdue(ctx: Context, charger_id: str) -> None:
    """Ends what was not answered in ANSWER_TIMEOUT or not sent before it expired, then sends what waits behind."""
    for _ in range(_MAX_ROUNDS):
        if not decide_and_commit(ctx, lambda uow: _time_out_one(uow, charger_id)):
            break
    send_next(ctx, charger_id)


@dataclass(frozen=True, slots=True)
class _Move:
    """What was decided about a command: to be posted to `connection_id`, or (None) ended unsent."""

    command: Command
    connection_id: str | None


def _next_move(uow: UnitOfWork, charger_id: str) -> _Move | None:
    link = chargers.get_link(uow.ctx, charger_id)
    if link is None or link.connection_id is None:
        return None
    if link.inflight_command_id is not None and link.has_unanswered(uow.ctx.now()):
        return _end_unanswered(uow, link.inflight_command_id)
    command = chargers.next_command(uow.ctx, link)
    if command is None:
        return None
    unfit = _unfit(uow.ctx, command, VERSIONS.get(link.protocol or ""))
    if unfit is not None:
        _finish(uow, command, "failed", Answer(False, unfit), error=unfit)
        return _Move(command, None)
    chargers.mark_sent(uow, link, command)
    return _Move(command, link.connection_id)


def _end_unanswered(uow: UnitOfWork, command_id: str) -> _Move | None:
    command = chargers.get_command(uow.ctx, command_id)
    if command is None:
        return None
    _time_out(uow, command)
    return _Move(command, None)


def _unfit(ctx: Context, command: Command, version: Version | None) -> str | None:
    route = None if version is None else version.commands.get(command.action)
    if version is None or route is None:
        return f"{command.action} cannot be sent to this charger"
    if route.is_wanted is not None and not route.is_wanted(ctx, command):
        return "it was called off before it was sent"
    violation = version.schemas.violation(command.action, command.payload)
    if violation is not None:
        return f"the payload does not conform: {violation.detail}"
    if len(frames.encode_call(command.command_id, command.action, command.payload)) > MAX_MESSAGE_BYTES:
        return f"the message is longer than {MAX_MESSAGE_BYTES} bytes"
    return None


def _post(ctx: Context, command: Command, connection_id: str) -> bool:
    """False when the socket is gone: the command surely was not delivered, and is queued again."""
    data = frames.encode_call(command.command_id, command.action, command.payload)
    client = ctx.client("apigatewaymanagementapi", ctx.settings.websocket_endpoint)
    try:
        client.post_to_connection(ConnectionId=connection_id, Data=data)
    except ClientError as error:
        if error.response["Error"]["Code"] == "GoneException":
            decide_and_commit(ctx, lambda uow: _requeue(uow, command.command_id))
            decide_and_commit(ctx, lambda uow: chargers.close_connection(uow, connection_id))
            return False
        _log_unposted(command, error)
    except BotoCoreError as error:
        _log_unposted(command, error)
    return True


def _log_unposted(command: Command, error: Exception) -> None:
    """Whether it was delivered is unknown: it stays in flight, and an answer or the time-out decides."""
    logger.warning("command perhaps not posted", extra={"command_id": command.command_id, "error": str(error)})


def _requeue(uow: UnitOfWork, command_id: str) -> None:
    command = chargers.get_command(uow.ctx, command_id)
    if command is not None and command.state == "sent":
        chargers.requeue_command(uow, command)


def _settle(uow: UnitOfWork, charger_id: str, version: Version, answer: Settle) -> bool:
    link = chargers.get_link(uow.ctx, charger_id)
    if link is None or link.inflight_command_id != answer.message_id:
        return False
    command = chargers.get_command(uow.ctx, answer.message_id)
    if command is None or command.state != "sent":
        return False
    error = answer.error
    if error is None:
        violation = version.schemas.violation(f"{command.action}Response", answer.payload)
        error = None if violation is None else f"the charger's answer does not conform: {violation.detail}"
    if error is not None:
        _finish(uow, command, "failed", Answer(False, error), error=error)
        return True
    payload = answer.payload if isinstance(answer.payload, dict) else {}
    accepted = _accepts(version.commands[command.action], payload)
    detail = str(payload.get("status", "answered"))
    _finish(uow, command, "accepted" if accepted else "rejected", Answer(accepted, detail), payload=payload)
    return True


def _accepts(route: CommandRoute, payload: frames.Payload) -> bool:
    return not route.accepting or payload.get("status") in route.accepting


def _time_out_one(uow: UnitOfWork, charger_id: str) -> bool:
    link = chargers.get_link(uow.ctx, charger_id)
    overdue = [] if link is None else chargers.overdue_commands(uow.ctx, link)
    if not overdue:
        return False
    _time_out(uow, overdue[0])
    return True


def _time_out(uow: UnitOfWork, command: Command) -> None:
    reason = "not answered in time" if command.state == "sent" else "the charger could not be reached in time"
    _finish(uow, command, "timed_out", Answer(False, "timed_out"), error=reason)


def _finish(
    uow: UnitOfWork,
    command: Command,
    state: CommandState,
    answer: Answer,
    *,
    payload: frames.Payload | None = None,
    error: str | None = None,
) -> None:
    chargers.finish_command(uow, command, state, answer=payload, error=error)
    for version in VERSIONS.values():
        route = version.commands.get(command.action)
        if route is not None and route.on_answer is not None:
            route.on_answer(uow, command, answer)
            return
