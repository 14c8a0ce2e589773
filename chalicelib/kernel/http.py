"""How REST endpoints are declared, and what their functions are given.

A capability's `api_<audience>.py` makes an `Api` and decorates functions; their annotations are the request and
response shapes, from which also the OpenAPI file is made. `kernel/rest.py` is the way of a request through them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar, get_type_hints

import msgspec

from chalicelib.kernel import idempotency
from chalicelib.kernel.actor import Actor
from chalicelib.kernel.changes import Change
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import forbidden, invalid
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.pages import Page
from chalicelib.kernel.unit_of_work import UnitOfWork

Item = TypeVar("Item")
Day = TypeVar("Day", bound=date)
"""A moment is one too."""
Audience = Literal["operator", "driver", "person", "public"]
Authenticate = Callable[[Context, str, str], Actor]
"""`(ctx, bearer access token, source ip) -> Actor`; raises DomainError UNAUTHENTICATED."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""RFC 3339 with a zone, in bodies and queries: nobody's local time is guessed."""
YEARS = range(1970, 3000)


class Shape(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=False):
    """Base of all request and response shapes: unknown fields are refused."""


Unset = msgspec.UnsetType
UNSET = msgspec.UNSET
"""The default of a merge patch's members, so that what is not named differs from null."""


def changes_of(patch: Shape) -> dict[str, Any]:
    """What a merge patch names; null clears (RFC 7396)."""
    return {name: value for name, value in msgspec.structs.asdict(patch).items() if value is not UNSET}


def check_moment(moment: datetime, pointer: str) -> datetime:
    """Raises moment.distant (422) for years at which the calendar ends as soon as a zone or a duration is added."""
    if moment.year not in YEARS:
        raise invalid("moment.distant", f"The year is from {YEARS[0]} to {YEARS[-1]}.", pointer)
    return moment


def check_span(date_from: Day | None, date_to: Day | None) -> tuple[Day | None, Day | None]:
    """The moments, or days, between which a query asks. Raises moment.distant, period.reversed (422): who asks for
    nothing by mistake shall not believe that there is nothing."""
    for day, pointer in ((date_from, "/date_from"), (date_to, "/date_to")):
        if day is not None and day.year not in YEARS:
            raise invalid("moment.distant", f"The year is from {YEARS[0]} to {YEARS[-1]}.", pointer)
    return check_order(date_from, date_to)


def check_order(date_from: Day | None, date_to: Day | None) -> tuple[Day | None, Day | None]:
    """The same where nothing is added to the days. Raises period.reversed (422)."""
    if date_from is not None and date_to is not None and date_to < date_from:
        raise invalid("period.reversed", "The period ends before it begins.", "/date_to")
    return date_from, date_to


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
    changes: list[Change] = field(default_factory=list)
    before_commit: Callable[[], None] = lambda: None
    """Adds to the unit of work what the audit log keeps of it; `kernel.rest` sets it."""

    def audit(
        self,
        object_type: str,
        object_id: str,
        *,
        owner_id: str | None = None,
        former_owner_id: str | None = None,
        before: Any = None,
        after: Any = None,
    ) -> None:
        """Says what the request changes, for the audit log: the object as REST shows it, before and after. A new one
        has no `before`, one that goes no `after`. `owner_id`: whose it is, if not the actor's organisation's. What
        changes hands is gone for `former_owner_id`, who is not told where to."""
        self.changes.append(Change(object_type, object_id, owner_id, before, after))
        if former_owner_id not in (None, owner_id):
            self.changes.append(Change(object_type, object_id, former_owner_id, before, for_owner_only=True))

    def commit_first(self) -> UnitOfWork:
        """Commits what was decided so far and opens the next unit of work: for calls to a payment provider, which
        stand between two commits. The request is not decided again after this."""
        self.before_commit()
        self.uow.commit()
        self.committed_early = True
        self.uow = UnitOfWork(self.ctx)
        return self.uow

    def new_id(self, prefix: str, *parts: str) -> str:
        """An id for what the request makes, of `parts` and its Idempotency-Key: tried again, it makes the same."""
        claim = self.claim
        if claim is None:
            return derived_id(prefix, self.ctx.now(), *parts, self.request_id)
        return derived_id(prefix, claim.first_claimed_at, *parts, claim.idempotency_key)

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
    audited: bool = True

    @property
    def operation_id(self) -> str:
        return self.function.__name__


Record = Callable[[Request, Endpoint, Mapping[str, Any]], None]
"""`(request, endpoint, arguments)`: adds to the request's unit of work what the audit log keeps of it."""


class Api:
    """The endpoints of one capability for one audience."""

    def __init__(self, tag: str, audience: Audience) -> None:
        self.tag = tag
        self.audience: Audience = audience
        self.endpoints: list[Endpoint] = []

    def get(self, path: str, permission: str | None = None) -> Callable[[Any], Any]:
        return self.endpoint("GET", path, permission)

    def post(
        self,
        path: str,
        permission: str | None = None,
        status: int = 201,
        idempotency_key: bool = False,
        *,
        audited: bool = True,
    ) -> Callable[[Any], Any]:
        return self.endpoint("POST", path, permission, status, idempotency_key, audited=audited)

    def put(self, path: str, permission: str | None = None) -> Callable[[Any], Any]:
        return self.endpoint("PUT", path, permission)

    def patch(self, path: str, permission: str | None = None) -> Callable[[Any], Any]:
        return self.endpoint("PATCH", path, permission)

    def delete(
        self, path: str, permission: str | None = None, status: int = 204, *, audited: bool = True
    ) -> Callable[[Any], Any]:
        return self.endpoint("DELETE", path, permission, status, audited=audited)

    def endpoint(
        self,
        method: str,
        path: str,
        permission: str | None = None,
        status: int = 200,
        idempotency_key: bool = False,
        *,
        audited: bool = True,
    ) -> Callable[[Any], Any]:
        """Declares `function(req, <path names>..., query=..., body=...)`. Operators' endpoints need a permission.

        `audited` False is for what changes nothing, and for what leaves a record of its own (a session, a payment).
        """
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
                    audited=audited and method != "GET" and self.audience != "public",
                    body=hints.get("body"),
                    query=hints.get("query"),
                    path_names=tuple(name for name in names if name not in ("body", "query")),
                    returns=hints.get("return"),
                )
            )
            return function

        return register
