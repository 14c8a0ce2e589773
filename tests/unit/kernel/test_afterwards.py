"""Work after the answer: done once, in batches, never in the way; in Lambda before the sandbox is frozen."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib.kernel import afterwards
from chalicelib.kernel.clock import VirtualClock
from chalicelib.kernel.context import Context, Settings

WAIT_S = 10.0
SILENCE_S = 0.2


class Desk:
    """A job that notes what it was given; `gate` holds it up, `fails` makes it raise."""

    def __init__(self) -> None:
        self.batches: list[list[Any]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Event()
        self.fails = False

    def work(self, ctx: Context, items: list[Any]) -> None:
        self.began.set()
        assert self.gate.wait(WAIT_S)
        if self.fails:
            raise OSError("no store today")
        self.batches.append(items)

    @property
    def done(self) -> list[Any]:
        return [item for batch in self.batches for item in batch]


@pytest.fixture(autouse=True)
def _listening(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """To what this test's own threads log: one of the test before may still tell that its sandbox has ended."""
    earlier = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}

    def is_ours(record: logging.LogRecord) -> bool:
        return record.thread not in earlier

    caplog.set_level(logging.WARNING, logger="wattfare")
    caplog.handler.addFilter(is_ours)
    yield
    caplog.handler.removeFilter(is_ours)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def ctx(clock: VirtualClock) -> Context:
    return Context(Settings(), clock)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# -- ways of doing it -------------------------------------------------------------------------------------------------


def test_where_nobody_says_when_it_is_done_at_once(ctx: Context, desk: Desk) -> None:
    ctx.afterwards.add(desk.work, 1)
    assert desk.done == [1]


def test_held_work_waits_for_settle_and_comes_in_batches_of_one_job(ctx: Context, desk: Desk) -> None:
    other = Desk()
    ctx.afterwards.hold()
    for number in range(30):
        ctx.afterwards.add(desk.work, number)
    ctx.afterwards.add(other.work, "x")
    ctx.afterwards.add(desk.work, 30)
    assert desk.done == []
    ctx.afterwards.settle()
    assert [len(batch) for batch in desk.batches] == [25, 5, 1]
    assert desk.done == list(range(31))
    assert other.done == ["x"]


def test_a_thread_works_without_holding_up_whoever_adds(ctx: Context, desk: Desk) -> None:
    desk.gate.clear()
    ctx.afterwards.start()
    ctx.afterwards.add(desk.work, 1)
    assert desk.began.wait(WAIT_S)
    ctx.afterwards.add(desk.work, 2)  # returns although the job hangs
    desk.gate.set()
    ctx.afterwards.settle()
    assert desk.done == [1, 2]
    ctx.afterwards.add(desk.work, 3)
    ctx.afterwards.end()
    assert desk.done == [1, 2, 3]
    ctx.afterwards.add(desk.work, 4)
    assert desk.done == [1, 2, 3, 4], "after the end it is done at once"


