"""The OpenAPI document from declared endpoints: shapes, parameters, who may, and what is refused."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest

from chalicelib.kernel import openapi
from chalicelib.kernel.http import Answer, Api, PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.pages import Page

operator = Api("things", "operator")
public = Api("open", "public")


class Part(Shape):
    weight: Annotated[int, msgspec.Meta(ge=0, description="In grams.")]


class Thing(Shape):
    name: str
    parts: list[Part]
    state: Literal["new", "old"] = "new"


class Story(Shape):
    told_at: datetime
    ended_at: datetime | None
    seen_at: list[datetime]
    day: date
    text: str


class Filter(PageQuery, kw_only=True):
    """`colour`: of the
    lid."""

    colour: str


@operator.post("/v1/boxes/{box_id}/things", permission="things:write", status=202, idempotency_key=True)
def put_thing(req: Request, box_id: str, body: Thing) -> Thing:
    """Puts a thing
    into a box.

    More about
    it.
    """
    return body


@operator.get("/v1/things", permission="things:read")
def list_things(req: Request, query: Filter) -> PageView[Thing]:
    """Lists things."""
    return page_view(Page([]), lambda thing: thing)


@operator.get("/v1/stories", permission="things:read")
def list_stories(req: Request, query: PageQuery) -> PageView[Story]:
    """Lists stories."""
    return page_view(Page([]), lambda story: story)


@public.get("/v1/label")
def get_label(req: Request) -> Answer:
    """Gets a label."""
    return Answer("text")


@public.delete("/v1/label")
def remove_label(req: Request) -> None:
    """Removes a label."""


def _document(*apis: Api) -> dict[str, Any]:
    return openapi.build(apis or (operator, public), title="Test", version="1")


PUT = _document()["paths"]["/v1/boxes/{box_id}/things"]["post"]
LIST = _document()["paths"]["/v1/things"]["get"]


def test_what_an_operation_says_of_itself() -> None:
    assert PUT["operationId"] == "put_thing"
    assert (PUT["summary"], PUT["description"]) == ("Puts a thing into a box.", "More about it.")
    assert (PUT["tags"], PUT["x-permission"], PUT["x-audience"]) == (["things"], "things:write", "operator")
    assert PUT["security"] == [{"bearer": []}]
    assert "security" not in _document()["paths"]["/v1/label"]["get"]


def test_what_a_query_says_of_its_parameters_is_told() -> None:
    assert LIST["description"] == "`colour`: of the lid."


def test_what_holds_for_every_operation_is_said_once() -> None:
    for word in ("Bearer", "Idempotency-Key", "next_cursor", "minor units", "problem+json"):
        assert word in _document()["info"]["description"]


def test_parameters_of_path_query_and_header() -> None:
    where = {(p["name"], p["in"], p["required"]) for p in PUT["parameters"]}
    assert where == {("box_id", "path", True), ("Idempotency-Key", "header", True)}
    where = {(p["name"], p["in"], p["required"]) for p in LIST["parameters"]}
    assert where == {("limit", "query", False), ("cursor", "query", False), ("colour", "query", True)}
    (limit,) = (p["schema"] for p in LIST["parameters"] if p["name"] == "limit")
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 200, 50)


def test_shapes_are_components_that_refuse_the_unknown() -> None:
    schemas = _document()["components"]["schemas"]
    assert PUT["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Thing"}
    assert schemas["Thing"]["additionalProperties"] is False
    assert schemas["Thing"]["required"] == ["name", "parts"]
    assert schemas["Part"]["properties"]["weight"] == {"type": "integer", "minimum": 0, "description": "In grams."}
    page = LIST["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
    assert schemas[page]["properties"]["data"]["items"] == {"$ref": "#/components/schemas/Thing"}


def test_times_that_are_answered_are_times() -> None:
    told = _document()["components"]["schemas"]["Story"]["properties"]
    moment = {"type": "string", "format": "date-time"}
    assert told["told_at"] == moment
    assert told["ended_at"] == {"anyOf": [moment, {"type": "null"}]}
    assert told["seen_at"] == {"type": "array", "items": moment}
    assert told["day"] == {"type": "string", "format": "date"}
    assert told["text"] == {"type": "string"}


def test_answers_and_problems() -> None:
    assert list(PUT["responses"]) == ["202", "default"]
    problem = PUT["responses"]["default"]["content"]["application/problem+json"]["schema"]
    assert problem == {"$ref": "#/components/schemas/Problem"}
    label = _document()["paths"]["/v1/label"]
    assert "content" not in label["get"]["responses"]["200"]
    assert "content" not in label["delete"]["responses"]["204"]


def test_the_document_does_not_depend_on_the_order_of_its_parts() -> None:
    assert json.dumps(_document(operator, public)) == json.dumps(_document(public, operator))


def test_two_operations_of_one_name_are_refused() -> None:
    twin = Api("twins", "public")
    twin.get("/v1/a")(get_label)
    twin.get("/v1/b")(get_label)
    with pytest.raises(ValueError, match="get_label"):
        _document(twin)
