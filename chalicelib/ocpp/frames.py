"""OCPP-J text ⇄ frames. Pure; the gateway, the command sender and the tests call it.

Whatever the text is, `decode` returns a frame and never raises: what cannot be read is a `Malformed` that says
which rule of OCPP-J 4.2 it breaks and as much of the envelope as could be recovered. Harmless sloppiness of
firmware (byte order mark, trailing NUL, line breaks, numeric ids, a null payload, missing error details) is read
as what was meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec

CALL: Final = 2
CALL_RESULT: Final = 3
CALL_ERROR: Final = 4

MAX_MESSAGE_ID_LENGTH: Final = 1024
"""OCPP says 36. Longer ids are answered (firmware exists that sends them) up to here."""
MAX_DESCRIPTION_LENGTH: Final = 255
UNREADABLE_ID: Final = "-1"
"""The message id of an answer to a frame whose own id cannot be told."""

MessageId = str | int
"""A string by the standard; chargers that send a number get it back as a number, else they would not know it."""
Payload = dict[str, Any]

_PADDING: Final = "\ufeff\x00 \t\r\n"
_ENVELOPE: Final = re.compile(r'\s*\[\s*(\d{1,4})\s*,\s*("(?:[^"\\\x00-\x1f]|\\.){0,1024}")\s*[,\]]')
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class Fault(Enum):
    """The rule that a malformed frame breaks; the version decides what is answered."""

    NOT_JSON = "not_json"
    NOT_A_FRAME = "not_a_frame"
    MESSAGE_TYPE = "message_type"
    MESSAGE_ID = "message_id"
    ELEMENT_COUNT = "element_count"
    ACTION = "action"
    PAYLOAD = "payload"


@dataclass(frozen=True, slots=True)
class Call:
    message_id: MessageId
    action: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class CallResult:
    message_id: str
    payload: object


@dataclass(frozen=True, slots=True)
class CallError:
    message_id: str
    code: str
    description: str
    details: object


@dataclass(frozen=True, slots=True)
class Malformed:
    """`message_type` and `message_id` are None where they could not be read."""

    fault: Fault
    message_type: int | None = None
    message_id: MessageId | None = None


Frame = Call | CallResult | CallError | Malformed


def decode(text: str) -> Frame:
    """The frame in one WebSocket text message. Bounded: nesting by the decoder's limit, size by the transport."""
    try:
        message = _decode(text)
    except (ValueError, RecursionError):
        # A NUL from a C string, a byte order mark: what encloses the array does not matter. The usual frame
        # does not pay for looking.
        trimmed = text.strip(_PADDING)
        try:
            message = _decode(trimmed)
        except (ValueError, RecursionError):
            return _recover(trimmed)
    if type(message) is not list or len(message) < 2:
        return Malformed(Fault.NOT_A_FRAME)
    message_type = message[0]
    if message_type == CALL and type(message_type) is int:
        return _call(message)
    if message_type in (CALL_RESULT, CALL_ERROR) and type(message_type) is int:
        return _answer(message_type, message)
    known_type = message_type if type(message_type) is int else None
    return Malformed(Fault.MESSAGE_TYPE, known_type, _readable_id(message[1]))


def encode_call(message_id: str, action: str, payload: Payload) -> bytes:
    return _encode([CALL, message_id, action, payload])


def encode_result(message_id: MessageId, payload: Payload) -> str:
    return _encode([CALL_RESULT, message_id, payload]).decode()


def encode_error(message_id: MessageId, code: str, description: str = "") -> str:
    return _encode([CALL_ERROR, message_id, code, description[:MAX_DESCRIPTION_LENGTH], {}]).decode()


def _call(message: list[Any]) -> Call | Malformed:
    message_id = _readable_id(message[1])
    if message_id is None:
        return Malformed(Fault.MESSAGE_ID, CALL)
    if len(message) != 4:
        return Malformed(Fault.ELEMENT_COUNT, CALL, message_id)
    _, _, action, payload = message
    if type(action) is not str:
        return Malformed(Fault.ACTION, CALL, message_id)
    if payload is None:  # OCPP-J 1.6 4.2.1: null stands for an empty payload
        payload = {}
    if type(payload) is not dict:
        return Malformed(Fault.PAYLOAD, CALL, message_id)
    return Call(message_id, action, payload)


def _answer(message_type: int, message: list[Any]) -> CallResult | CallError | Malformed:
    message_id = _readable_id(message[1])
    if message_id is None:
        return Malformed(Fault.MESSAGE_ID, message_type)
    if message_type == CALL_RESULT:
        return CallResult(str(message_id), message[2] if len(message) > 2 else None)
    sent = message[2:5]
    code, description, details = sent + ["", "", {}][len(sent) :]
    return CallError(str(message_id), _as_text(code), _as_text(description), details)


def _readable_id(value: object) -> MessageId | None:
    if type(value) is str and len(value) <= MAX_MESSAGE_ID_LENGTH:
        return value
    if type(value) is int and len(str(value)) <= MAX_MESSAGE_ID_LENGTH:
        return value
    return None


def _as_text(value: object) -> str:
    return value if type(value) is str else _encode(value).decode()


def _recover(text: str) -> Malformed:
    """What a broken text still tells: `[2,"id",` at its start is enough to name the CALL."""
    found = _ENVELOPE.match(text)
    if found is None:
        return Malformed(Fault.NOT_JSON)
    try:
        message_id = _decode(found[2])
    except ValueError:
        return Malformed(Fault.NOT_JSON, int(found[1]))
    return Malformed(Fault.NOT_JSON, int(found[1]), message_id)
