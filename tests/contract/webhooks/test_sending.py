"""Messages over real sockets of this machine: what is sent, what is read, and where nothing is sent to."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from chalicelib.webhooks.sending.http import HttpSender
from chalicelib.webhooks.sending.port import MAX_TEXT_BYTES, Message
from tests.contract.webhooks.tls import server_context

Script = Callable[[socket.socket, bytes], None]
BODY = b'{"type":"webhook.test"}'
HEADERS = {"Content-Type": "application/json", "webhook-id": "whd_1"}
TIMEOUT_S = 2.0


def read_request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received or len(received.split(b"\r\n\r\n", 1)[1]) < len(BODY):
        more = connection.recv(65536)
        if not more:
            break
        received += more
    return received


@contextmanager
def receiver(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server on a port of its own, and the requests that it got."""
    requests: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    speaking = connection if tls is None else tls.wrap_socket(connection, server_side=True)
                    requests.append(read_request(speaking))
                    script(speaking, requests[-1])
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1], requests
    finally:
        listener.close()


def answering(*parts: bytes) -> Script:
    def script(connection: socket.socket, _request: bytes) -> None:
        for part in parts:
            connection.sendall(part)

    return script


def local(timeout_s: float = TIMEOUT_S) -> HttpSender:
    return HttpSender(allows_loopback=True, timeout_s=timeout_s)


def message(url: str) -> Message:
    return Message(url, HEADERS, BODY)


def test_a_message_arrives_as_it_was_written() -> None:
    with receiver(answering(b"HTTP/1.1 202 Accepted\r\nContent-Length: 6\r\n\r\nthanks")) as (port, requests):
        answer = local().post(message(f"http://127.0.0.1:{port}/in?a=1"))
    assert (answer.status_code, answer.text, answer.error) == (202, "thanks", None)
    [request] = requests
    head, body = request.split(b"\r\n\r\n", 1)
    assert body == BODY
    assert head.startswith(b"POST /in?a=1 HTTP/1.1\r\n")
    lines = {line.split(b": ")[0].lower(): line.split(b": ", 1)[1] for line in head.split(b"\r\n")[1:]}
    assert lines[b"host"] == f"127.0.0.1:{port}".encode()
    assert lines[b"content-length"] == str(len(BODY)).encode()
    assert lines[b"webhook-id"] == b"whd_1"


@pytest.mark.parametrize("status", [200, 301, 302, 307, 404, 410, 500])
def test_an_answer_is_an_answer_and_redirects_are_not_followed(status: int) -> None:
    head = f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".encode()
    with receiver(answering(head)) as (port, requests):
        answer = local().post(message(f"http://127.0.0.1:{port}/"))
    assert (answer.status_code, answer.error, len(requests)) == (status, None, 1)


