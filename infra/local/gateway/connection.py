"""One charger's socket after the upgrade: frames in, in order, one at a time; frames out.

`WebSocketApi` makes it and hands it to aiohttp as the socket's parser; nothing else calls it, and only the loop's
thread does. The invariants: `on_close` is called at most once and nothing is heard or sent after it; one peer can
hold neither the loop (a bounded number of messages a turn) nor memory (bounded buffers both ways).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from infra.local.gateway import framing
from infra.local.gateway.framing import Event, FrameDecoder, ProtocolFault

MESSAGES_PER_TURN: Final = 16
UNREAD_LIMIT_BYTES: Final = 1024 * 1024
CLOSE_WAIT_S: Final = 2.0

CLIENT_SENT_NO_STATUS: Final = "Client-side close frame status not set"
CLOSED_ABNORMALLY: Final = "Connection closed abnormally"


class Connection:
    """`on_message(connection, text)` hears each message; `on_close(connection, code, reason)` the end."""

    __slots__ = (
        "_close_timer",
        "_deaf",
        "_decoder",
        "_loop",
        "_on_close",
        "_on_message",
        "_transport",
        "connected_at_ms",
        "connection_id",
        "domain_name",
        "finished",
        "identity",
        "last_active_ms",
        "open",
        "source_ip",
        "user_agent",
    )

    def __init__(
        self,
        connection_id: str,
        transport: asyncio.Transport,
        loop: asyncio.AbstractEventLoop,
        on_message: Callable[[Connection, str], None],
        on_close: Callable[[Connection, int, str], None],
    ) -> None:
        self.connection_id = connection_id
        self._transport = transport
        self._loop = loop
        self._on_message = on_message
        self._on_close = on_close
        self._decoder = FrameDecoder()
        self._deaf = False
        self._close_timer: asyncio.TimerHandle | None = None
        self.open = True
        self.finished: asyncio.Future[None] = loop.create_future()
        """Done when the socket itself is gone."""
        self.identity = ""
        self.domain_name = ""
        self.source_ip = ""
        self.user_agent: str | None = None
        self.connected_at_ms = 0
        self.last_active_ms = 0

    # What aiohttp calls: the parser's side.

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        if not self._deaf:
            self._decoder.feed(data)
            self._hear()
        return False, b""

    def feed_eof(self) -> None:
        """The socket is gone, with or without a closing handshake."""
        self._deaf = True
        if self._close_timer is not None:
            self._close_timer.cancel()
        self._end(framing.ABNORMAL_CLOSURE, CLOSED_ABNORMALLY)
        if not self.finished.done():
            self.finished.set_result(None)

    def _hear(self) -> None:
        try:
            for _ in range(MESSAGES_PER_TURN):
                event = self._decoder.next_event()
                if event is None:
                    return
                self._take(event)
                if self._deaf:
                    return
        except ProtocolFault as fault:
            self.hang_up(fault.code, fault.reason)
            return
        if not self._transport.is_closing():
            self._transport.pause_reading()
            self._loop.call_soon(self._hear_more)

    def _hear_more(self) -> None:
        if not self._deaf and not self._transport.is_closing():
            self._transport.resume_reading()
            self._hear()

    def _take(self, event: Event) -> None:
        if event.opcode == framing.CLOSE:
            self._hear_close(event)
        elif not self.open:
            return
        elif event.opcode == framing.TEXT:
            self._on_message(self, event.text)
        elif event.opcode == framing.PING:
            self._write(framing.encode_control(framing.PONG, event.payload))

    def _hear_close(self, event: Event) -> None:
        self._deaf = True
        if self.open:
            self._write(framing.encode_close(event.code))
            reason = event.text or (CLIENT_SENT_NO_STATUS if event.code == framing.NO_STATUS else "")
            self._end(event.code, reason)
        self._transport.close()

    # What the API calls.

    def send_text(self, message: bytes) -> None:
        """Queues one text message (UTF-8). A peer that lets 1 MiB pile up unread is cut off."""
        if self.open:
            self._write(framing.encode_text(message))

    def close(self, code: int, reason: str) -> None:
        """Ends the connection: the disconnect event now, the closing handshake within CLOSE_WAIT_S."""
        if self.open:
            self._write(framing.encode_close(code, reason))
            self._end(code, reason)
            self._await_peer()

    def cut(self, *, notify: bool) -> None:
        """Breaks the socket without a handshake; with `notify` the disconnect event says 1006."""
        if notify:
            self._end(framing.ABNORMAL_CLOSURE, CLOSED_ABNORMALLY)
        self.open = False
        self._deaf = True
        self._transport.abort()

    def hang_up(self, code: int, reason: str) -> None:
        """Says why and listens no more (RFC 6455 section 7.1.7). Half-closing lets a peer that is still sending
        read the close frame; closing at once would answer its bytes with a reset and lose it."""
        self._deaf = True
        if not self.open:
            self._transport.abort()
            return
        self._write(framing.encode_close(code, reason))
        self._end(code, reason)
        if self._transport.is_closing():
            return
        try:
            self._transport.write_eof()
        except OSError:  # the peer has reset the socket, the loop has not noticed yet
            self._transport.abort()
        self._await_peer()

    def _await_peer(self) -> None:
        if not self._transport.is_closing():
            self._close_timer = self._loop.call_later(CLOSE_WAIT_S, self._transport.abort)

    def _end(self, code: int, reason: str) -> None:
        if self.open:
            self.open = False
            self._on_close(self, code, reason)

    def _write(self, frame: bytes) -> None:
        transport = self._transport
        if transport.is_closing():
            return
        transport.write(frame)
        if transport.get_write_buffer_size() > UNREAD_LIMIT_BYTES:
            self.cut(notify=True)
