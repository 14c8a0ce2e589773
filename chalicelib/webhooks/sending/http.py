"""Messages over HTTP/1.1, each on a connection of its own to an address that was looked at before.

The host's name is resolved once; if one of its addresses is not public, nothing is sent; the connection goes to the
address that was checked, so a name that answers differently the second time gains nothing (DNS rebinding). The
certificate is checked against the name. No proxy, no redirect, no cookie. One deadline covers everything: a receiver
that answers a byte at a time is cut off.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from chalicelib.kernel.context import Context
from chalicelib.webhooks.model import Answer, is_public
from chalicelib.webhooks.model.addresses import is_loopback_host
from chalicelib.webhooks.sending.port import MAX_TEXT_BYTES, TIMEOUT_S, Message

Resolve = Callable[[str, int], Sequence[str]]
"""`(host, port)` → its addresses, in the order to be tried. OSError where there is none."""

Connect = Callable[[str, int, float], socket.socket]
"""`(address, port, seconds)` → a connection to that address."""

_PORTS: Final = {"http": 80, "https": 443}


class _Refused(Exception):
    """We do not speak to this address."""


def system_addresses(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def system_connection(address: str, port: int, timeout_s: float) -> socket.socket:
    """A numeric address: nothing is resolved again."""
    return socket.create_connection((address, port), timeout=timeout_s)


class HttpSender:
    """`allows_loopback`: this machine may be spoken to, also without TLS; for the local stack alone."""

    def __init__(
        self,
        *,
        allows_loopback: bool = False,
        resolve: Resolve = system_addresses,
        connect: Connect = system_connection,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._allows_loopback = allows_loopback
        self._resolve = resolve
        self._open = connect
        self._timeout_s = timeout_s

    @classmethod
    def from_context(cls, ctx: Context) -> HttpSender:
        return cls(allows_loopback=ctx.settings.webhook_loopback == "on")

    def post(self, message: Message) -> Answer:
        started = time.perf_counter()
        deadline = started + self._timeout_s
        status: int | None = None
        text, error = b"", None
        try:
            status, text = self._exchange(message, deadline)
        except _Refused:
            error = "address_refused"
        except TimeoutError:
            error = "timeout"
        except ssl.SSLError:
            error = "tls_failed"
        except (OSError, UnicodeError, http.client.HTTPException) as failure:
            # A socket that the deadline closed fails in whatever it was doing.
            error = "timeout" if time.perf_counter() >= deadline else _name_of(failure)
        duration_ms = round((time.perf_counter() - started) * 1000)
        return Answer(status, duration_ms, text.decode(errors="replace"), error)

    def _exchange(self, message: Message, deadline: float) -> tuple[int, bytes]:
        parts = urlsplit(message.url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        if parts.scheme != "https" and not (self._allows_loopback and is_loopback_host(host)):
            raise _Refused
        sockets: list[socket.socket] = [self._connect(self._checked_addresses(host, port, deadline), port, deadline)]
        timer = threading.Timer(max(0.0, deadline - time.perf_counter()), _cut, [sockets])
        timer.daemon = True
        timer.start()
        try:
            if parts.scheme == "https":
                # First known to the timer, then spoken to: the handshake is within the deadline too.
                tls = _tls().wrap_socket(sockets[0], server_hostname=host, do_handshake_on_connect=False)
                sockets.append(tls)
                tls.do_handshake()
            connection = http.client.HTTPConnection(host, port)
            connection.sock = sockets[-1]
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", target, message.body, {**message.headers, "Host": parts.netloc})
            answer = connection.getresponse()
            if time.perf_counter() >= deadline:
                raise TimeoutError  # what was cut off looks like an end of the headers
            return answer.status, answer.read(MAX_TEXT_BYTES)
        finally:
            timer.cancel()
            sockets[-1].close()

    def _checked_addresses(self, host: str, port: int, deadline: float) -> Sequence[str]:
        """Raises _Refused if one of them is not public: who answers with both has something in mind."""
        addresses = self._resolved(host, port, deadline - time.perf_counter())
        if not addresses or not all(self._is_allowed(host, address) for address in addresses):
            raise _Refused
        return addresses

    def _resolved(self, host: str, port: int, left_s: float) -> Sequence[str]:
        """The system's resolver takes no deadline, so it is asked on a thread that nobody waits for too long."""
        found: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                found.put(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                found.put(error)

        threading.Thread(target=ask, name="resolver", daemon=True).start()
        try:
            addresses = found.get(timeout=max(0.0, left_s))
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(addresses, Exception):
            raise addresses
        return addresses

    def _is_allowed(self, host: str, address: str) -> bool:
        if self._allows_loopback and is_loopback_host(host):
            return is_loopback_host(address)
        return is_public(address)

    def _connect(self, addresses: Sequence[str], port: int, deadline: float) -> socket.socket:
        failure: OSError | None = None
        for address in addresses:
            left_s = deadline - time.perf_counter()
            if left_s <= 0:
                raise TimeoutError
            try:
                return self._open(address, port, left_s)
            except OSError as error:
                failure = error
        raise failure or OSError("no address")


@functools.cache
def _tls() -> ssl.SSLContext:
    """Reads the system's certificates: once per process."""
    return ssl.create_default_context()


def _cut(sockets: Sequence[socket.socket]) -> None:
    with contextlib.suppress(OSError):
        # Not the TLS socket's own way, which is for the thread that speaks on it.
        socket.socket.shutdown(sockets[-1], socket.SHUT_RDWR)


def _name_of(failure: Exception) -> str:
    if isinstance(failure, socket.gaierror | UnicodeError):
        return "host_unknown"
    if isinstance(failure, http.client.HTTPException):
        return "answer_invalid"
    return "connection_failed"
