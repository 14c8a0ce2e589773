"""The shell around OCPP: handshakes, frames and closes of the WebSocket API, each one Lambda invocation.

Called by `ws_handlers`. The invariants: an answer means stored (the unit of work commits first); a CALL gets exactly
one answer and an answer none, whatever the frame or our code does; what a charger sends proves that it lives, and
costs at most one write in LIFE_SIGN_INTERVAL for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import LIFE_SIGN_INTERVAL, Charger, Connection, Handshake, Link, Refused
from chalicelib.kernel import edge, outbox
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead
from chalicelib.kernel.log import logger
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ocpp import exchange, frames, outbound
from chalicelib.ocpp.errors import Failure
from chalicelib.ocpp.frames import Call
from chalicelib.ocpp.version import Action, Inbound, Version
from chalicelib.ocpp.versions import VERSIONS

Event = Mapping[str, Any]
Response = dict[str, Any]

TOUCH_INTERVAL: Final = LIFE_SIGN_INTERVAL
"""How old the stored life sign of a charger that sends may be."""
_CHARGER_MEMORY_S: Final = 300
"""Longer than two heartbeats are apart, else each would pay for reading its charger."""
_CONNECTIONS_REMEMBERED: Final = 20_000
_OK: Final[Response] = {"statusCode": 200}

_FAILURES: Final[Mapping[Kind, Failure]] = {
    Kind.INVALID: Failure.PROPERTY,
    Kind.UNPROCESSABLE: Failure.PROPERTY,
    Kind.FORBIDDEN: Failure.SECURITY,
    Kind.UNAUTHENTICATED: Failure.SECURITY,
}


# -- $connect and $disconnect ---------------------------------------------------------------------------------


def handle_connect(ctx: Context, event: Event) -> Response:
    """Decides the handshake: 200 with the chosen subprotocol, 403 around the CDN, 400/401/404 as
    `chargers.check_handshake` says, 500 when we fail."""
    try:
        return _connect(ctx, event)
    except Exception:
        logger.exception("handshake failed")
        return {"statusCode": 500}


def _connect(ctx: Context, event: Event) -> Response:
    headers: Mapping[str, list[Any]] = _headers(event)
    first = {name: values[0] for name, values in headers.items()}
    if ctx.secret(edge.ORIGIN_SECRET) and not edge.came_through_cdn(ctx, first):
        return {"statusCode": 403}
    request = event["requestContext"]
    # The CDN passes the identity as it stands in the URL: this is the one decoding.
    identity = unquote((event.get("queryStringParameters") or {}).get("cp") or "")
    connection_id: str = request["connectionId"]

    def decide(uow: UnitOfWork) -> tuple[Handshake, str | None]:
        handshake = chargers.check_handshake(
            uow,
            identity=identity,
            authorization=headers.get("authorization", [None])[0],
            offered_protocols=headers.get("sec-websocket-protocol", []),
            source_ip=edge.viewer_address(ctx, first, (request.get("identity") or {}).get("sourceIp", "")),
        )
        if isinstance(handshake, Refused):
            return handshake, None
        before = chargers.get_link(ctx, handshake.charger.charger_id)
        chargers.open_connection(uow, handshake.charger, connection_id, handshake.protocol)
        return handshake, before.connection_id if before is not None else None

    handshake, replaced = decide_and_commit(ctx, decide)
    if isinstance(handshake, Refused):
        return {"statusCode": handshake.status}
    if replaced is not None:
        # The charger has one socket; the other one is half open, or belongs to a second device of this name.
        _drop(ctx, replaced)
    if handshake.subprotocol is None:
        return {"statusCode": 200}
    return {"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": handshake.subprotocol}}


def handle_disconnect(ctx: Context, event: Event) -> Response:
    """Notes that a socket has closed, if it still is the charger's. May come late, or never."""
    connection_id: str = event["requestContext"]["connectionId"]
    try:
        decide_and_commit(ctx, lambda uow: chargers.close_connection(uow, connection_id))
    except Exception:
        logger.exception("disconnect not noted")
        return {"statusCode": 500}
    return {"statusCode": 200}


