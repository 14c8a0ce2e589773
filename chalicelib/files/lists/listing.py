"""A list of the REST API as something to be read to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

import msgspec

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Location
from chalicelib.files.lists.columns import OutField, fields_of
from chalicelib.files.model import OutColumn
from chalicelib.kernel.errors import DomainError, FieldError, StaleRead, invalid
from chalicelib.kernel.http import Api, PageView, Request
from chalicelib.kernel.problems import from_validation_error

PAGE: Final = 200
LOCATION_NAME: Final = "location_name"
_NAMES_AGE_S: Final = 60.0
_NOT_FILTERS: Final = ("limit", "cursor")


@dataclass(frozen=True)
class Listing:
    """`permission` is that of the list; exports:write is needed besides. `path_names` are filters that it cannot do
    without. `each`: the member of which every item has a row of its own, with the members of what it is in."""

    permission: str
    function: Callable[..., PageView[Any]]
    query: Any
    path_names: tuple[str, ...]
    fields: tuple[OutField, ...]
    each: str | None = None
    item_fields: tuple[OutField, ...] = ()

    def page(self, req: Request, filters: Mapping[str, Any], *, limit: int, cursor: str | None) -> PageView[Any]:
        """A page as the asker would see it. Raises DomainError with pointers into `/filters`."""
        arguments = self._arguments(filters, limit, cursor)
        try:
            return self.function(req, **arguments)
        except StaleRead:
            raise
        except DomainError as error:
            raise _in_filters(error) from None

    @property
    def columns(self) -> list[OutColumn]:
        columns = [column for field in (*self.fields, *self.item_fields) for column in field.columns()]
        return [*columns, OutColumn(LOCATION_NAME)] if self.names_locations else columns

    def rows(self, req: Request, view: Any, zone: ZoneInfo) -> Iterator[list[Any]]:
        """The cells of what is listed; with the name of its location, which people know it by."""
        cells = [cell for field in self.fields for cell in field.cells(view, zone)]
        name = [_location_name(req, view.location_id)] if self.names_locations else []
        items = [] if self.each is None else getattr(view, self.each)
        for item in items or [None]:
            yield [*cells, *(cell for field in self.item_fields for cell in field.cells(item, zone)), *name]

    @property
    def names_locations(self) -> bool:
        paths = {field.path for field in self.fields}
        return ("location_id",) in paths and paths.isdisjoint({("address",), (LOCATION_NAME,)})

    @property
    def takes_operator(self) -> bool:
        return any(field.name == "operator_id" for field in msgspec.structs.fields(self.query))

    def _arguments(self, filters: Mapping[str, Any], limit: int, cursor: str | None) -> dict[str, Any]:
        given = dict(filters)
        for name in _NOT_FILTERS:
            if name in given:
                raise invalid("filter.unknown", f"{name} is not a filter.", f"/filters/{name}")
        arguments: dict[str, Any] = {}
        for name in self.path_names:
            value = given.pop(name, None)
            if not isinstance(value, str) or not value:
                raise invalid("filter.missing", f"This list needs the filter {name}.", f"/filters/{name}")
            arguments[name] = value
        try:
            query = msgspec.convert({**given, "limit": limit, "cursor": cursor}, self.query, strict=False)
        except msgspec.ValidationError as error:
            raise _in_filters(from_validation_error(error, "filters")) from None
        return arguments | {"query": query}


def listing(api: Api, operation_id: str, *, each: str | None = None) -> Listing:
    """The list that this operation of the API is. `each`: what of it is a list again, and has a row per item."""
    endpoint = next(endpoint for endpoint in api.endpoints if endpoint.operation_id == operation_id)
    members = next(field for field in msgspec.structs.fields(endpoint.returns) if field.name == "data")
    [view] = get_args(members.type)
    fields = tuple(fields_of(view))
    item_fields: tuple[OutField, ...] = ()
    if each is not None:
        fields = tuple(field for field in fields if field.path[0] != each)
        [item] = get_args(next(field.type for field in msgspec.structs.fields(view) if field.name == each))
        item_fields = tuple(fields_of(item))
    return Listing(
        permission=endpoint.permission or "",
        function=endpoint.function,
        query=endpoint.query,
        path_names=endpoint.path_names,
        fields=fields,
        each=each,
        item_fields=item_fields,
    )


def _location_name(req: Request, location_id: str | None) -> str | None:
    """Remembered for a while: whoever sees what stands there may know its name."""
    if location_id is None:
        return None
    cache = req.ctx.cache("files.location_names", size=2_000, ttl_s=_NAMES_AGE_S)
    location: Location | None = cache.get_or_load(location_id, lambda: chargers.get_location(req.ctx, location_id))
    return None if location is None else location.name


def _in_filters(error: DomainError) -> DomainError:
    fields = tuple(FieldError(f"/filters{fault.pointer}", fault.code, fault.detail) for fault in error.fields)
    return DomainError(error.code, error.detail, error.kind, fields=fields, retry_after_s=error.retry_after_s)
