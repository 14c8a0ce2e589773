"""Work that is done after the answer was given: what may neither delay an answer nor break one.

Each context has one (`ctx.afterwards`); services `add` to it, entry points decide when it is done: at once (jobs and
REST, where nobody waits for a charger's answer), on a thread (the local stack), on a thread that keeps the Lambda
sandbox awake (`join_lambda`), or when somebody asks (`hold`, tests). The invariant: `add` never raises and never waits
for I/O unless work is done at once; the queue is bounded, the oldest makes room; what fails is counted and told in the
log once a minute, never tried again. So only what may be lost belongs here.
"""

from __future__ import annotations

import http.client
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from chalicelib.kernel.log import logger

if TYPE_CHECKING:
    from chalicelib.kernel.context import Context

MAX_WAITING: Final = 4_000
MAX_BATCH: Final = 25
"""What DynamoDB takes in one BatchWriteItem."""
GATHER_S: Final = 0.05
"""How long the local thread lets work come together: a batch costs a fraction of its single writes."""
SETTLE_WAIT_S: Final = 30.0
TELL_INTERVAL: Final = timedelta(minutes=1)

Job = Callable[["Context", list[Any]], None]
"""Does the work of up to MAX_BATCH items that were added for it. May raise: then they are lost."""
_Mode = Literal["at_once", "held", "thread"]


