"""Our CALLs: the next queued command goes out, its answer (or silence) comes home. One at a time per charger.

Called by the gateway (an answer arrived) and by the jobs (a command was queued, time passed). The invariants: a
command is marked as sent before it is posted, so that it is never sent twice; what the business asked for is told
its outcome in the same commit that finishes the command.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import MAX_OUTBOUND, Command, CommandState
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ocpp import findings, frames, message_log
from chalicelib.ocpp.exchange import Settle
from chalicelib.ocpp.intents import INTENTS
from chalicelib.ocpp.masking import mask_payload
from chalicelib.ocpp.repairs import Repair
from chalicelib.ocpp.schemas import Violation
from chalicelib.ocpp.version import TIMED_OUT, Answer, Version
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
        if _post(ctx, move, move.connection_id):
            return


def settle(ctx: Context, charger_id: str, version: Version, answer: Settle) -> bool:
    """The charger answered. False when the answer belongs to no command in flight: then nothing changes."""
    settled = decide_and_commit(ctx, lambda uow: _settle(uow, charger_id, version, answer))
    if settled is None:
        return False
    command, repairs = settled
    if repairs:
        findings.note(
            ctx,
            charger_id=charger_id,
            operator_id=command.operator_id,
            protocol=version.protocol,
            action=command.ocpp_action,
            repairs=repairs,
        )
    return True


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
    action: str = ""
    payload: frames.Payload = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Said:
    """A command in the words of the charger's version."""

    action: str
    payload: frames.Payload
    topic: str | None


def _next_move(uow: UnitOfWork, charger_id: str) -> _Move | None:
    link = chargers.get_link(uow.ctx, charger_id)
    if link is None or link.connection_id is None:
        return None
    if link.inflight_command_id is not None and link.has_unanswered(uow.ctx.now()):
        return _end_unanswered(uow, link.inflight_command_id)
    command = chargers.next_command(uow.ctx, link)
    if command is None:
        return None
    said = _word(uow.ctx, command, VERSIONS.get(link.protocol or ""))
    if isinstance(said, str):
        _finish(uow, command, "failed", Answer(False, said), error=said)
        return _Move(command, None)
    chargers.mark_sent(
        uow,
        link,
        command,
        sent_as=said.action if command.action in INTENTS else None,
        sent_payload=said.payload if command.action in INTENTS else None,
        topic=said.topic,
    )
    return _Move(command, link.connection_id, said.action, said.payload)


def _end_unanswered(uow: UnitOfWork, command_id: str) -> _Move | None:
    command = chargers.get_command(uow.ctx, command_id)
    if command is None:
        return None
    _time_out(uow, command)
    return _Move(command, None)


def _word(ctx: Context, command: Command, version: Version | None) -> _Said | str:
    """The command as it goes out, or why it cannot."""
    cannot = f"{command.action} cannot be sent to this charger"
    if version is None:
        return cannot
    action, payload = command.action, command.payload
    intent = INTENTS.get(command.action)
    if intent is not None:
        if intent.is_wanted is not None and not intent.is_wanted(ctx, command):
            return "it was called off before it was sent"
        wording = version.wordings.get(command.action)
        worded = None if wording is None else wording.say(command)
        if wording is None or worded is None:
            return cannot
        action = wording.action if isinstance(wording.action, str) else wording.action(command)
        payload = worded
    route = version.commands.get(action)
    if route is None:
        return cannot
    violation = version.request_violation(action, payload)
    if violation is not None:
        return f"the payload does not conform: {violation.detail}"
    if len(frames.encode_call(command.command_id, action, payload)) > MAX_MESSAGE_BYTES:
        return f"the message is longer than {MAX_MESSAGE_BYTES} bytes"
    return _Said(action, payload, None if route.topic is None else route.topic(payload))


