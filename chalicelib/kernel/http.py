"""The edge of REST: declared endpoints, one way through for each request, problem+json for every failure.

A capability's `api_<audience>.py` makes an `Api` and decorates functions; their annotations are the request and
response shapes, from which also the OpenAPI file is made. `mount` registers them with Chalice. A request goes:
authenticate → parse → (claim the Idempotency-Key) → function → answer encoded → one commit → answer sent.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar, get_type_hints

import msgspec
from chalice import Chalice, Response

from chalicelib.kernel import context, edge, idempotency, problems
from chalicelib.kernel.actor import ANONYMOUS, Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, Kind, StaleRead, forbidden, invalid, unauthenticated
from chalicelib.kernel.log import logger
from chalicelib.kernel.table import Page
from chalicelib.kernel.unit_of_work import DECIDE_ATTEMPTS, UnitOfWork

Item = TypeVar("Item")
Audience = Literal["operator", "driver", "person", "public"]
Authenticate = Callable[[Context, str, str], Actor]
"""`(ctx, bearer access token, source ip) -> Actor`; raises DomainError UNAUTHENTICATED."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with a zone, in bodies and queries: nobody's local time is guessed."""
YEARS = range(1970, 3000)

JSON_TYPE = "application/json"
MERGE_PATCH_TYPE = "application/merge-patch+json"


class Shape(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=False):
    """Base of all request and response shapes: unknown fields are refused."""


def check_moment(moment: datetime, pointer: str) -> datetime:
    """Raises moment.distant (422) for years at which the calendar ends as soon as a zone or a duration is added."""
    if moment.year not in YEARS:
        raise invalid("moment.distant", f"The year is from {YEARS[0]} to {YEARS[-1]}.", pointer)
    return moment


class PageQuery(Shape):
    """Query parameters of every list; a list with filters extends it."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


class PageView(Shape, Generic[Item]):
    data: list[Item]
    has_more: bool
    next_cursor: str | None = None


def page_view(page: Page[Any], view: Callable[[Any], Item]) -> PageView[Item]:
    return PageView(
        data=[view(entity) for entity in page.data],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@dataclass
class Request:
    """What an endpoint function is given besides its parsed path, query and body parameters."""

    ctx: Context
    uow: UnitOfWork
    actor: Actor
    request_id: str
    raw_body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    claim: idempotency.Claim | None = None
    committed_early: bool = False
    answer_headers: dict[str, str] = field(default_factory=dict)
    """Further headers of the answer (Location, ETag)."""

    def commit_first(self) -> UnitOfWork:
        """Commits what was decided so far and opens the next unit of work: for calls to a payment provider, which
        stand between two commits. The request is not decided again after this."""
        self.uow.commit()
        self.committed_early = True
        self.uow = UnitOfWork(self.ctx)
        return self.uow

    @property
    def organization_id(self) -> str:
        """The actor's organisation. Raises forbidden (403) for people who belong to none."""
        if self.actor.organization_id is None:
            raise forbidden("This needs a sign-in of an organisation.")
        return self.actor.organization_id

    @property
    def driver_id(self) -> str:
        if self.actor.driver_id is None:
            raise forbidden("This needs a driver's sign-in.")
        return self.actor.driver_id


@dataclass(frozen=True)
class Answer:
    """An answer that is not simply `status` + JSON of the shape: other headers, another media type."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    method: str
    path: str
    function: Callable[..., Any]
    tag: str
    audience: Audience
    permission: str | None
    status: int
    idempotency_key: bool
    body: Any
    query: Any
    path_names: tuple[str, ...]
    returns: Any

    @property
    def operation_id(self) -> str:
        return self.function.__name__


class Api:
    """The endpoints of one capability for one audience."""

    def __init__(self, tag: str, audience: Audience) -> None:
        self.tag = tag
        self.audience: Audience = audience
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, permission: str | None = None) -> Callable[[Any], Any]:
        return self.endpoint("GET", path, permission)

    def post(
        self, path: str, permission: str | None = None, status: int = 201, idempotency_key: bool = False
    ) -> Callable[[Any], Any]:
        return self.endpoint("POST", path, permission, status, idempotency_key)

    def put(self, path: str, permission: str | None = None) -> Callable[[Any], Any]:
        return self.endpoint("PUT", path, permission)

    def patch(self, path: str, permission: str | None = None) -> Callable[[Any], Any]:
        return self.endpoint("PATCH", path, permission)

    def delete(self, path: str, permission: str | None = None, status: int = 204) -> Callable[[Any], Any]:
        return self.endpoint("DELETE", path, permission, status)

    def endpoint(
        self,
        method: str,
        path: str,
        permission: str | None = None,
        status: int = 200,
        idempotency_key: bool = False,
    ) -> Callable[[Any], Any]:
        """Declares `function(req, <path names>..., query=..., body=...)`. Operators' endpoints need a permission."""
        if self.audience == "operator" and permission is None:
            raise ValueError(f"{method} {path} needs a permission")

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            hints = get_type_hints(function, include_extras=True)
            names = list(inspect.signature(function).parameters)[1:]
            self.endpoints.append(
                Endpoint(
                    method=method,
                    path=path,
                    function=function,
                    tag=self.tag,
                    audience=self.audience,
                    permission=permission,
                    status=status,
                    idempotency_key=idempotency_key,
                    body=hints.get("body"),
                    query=hints.get("query"),
                    path_names=tuple(name for name in names if name not in ("body", "query")),
                    returns=hints.get("return"),
                )
            )
            return function

        return register


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