class Afterwards:
    """The queue of one process."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._mode: _Mode = "at_once"
        self._waiting: deque[tuple[Job, Any]] = deque()
        self._changed = threading.Condition()
        self._working = 0
        self._hurry = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None
        self._invocations_done = threading.Semaphore(0)
        self._lost = 0
        self._told_at: datetime | None = None

    # -- for services -----------------------------------------------------------------------------------------

    def add(self, job: Job, item: Any) -> None:
        """Has `job` done with this item, together with others of the same job, in the order of adding."""
        with self._changed:
            overflows = len(self._waiting) >= MAX_WAITING
            if overflows:
                self._waiting.popleft()
            self._waiting.append((job, item))
            self._changed.notify_all()
        if overflows:
            self._tell_lost(1, "more came than could be done")
        if self._mode == "at_once":
            self._work_off()

    # -- for entry points -------------------------------------------------------------------------------------

    def hold(self) -> None:
        """From now on work waits for `settle`."""
        self._mode = "held"

    def start(self) -> None:
        """From now on a thread does the work."""
        self._run(self._live)

    def join_lambda(self, runtime_api: str) -> None:
        """From now on the work is done between a frame's answer and the freezing of the sandbox.

        Only in the init phase (at import of the handler's module): registers as an internal extension for INVOKE.
        Lambda freezes a sandbox, and gives it the next event, when the runtime and each extension have asked for it
        (Lambda developer guide, Extensions API); ours asks when nothing is left to do. The handler runs inside
        `invocation`. Where registering fails, work is done at once: late, but not lost.
        """
        extension = _Extension(runtime_api)
        try:
            extension.register()
        except (OSError, http.client.HTTPException, RuntimeError):
            logger.exception("not registered as a Lambda extension")
            return
        self._run(lambda: self._follow(extension))

    @contextmanager
    def invocation(self) -> Iterator[None]:
        """One invocation of a handler; its end lets the sandbox rest as soon as the work is done."""
        try:
            yield
        finally:
            self._invocations_done.release()

    def settle(self) -> None:
        """Waits until nothing is left to do. TimeoutError after SETTLE_WAIT_S."""
        if self._mode != "thread":
            self._work_off()
            return
        self._hurry.set()
        with self._changed:
            if not self._changed.wait_for(lambda: not self._waiting and not self._working, SETTLE_WAIT_S):
                raise TimeoutError(f"work is left after {SETTLE_WAIT_S:.0f} s")
        self._hurry.clear()

    def end(self) -> None:
        """Does what is left and ends the thread; work that comes later is done at once."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        self._hurry.set()
        if self._thread is not None:
            self._thread.join(SETTLE_WAIT_S)
        self._mode = "at_once"
        self._work_off()

    # -- threads ----------------------------------------------------------------------------------------------

    def _run(self, life: Callable[[], None]) -> None:
        self._mode = "thread"
        self._thread = threading.Thread(target=life, name="afterwards", daemon=True)
        self._thread.start()

    def _live(self) -> None:
        while not self._ended:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
            self._hurry.wait(GATHER_S)
            self._work_off()

    def _follow(self, extension: _Extension) -> None:
        """One round per invocation. An INVOKE event tells that one began; only the handler knows its end."""
        try:
            while True:
                extension.next_event()
                self._invocations_done.acquire()
                self._work_off()
        except (OSError, http.client.HTTPException, RuntimeError):
            # Lambda ends a sandbox whose extension does not ask for the next event, and begins a new one.
            logger.exception("the Lambda extension has ended")
            self._mode = "at_once"

    # -- work -------------------------------------------------------------------------------------------------

    def _work_off(self) -> None:
        while (batch := self._take()) is not None:
            job, items = batch
            try:
                job(self._ctx, items)
            except Exception as error:
                self._tell_lost(len(items), f"{type(error).__name__}: {error}")
            finally:
                with self._changed:
                    self._working -= 1
                    self._changed.notify_all()

    def _take(self) -> tuple[Job, list[Any]] | None:
        """The oldest items, as many as are of one job."""
        with self._changed:
            if not self._waiting:
                return None
            job = self._waiting[0][0]
            items: list[Any] = []
            while self._waiting and self._waiting[0][0] == job and len(items) < MAX_BATCH:
                items.append(self._waiting.popleft()[1])
            self._working += 1
            return job, items

    def _tell_lost(self, items: int, reason: str) -> None:
        """In the log, once a minute: a store that is down must not fill it."""
        now = self._ctx.now()
        with self._changed:
            self._lost += items
            if self._told_at is not None and now - self._told_at < TELL_INTERVAL:
                return
            lost, self._lost, self._told_at = self._lost, 0, now
        logger.warning("work after the answer was lost", extra={"lost_items": lost, "reason": reason})


class _Extension:
    """The Extensions API as an internal extension sees it: version 2020-01-01 of the runtime API, on loopback."""

    _NAME: Final = "wattfare-afterwards"
    _REGISTER_TIMEOUT_S: Final = 2.0

    def __init__(self, runtime_api: str) -> None:
        self._runtime_api = runtime_api
        self._identifier = ""

    def register(self) -> None:
        """Raises OSError, HTTPException, or RuntimeError when Lambda refuses."""
        connection = http.client.HTTPConnection(self._runtime_api, timeout=self._REGISTER_TIMEOUT_S)
        try:
            # An internal extension may ask for INVOKE only: its process ends with the runtime's.
            headers = {"Lambda-Extension-Name": self._NAME, "Content-Type": "application/json"}
            connection.request("POST", "/2020-01-01/extension/register", b'{"events":["INVOKE"]}', headers)
            answer = connection.getresponse()
            detail = answer.read()
            self._identifier = answer.getheader("Lambda-Extension-Identifier") or ""
        finally:
            connection.close()
        if answer.status != 200 or not self._identifier:
            raise RuntimeError(f"{answer.status} {detail.decode(errors='replace')[:200]}")

    def next_event(self) -> None:
        """Returns when the next invocation has begun. Waits without a limit: the sandbox is frozen meanwhile."""
        connection = http.client.HTTPConnection(self._runtime_api)
        try:
            headers = {"Lambda-Extension-Identifier": self._identifier}
            connection.request("GET", "/2020-01-01/extension/event/next", headers=headers)
            answer = connection.getresponse()
            detail = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status} {detail.decode(errors='replace')[:200]}")
