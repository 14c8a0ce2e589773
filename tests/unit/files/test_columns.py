"""From the shape of a list to the columns of a file."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import pytest

from chalicelib.files.lists.columns import MAX_TEXT, fields_of
from chalicelib.kernel.http import Shape
from chalicelib.kernel.money import Money


class Inner(Shape):
    latitude: str
    checked_at: datetime | None


class View(Shape):
    id: str
    state: Literal["on", "off"]
    count: Annotated[int, msgspec.Meta(ge=0)] | None
    done: bool
    at: datetime
    day: date
    cost: Money | None
    inner: Inner | None
    names: list[str]
    lines: list[Any]
    either: str | int


FIELDS = tuple(fields_of(View))


def shown(zone: str = "Asia/Kolkata", **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": "a",
        "state": "on",
        "count": 2,
        "done": True,
        "at": datetime(2026, 3, 2, 23, 30, 5, 999_000, tzinfo=UTC),
        "day": date(2026, 3, 2),
        "cost": Money(-1234, "KWD"),
        "inner": Inner(latitude="1.5", checked_at=None),
        "names": ["x", "y"],
        "lines": [{"a": 1}],
        "either": 5,
    }
    view = View(**(values | changes))
    names = [column.name for field in FIELDS for column in field.columns()]
    return dict(zip(names, (cell for field in FIELDS for cell in field.cells(view, ZoneInfo(zone))), strict=True))


def test_every_member_has_its_cells() -> None:
    assert shown() == {
        "id": "a",
        "state": "on",
        "count": 2,
        "done": True,
        "at_utc": "2026-03-02T23:30:05Z",
        "at_local": "2026-03-03T05:00:05",
        "day": "2026-03-02",
        "cost": "-1.234",
        "cost_currency": "KWD",
        "inner_latitude": "1.5",
        "inner_checked_utc": None,
        "inner_checked_local": None,
        "names": "x, y",
        "lines": '[{"a":1}]',
        "either": "5",
    }


def test_what_is_not_there_is_an_empty_cell() -> None:
    row = shown(count=None, cost=None, inner=None, names=[], lines=[])
    empty = {"count", "cost", "cost_currency", "inner_latitude", "inner_checked_utc", "names", "lines"}
    assert {name for name, cell in row.items() if cell is None} >= empty


@pytest.mark.parametrize("currency", ["JPY", "EUR"])
def test_money_has_the_digits_of_its_currency(currency: str) -> None:
    assert shown(cost=Money(500, currency))["cost"] == {"JPY": "500", "EUR": "5.00"}[currency]


def test_a_cell_is_bounded() -> None:
    row = shown(id="x" * 20_000, lines=[json.dumps("y" * 20_000)] * 2)
    assert len(row["id"]) == MAX_TEXT
    assert len(row["lines"]) <= MAX_TEXT
