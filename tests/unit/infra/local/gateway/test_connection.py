"""A connection over a fake transport: the turns of fate that real sockets take too rarely."""

from __future__ import annotations

import asyncio

from infra.local.gateway.connection import Connection


class ResetTransport:
    """A socket that the peer has reset while the loop has not noticed: half-closing fails."""

    def __init__(self) -> None:
        self.written = b""
        self.aborted = False

    def is_closing(self) -> bool:
        return self.aborted

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def write_eof(self) -> None:
        raise OSError("Transport endpoint is not connected")

    def abort(self) -> None:
        self.aborted = True


async def test_hanging_up_on_a_reset_socket_aborts_it_and_reports_once():
    closes = []
    transport = ResetTransport()
    connection = Connection(
        "id",
        transport,
        asyncio.get_running_loop(),
        lambda connection, text: None,
        lambda connection, code, reason: closes.append((code, reason)),
    )
    connection.hang_up(1001, "Going away")
    assert transport.aborted
    connection.feed_eof()
    assert closes == [(1001, "Going away")]
    assert connection.finished.done()
