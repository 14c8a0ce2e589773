"""What is told of data that has not the shape: in words for people, with a pointer."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest

from chalicelib.kernel.http import Shape
from chalicelib.kernel.problems import from_validation_error
from chalicelib.kernel.texts import CountryText

Odd = Annotated[str, msgspec.Meta(pattern=r"^'\d - at `\$")]


class Body(Shape):
    country: CountryText = "DE"
    odd: Odd | None = None
    further: list[CountryText] = msgspec.field(default_factory=list)


@pytest.mark.parametrize(
    ("body", "pointer", "kind"),
    [
        ({"country": "Germany"}, "/country", "str"),
        ({"odd": "even"}, "/odd", "str"),
        ({"further": ["DE", "at"]}, "/further/1", "str"),
    ],
)
def test_people_read_no_regular_expressions(body: dict[str, object], pointer: str, kind: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="matching regex") as complaint:
        msgspec.convert(body, Body)
    problem = from_validation_error(complaint.value, "request body")
    [error] = problem.fields
    assert (error.pointer, error.code, error.detail) == (pointer, "value.invalid", f"Expected `{kind}` of another form")
    assert "regex" not in problem.detail