def _headers(event: Event) -> dict[str, list[str]]:
    """All values of each header under its name in small letters: the case is the client's."""
    found: dict[str, list[str]] = {}
    many = event.get("multiValueHeaders") or {name: [value] for name, value in (event.get("headers") or {}).items()}
    for name, values in many.items():
        found.setdefault(name.lower(), []).extend(values)
    return found


def _drop(ctx: Context, connection_id: str) -> None:
    """Closes a socket that nobody is served on. Best effort: API Gateway ends it anyway after ten idle minutes."""
    try:
        ctx.client("apigatewaymanagementapi", ctx.settings.websocket_endpoint).delete_connection(
            ConnectionId=connection_id
        )
    except (ClientError, BotoCoreError) as error:
        logger.info("connection not dropped", extra={"error": str(error)})


# -- $default -------------------------------------------------------------------------------------------------


def handle_message(ctx: Context, event: Event) -> Response:
    """Serves one text message; the answer to a CALL is the body of the route response. Never raises."""
    frame = frames.decode(event.get("body") or "")
    try:
        answer = _serve_frame(ctx, event["requestContext"]["connectionId"], frame)
    except Exception:
        logger.exception("frame failed")
        # The code is the same in every version.
        answer = frames.encode_error(frame.message_id, "InternalError") if isinstance(frame, Call) else None
    return _OK if answer is None else {"statusCode": 200, "body": answer}


def _serve_frame(ctx: Context, connection_id: str, frame: frames.Frame) -> str | None:
    connection = chargers.find_connection(ctx, connection_id)
    version = VERSIONS.get(connection.protocol) if connection is not None else None
    if connection is None or version is None:
        # Its row is written before the upgrade is answered: this socket outlived it, or its charger.
        _drop(ctx, connection_id)
        return None
    now = ctx.now()
    step = exchange.next_step(frame, version.faults)
    answer = _take_step(ctx, connection, version, step, now)
    is_life_sign = isinstance(step, exchange.Serve) and step.call.action in version.life_signs
    _note_life(ctx, connection, now, always=is_life_sign)
    return answer


def _take_step(
    ctx: Context, connection: Connection, version: Version, step: exchange.Step, now: datetime
) -> str | None:
    if isinstance(step, exchange.Serve):
        return _serve_call(ctx, connection, version, step.call, now)
    if isinstance(step, exchange.Settle):
        if outbound.settle(ctx, connection.charger_id, version, step):
            outbound.send_next(ctx, connection.charger_id)
        return None
    if isinstance(step, exchange.Refuse):
        return frames.encode_error(step.message_id, version.codes[step.failure], step.detail)
    logger.info("frame ignored", extra={"charger_id": connection.charger_id, "reason": step.reason})
    return None


def _serve_call(ctx: Context, connection: Connection, version: Version, call: Call, now: datetime) -> str:
    action = version.actions.get(call.action)
    if action is None:
        known = version.knows(call.action)
        return _failed(version, call, Failure.NOT_SUPPORTED if known else Failure.NOT_IMPLEMENTED, "")
    violation = version.request_violation(call.action, call.payload)
    if violation is not None:
        return _failed(version, call, violation.failure, violation.detail)
    charger = _charger(ctx, connection, fresh=action.fresh_charger)
    if charger is None or not (charger.is_placed or action.while_pending):
        return _failed(version, call, Failure.SECURITY, "the charger has not been accepted")
    return _act(ctx, version, call, action, Inbound(charger, str(call.message_id), call.payload, now, version.protocol))


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
    """Stores that the charger lives, unless that was done within TOUCH_INTERVAL, and wakes commands that wait.

    The write gives the link back, so that looking for waiting commands costs nothing. A failure here must not cost
    the charger its answer.
    """
    touched = ctx.cache("ocpp.touched", size=_CONNECTIONS_REMEMBERED)
    last: datetime | None = touched.get(connection.connection_id)
    if not always and last is not None and now - last < TOUCH_INTERVAL:
        return
    try:
        link = chargers.touch(ctx, connection.charger_id, now)
        touched.put(connection.connection_id, now)
        if link is not None and link.has_lost(connection):
            link = _revive(ctx, link, connection)
        if link is not None and link.may_send:
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
