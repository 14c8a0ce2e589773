"""OCPP-J text ⇄ frames. Pure; the gateway, the command sender and the tests call it.

Whatever the text is, `decode` returns a frame and never raises: what cannot be read is a `Malformed` that says
which rule of OCPP-J 4.2 it breaks and as much of the envelope as could be recovered. Harmless sloppiness of
firmware (byte order mark, trailing NUL, line breaks, numeric ids, a null payload, missing error details, what is
nearly JSON) is read as what was meant; `oddities` names it.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import msgspec

CALL: Final = 2
CALL_RESULT: Final = 3
CALL_ERROR: Final = 4
CALL_RESULT_ERROR: Final = 5
SEND: Final = 6

STANDARD_ID_LENGTH: Final = 36
MAX_MESSAGE_ID_LENGTH: Final = 1024
"""Longer ids than STANDARD_ID_LENGTH are answered (firmware exists that sends them) up to here."""
MAX_DESCRIPTION_LENGTH: Final = 255
UNREADABLE_ID: Final = "-1"
"""The message id of an answer to a frame whose own id cannot be told."""

MessageId = str | int
"""A string by the standard; chargers that send a number get it back as a number, else they would not know it."""
Payload = dict[str, Any]

_PADDING: Final = "\ufeff\x00 \t\r\n"
_TYPE: Final = re.compile(r"\s*\[\s*(\d{1,4})\s*[,\]]", re.ASCII)
_ENVELOPE: Final = re.compile(r'\s*\[\s*(\d{1,4})\s*,\s*("(?:[^"\\\x00-\x1f]|\\.){0,1024}"|\d{1,15})\s*[,\]]', re.ASCII)
# Texts are passed over whole, an unfinished one too: each character is looked at once or twice.
_SLIPS: Final = re.compile(
    r'(?P<text>"(?:[^"\\]|\\.)*+"?)'
    r"|,(?P<end>\s*[\]}])"
    r"|(?P<name>:)(?=\s*[,\]}])"
    r"|(?P<before>[:\[,]\s*)(?P<sign>-?)(?:\+?0+(?=\d)|\+(?=[\d.])|(?=\.\d))",
    re.DOTALL,
)
_decode: Final = msgspec.json.Decoder().decode
_encode: Final = msgspec.json.Encoder().encode


class Fault(Enum):
    """The rule that a malformed frame breaks; the version decides what is answered."""

    UNREADABLE = "unreadable"  # not JSON, and no id to be seen in it
    NOT_JSON = "not_json"
    NOT_A_FRAME = "not_a_frame"
    MESSAGE_TYPE = "message_type"
    NEWER_TYPE = "newer_type"  # CALLRESULTERROR or SEND, which only 2.1 has
    MESSAGE_ID = "message_id"
    ELEMENT_COUNT = "element_count"
    ACTION = "action"
    PAYLOAD = "payload"


@dataclass(frozen=True, slots=True)
class Call:
    """`is_mended`: its text was not quite JSON."""

    message_id: MessageId
    action: str
    payload: Payload
    is_mended: bool = False


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
    is_mended = False
    try:
        message = _decode(text)
    except (ValueError, RecursionError):
        # A NUL from a C string, a byte order mark: what encloses the array does not matter. The usual frame
        # does not pay for looking.
        trimmed = text.strip(_PADDING)
        try:
            message = _decode(trimmed)
        except (ValueError, RecursionError):
            message, is_mended = _nearly_json(trimmed), True
            if message is None:
                return _recover(trimmed)
    if type(message) is not list or not message:
        return Malformed(Fault.NOT_A_FRAME)
    message_type = message[0] if type(message[0]) is int else None
    if len(message) < 2:
        return Malformed(_fault_of(message_type, Fault.NOT_A_FRAME), message_type)
    if message_type == CALL:
        return _call(message, is_mended)
    if message_type in (CALL_RESULT, CALL_ERROR):
        return _answer(message_type, message)
    return Malformed(_fault_of(message_type, Fault.MESSAGE_TYPE), message_type, _readable_id(message[1]))


def oddities(text: str, call: Call) -> list[tuple[str, str]]:
    """What was forgiven in the envelope of a CALL that was read: a stable word, and what stood there."""
    found = []
    if type(call.message_id) is not str:
        found.append(("message_id_not_text", str(call.message_id)))
    elif len(call.message_id) > STANDARD_ID_LENGTH:
        found.append(("message_id_too_long", call.message_id))
    if text[0] != "[" or text[-1] != "]":
        padding = text.strip().partition("[")[0] + text.strip().rpartition("]")[2]
        if padding:
            found.append(("padding", repr(padding)))
    if call.is_mended:
        found.append(("nearly_json", ""))
    return found


def encode_call(message_id: str, action: str, payload: Payload) -> bytes:
    return _encode([CALL, message_id, action, payload])


def encode_result(message_id: MessageId, payload: Payload) -> str:
    return _encode([CALL_RESULT, message_id, payload]).decode()


def encode_error(message_id: MessageId, code: str, description: str = "") -> str:
    return _encode([CALL_ERROR, message_id, code, description[:MAX_DESCRIPTION_LENGTH], {}]).decode()


def _call(message: list[Any], is_mended: bool) -> Call | Malformed:
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
    return Call(message_id, action, payload, is_mended)


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


def _fault_of(message_type: int | None, otherwise: Fault) -> Fault:
    return Fault.NEWER_TYPE if message_type in (CALL_RESULT_ERROR, SEND) else otherwise


def _nearly_json(text: str) -> Any:
    """What firmware writes by hand: NaN, half surrogate pairs, line breaks within a text, a comma after the last
    element, a name without its value, numbers like `+5`, `007`, `.5` or beyond all bounds. What is no number, or not
    there, is null. None for what cannot be read so either."""
    try:
        told = json.loads(_SLIPS.sub(_mended, text), strict=False, parse_constant=_nothing, parse_float=_finite)
        return _storable(told)
    except (ValueError, RecursionError):
        return None


def _mended(found: re.Match[str]) -> str:
    if found["text"] is not None:
        return found["text"]
    if found["end"] is not None:
        return found["end"]
    if found["name"] is not None:
        return ":null"
    # What follows is a digit, or the point that none stands before.
    before_point = found.string[found.end() : found.end() + 1] == "."
    return f"{found['before']}{found['sign']}{'0' if before_point else ''}"


def _nothing(_constant: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _storable(node: Any) -> Any:
    if isinstance(node, str):
        return node.encode(errors="replace").decode()
    if isinstance(node, dict):
        return {_storable(key): _storable(child) for key, child in node.items()}
    return [_storable(child) for child in node] if isinstance(node, list) else node


def _recover(text: str) -> Malformed:
    """What a broken text still tells: `[2,"id",` at its start is enough to name the CALL."""
    found = _ENVELOPE.match(text)
    if found is not None:
        try:
            return _broken(int(found[1]), _decode(found[2]))
        except ValueError:  # the text of the id is itself broken
            pass
    found = _TYPE.match(text)
    return _broken(None if found is None else int(found[1]), None)


def _broken(message_type: int | None, message_id: MessageId | None) -> Malformed:
    fault = Fault.UNREADABLE if message_id is None else Fault.NOT_JSON
    if message_type is not None and message_type not in (CALL, CALL_RESULT, CALL_ERROR):
        fault = _fault_of(message_type, Fault.MESSAGE_TYPE)
    return Malformed(fault, message_type, message_id)
