"""One HTTP server on one port: chargers' WebSockets, the REST API, and the platform's own `/_local`.

The platform and the tests call `build_application` and then `serve` (in the running loop) or `serve_in_thread`.
The invariants: `/_local` and `/@connections` answer this machine alone, whatever name a browser resolved; stopping
ends every connection with its disconnect event before the handlers go away.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Final
from urllib.parse import urlsplit

import uvloop
from aiohttp import web

from infra.local.gateway import management
from infra.local.gateway.invocation import new_id
from infra.local.gateway.problems import problem
from infra.local.gateway.rest import RestApi
from infra.local.gateway.websocket import WebSocketApi

START_WAIT_S: Final = 30.0
SHUTDOWN_WAIT_S: Final = 5.0
KEEP_ALIVE_S: Final = 75.0
BACKLOG: Final = 1024

RequestHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_application(
    websocket_api: WebSocketApi, rest_api: RestApi, local_api: web.Application | None = None
) -> web.Application:
    """Routes: `/ocpp/{identity}` and `/{stage}` upgrade, `/@connections/{id}` manages them, `/_local` is `local_api`
    (its routes relative to that; not started yet), everything else is REST."""
    application = web.Application()
    application.on_startup.append(websocket_api.start)
    application.on_shutdown.append(websocket_api.stop)
    application.on_cleanup.append(rest_api.stop)
    # Slashes too many are common in what installers type (infra/cloudfront/rewrite.js).
    application.router.add_get("/{slashes:/*}ocpp/{identity:.*}", websocket_api.handle, allow_head=False)
    application.router.add_get(f"/{websocket_api.stage}", websocket_api.handle_direct, allow_head=False)
    for method, path, handler in management.routes(websocket_api):
        application.router.add_route(method, path, _guarded(handler))
    if local_api is not None:
        local_api.middlewares.insert(0, from_this_machine)
        application.add_subapp("/_local", local_api)
    application.router.add_route("*", "/{path:.*}", rest_api.handle)
    return application


@web.middleware
async def from_this_machine(request: web.Request, handler: RequestHandler) -> web.StreamResponse:
    """Refuses (403) whoever is not on this machine: by the peer's address; by Host, which a page that rebinds its
    own name to 127.0.0.1 can not choose; by Origin, which a page from elsewhere can not hide."""
    origin = request.headers.get("Origin")
    names = [request.remote, urlsplit("//" + request.host).hostname]
    if origin is not None:
        names.append(urlsplit(origin).hostname)
    if not all(_is_loopback(name) for name in names):
        return problem(403, "local.only", "This address answers its own machine only.", new_id())
    return await handler(request)


def _guarded(handler: RequestHandler) -> RequestHandler:
    async def guarded(request: web.Request) -> web.StreamResponse:
        return await from_this_machine(request, handler)

    return guarded


def _is_loopback(name: str | None) -> bool:
    if name == "localhost":
        return True
    try:
        return name is not None and ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class ServerHandle:
    """A server that runs; `port` is the real one when 0 was asked for."""

    def __init__(self, host: str, port: int, stop: Callable[[], Awaitable[None]]) -> None:
        self.host = host
        self.port = port
        self._stop: Callable[[], Awaitable[None]] | None = stop

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://{self.host}:{self.port}"

    async def stop(self) -> None:
        """Accepts no more, ends connections and requests, returns when the port is free. Twice is harmless."""
        stop, self._stop = self._stop, None
        if stop is not None:
            await stop()


def reserve(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Takes the port before there is anything to serve; who connects waits. OSError when it is taken."""
    return socket.create_server((host, port), backlog=BACKLOG)


async def serve(
    application: web.Application, host: str = "127.0.0.1", port: int = 0, listener: socket.socket | None = None
) -> ServerHandle:
    """Starts in the running loop, on a reserved port or on `port`. OSError when that is taken."""
    runner = web.AppRunner(
        application,
        access_log=None,
        keepalive_timeout=KEEP_ALIVE_S,
        shutdown_timeout=SHUTDOWN_WAIT_S,
    )
    await runner.setup()
    try:
        if listener is None:
            await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        else:
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
    except BaseException:
        await runner.cleanup()
        raise
    return ServerHandle(host, runner.addresses[0][1], runner.cleanup)


def serve_in_thread(application: web.Application, host: str = "127.0.0.1", port: int = 0) -> ServerHandle:
    """Starts in a thread with a uvloop of its own; `stop` may be awaited in any loop. OSError as `serve`."""
    started: Future[ServerHandle] = Future()
    stopping: Future[asyncio.Event] = Future()

    async def live() -> None:
        stop_asked = asyncio.Event()
        try:
            handle = await serve(application, host, port)
        except BaseException as error:
            started.set_exception(error)
            return
        stopping.set_result(stop_asked)
        started.set_result(handle)
        await stop_asked.wait()
        await handle.stop()

    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=_run_loop, args=(loop, live()), name="gateway", daemon=True)
    thread.start()
    inner = started.result(timeout=START_WAIT_S)

    async def stop() -> None:
        loop.call_soon_threadsafe(stopping.result().set)
        await asyncio.to_thread(thread.join)

    return ServerHandle(host, inner.port, stop)


def _run_loop(loop: asyncio.AbstractEventLoop, main: Coroutine[object, object, None]) -> None:
    try:
        loop.run_until_complete(main)
    finally:
        loop.close()
