"""The edge of REST: every way a request can go wrong has one shape, and none of them leaves a trace."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pytest

from chalicelib.kernel.errors import DomainError, FieldError, Kind, StaleRead, conflict
from chalicelib.kernel.http import Answer, Api, PageQuery, PageView, Request, Shape, page_view
from chalicelib.kernel.pages import Page
from chalicelib.kernel.unit_of_work import DECIDE_ATTEMPTS
from tests.unit.kernel.edge import Edge
from tests.unit.kernel.things import THINGS, Thing, ThingRow, create_table, key, stored
from tests.world import World

operator = Api("things", "operator")
driver = Api("things", "driver")
person = Api("things", "person")
public = Api("things", "public")


class Part(Shape):
    name: str
    weight: Annotated[int, msgspec.Meta(ge=0)]


class ThingBody(Shape):
    thing_id: str
    parts: list[Part] = msgspec.field(default_factory=list)
    labels: dict[str, int] = msgspec.field(default_factory=dict)


class ThingQuery(PageQuery):
    good: bool | None = None


@dataclass
class Switch:
    """What the endpoint named `fail` raises, and how often it was called."""

    errors: list[Exception]
    calls: int = 0


SWITCH = Switch([])


@operator.post("/v1/things", permission="things:write")
def make_thing(req: Request, body: ThingBody) -> ThingBody:
    """Makes."""
    return body


@operator.get("/v1/things", permission="things:read")
def list_things(req: Request, query: ThingQuery) -> PageView[ThingBody]:
    """Lists."""
    shown = ThingBody(thing_id=f"{query.limit} {query.good} {req.organization_id}")
    return page_view(Page([shown], query.cursor), lambda thing: thing)


@public.get("/v1/things/{thing_id}/parts/{part_id}")
def get_part(req: Request, thing_id: str, part_id: str) -> dict[str, str]:
    """Gets."""
    return {"thing": thing_id, "part": part_id, "ip": req.actor.source_ip}


@driver.get("/v1/mine")
def get_mine(req: Request) -> dict[str, str]:
    """Gets."""
    return {"driver": req.driver_id}


@person.get("/v1/anybody")
def get_anybody(req: Request) -> dict[str, str]:
    """Gets."""
    return {"organization": req.organization_id}


@public.patch("/v1/things/{thing_id}")
def rename_thing(req: Request, thing_id: str, body: dict[str, str]) -> Answer:
    """Renames."""
    return Answer({"thing_id": thing_id, **body}, 202, {"location": "/v1/elsewhere", "etag": '"1"'})


@public.post("/v1/anything", status=204)
def take_anything(req: Request, body: dict[str, Any]) -> None:
    """Takes what OCPP's free payloads are: any JSON."""


@public.delete("/v1/things/{thing_id}")
def forget_thing(req: Request, thing_id: str) -> None:
    """Forgets."""
    req.uow.delete(THINGS, key(thing_id), condition=ThingRow.pk.exists(), on_conflict=conflict("thing.gone", "gone"))


@public.post("/v1/fail")
def fail(req: Request, body: ThingBody) -> ThingBody:
    """Writes, and then fails as SWITCH says."""
    SWITCH.calls += 1
    req.uow.put(THINGS, Thing(body.thing_id, amount=SWITCH.calls))
    if SWITCH.errors:
        raise SWITCH.errors.pop(0)
    return body


@public.post("/v1/early")
def fail_after_first_commit(req: Request, body: ThingBody) -> ThingBody:
    """Commits, and then fails as SWITCH says."""
    SWITCH.calls += 1
    req.uow.put(THINGS, Thing(body.thing_id, amount=SWITCH.calls))
    req.commit_first().put(THINGS, Thing("second"))
    if SWITCH.errors:
        raise SWITCH.errors.pop(0)
    return body


@public.get("/v1/page")
def get_page(req: Request) -> Answer:
    """Text."""
    return Answer("<p>hello", headers={"content-type": "text/html"})


@pytest.fixture
def edge(world: World) -> Edge:
    create_table(world)
    SWITCH.errors, SWITCH.calls = [], 0
    return Edge(world, operator, driver, person, public)


def test_answers_of_every_sort(edge: Edge) -> None:
    status, body, headers = edge.request("POST", "/v1/things", {"thing_id": "t"}, token="root")
    assert (status, body) == (201, {"thing_id": "t", "parts": [], "labels": {}})
    assert headers["content-type"] == "application/json"
    status, body, headers = edge.request(
        "PATCH", "/v1/things/t", {"a": "b"}, headers={"Content-Type": "application/merge-patch+json; charset=utf-8"}
    )
    assert (status, body, headers["location"], headers["etag"]) == (
        202, {"thing_id": "t", "a": "b"}, "/v1/elsewhere", '"1"'
    )  # fmt: skip
    assert headers["cache-control"] == "no-store"
    assert edge.request("GET", "/v1/page")[1:] == (
        "<p>hello",
        {"content-type": "text/html", "cache-control": "no-store"},
    )


