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


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"country": "Germany"}, "Expected `str` of another form: ISO 3166-1 alpha-2"),
        ({"further": ["DE", "at"]}, "Expected `str` of another form: ISO 3166-1 alpha-2"),
        ({"odd": "even"}, "Expected `str` of another form"),
    ],
)
def test_people_read_how_the_form_is_described(body: dict[str, object], detail: str) -> None:
    with pytest.raises(msgspec.ValidationError) as complaint:
        msgspec.convert(body, Body)
    problem = from_validation_error(complaint.value, "request body", Body)
    assert [error.detail for error in problem.fields] == [detail]
