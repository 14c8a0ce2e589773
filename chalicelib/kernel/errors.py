"""Domain errors: what went wrong, in words that neither HTTP nor OCPP know.

Raised by models and services; translated at the edge (`kernel.rest` into problem+json, `ocpp.gateway` into an
answer the charger understands, `kernel.task` into a retry or a log line). `code` is stable and part of the API.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.kernel.money import Money


class Kind(Enum):
    """What sort of failure this is; the edge maps each to its own status."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    PRECONDITION = "precondition"
    UNSUPPORTED = "unsupported"
    UNPROCESSABLE = "unprocessable"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True)
class FieldError:
    """One fault in the caller's data: JSON pointer (RFC 6901), stable code, human detail."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """A rule of the business was not met; nothing was changed.

    `code` e.g. `wallet.insufficient_funds`; `detail` a sentence for people; `retry_after_s` only for LIMITED
    and UNAVAILABLE; `shortfall` what is missing, where more money would have done; `session_id` the
    charging session that stands against it.
    """

    def __init__(
        self,
        code: str,
        detail: str,
        kind: Kind = Kind.CONFLICT,
        *,
        fields: tuple[FieldError, ...] = (),
        retry_after_s: int | None = None,
        shortfall: Money | None = None,
        session_id: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.kind = kind
        self.fields = fields
        self.retry_after_s = retry_after_s
        self.shortfall = shortfall
        self.session_id = session_id


class StaleRead(DomainError):
    """Somebody else changed what we had read; deciding again from a fresh read is safe (nothing was written)."""

    def __init__(self, what: str) -> None:
        super().__init__("concurrent_change", f"{what} was changed at the same moment; try again.", Kind.CONFLICT)


def invalid(code: str, detail: str, pointer: str = "") -> DomainError:
    """The caller's data breaks a rule (HTTP 422, OCPP PropertyConstraintViolation)."""
    return DomainError(code, detail, Kind.UNPROCESSABLE, fields=(FieldError(pointer, code, detail),))


def not_found(noun: str, identifier: str) -> DomainError:
    """The object is not there, or belongs to another organisation: outsiders cannot tell which."""
    return DomainError(f"{noun}.not_found", f"There is no {noun.replace('_', ' ')} {identifier!r}.", Kind.NOT_FOUND)


def conflict(code: str, detail: str, pointer: str | None = None) -> DomainError:
    """What is there stands against it (HTTP 409). `pointer` names what of the caller's data does, if something does."""
    fields = () if pointer is None else (FieldError(pointer, code, detail),)
    return DomainError(code, detail, Kind.CONFLICT, fields=fields)


def forbidden(detail: str) -> DomainError:
    return DomainError("forbidden", detail, Kind.FORBIDDEN)


def unauthenticated(code: str, detail: str) -> DomainError:
    return DomainError(code, detail, Kind.UNAUTHENTICATED)