def test_path_parameters_are_decoded(edge: Edge) -> None:
    _, body, _ = edge.request("GET", "/v1/things/CP%201%2F2/parts/%C3%BC")
    assert body == {"thing": "CP 1/2", "part": "ü", "ip": "192.0.2.7"}


def test_an_answer_is_sent_only_after_the_commit(edge: Edge, world: World) -> None:
    status, problem, _ = edge.request("DELETE", "/v1/things/t1")
    assert (status, problem["code"]) == (409, "thing.gone")
    world.commit(lambda uow: uow.put(THINGS, Thing("t1")))
    status, body, _ = edge.request("DELETE", "/v1/things/t1")
    assert (status, body) == (204, "")
    assert stored(world, "t1") is None


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/thing_id", "field.missing"),
        ({"thing_id": 7}, "/thing_id", "value.invalid"),
        ({"thing_id": "t", "colour": "red"}, "/colour", "field.unknown"),
        ({"thing_id": "t", "parts": [{"name": "a", "weight": 1}, {"name": "b"}]}, "/parts/1/weight", "field.missing"),
        ({"thing_id": "t", "parts": [{"name": "b", "weight": -1}]}, "/parts/0/weight", "value.invalid"),
        ({"thing_id": "t", "parts": [{"name": "b", "weight": 1, "x": 1}]}, "/parts/0/x", "field.unknown"),
        ([], "", "value.invalid"),
    ],
)
def test_bad_bodies_are_pointed_at(edge: Edge, body: Any, pointer: str, code: str) -> None:
    status, problem, headers = edge.request("POST", "/v1/things", body, token="root")
    assert status == problem["status"] == 422
    assert headers["content-type"] == "application/problem+json"
    (error,) = problem["errors"]
    assert (error["pointer"], error["code"]) == (pointer, code)
    assert problem["request_id"] == "request-1"
    assert {"title", "detail"} <= problem.keys()


def test_an_error_inside_a_map_points_at_the_map(edge: Edge) -> None:
    _, problem, _ = edge.request("POST", "/v1/things", {"thing_id": "t", "labels": {"a": "b"}}, token="root")
    assert problem["errors"][0]["pointer"].startswith("/labels")


@pytest.mark.parametrize("raw", [b"", b"{", b"not json", b'{"thing_id": "\xff"}', b'{"thing_id": "t"} x'])
def test_what_is_no_json_is_a_bad_request(edge: Edge, raw: bytes) -> None:
    try:
        status, problem, _ = edge.request("POST", "/v1/things", raw=raw, token="root")
    except UnicodeDecodeError:
        return  # the gateway refuses it before any function is called
    assert (status, problem["code"]) == (400, "body.unreadable")


@pytest.mark.parametrize("sign", ["\\u0000", "\\b", "\\f", "\\u001B", "\\u007f", "\x7f"])
def test_a_control_character_in_a_text_is_refused_where_it_stands(edge: Edge, sign: str) -> None:
    raw = f'{{"thing_id": "t", "parts": [{{"name": "a{sign}b", "weight": 1}}]}}'.encode()
    status, problem, _ = edge.request("POST", "/v1/things", raw=raw, token="root")
    assert (status, problem["code"]) == (422, "text.control_character")
    assert problem["errors"][0]["pointer"] == "/parts/0/name"


def test_lines_tabs_and_written_out_escapes_are_text(edge: Edge) -> None:
    raw = rb'{"thing_id": "one\r\n\ttwo \\u0000 \\b \u0100 \u00e9"}'
    status, body, _ = edge.request("POST", "/v1/things", raw=raw, token="root")
    assert (status, body["thing_id"]) == (201, "one\r\n\ttwo \\u0000 \\b \u0100 \u00e9")


def test_what_is_nested_without_end_is_a_bad_request(edge: Edge) -> None:
    raw = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    status, problem, _ = edge.request("POST", "/v1/anything", raw=raw)
    assert (status, problem["code"]) == (400, "body.unreadable")


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/merge-patch+json"]
)
def test_other_media_types_are_refused_as_a_problem(edge: Edge, media_type: str) -> None:
    status, problem, headers = edge.request(
        "POST", "/v1/things", {"thing_id": "t"}, token="root", headers={"Content-Type": media_type}
    )
    assert (status, problem["code"], headers["content-type"]) == (415, "body.media_type", "application/problem+json")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [("limit=0", "/limit"), ("limit=201", "/limit"), ("limit=x", "/limit"), ("offset=1", "/offset"),
     ("good=maybe", "/good")],
)  # fmt: skip
def test_bad_query_parameters(edge: Edge, query: str, pointer: str) -> None:
    status, problem, _ = edge.request("GET", "/v1/things", token="operator", query=query)
    assert (status, problem["errors"][0]["pointer"]) == (422, pointer)


