"""The edge of REST: one way through for each request, problem+json for every failure.

`mount` registers the declared endpoints (`kernel/http.py`) with Chalice. A request goes: authenticate → parse → (claim
the Idempotency-Key) → function → answer encoded → recorded in the audit log → one commit → answer sent.
"""

from __future__ import annotations

import base64
import contextvars
import functools
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from chalice import Chalice, Response

from chalicelib.kernel import context, edge, idempotency, problems
from chalicelib.kernel.actor import ANONYMOUS, Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead, forbidden, invalid, unauthenticated
from chalicelib.kernel.http import Answer, Api, Authenticate, Endpoint, Record, Request
from chalicelib.kernel.log import logger
from chalicelib.kernel.texts import control_character_at
from chalicelib.kernel.unit_of_work import DECIDE_ATTEMPTS, UnitOfWork

JSON_TYPE: Final = "application/json"
MERGE_PATCH_TYPE: Final = "application/merge-patch+json"
PDF_TYPE: Final = "application/pdf"
SVG_TYPE: Final = "image/svg+xml"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BINARY_TYPES: Final = frozenset({PDF_TYPE, XLSX_TYPE, "image/png", "image/jpeg", "image/webp"})
"""Answers of these types are sent as bytes."""
ANY_TYPE: Final = "*/*"
"""What API Gateway is told to treat as binary: it looks at the first type of the Accept header alone, which browsers
fill as they like, so that AWS recommends to name them all (developer guide, Binary media types for REST APIs)."""


