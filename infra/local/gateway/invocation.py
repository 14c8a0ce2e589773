"""How the gateway calls a Lambda function: the handler's shape, its context, its time limit.

The REST and the WebSocket APIs call every handler through `Integration`. The invariant: whatever the function
does (raise, answer something else than a proxy response, take longer than API Gateway waits), the caller sees
either a `ProxyResult` or an `IntegrationFailure`.
"""

from __future__ import annotations

import base64
import binascii
import os
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

JsonObject = dict[str, Any]
Handler = Callable[[JsonObject, "LambdaContext"], object]
Stopwatch = Callable[[], float]

INTEGRATION_LIMIT_S = 29.0
REGION = "eu-local-1"
ACCOUNT_ID = "000000000000"


class IntegrationFailure(Exception):
    """The function raised, answered no proxy response, or took too long (`timed_out`)."""

    def __init__(self, reason: str, *, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.timed_out = timed_out


class LambdaContext:
    """What Lambda passes beside the event: the attributes that powertools and Chalice read."""

    __slots__ = ("_deadline", "_request_id", "_stopwatch", "function_name")

    function_version = "$LATEST"
    memory_limit_in_mb = 1024
    client_context = None
    identity = None
    log_stream_name = "local"

    def __init__(
        self,
        function_name: str,
        limit_s: float = INTEGRATION_LIMIT_S,
        stopwatch: Stopwatch = time.monotonic,
    ) -> None:
        self.function_name = function_name
        self._stopwatch = stopwatch
        self._deadline = stopwatch() + limit_s
        self._request_id: str | None = None

    @property
    def aws_request_id(self) -> str:
        if self._request_id is None:
            self._request_id = str(uuid.uuid4())
        return self._request_id

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - self._stopwatch()) * 1000))

    @property
    def expired(self) -> bool:
        return self._stopwatch() > self._deadline


class ProxyResult(NamedTuple):
    """A Lambda proxy response, checked: `body` as the bytes to send, `headers` one value per name and line."""

    status: int
    body: bytes
    headers: list[tuple[str, str]]

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


class Integration:
    """One Lambda function behind a route."""

    __slots__ = ("_handler", "_limit_s", "_stopwatch", "function_name")

    def __init__(
        self,
        handler: Handler,
        function_name: str,
        limit_s: float = INTEGRATION_LIMIT_S,
        stopwatch: Stopwatch = time.monotonic,
    ) -> None:
        self._handler = handler
        self._limit_s = limit_s
        self._stopwatch = stopwatch
        self.function_name = function_name

    def call(self, event: JsonObject) -> ProxyResult:
        """Runs the function in this thread. An answer that comes after the limit is thrown away, as API Gateway
        does; the function itself has run to its end (its effects stand).

        Raises IntegrationFailure.
        """
        context = LambdaContext(self.function_name, self._limit_s, self._stopwatch)
        try:
            answer = self._handler(event, context)
        except Exception as error:
            raise IntegrationFailure(f"{self.function_name} raised {type(error).__name__}") from error
        if context.expired:
            raise IntegrationFailure(f"{self.function_name} took longer than {self._limit_s} s", timed_out=True)
        return _checked(answer, self.function_name)


def _checked(answer: object, function_name: str) -> ProxyResult:
    if not isinstance(answer, dict):
        raise IntegrationFailure(f"{function_name} answered no proxy response")
    status = answer.get("statusCode")
    if isinstance(status, str) and status.isdigit():
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 599:
        raise IntegrationFailure(f"{function_name} answered the status {answer.get('statusCode')!r}")
    body = answer.get("body")
    if body is None:
        content = b""
    elif not isinstance(body, str):
        raise IntegrationFailure(f"{function_name} answered a body that is no string")
    else:
        content = _decoded(body, bool(answer.get("isBase64Encoded")), function_name)
    if "headers" in answer or "multiValueHeaders" in answer:
        return ProxyResult(status, content, _headers(answer, function_name))
    return ProxyResult(status, content, [])


def _decoded(body: str, is_base64: bool, function_name: str) -> bytes:
    if not is_base64:
        return body.encode("utf-8", "replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise IntegrationFailure(f"{function_name} answered a body that is no base64") from error


def _headers(answer: JsonObject, function_name: str) -> list[tuple[str, str]]:
    single: object = answer.get("headers") or {}
    multiple: object = answer.get("multiValueHeaders") or {}
    if not isinstance(single, Mapping) or not isinstance(multiple, Mapping):
        raise IntegrationFailure(f"{function_name} answered headers that are no object")
    lines = [(str(name), str(value)) for name, values in multiple.items() for value in values]
    repeated = {name.lower() for name, _ in lines}
    lines += [(str(name), str(value)) for name, value in single.items() if str(name).lower() not in repeated]
    if any(character in name + value for name, value in lines for character in "\r\n\0"):
        raise IntegrationFailure(f"{function_name} answered a header with a line break")
    return lines


def new_id() -> str:
    """An id as API Gateway makes them for requests, messages and connections: 16 URL-safe characters."""
    return base64.urlsafe_b64encode(os.urandom(11)).decode("ascii")