def test_good_query_parameters(edge: Edge) -> None:
    _, page, _ = edge.request("GET", "/v1/things", token="operator", query="limit=7&good=true&cursor=abc")
    assert page["data"][0]["thing_id"] == "7 True org_1"
    assert (page["has_more"], page["next_cursor"]) == (True, "abc")
    _, page, _ = edge.request("GET", "/v1/things", token="operator")
    assert page["data"][0]["thing_id"] == "50 None org_1"
    assert (page["has_more"], page["next_cursor"]) == (False, None)


@pytest.mark.parametrize(
    ("method", "path", "token", "status", "code"),
    [
        ("GET", "/v1/things", None, 401, "auth.missing"),
        ("GET", "/v1/things", "stranger", 401, "auth.token_invalid"),
        ("GET", "/v1/things", "driver", 403, "forbidden"),
        ("POST", "/v1/things", "operator", 403, "forbidden"),
        ("GET", "/v1/mine", "operator", 403, "forbidden"),
        ("GET", "/v1/mine", "driver", 200, None),
        ("GET", "/v1/anybody", "driver", 403, "forbidden"),
        ("GET", "/v1/anybody", "operator", 200, None),
        ("GET", "/v1/anybody", None, 401, "auth.missing"),
        ("GET", "/v1/page", None, 200, None),
    ],
)
def test_who_may(edge: Edge, method: str, path: str, token: str | None, status: int, code: str | None) -> None:
    answered, body, headers = edge.request(method, path, {"nonsense": 1}, token=token)
    assert answered == status
    if code is not None:
        assert body["code"] == code
    assert ("www-authenticate" in headers) == (status == 401)


@pytest.mark.parametrize("header", ["", "Basic cm9vdDp4", "Bearer", "Bearer ", "operator"])
def test_other_authorization_headers_are_no_sign_in(edge: Edge, header: str) -> None:
    status, problem, _ = edge.request("GET", "/v1/things", headers={"Authorization": header})
    assert (status, problem["code"]) == (401, "auth.missing")


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Kind.INVALID, 400), (Kind.UNAUTHENTICATED, 401), (Kind.FORBIDDEN, 403), (Kind.NOT_FOUND, 404),
     (Kind.CONFLICT, 409), (Kind.PRECONDITION, 412), (Kind.UNSUPPORTED, 415), (Kind.UNPROCESSABLE, 422),
     (Kind.LIMITED, 429), (Kind.INTERNAL, 500), (Kind.UNAVAILABLE, 503)],
)  # fmt: skip
def test_every_kind_of_domain_error_has_its_status(edge: Edge, world: World, kind: Kind, status: int) -> None:
    fields = (FieldError("/thing_id", "thing.odd", "It is odd."),)
    SWITCH.errors = [DomainError("thing.refused", "No.", kind, fields=fields, retry_after_s=7)]
    answered, problem, headers = edge.request("POST", "/v1/fail", {"thing_id": "t1"})
    assert answered == problem["status"] == status
    assert (problem["code"], problem["detail"]) == ("thing.refused", "No.")
    assert problem["errors"] == [{"pointer": "/thing_id", "code": "thing.odd", "detail": "It is odd."}]
    assert headers["retry-after"] == "7"
    assert stored(world, "t1") is None
    assert len(Kind) == 11


def test_a_bug_is_told_without_its_details_and_logged(
    edge: Edge, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    SWITCH.errors = [RuntimeError("the secret recipe")]
    with caplog.at_level(logging.ERROR):
        status, problem, _ = edge.request("POST", "/v1/fail", {"thing_id": "t1"})
    assert (status, problem["code"]) == (500, "internal_error")
    assert "recipe" not in json.dumps(problem)
    assert "recipe" in caplog.text
    assert stored(world, "t1") is None


def test_a_lost_race_is_decided_again_and_only_the_last_decision_lands(edge: Edge, world: World) -> None:
    SWITCH.errors = [StaleRead("The thing")] * 2
    assert edge.request("POST", "/v1/fail", {"thing_id": "t1"})[0] == 201
    assert SWITCH.calls == 3
    thing = stored(world, "t1")
    assert thing is not None
    assert thing.amount == 3


def test_a_race_that_is_never_won_ends_in_a_conflict(edge: Edge) -> None:
    SWITCH.errors = [StaleRead("The thing")] * 100
    status, problem, _ = edge.request("POST", "/v1/fail", {"thing_id": "t1"})
    assert (status, problem["code"]) == (409, "concurrent_change")
    assert SWITCH.calls == DECIDE_ATTEMPTS


def test_what_was_committed_early_is_not_decided_again(edge: Edge, world: World) -> None:
    SWITCH.errors = [StaleRead("The thing")]
    assert edge.request("POST", "/v1/early", {"thing_id": "t1"})[0] == 409
    assert SWITCH.calls == 1
    assert stored(world, "t1") is not None
    assert stored(world, "second") is None


def test_an_operator_s_endpoint_needs_a_permission() -> None:
    with pytest.raises(ValueError):
        Api("things", "operator").get("/v1/forgotten")