class RestApp(Chalice):
    """Chalice with a current request per thread: Chalice keeps it on the application, and the local stack serves
    several requests at once."""

    _request: contextvars.ContextVar[Any] = contextvars.ContextVar("request", default=None)

    @property
    def current_request(self) -> Any:
        return self._request.get()

    @current_request.setter
    def current_request(self, value: Any) -> None:
        self._request.set(value)

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Without Accept a client takes anything (RFC 9110, 12.5.1); Chalice would refuse it what may be binary."""
        headers = event.get("headers") or {}
        if not any(name.lower() == "accept" for name in headers):
            event = {**event, "headers": {**headers, "accept": ANY_TYPE}}
        answer: dict[str, Any] = super().__call__(event, context)
        return answer


class RestResponse(Response):
    """Bytes travel as base64, text as it is, whatever the media type: Chalice would encode all text too."""

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        is_binary = isinstance(self.body, bytes)
        answer: dict[str, Any] = super().to_dict()
        if is_binary:
            answer |= {"body": base64.b64encode(self.body).decode("ascii"), "isBase64Encoded": True}
        return answer


def mount(app: RestApp, apis: Iterable[Api], authenticate: Authenticate, record: Record) -> None:
    """Registers every endpoint with Chalice."""
    app.api.binary_types = [ANY_TYPE]
    for api in apis:
        for endpoint in api.endpoints:
            view = functools.partial(_view, app, endpoint, authenticate, record)
            # Chalice asks a view for its name and module, which partials have not.
            functools.update_wrapper(view, endpoint.function)
            name = f"{endpoint.tag}_{endpoint.operation_id}"
            # Media types are checked in `handle`: Chalice's own refusal is not problem+json.
            app.route(endpoint.path, methods=[endpoint.method], name=name, content_types=["*/*"])(view)


def _check_media_type(endpoint: Endpoint, incoming: Any) -> None:
    known = (JSON_TYPE, MERGE_PATCH_TYPE) if endpoint.method == "PATCH" else (JSON_TYPE,)
    media_type = incoming.headers.get("content-type", JSON_TYPE).partition(";")[0].strip().lower()
    if media_type not in known:
        raise DomainError("body.media_type", f"The request body must be {known[0]}.", Kind.UNSUPPORTED)


def _view(app: RestApp, endpoint: Endpoint, authenticate: Authenticate, record: Record, **path_values: str) -> Response:
    incoming = app.current_request
    request_id = str(incoming.context.get("requestId", ""))
    try:
        status, headers, body = handle(context.current(), endpoint, authenticate, record, incoming, path_values)
    except DomainError as error:
        status, headers, body = problems.from_domain_error(error, request_id)
    except Exception:
        logger.exception("request failed", extra={"operation": endpoint.operation_id, "request_id": request_id})
        status, headers, body = problems.internal(request_id)
    # Answers may hold tokens and people's data: no cache on the way keeps them (RFC 9111, 5.2.2.5).
    sent: dict[str, str | list[str]] = {"cache-control": "no-store", **headers}
    is_binary = isinstance(body, bytes) and headers.get("content-type", "") in BINARY_TYPES
    text = body if is_binary or isinstance(body, str) else body.decode()
    return RestResponse(body=text, status_code=status, headers=sent)


def handle(
    ctx: Context,
    endpoint: Endpoint,
    authenticate: Authenticate,
    record: Record,
    incoming: Any,
    path_values: Mapping[str, str],
) -> tuple[int, Mapping[str, str], bytes]:
    """One request from sign-in to committed answer: `(status, headers, body)`. Raises DomainError."""
    actor = _authorize(ctx, endpoint, authenticate, incoming)
    raw_body: bytes = incoming.raw_body or b""
    arguments: dict[str, Any] = {name: path_values[name] for name in endpoint.path_names}
    if endpoint.query is not None:
        arguments["query"] = _parse_query(endpoint.query, incoming.query_params)
    if endpoint.body is not None:
        _check_media_type(endpoint, incoming)
        arguments["body"] = _parse_body(endpoint.body, raw_body)
    request = Request(
        ctx=ctx,
        uow=UnitOfWork(ctx),
        actor=actor,
        request_id=str(incoming.context.get("requestId", "")),
        raw_body=raw_body,
        headers=incoming.headers,
    )
    if not endpoint.idempotency_key:
        return _decide(request, endpoint, arguments, record)
    return _once(request, endpoint, arguments, record)


def _authorize(ctx: Context, endpoint: Endpoint, authenticate: Authenticate, incoming: Any) -> Actor:
    peer = str(incoming.context.get("identity", {}).get("sourceIp", ""))
    source_ip = edge.viewer_address(ctx, incoming.headers, peer)
    if endpoint.audience == "public":
        return Actor("anonymous", source_ip=source_ip) if source_ip else ANONYMOUS
    scheme, _, access_token = incoming.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not access_token:
        raise unauthenticated("auth.missing", "This needs a sign-in: Authorization: Bearer <access token>.")
    actor = authenticate(ctx, access_token.strip(), source_ip)
    if endpoint.audience == "driver" and actor.driver_id is None:
        raise forbidden("This needs a driver's sign-in.")
    if endpoint.audience == "person" and actor.kind != "person":
        raise forbidden("This needs a person's sign-in; an API key has none.")
    if endpoint.permission is not None:
        actor.require(endpoint.permission)
    return actor


def _once(
    request: Request, endpoint: Endpoint, arguments: dict[str, Any], record: Record
) -> tuple[int, Mapping[str, str], bytes]:
    """Runs the request under its Idempotency-Key, or replays the first answer."""
    scope = f"{request.actor.login_id}#{endpoint.operation_id}"
    claim = idempotency.claim(
        request.ctx, scope, request.headers.get("idempotency-key", ""), _fingerprint(endpoint, request, arguments)
    )
    if claim.done:
        headers = {"content-type": JSON_TYPE, "idempotency-replayed": "true"}
        return claim.status or endpoint.status, headers, (claim.body or "").encode()
    request.claim = claim
    try:
        return _decide(request, endpoint, arguments, record)
    except DomainError:
        # What was committed early belongs to this key: the client's retry goes on from there, at once.
        if request.committed_early:
            idempotency.release(request.ctx, claim)
        else:
            idempotency.abandon(request.ctx, claim)
        raise


def _fingerprint(endpoint: Endpoint, request: Request, arguments: dict[str, Any]) -> bytes:
    path = "/".join(str(arguments[name]) for name in endpoint.path_names)
    return f"{endpoint.method} {endpoint.path} {path}\n".encode() + request.raw_body


def _decide(
    request: Request, endpoint: Endpoint, arguments: dict[str, Any], record: Record
) -> tuple[int, Mapping[str, str], bytes]:
    """Calls the function and commits; on a lost race calls it again with a fresh unit of work (bounded)."""
    for attempt in range(1, DECIDE_ATTEMPTS + 1):
        request.before_commit = _Recorder(request, endpoint, arguments, record)
        try:
            result = endpoint.function(request, **arguments)
            status, headers, body = _encode(endpoint, result)
            request.before_commit()
            if request.claim is not None:
                idempotency.complete(request.uow, request.claim, status, body)
            request.uow.commit()
            return _unless_known(request, endpoint, status, {**headers, **request.answer_headers}, body)
        except StaleRead:
            if attempt == DECIDE_ATTEMPTS or request.committed_early:
                raise
            request.uow = UnitOfWork(request.ctx)
            request.changes = []
    raise AssertionError("unreachable")


def _unless_known(
    request: Request, endpoint: Endpoint, status: int, headers: Mapping[str, str], body: bytes
) -> tuple[int, Mapping[str, str], bytes]:
    """304 without a body for a client that has this very answer (RFC 9110, 13.1.2)."""
    etag = headers.get("etag")
    if endpoint.method != "GET" or status != 200 or etag is None:
        return status, headers, body
    known = [name.strip() for name in request.headers.get("if-none-match", "").split(",")]
    if etag not in known:
        return status, headers, body
    return 304, {name: value for name, value in headers.items() if name != "content-type"}, b""


class _Recorder:
    """Puts what a request changes into the audit log, in the commit that changes it: called before each.

    What was said since the last commit is recorded once; a request that says nothing, with the first of its commits.
    One that writes nothing changes nothing.
    """

    def __init__(self, request: Request, endpoint: Endpoint, arguments: Mapping[str, Any], record: Record) -> None:
        self._request, self._endpoint, self._arguments, self._record = request, endpoint, arguments, record
        self._has_recorded = False

    def __call__(self) -> None:
        request = self._request
        is_change = request.uow.writes or (request.committed_early and request.changes)
        if self._endpoint.audited and is_change and (request.changes or not self._has_recorded):
            self._record(request, self._endpoint, self._arguments)
            self._has_recorded = True
            request.changes = []


def _encode(endpoint: Endpoint, result: Any) -> tuple[int, Mapping[str, str], bytes]:
    answer = result if isinstance(result, Answer) else Answer(result, endpoint.status)
    if answer.body is None:
        return answer.status, answer.headers, b""
    if isinstance(answer.body, str | bytes):
        sent = answer.body.encode() if isinstance(answer.body, str) else answer.body
        return answer.status, answer.headers, sent
    headers = {"content-type": JSON_TYPE} | dict(answer.headers)
    return answer.status, headers, msgspec.json.encode(answer.body)


def _parse_query(shape: Any, query_params: Any) -> Any:
    values = {name: query_params.get(name) for name in (query_params or {})}
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise problems.from_validation_error(error, "query parameter", shape) from None


def _parse_body(shape: Any, raw_body: bytes) -> Any:
    try:
        body = msgspec.json.decode(raw_body, type=shape)
        if (pointer := control_character_at(raw_body)) is not None:
            raise invalid("text.control_character", "A text has no control characters.", pointer)
        return body
    except msgspec.ValidationError as error:
        raise problems.from_validation_error(error, "request body", shape) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DomainError("body.unreadable", f"The request body is not JSON: {error}.", Kind.INVALID) from None
    except RecursionError:
        raise DomainError("body.unreadable", "The request body is nested too deeply.", Kind.INVALID) from None
