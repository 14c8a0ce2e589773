"""The message log: every CALL with its answer, both directions, as it went over the wire.

The gateway and `outbound` note what happened, which costs them nothing that waits; rows are made and written after the
answer (`ctx.afterwards`). The invariants: a CALL and its answer are one row; no password is in it; a row fits one write
unit where compression can make it so; what cannot be written is lost and hurts nobody.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import msgspec
from pynamodb.expressions.condition import Condition

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Command, charger_key
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.context import Context
from chalicelib.kernel.log import logger
from chalicelib.kernel.pages import Page, Step, page_of
from chalicelib.ocpp import frames
from chalicelib.ocpp.frames import Call, CallError, CallResult, Frame, Malformed
from chalicelib.ocpp.masking import mask_secrets
from chalicelib.ocpp.model import About, Direction, Message, Outcome
from chalicelib.ocpp.store import MESSAGE_PREFIX, MESSAGES, MessageRow, charger_pk

MAX_TEXT_CHARACTERS: Final = 32 * 1024
"""Of a message that is kept; the rest of a longer one (API Gateway takes four times as much) is cut off."""
_MAX_NAME_CHARACTERS: Final = 64
_PLAIN_BYTES: Final = 500
"""Below this a row fits a write unit (1 KB) as it is."""
_TURNS: Final = itertools.count()
_MOST_TURNS: Final = 1_000_000
_DISTANT_PAST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DISTANT_FUTURE: Final = datetime(2999, 1, 1, tzinfo=UTC)

_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(tuple[str, str | None]).decode
_PLAIN_START: Final = 0x92
"""A msgpack array of two begins so; a zlib stream never does."""


@dataclass(frozen=True, slots=True)
class _Heard:
    """A text message of a charger, and what it was answered."""

    connection_id: str
    text: str
    frame: Frame
    answer: str | None
    at: datetime
    turn: int


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """A CALL of ours that got no answer, or did not even arrive."""

    command_id: str
    outcome: Outcome
    at: datetime
    turn: int


# -- writing --------------------------------------------------------------------------------------------------


def note_message(
    ctx: Context, connection_id: str, text: str, frame: Frame, answer: str | None, received_at: datetime
) -> None:
    """A charger sent `text`; `answer` is what it was given (None: silence)."""
    ctx.afterwards.add(_keep, _Heard(connection_id, text, frame, answer, received_at, _next_turn()))


def note_unanswered(ctx: Context, command: Command) -> None:
    """A CALL of ours that was posted timed out."""
    ctx.afterwards.add(_keep, _Unanswered(command.command_id, "timed_out", command.sent_at or ctx.now(), _next_turn()))


def note_undelivered(ctx: Context, command: Command) -> None:
    """A CALL of ours met a closed socket: the command waits again."""
    ctx.afterwards.add(_keep, _Unanswered(command.command_id, "undelivered", ctx.now(), _next_turn()))


def _next_turn() -> int:
    return next(_TURNS) % _MOST_TURNS


def _keep(ctx: Context, notes: list[_Heard | _Unanswered]) -> None:
    """Writes the rows of these notes. One that cannot be made must not cost the others theirs."""
    messages: list[Message] = []
    for note in notes:
        try:
            message = _heard(ctx, note) if isinstance(note, _Heard) else _unanswered(ctx, note)
        except Exception:
            logger.exception("message not logged")
            continue
        if message is not None:
            messages.append(message)
    MESSAGES.batch_put(ctx, messages)


def _heard(ctx: Context, note: _Heard) -> Message | None:
    connection = chargers.find_connection(ctx, note.connection_id)
    if connection is None:
        return None  # a socket that is nobody's; it was dropped
    frame = note.frame
    command = None
    if isinstance(frame, CallResult | CallError) or _is_answer(frame):
        command = chargers.get_command(ctx, str(frame.message_id))
        if command is not None and charger_key(command.charger_id) != charger_key(connection.charger_id):
            command = None
    if command is not None and command.is_finished and command.finished_at and command.finished_at >= note.at:
        outcome: Outcome = "result" if isinstance(frame, CallResult) else "error"
        return _command_message(command, outcome, note.text, note.turn)
    about = About(
        charger_id=connection.charger_id,
        operator_id=connection.operator_id,
        message_id=_name("" if frame.message_id is None else str(frame.message_id)),
        direction="from_charger",
        protocol=connection.protocol,
        # An answer that came too late tells at least what it was about.
        action=_name(frame.action if isinstance(frame, Call) else command.ocpp_action if command else ""),
        outcome=_outcome(note.answer),
    )
    return Message(about, note.at, _packed(note.text, note.answer), note.turn)


def _unanswered(ctx: Context, note: _Unanswered) -> Message | None:
    command = chargers.get_command(ctx, note.command_id)
    if command is None:
        return None
    return _command_message(replace(command, sent_at=note.at), note.outcome, None, note.turn)


def _command_message(command: Command, outcome: Outcome, answer: str | None, turn: int) -> Message:
    request = frames.encode_call(command.command_id, command.ocpp_action, command.ocpp_payload).decode()
    about = About(
        charger_id=command.charger_id,
        operator_id=command.operator_id,
        message_id=command.command_id,
        direction="to_charger",
        protocol=command.protocol or "",
        action=_name(command.ocpp_action),
        outcome=outcome,
    )
    return Message(about, command.sent_at or command.queued_at, _packed(request, answer), turn)


def _is_answer(frame: Frame) -> bool:
    return isinstance(frame, Malformed) and frame.message_type in (frames.CALL_RESULT, frames.CALL_ERROR)


def _outcome(answer: str | None) -> Outcome:
    if answer is None:
        return "silence"
    return "result" if answer.startswith("[3") else "error"


def _name(text: str) -> str:
    """A name of a charger's making, short enough for a key."""
    return _shortened(text, _MAX_NAME_CHARACTERS)