def mount(app: RestApp, apis: Iterable[Api], authenticate: Authenticate) -> None:
    """Registers every endpoint with Chalice."""
    for api in apis:
        for endpoint in api.endpoints:
            view = functools.partial(_view, app, endpoint, authenticate)
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


def _view(app: RestApp, endpoint: Endpoint, authenticate: Authenticate, **path_values: str) -> Response:
    incoming = app.current_request
    request_id = str(incoming.context.get("requestId", ""))
    try:
        status, headers, body = handle(context.current(), endpoint, authenticate, incoming, path_values)
    except DomainError as error:
        status, headers, body = problems.from_domain_error(error, request_id)
    except Exception:
        logger.exception("request failed", extra={"operation": endpoint.operation_id, "request_id": request_id})
        status, headers, body = problems.internal(request_id)
    # Answers may hold tokens and people's data: no cache on the way keeps them (RFC 9111, 5.2.2.5).
    sent: dict[str, str | list[str]] = {"cache-control": "no-store", **headers}
    return Response(body=body.decode() if isinstance(body, bytes) else body, status_code=status, headers=sent)


def handle(
    ctx: Context, endpoint: Endpoint, authenticate: Authenticate, incoming: Any, path_values: Mapping[str, str]
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
        return _decide(request, endpoint, arguments)
    return _once(request, endpoint, arguments)


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
    if endpoint.permission is not None:
        actor.require(endpoint.permission)
    return actor


def _once(request: Request, endpoint: Endpoint, arguments: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
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
        return _decide(request, endpoint, arguments)
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


def _decide(request: Request, endpoint: Endpoint, arguments: dict[str, Any]) -> tuple[int, Mapping[str, str], bytes]:
    """Calls the function and commits; on a lost race calls it again with a fresh unit of work (bounded)."""
    for attempt in range(1, DECIDE_ATTEMPTS + 1):
        try:
            result = endpoint.function(request, **arguments)
            status, headers, body = _encode(endpoint, result)
            if request.claim is not None:
                idempotency.complete(request.uow, request.claim, status, body)
            request.uow.commit()
            return status, {**headers, **request.answer_headers}, body
        except StaleRead:
            if attempt == DECIDE_ATTEMPTS or request.committed_early:
                raise
            request.uow = UnitOfWork(request.ctx)
    raise AssertionError("unreachable")


def _encode(endpoint: Endpoint, result: Any) -> tuple[int, Mapping[str, str], bytes]:
    answer = result if isinstance(result, Answer) else Answer(result, endpoint.status)
    if answer.body is None:
        return answer.status, answer.headers, b""
    if isinstance(answer.body, str):
        return answer.status, answer.headers, answer.body.encode()
    headers = {"content-type": JSON_TYPE} | dict(answer.headers)
    return answer.status, headers, msgspec.json.encode(answer.body)


def _parse_query(shape: Any, query_params: Any) -> Any:
    values = {name: query_params.get(name) for name in (query_params or {})}
    try:
        return msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise problems.from_validation_error(error, "query parameter") from None


def _parse_body(shape: Any, raw_body: bytes) -> Any:
    try:
        return msgspec.json.decode(raw_body, type=shape)
    except msgspec.ValidationError as error:
        raise problems.from_validation_error(error, "request body") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DomainError("body.unreadable", f"The request body is not JSON: {error}.", Kind.INVALID) from None
