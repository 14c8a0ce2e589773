"""RFC 9457 problem details: how failures look to REST clients. Never a stack trace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.kernel.errors import DomainError, FieldError, Kind
from chalicelib.kernel.money import Money

PROBLEM_TYPE = "application/problem+json"

_STATUS = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.PRECONDITION: 412,
    Kind.UNSUPPORTED: 415,
    Kind.UNPROCESSABLE: 422,
    Kind.LIMITED: 429,
    Kind.INTERNAL: 500,
    Kind.UNAVAILABLE: 503,
}
_TITLES = {
    400: "Bad request",
    401: "Sign-in needed",
    403: "Not allowed",
    404: "Not found",
    409: "Conflict",
    412: "Precondition failed",
    415: "Unsupported media type",
    422: "Invalid data",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`shortfall`: what is missing, where more money in the wallet would have done: the app offers to top it up.
    `session_id`: the charging session that has to be seen to first."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError] = []
    request_id: str
    shortfall: Money | None = None
    session_id: str | None = None


def from_domain_error(error: DomainError, request_id: str) -> tuple[int, Mapping[str, str], bytes]:
    """`(status, headers, body)`."""
    status = _STATUS[error.kind]
    headers = {"content-type": PROBLEM_TYPE}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    problem = Problem(
        type="about:blank",
        title=_TITLES[status],
        status=status,
        code=error.code,
        detail=error.detail,
        errors=list(error.fields),
        request_id=request_id,
        shortfall=error.shortfall,
        session_id=error.session_id,
    )
    return status, headers, msgspec.json.encode(problem)


def internal(request_id: str) -> tuple[int, Mapping[str, str], bytes]:
    return from_domain_error(
        DomainError(
            "internal_error", "Something failed on our side; it is logged under the request id.", Kind.INTERNAL
        ),
        request_id,
    )


_AT_PATH = re.compile(r"^(?P<detail>.*?)(?: - at `(?P<path>\$[^`]*)`)?$", re.DOTALL)
_FORM = re.compile(r" matching regex (?P<pattern>.*)$", re.DOTALL)
"""Says nothing to people: they read how the field's type is described."""
_FIELD = re.compile(r"^Object (?P<what>missing required|contains unknown) field `(?P<field>[^`]+)`")


def from_validation_error(error: msgspec.ValidationError, where: str, shape: Any = None) -> DomainError:
    """A msgspec complaint as DomainError (422) with a JSON pointer to the offending place. `shape`: what was expected;
    its descriptions tell of which form a text must be."""
    match = _AT_PATH.match(str(error))
    detail, path = (match["detail"], match["path"] or "$") if match else (str(error), "$")
    if form := _FORM.search(detail):
        described = _description_of(form["pattern"], shape)
        detail = detail[: form.start()] + " of another form" + (f": {described}" if described else "")
    pointer = _pointer(path)
    code = "value.invalid"
    if field := _FIELD.match(detail):
        pointer += f"/{field['field']}"
        code = "field.missing" if field["what"].startswith("missing") else "field.unknown"
    return DomainError(
        f"{where.replace(' ', '_')}.invalid",
        f"The {where} is invalid: {detail}.",
        Kind.UNPROCESSABLE,
        fields=(FieldError(pointer, code, detail),),
    )


def _description_of(pattern: str, shape: Any) -> str:
    """What a type of the shape that has this pattern says of itself, without its full stop; "" for none. `pattern`: as
    msgspec quotes it."""
    if shape is None:
        return ""
    schemas: list[Any] = list(msgspec.json.schema_components([shape]))
    while schemas:
        schema = schemas.pop()
        if isinstance(schema, dict):
            if repr(schema.get("pattern")) == pattern:
                return str(schema.get("description", "")).rstrip(".")
            schemas.extend(schema.values())
        elif isinstance(schema, list | tuple):
            schemas.extend(schema)
    return ""


def _pointer(path: str) -> str:
    """`$.elements[0].price` → `/elements/0/price`."""
    return re.sub(r"\[(\d+|\.\.\.)\]", r"/\1", path.removeprefix("$")).replace(".", "/").replace("/[///]", "/*")