def _shortened(text: str, most: int) -> str:
    # Half of a surrogate pair is no text.
    whole = text if text.isascii() else text.encode(errors="replace").decode()
    return whole if len(whole) <= most else whole[: most - 1] + "…"


def _keepable(text: str) -> str:
    return _shortened(mask_secrets(text), MAX_TEXT_CHARACTERS)


def _packed(request: str, answer: str | None) -> bytes:
    plain = _pack([_keepable(request), None if answer is None else _keepable(answer)])
    if len(plain) <= _PLAIN_BYTES:
        return plain
    return min(plain, zlib.compress(plain), key=len)


# -- reading --------------------------------------------------------------------------------------------------


def texts_of(message: Message) -> tuple[str, str | None]:
    """Request and answer as they were sent."""
    plain = message.frames if message.frames[0] == _PLAIN_START else zlib.decompress(message.frames)
    return _unpack(plain)


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; None means all. `date_from` inclusive, `date_to` exclusive."""

    action: str | None = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    date_from: datetime | None = None
    date_to: datetime | None = None

    def keeps(self, message: Message) -> bool:
        return (
            self.action in (None, message.about.action)
            and self.direction in (None, message.about.direction)
            and self.outcome in (None, message.about.outcome)
        )


def list_messages(
    ctx: Context,
    charger_id: str,
    wanted: Filter,
    *,
    may_see: Callable[[Message], bool],
    limit: int,
    cursor: str | None,
) -> Page[Message]:
    """The messages of a charger, newest first."""
    return page_of(
        walk_messages(ctx, charger_id, wanted, cursor=cursor),
        limit,
        lambda message: wanted.keeps(message) and may_see(message),
    )


def walk_messages(ctx: Context, charger_id: str, wanted: Filter, *, cursor: str | None) -> Iterator[Step[Message]]:
    """All messages of the time that `wanted` names, newest first, each with the place after it."""
    return MESSAGES.walk(
        ctx,
        charger_pk(charger_id),
        _between(wanted.date_from, wanted.date_to),
        newest_first=True,
        cursor=cursor,
    )


def _between(date_from: datetime | None, date_to: datetime | None) -> Condition:
    earliest = min(max(date_from or _DISTANT_PAST, _DISTANT_PAST), _DISTANT_FUTURE)
    # DynamoDB refuses a range that ends before it begins; this one has nothing in it either.
    end = max(min(date_to or _DISTANT_FUTURE, _DISTANT_FUTURE), earliest)
    return MessageRow.sk.between(f"{MESSAGE_PREFIX}{to_rfc3339(earliest)}", f"{MESSAGE_PREFIX}{to_rfc3339(end)}")
