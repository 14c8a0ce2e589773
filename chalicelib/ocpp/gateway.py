"""The shell around OCPP: frames of the WebSocket API, each one Lambda invocation (handshakes: `handshakes.py`).

Called by `ws_handlers`. The invariants: an answer means stored (the unit of work commits first); a CALL gets exactly
one answer and an answer none, whatever the frame or our code does; what a charger sends proves that it lives, and
costs at most one write in LIFE_SIGN_INTERVAL for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import LIFE_SIGN_INTERVAL, Charger, Connection, Link
from chalicelib.kernel import outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ocpp import exchange, findings, frames, message_log, outbound, pending
from chalicelib.ocpp.errors import Failure
from chalicelib.ocpp.frames import Call
from chalicelib.ocpp.handshakes import drop_connection
from chalicelib.ocpp.repairs import Repair
from chalicelib.ocpp.schemas import Violation
from chalicelib.ocpp.version import Action, Inbound, Version
from chalicelib.ocpp.versions import VERSIONS

Event = Mapping[str, Any]
Response = dict[str, Any]

_CHARGER_MEMORY_S: Final = 300
"""How long a charger that was changed may be served as it was, where no money depends on it."""
_CONNECTIONS_REMEMBERED: Final = 20_000
_OK: Final[Response] = {"statusCode": 200}

_FAILURES: Final[Mapping[Kind, Failure]] = {
    Kind.INVALID: Failure.PROPERTY,
    Kind.UNPROCESSABLE: Failure.PROPERTY,
    Kind.FORBIDDEN: Failure.SECURITY,
    Kind.UNAUTHENTICATED: Failure.SECURITY,
}


def handle_message(ctx: Context, event: Event) -> Response:
    """Serves one text message; the answer to a CALL is the body of the route response. Never raises."""
    received_at = ctx.now()
    connection_id: str = (event.get("requestContext") or {}).get("connectionId") or ""
    text: str = event.get("body") or ""
    frame = frames.decode(text)
    try:
        answer = _serve_frame(ctx, connection_id, text, frame)
    except Exception:
        logger.exception("frame failed")
        # The code is the same in every version.
        answer = frames.encode_error(frame.message_id, "InternalError") if isinstance(frame, Call) else None
    message_log.note_message(ctx, connection_id, text, frame, answer, received_at)
    return _OK if answer is None else {"statusCode": 200, "body": answer}


def _serve_frame(ctx: Context, connection_id: str, text: str, frame: frames.Frame) -> str | None:
    connection = chargers.find_connection(ctx, connection_id)
    version = VERSIONS.get(connection.protocol) if connection is not None else None
    if connection is None or version is None:
        # Its row is written before the upgrade is answered: this socket outlived it, or its charger.
        drop_connection(ctx, connection_id)
        return None
    now = ctx.now()
    step = exchange.next_step(frame, version.faults)
    repairs = findings.of_envelope(text, frame)
    answer: str | None
    if isinstance(step, exchange.Serve):
        answer, found = _serve_call(ctx, connection, version, step.call, now)
        repairs.extend(found)
    else:
        answer = _take_step(ctx, connection, version, step)
    _note_life(ctx, connection, now, always=isinstance(frame, Call) and frame.action in version.life_signs)
    if repairs:
        _note_findings(ctx, connection, version, frame, repairs)
    return answer


def _take_step(ctx: Context, connection: Connection, version: Version, step: exchange.Step) -> str | None:
    if isinstance(step, exchange.Settle):
        if outbound.settle(ctx, connection.charger_id, version, step):
            outbound.send_next(ctx, connection.charger_id)
        return None
    if isinstance(step, exchange.Refuse):
        return frames.encode_error(step.message_id, version.codes[step.failure], step.detail)
    if isinstance(step, exchange.Ignore):
        logger.info("frame ignored", extra={"charger_id": connection.charger_id, "reason": step.reason})
    return None


def _serve_call(
    ctx: Context, connection: Connection, version: Version, call: Call, now: datetime
) -> tuple[str, Sequence[Repair]]:
    """The answer, and how the payload strayed from its schema."""
    action = version.actions.get(call.action)
    if action is None and version.knows(call.action):
        return _failed(version, call, Failure.NOT_SUPPORTED, "this action is not served here"), ()
    if action is None:
        unknown = f"{version.protocol} has no action of this name"
        return _failed(version, call, Failure.NOT_IMPLEMENTED, unknown), (findings.unknown_action(call.action),)
    read = version.read_request(call.action, call.payload, now)
    if isinstance(read, Violation):
        return _failed(version, call, read.failure, read.detail), (findings.not_conforming(read.detail),)
    charger = _charger(ctx, connection, fresh=action.wants_fresh_charger(read.payload))
    if charger is None or not pending.may_say(ctx, charger, call.action, action, read.payload):
        return _failed(version, call, Failure.SECURITY, "the charger has not been accepted"), ()
    inbound = Inbound(charger, str(call.message_id), read.payload, now)
    return _act(ctx, version, call, action, inbound), read.repairs


def _note_findings(
    ctx: Context, connection: Connection, version: Version, frame: frames.Frame, repairs: Sequence[Repair]
) -> None:
    action = frame.action if isinstance(frame, Call) and version.knows(frame.action) else findings.NO_ACTION
    findings.note(
        ctx,
        charger_id=connection.charger_id,
        operator_id=connection.operator_id,
        protocol=connection.protocol,
        action=action,
        repairs=repairs,
    )


def _act(ctx: Context, version: Version, call: Call, action: Action, inbound: Inbound) -> str:
    try:
        payload = decide_and_commit(ctx, lambda uow: action.handle(uow, inbound))
    except DomainError as error:
        passing = isinstance(error, StaleRead) or error.kind in (Kind.UNAVAILABLE, Kind.INTERNAL)
        extra = {"charger_id": inbound.charger.charger_id, "action": call.action, "code": error.code}
        logger.warning("call refused", extra=extra)
        if passing or action.refuse is None:
            return _failed(version, call, _FAILURES.get(error.kind, Failure.INTERNAL), error.detail)
        payload = action.refuse(inbound, error)
    return frames.encode_result(call.message_id, payload)


def _failed(version: Version, call: Call, failure: Failure, detail: str) -> str:
    return frames.encode_error(call.message_id, version.codes[failure], detail)


def _charger(ctx: Context, connection: Connection, *, fresh: bool) -> Charger | None:
    """The charger; unless `fresh`, as it was up to five minutes ago. One that is not placed is always read again."""
    memory = ctx.cache("ocpp.chargers", size=_CONNECTIONS_REMEMBERED, ttl_s=_CHARGER_MEMORY_S)
    known: Charger | None = None if fresh else memory.get(connection.charger_id)
    if known is None or not known.is_placed:
        known = chargers.get_charger(ctx, connection.charger_id)
        if known is not None:
            memory.put(connection.charger_id, known)
    return known


def _note_life(ctx: Context, connection: Connection, now: datetime, *, always: bool) -> None:
    """Stores that the charger lives, unless that was done within LIFE_SIGN_INTERVAL, and wakes commands that wait.

    The write gives the link back, so that looking for waiting commands costs nothing. A failure here must not cost
    the charger its answer.
    """
    touched = ctx.cache("ocpp.touched", size=_CONNECTIONS_REMEMBERED)
    last: datetime | None = touched.get(connection.connection_id)
    if not always and last is not None and now - last < LIFE_SIGN_INTERVAL:
        return
    try:
        link = chargers.touch(ctx, connection.charger_id, now)
        touched.put(connection.connection_id, now)
        if link is not None and link.has_lost(connection):
            link = _revive(ctx, link, connection)
        if link is not None and link.wants_sending(now):
            _wake_commands(ctx, link)
    except Exception:
        logger.exception("life sign not stored", extra={"charger_id": connection.charger_id})


def _revive(ctx: Context, link: Link, connection: Connection) -> Link:
    uow = UnitOfWork(ctx)
    revived = chargers.revive_connection(uow, link, connection)
    uow.commit()
    return revived


def _wake_commands(ctx: Context, link: Link) -> None:
    """By an event, not from here: our CALL must not overtake the answer that is about to be given."""
    uow = UnitOfWork(ctx)
    outbox.emit(uow, "command.queued", link.charger_id, {"charger_id": link.charger_id})
    uow.commit()