def test_of_a_long_answer_the_beginning_is_read() -> None:
    with receiver(answering(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x" * 65536] * 100)) as (port, _):
        answer = local().post(message(f"http://127.0.0.1:{port}/"))
    assert answer.is_accepted
    assert len(answer.text) <= MAX_TEXT_BYTES


@pytest.mark.parametrize("what", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nA: "], ids=["nothing", "status", "header"])
def test_who_answers_a_byte_at_a_time_is_cut_off(what: bytes) -> None:
    """Each byte comes in time, the whole does not."""
    hung_up = threading.Event()

    def drip(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(what)
        while not hung_up.wait(0.05):
            if what:
                connection.sendall(b"0")

    begun = time.perf_counter()
    with receiver(drip) as (port, _):
        answer = local(timeout_s=0.4).post(message(f"http://127.0.0.1:{port}/"))
        hung_up.set()
    assert (answer.status_code, answer.error) == (None, "timeout")
    assert time.perf_counter() - begun < 2
    assert answer.duration_ms >= 400


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc X\r\n\r\n"])
def test_what_is_no_http_is_told(answer: bytes) -> None:
    with receiver(answering(answer)) as (port, _):
        assert local().post(message(f"http://127.0.0.1:{port}/")).error == "answer_invalid"


def test_nobody_listens() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    answer = local().post(message(f"http://127.0.0.1:{port}/"))
    assert (answer.status_code, answer.error) == (None, "connection_failed")


# -- TLS --------------------------------------------------------------------------------------------------------------


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    with receiver(answering(b"HTTP/1.1 200 OK\r\n\r\n"), server_context()) as (port, requests):
        answer = local().post(message(f"https://127.0.0.1:{port}/"))
    assert (answer.status_code, answer.error) == (None, "tls_failed")
    assert requests == []


def test_a_handshake_that_never_ends_is_cut_off() -> None:
    release = threading.Event()
    with receiver(lambda connection, _request: None) as (port, _):
        answer = local(timeout_s=0.4).post(message(f"https://127.0.0.1:{port}/"))
        release.set()
    assert answer.error in ("timeout", "tls_failed")


# -- addresses --------------------------------------------------------------------------------------------------------


class Names:
    """A resolver that answers what it is told, one answer per question; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.mark.parametrize(
    "addresses",
    [
        *(["127.0.0.1"], ["10.0.0.8"], ["169.254.169.254"], ["::1"], ["::ffff:127.0.0.1"], ["fd00:ec2::254"]),
        ["1.1.1.1", "127.0.0.1"],
        [],
    ],
)
def test_a_name_that_leads_inside_is_not_spoken_to(addresses: list[str]) -> None:
    with receiver(answering(b"HTTP/1.1 200 OK\r\n\r\n")) as (port, requests):
        sender = HttpSender(resolve=Names(addresses), timeout_s=TIMEOUT_S)
        answer = sender.post(message(f"https://hooks.customer.example:{port}/"))
    assert (answer.status_code, answer.error) == (None, "address_refused")
    assert requests == []


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """However the name answers the second time (DNS rebinding): it is not asked a second time."""
    names, connected = Names(["1.1.1.1"], ["127.0.0.1"]), []

    def connect(address: str, port: int, timeout_s: float) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    sender = HttpSender(resolve=names, connect=connect, timeout_s=TIMEOUT_S)
    assert sender.post(message("https://hooks.customer.example/")).error == "connection_failed"
    assert (names.asked, connected) == (1, ["1.1.1.1"])


def test_of_several_addresses_the_next_one_is_tried() -> None:
    connected = []
    with receiver(answering(b"HTTP/1.1 200 OK\r\n\r\n"), server_context()) as (port, _):

        def connect(address: str, to_port: int, timeout_s: float) -> socket.socket:
            connected.append(address)
            if address == "1.1.1.1":
                raise ConnectionRefusedError
            return socket.create_connection(("127.0.0.1", to_port), timeout=timeout_s)

        sender = HttpSender(resolve=Names(["1.1.1.1", "8.8.8.8"]), connect=connect, timeout_s=TIMEOUT_S)
        answer = sender.post(message(f"https://hooks.customer.example:{port}/"))
    assert connected == ["1.1.1.1", "8.8.8.8"]
    assert answer.error == "tls_failed", "it is asked for the certificate of the name"


def test_a_name_that_nobody_knows_and_a_resolver_that_sleeps() -> None:
    def unknown(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(-2, "Name or service not known")

    asleep = threading.Event()

    def sleeping(host: str, port: int) -> Sequence[str]:
        asleep.wait(10)
        return ["1.1.1.1"]

    assert HttpSender(resolve=unknown).post(message("https://hooks.customer.example/")).error == "host_unknown"
    assert HttpSender(resolve=sleeping, timeout_s=0.2).post(message("https://a.example/")).error == "timeout"
    asleep.set()


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/", "http://localhost:{port}/", "https://127.0.0.1:{port}/"])
def test_this_machine_is_spoken_to_in_the_local_stack_alone(url: str) -> None:
    with receiver(answering(b"HTTP/1.1 200 OK\r\n\r\n")) as (port, requests):
        answer = HttpSender(timeout_s=TIMEOUT_S).post(message(url.format(port=port)))
    assert answer.error == "address_refused"
    assert requests == []


def test_allowing_this_machine_allows_nothing_else() -> None:
    sender = HttpSender(allows_loopback=True, resolve=Names(["127.0.0.1"]), timeout_s=TIMEOUT_S)
    assert sender.post(message("https://hooks.customer.example/")).error == "address_refused"
    assert sender.post(message("http://hooks.customer.example/")).error == "address_refused"