def test_adding_from_many_threads_loses_nothing(ctx: Context, desk: Desk) -> None:
    ctx.afterwards.start()
    threads = [
        threading.Thread(target=lambda start=start: [ctx.afterwards.add(desk.work, start + i) for i in range(100)])  # type: ignore[misc]
        for start in range(0, 800, 100)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    ctx.afterwards.settle()
    assert sorted(desk.done) == list(range(800))
    ctx.afterwards.end()


# -- trouble ----------------------------------------------------------------------------------------------------------


def test_the_oldest_makes_room_and_is_counted(
    ctx: Context, clock: VirtualClock, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    ctx.afterwards.hold()
    for number in range(afterwards.MAX_WAITING + 3):
        ctx.afterwards.add(desk.work, number)
    clock.advance(61)
    ctx.afterwards.add(desk.work, "last")
    ctx.afterwards.settle()
    assert desk.done == [*range(4, afterwards.MAX_WAITING + 3), "last"]
    assert [record.lost_items for record in caplog.records] == [1, 3]  # type: ignore[attr-defined]


def test_failures_are_told_once_a_minute_and_hold_up_nothing(
    ctx: Context, clock: VirtualClock, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.fails = True
    for _ in range(5):
        ctx.afterwards.add(desk.work, 1)  # does not raise
        clock.advance(20)
    assert [(record.levelno, record.lost_items) for record in caplog.records] == [  # type: ignore[attr-defined]
        (logging.WARNING, 1),
        (logging.WARNING, 3),
    ]
    assert "no store today" in caplog.records[0].reason  # type: ignore[attr-defined]
    desk.fails = False
    ctx.afterwards.add(desk.work, 2)
    assert desk.done == [2]


# -- Lambda -----------------------------------------------------------------------------------------------------------


class RuntimeApi:
    """The Extensions API of a sandbox. `begin` starts an invocation, `wait_until_resting` is the freezing."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.registrations: list[tuple[dict[str, str], Any]] = []
        self._asked = threading.Semaphore(0)
        self._events = threading.Semaphore(0)
        self._closing = False
        api = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                api.registrations.append((dict(self.headers), body))
                found = self.path == "/2020-01-01/extension/register" and not refuses
                self._answer(200 if found else 403, {"Lambda-Extension-Identifier": "ext-1"} if found else {})

            def do_GET(self) -> None:
                known = self.headers["Lambda-Extension-Identifier"] == "ext-1"
                if self.path != "/2020-01-01/extension/event/next" or not known:
                    return self._answer(403, {})
                api._asked.release()
                api._events.acquire()
                return self._answer(500 if api._closing else 200, {})

            def _answer(self, status: int, headers: dict[str, str]) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": "2"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def begin(self) -> None:
        self._events.release()

    def wait_until_resting(self) -> None:
        """The extension has asked for the next event: Lambda would freeze the sandbox now."""
        assert self._asked.acquire(timeout=WAIT_S), "the sandbox never rests: the next invocation would wait for it"

    def rests(self) -> bool:
        """Whether it does within a while that is long for two threads."""
        return self._asked.acquire(timeout=SILENCE_S)

    def close(self) -> None:
        self._closing = True
        self._events.release()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def sandbox(**options: Any) -> Iterator[RuntimeApi]:
    api = RuntimeApi(**options)
    try:
        yield api
    finally:
        api.close()


def test_a_sandbox_rests_when_the_work_behind_the_answer_is_done(ctx: Context, desk: Desk) -> None:
    with sandbox() as api:
        ctx.afterwards.join_lambda(api.address)
        [(headers, body)] = api.registrations
        assert headers["Lambda-Extension-Name"]
        assert body == {"events": ["INVOKE"]}
        api.wait_until_resting()
        for number in range(2):
            desk.began.clear()
            desk.gate.clear()
            api.begin()
            with ctx.afterwards.invocation():
                ctx.afterwards.add(desk.work, number)
                assert not api.rests(), "frozen before the handler had answered"
                assert not desk.began.is_set(), "worked before the handler had answered"
            assert desk.began.wait(WAIT_S)
            assert not api.rests(), "frozen before the work was done"
            desk.gate.set()
            api.wait_until_resting()
            assert desk.done == list(range(number + 1))


def fail_within(invocation: AbstractContextManager[None], first: Callable[[], None]) -> None:
    with invocation:
        first()
        raise ZeroDivisionError


def test_a_sandbox_rests_also_without_work_and_after_a_handler_that_failed(ctx: Context, desk: Desk) -> None:
    with sandbox() as api:
        ctx.afterwards.join_lambda(api.address)
        api.wait_until_resting()
        api.begin()
        with ctx.afterwards.invocation():
            pass
        api.wait_until_resting()
        api.begin()
        with pytest.raises(ZeroDivisionError):
            fail_within(ctx.afterwards.invocation(), lambda: ctx.afterwards.add(desk.work, 1))
        api.wait_until_resting()
        assert desk.done == [1]
        # The event may reach the extension after the handler has ended.
        with ctx.afterwards.invocation():
            ctx.afterwards.add(desk.work, 2)
        assert desk.done == [1]
        api.begin()
        api.wait_until_resting()
        assert desk.done == [1, 2]


@pytest.mark.parametrize("refuses", [True, False], ids=["refused", "nobody there"])
def test_where_lambda_does_not_take_the_extension_the_work_is_done_at_once(
    ctx: Context, desk: Desk, refuses: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with sandbox(refuses=True) as api:
        address = api.address
        if refuses:
            ctx.afterwards.join_lambda(address)
    if not refuses:
        ctx.afterwards.join_lambda(address)
    assert [record.message for record in caplog.records] == ["not registered as a Lambda extension"]
    with ctx.afterwards.invocation():
        ctx.afterwards.add(desk.work, 1)
        assert desk.done == [1]


def test_the_handler_of_frames_registers_while_it_is_imported() -> None:
    with sandbox() as api:
        program = "import ws_handlers.message as m; print(m.context.current().afterwards._mode)"
        environment = {**os.environ, "AWS_LAMBDA_RUNTIME_API": api.address}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        assert run.stdout.split() == ["thread"], run.stderr
        assert len(api.registrations) == 1