def _post(ctx: Context, move: _Move, connection_id: str) -> bool:
    """False when the socket is gone: the command surely was not delivered, and is queued again."""
    command = move.command
    data = frames.encode_call(command.command_id, move.action, move.payload)
    client = ctx.client("apigatewaymanagementapi", ctx.settings.websocket_endpoint)
    try:
        client.post_to_connection(ConnectionId=connection_id, Data=data)
    except ClientError as error:
        if error.response["Error"]["Code"] == "GoneException":
            decide_and_commit(ctx, lambda uow: _requeue(uow, command.command_id))
            message_log.note_undelivered(ctx, command)
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


def _settle(
    uow: UnitOfWork, charger_id: str, version: Version, answer: Settle
) -> tuple[Command, Sequence[Repair]] | None:
    """The command that was answered, and how the answer strayed from its schema; None when it answers none."""
    link = chargers.get_link(uow.ctx, charger_id)
    if link is None or link.inflight_command_id != answer.message_id:
        return None
    command = chargers.get_command(uow.ctx, answer.message_id)
    if command is None or command.state != "sent":
        return None
    if answer.error is not None:
        _finish(uow, command, "failed", Answer(False, answer.error), error=answer.error)
        return command, ()
    read = version.read_answer(command.ocpp_action, answer.payload, uow.ctx.now())
    if isinstance(read, Violation):
        error = f"the charger's answer does not conform: {read.detail}"
        _finish(uow, command, "failed", Answer(False, error), error=error)
        return command, (findings.not_conforming(read.detail),)
    payload = read.payload
    accepted, refusal = _judge(version, command, payload)
    _finish(
        uow,
        command,
        "accepted" if accepted else "rejected",
        Answer(accepted, refusal or _status(payload), _hear(version, command, payload)),
        payload=payload,
        error=refusal,
    )
    return command, read.repairs


def _judge(version: Version, command: Command, payload: frames.Payload) -> tuple[bool, str | None]:
    """Whether the charger does it; and what it refused, where one word of `status` does not tell."""
    wording = version.wordings.get(command.action)
    if wording is not None and wording.accepts is not None:
        return wording.accepts(payload), None
    route = version.commands[command.ocpp_action]
    if route.refusal is not None:
        refusal = route.refusal(payload)
        return refusal is None, refusal
    return not route.accepting or payload.get("status") in route.accepting, None


def _hear(version: Version, command: Command, payload: frames.Payload) -> frames.Payload:
    wording = version.wordings.get(command.action)
    return payload if wording is None or wording.hear is None else wording.hear(payload)


def _status(payload: frames.Payload) -> str:
    """The charger's word, with the reason that 2.x may give."""
    status = str(payload.get("status", "answered"))
    info = payload.get("statusInfo")
    if not isinstance(info, dict):
        return status
    reason = " ".join(str(info[name]) for name in ("reasonCode", "additionalInfo") if info.get(name))
    return f"{status}: {reason}" if reason else status


def _time_out_one(uow: UnitOfWork, charger_id: str) -> bool:
    link = chargers.get_link(uow.ctx, charger_id)
    overdue = [] if link is None else chargers.overdue_commands(uow.ctx, link)
    if not overdue:
        return False
    _time_out(uow, overdue[0])
    return True


def _time_out(uow: UnitOfWork, command: Command) -> None:
    if command.state == "sent":
        uow.then(lambda: message_log.note_unanswered(uow.ctx, command))
    reason = "not answered in time" if command.state == "sent" else "the charger could not be reached in time"
    _finish(uow, command, "timed_out", Answer(False, TIMED_OUT), error=reason)


def _finish(
    uow: UnitOfWork,
    command: Command,
    state: CommandState,
    answer: Answer,
    *,
    payload: frames.Payload | None = None,
    error: str | None = None,
) -> None:
    kept = None if payload is None else mask_payload(payload)
    asked = mask_payload(command.payload)
    chargers.finish_command(
        uow, command, state, answer=kept, error=error, payload=None if asked == command.payload else asked
    )
    intent = INTENTS.get(command.action)
    if intent is not None:
        if intent.on_answer is not None:
            intent.on_answer(uow, command, answer)
        return
    version = VERSIONS.get(command.protocol or "")
    route = None if version is None else version.commands.get(command.action)
    if route is not None and route.on_answer is not None:
        route.on_answer(uow, command, answer)
