"""RFC 6455 frames, server side, without I/O: bytes in, messages out, and the other way round.

`Connection` alone uses it. It exists beside aiohttp's own parser because API Gateway bounds a *frame* (32 KB)
apart from a *message* (128 KB), which aiohttp can not. The invariant: a decoder never holds more than one
message of the largest size and one frame, and after a `ProtocolFault` it is spent.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

FRAME_LIMIT_BYTES: Final = 32 * 1024
MESSAGE_LIMIT_BYTES: Final = 128 * 1024
CONTROL_LIMIT_BYTES: Final = 125

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NORMAL_CLOSURE: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
UNSUPPORTED_DATA: Final = 1003
NO_STATUS: Final = 1005
ABNORMAL_CLOSURE: Final = 1006
INVALID_PAYLOAD: Final = 1007
MESSAGE_TOO_BIG: Final = 1009

_FINAL = 0x80
_RESERVED = 0x70
_MASKED = 0x80
_KNOWN_OPCODES = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
_SENDABLE_CODES = frozenset((1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014))


class ProtocolFault(Exception):
    """The peer broke the protocol or a limit: close the connection with `code` (RFC 6455 section 7.4.1)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Event(NamedTuple):
    """What the peer said. TEXT: `text`; PING and PONG: `payload`; CLOSE: `code` and `text` (its reason)."""

    opcode: int
    text: str = ""
    payload: bytes = b""
    code: int = NO_STATUS


class FrameDecoder:
    """Collects bytes and hands out whole messages, control frames in between as they come."""

    __slots__ = ("_at", "_buffer", "_message")

    def __init__(self) -> None:
        self._buffer = b""
        self._at = 0
        self._message: bytearray | None = None

    def feed(self, data: bytes) -> None:
        self._buffer = self._buffer[self._at :] + data if self._buffer else data
        self._at = 0

    def next_event(self) -> Event | None:
        """The next message or control frame, None when more bytes are needed. Raises ProtocolFault."""
        while True:
            frame = self._next_frame()
            if frame is None:
                return None
            final, opcode, payload = frame
            if opcode == TEXT and final:
                return Event(TEXT, _text(payload))
            if opcode >= CLOSE:
                return _control(opcode, payload)
            if self._message is None:
                self._message = bytearray()
            self._message += payload
            if final:
                message, self._message = self._message, None
                return Event(TEXT, _text(message))

    def _next_frame(self) -> tuple[int, int, bytes] | None:
        data, at = self._buffer, self._at
        available = len(data) - at
        if available < 2:
            return None
        first, second = data[at], data[at + 1]
        length, start = second & 0x7F, at + 6
        if length >= 126:
            width = 2 if length == 126 else 8
            start += width
            if available < 2 + width:
                return None
            length = int.from_bytes(data[at + 2 : at + 2 + width], "big")
        self._check(first, second, length)
        end = start + length
        if len(data) < end:
            return None
        if end == len(data):
            self._buffer, self._at = b"", 0
        else:
            self._at = end
        return first & _FINAL, first & 0x0F, unmask(data[start:end], data[start - 4 : start])

    def _check(self, first: int, second: int, length: int) -> None:
        """Judges a frame by its header, before its payload is awaited (RFC 6455 sections 5.1, 5.2, 5.4, 5.5)."""
        opcode = first & 0x0F
        if first & _RESERVED or opcode not in _KNOWN_OPCODES:
            raise ProtocolFault(PROTOCOL_ERROR, "reserved bits or opcode")
        if not second & _MASKED:
            raise ProtocolFault(PROTOCOL_ERROR, "a client masks its frames")
        if opcode >= CLOSE:
            if length > CONTROL_LIMIT_BYTES or not first & _FINAL:
                raise ProtocolFault(PROTOCOL_ERROR, "control frame too long or fragmented")
            return
        if opcode == BINARY:
            raise ProtocolFault(UNSUPPORTED_DATA, "text messages only")
        if (opcode == CONTINUATION) is (self._message is None):
            raise ProtocolFault(PROTOCOL_ERROR, "fragments out of order")
        if length > FRAME_LIMIT_BYTES:
            raise ProtocolFault(MESSAGE_TOO_BIG, "frame larger than 32 KB")
        if self._message is not None and length + len(self._message) > MESSAGE_LIMIT_BYTES:
            raise ProtocolFault(MESSAGE_TOO_BIG, "message larger than 128 KB")


def unmask(payload: bytes, mask: bytes) -> bytes:
    """XOR with the 4-byte mask (RFC 6455 section 5.3); as one long integer, which is linear and quick."""
    length = len(payload)
    key = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(length, "little")


def _text(payload: bytes | bytearray) -> str:
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ProtocolFault(INVALID_PAYLOAD, "text is not UTF-8") from error


def _control(opcode: int, payload: bytes) -> Event:
    if opcode != CLOSE:
        return Event(opcode, payload=payload)
    if not payload:
        return Event(CLOSE)
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not (code in _SENDABLE_CODES or 3000 <= code <= 4999):
        raise ProtocolFault(PROTOCOL_ERROR, "close code")
    return Event(CLOSE, _text(payload[2:]), code=code)


def encode_text(message: bytes) -> bytes:
    """A text message in UTF-8 as frames of at most 32 KB, as API Gateway splits them."""
    if len(message) < 126:
        return bytes((_FINAL | TEXT, len(message))) + message
    frames = []
    for start in range(0, len(message), FRAME_LIMIT_BYTES):
        part = message[start : start + FRAME_LIMIT_BYTES]
        opcode = TEXT if start == 0 else CONTINUATION
        final = _FINAL if start + len(part) == len(message) else 0
        if len(part) < 126:
            frames.append(bytes((final | opcode, len(part))))
        else:
            frames.append(struct.pack("!BBH", final | opcode, 126, len(part)))
        frames.append(part)
    return b"".join(frames)


def encode_control(opcode: int, payload: bytes = b"") -> bytes:
    """A PING, PONG or CLOSE frame; `payload` of at most 125 bytes."""
    return bytes((_FINAL | opcode, len(payload))) + payload


def encode_close(code: int, reason: str = "") -> bytes:
    """A CLOSE frame; no status for the codes that must not be sent (RFC 6455 section 7.4.1: 1005, 1006)."""
    if code in (NO_STATUS, ABNORMAL_CLOSURE):
        return encode_control(CLOSE)
    text = reason.encode("utf-8")[: CONTROL_LIMIT_BYTES - 2].decode("utf-8", "ignore")
    return encode_control(CLOSE, struct.pack("!H", code) + text.encode("utf-8"))
