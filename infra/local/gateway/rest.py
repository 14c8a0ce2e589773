"""API Gateway's REST API before a Chalice app: match, authorize, call the function, answer.

The local platform builds one from the product's app and mounts `handle` as the catch-all. Functions run in a small
pool of threads, because they wait for payment providers and mail. The invariants: at most `pool_size + queue_limit`
requests are under way, each is answered within the integration limit, every answer carries `x-request-id`, and the
client's word about its own address is not believed.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final

import chalice
from aiohttp import web
from chalice.app import ChaliceAuthorizer, RouteEntry
from multidict import CIMultiDict

from infra.local.gateway.authorizers import AuthorizerFailure, Denied, Unauthorized, authorize
from infra.local.gateway.invocation import INTEGRATION_LIMIT_S, Integration, IntegrationFailure, ProxyResult
from infra.local.gateway.problems import REQUEST_ID_HEADER, problem
from infra.local.gateway.rest_events import RestRequest, proxy_event
from infra.local.gateway.routes import RouteMatch, RouteTable

BODY_LIMIT_BYTES: Final = 10 * 1024 * 1024
POOL_SIZE: Final = 8
QUEUE_LIMIT: Final = 64
PRIORITY_PATHS: Final = frozenset(("/health",))

_HOP_HEADERS = frozenset(("connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"))
_FORWARDING_HEADERS = frozenset(("forwarded", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"))
_LOG = logging.getLogger(__name__)

Routes = dict[str, dict[str, RouteEntry]]


class Busy(Exception):
    """All threads are taken and the queue before them is full (HTTP 503)."""


class Pool:
    """A few threads and a bounded queue before them. Used by the loop's thread alone."""

    def __init__(self, name: str, threads: int, queue_limit: int) -> None:
        self._executor = ThreadPoolExecutor(threads, name)
        self._capacity = threads + queue_limit
        self._under_way = 0

    def submit(self, act: Callable[[], ProxyResult]) -> asyncio.Future[ProxyResult]:
        """Raises Busy."""
        if self._under_way >= self._capacity:
            raise Busy
        future = asyncio.get_running_loop().run_in_executor(self._executor, act)
        self._under_way += 1
        future.add_done_callback(self._finished)
        return future

    def stop(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _finished(self, future: asyncio.Future[ProxyResult]) -> None:
        self._under_way -= 1
        if not future.cancelled():
            future.exception()  # marks it as seen: after a time-out nobody else looks


class RestApi:
    """Raises ValueError for an app that API Gateway would refuse (see RouteTable) or whose authorizers, API keys or
    CORS have no counterpart here. `PRIORITY_PATHS` have a thread of their own: they answer when the pool is busy."""

    def __init__(
        self,
        app: chalice.Chalice,
        now: Callable[[], datetime],
        *,
        pool_size: int = POOL_SIZE,
        queue_limit: int = QUEUE_LIMIT,
        integration_limit_s: float = INTEGRATION_LIMIT_S,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
    ) -> None:
        self._routes: Routes = app.routes
        _require_served(self._routes)
        self._table = RouteTable(self._routes)
        self._binary_types = frozenset(app.api.binary_types)
        _give_each_thread_its_request(app)
        self._integration = Integration(app, "api-handler", integration_limit_s)
        self._now = now
        self._limit_s = integration_limit_s
        self._body_limit_bytes = body_limit_bytes
        self._pool = Pool("rest", pool_size, queue_limit)
        self._priority_pool = Pool("rest-priority", 1, QUEUE_LIMIT)

    async def stop(self, application: web.Application) -> None:
        """On clean-up of the application, when no request is under way any more but those that timed out."""
        self._pool.stop()
        self._priority_pool.stop()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any method, any path that nothing else serves."""
        request_id = str(uuid.uuid4())
        path, _, query = request.raw_path.partition("?")
        try:
            match = self._table.match(path)
        except UnicodeDecodeError:
            return problem(400, "path.encoding", "The path is not UTF-8.", request_id)
        if match is None:
            return problem(404, "route.unknown", "There is nothing at this address.", request_id)
        entry = self._routes[match.resource].get(request.method)
        if entry is None:
            allow = {"Allow": ", ".join(sorted(self._routes[match.resource]))}
            return problem(405, "method.not_allowed", "This address has other methods.", request_id, allow)
        body = await self._read(request)
        if body is None:
            return problem(413, "body.too_large", "A request has 10 MB at most.", request_id)
        rest_request = RestRequest(
            request.method,
            path,
            query,
            _event_headers(request),
            body,
            request.remote or "",
            request.host,
            request_id,
            self._now(),
        )
        return await self._answer(rest_request, match, entry)

    async def _read(self, request: web.Request) -> bytes | None:
        """The whole body, None when it is larger than allowed; no more than the limit is ever held."""
        if (request.content_length or 0) > self._body_limit_bytes:
            return None
        parts: list[bytes] = []
        size = 0
        async for part in request.content.iter_any():
            size += len(part)
            if size > self._body_limit_bytes:
                return None
            parts.append(part)
        return b"".join(parts)

    async def _answer(self, request: RestRequest, match: RouteMatch, entry: RouteEntry) -> web.Response:
        request_id = request.request_id
        pool = self._priority_pool if match.resource in PRIORITY_PATHS else self._pool
        try:
            future = pool.submit(lambda: self._run(request, match, entry))
            result = await asyncio.wait_for(asyncio.shield(future), self._limit_s)
            return _http_response(result, request_id)
        except Busy:
            return problem(503, "gateway.busy", "Too many requests are under way.", request_id, {"Retry-After": "1"})
        except TimeoutError:
            return problem(504, "gateway.timeout", "The answer took too long; it may still happen.", request_id)
        except UnicodeDecodeError:
            return problem(400, "request.encoding", "The request is not UTF-8.", request_id)
        except Unauthorized:
            challenge = {"WWW-Authenticate": "Bearer"}
            return problem(401, "unauthenticated", "Sign-in needed.", request_id, challenge)
        except Denied:
            return problem(403, "forbidden", "Not allowed.", request_id)
        except AuthorizerFailure as failure:
            _LOG.error("authorizer failed: %s", failure, exc_info=failure.__cause__)
            return problem(500, "internal_error", "Something failed on our side.", request_id)
        except IntegrationFailure as failure:
            _LOG.error("function failed: %s", failure, exc_info=failure.__cause__)
            if failure.timed_out:
                return problem(504, "gateway.timeout", "The answer took too long; it may still happen.", request_id)
            return problem(502, "internal_error", "Something failed on our side.", request_id)

    def _run(self, request: RestRequest, match: RouteMatch, entry: RouteEntry) -> ProxyResult:
        """In a thread of the pool: everything that may wait."""
        event = proxy_event(request, match, self._binary_types)
        if isinstance(entry.authorizer, ChaliceAuthorizer):
            event["requestContext"]["authorizer"] = authorize(entry.authorizer, request)
        return self._integration.call(event)


def _require_served(routes: Routes) -> None:
    for path, methods in routes.items():
        for method, entry in methods.items():
            if entry.authorizer is not None and not isinstance(entry.authorizer, ChaliceAuthorizer):
                raise ValueError(f"{method} {path}: only Chalice's built-in authorizers are known here")
            if entry.api_key_required or entry.cors is not None:
                raise ValueError(f"{method} {path}: API keys and CORS of API Gateway are not served here")


def _give_each_thread_its_request(app: chalice.Chalice) -> None:
    """Chalice keeps the current request on the app object, one for the whole process, since a Lambda serves one at
    a time. Here several threads serve: unless the app's class already keeps them apart, each thread gets its own."""
    if isinstance(getattr(type(app), "current_request", None), property):
        return
    local = threading.local()

    def get(_: chalice.Chalice) -> Any:
        return getattr(local, "request", None)

    def put(_: chalice.Chalice, request: Any) -> None:
        local.request = request

    app.__class__ = type("ThreadedChalice", (type(app),), {"current_request": property(get, put)})


def _event_headers(request: web.Request) -> list[tuple[str, str]]:
    pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers]
    kept = [(name, value) for name, value in pairs if name.lower() not in _FORWARDING_HEADERS]
    return [*kept, ("X-Forwarded-For", request.remote or ""), ("X-Forwarded-Proto", request.scheme)]


def _http_response(result: ProxyResult, request_id: str) -> web.Response:
    headers = CIMultiDict(pair for pair in result.headers if pair[0].lower() not in _HOP_HEADERS)
    headers.setdefault("Content-Type", "application/json")
    headers.setdefault(REQUEST_ID_HEADER, request_id)
    return web.Response(status=result.status, body=result.body, headers=headers)
