"""What an import kind is: columns, and a row that goes the way of the REST endpoint of its noun.

`create` is given a request as the asker would make it, the operator, and the row's values by column. It writes to the
request's unit of work and nothing else, and raises DomainError for a row that is refused; its pointers name columns.
`take_back` takes back what `create` made, if nothing has happened to it since; it raises DomainError if something has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from chalicelib.files.model import Column, Made
from chalicelib.identity.scope import owning_operator
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.http import Request
from chalicelib.kernel.problems import from_validation_error
from chalicelib.kernel.unit_of_work import UnitOfWork

Body = TypeVar("Body")
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Created:
    """`secret`: what is shown once, to whoever sets the thing up. `mark`: see `Made`."""

    object_id: str
    secret: str | None = None
    mark: str = ""


@dataclass(frozen=True)
class ImportKind:
    """`permission` is that of the noun's own endpoint; imports:write is needed besides. `id_column` names what `create`
    made in the file of results."""

    name: str
    permission: str
    id_column: str
    columns: tuple[Column, ...]
    create: Callable[[Request, str, Values], Created]
    take_back: Callable[[UnitOfWork, str], None]
    owner: Callable[[Request, str | None], str] = owning_operator
    """Whose the objects are to be, from the `operator_id` that the asker named, if any."""
    check_as_made: Callable[[Context, Made], None] = lambda ctx, made: None
    """Raises DomainError for an object that is not as it was made. Asked after `take_back`, whose conditions notice
    what changes later."""


def body_of(shape: type[Body], values: Values) -> Body:
    """The values as the body of a request. Raises DomainError (422) with the column as pointer."""
    try:
        return msgspec.convert(dict(values), shape)
    except msgspec.ValidationError as error:
        raise from_validation_error(error, "row") from None


def changed_since(what: str) -> DomainError:
    return conflict("import.not_undone", f"The {what} was changed or used since; it stays.")
