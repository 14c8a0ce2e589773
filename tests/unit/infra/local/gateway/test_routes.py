"""The table of REST resources."""

from __future__ import annotations

import pytest

from infra.local.gateway.routes import RouteTable


@pytest.mark.parametrize(
    ("path", "resource", "parameters"),
    [
        ("/", "/", {}),
        ("/a", "/a", {}),
        ("/a/", "/a", {}),
        ("/a/new", "/a/new", {}),
        ("/a/x", "/a/{id}", {"id": "x"}),
        ("/a/new/foo", "/a/{id}/foo", {"id": "new"}),
        ("/a/new/bar", "/a/new/bar", {}),
        ("/a/n%65w", "/a/new", {}),
        ("/a/x%2Fy/foo", "/a/{id}/foo", {"id": "x/y"}),
    ],
)
def test_match(path, resource, parameters):
    table = RouteTable(["/", "/a", "/a/{id}", "/a/new", "/a/{id}/foo", "/a/new/bar"])
    assert table.match(path) == (resource, parameters)


@pytest.mark.parametrize("path", ["/b", "/a/x/y", "//", "/a//foo", "/a//"])
def test_no_match(path):
    assert RouteTable(["/", "/a", "/a/{id}", "/a/{id}/foo"]).match(path) is None


@pytest.mark.parametrize(
    "resources",
    [
        ["/a/{id}", "/a/{name}/foo"],
        ["/a/{id}/{x}", "/a/{id}/{y}"],
        ["/a", "/a/"],
        ["/a/{id+}"],
        ["/a/x{id}"],
        ["/a/{proxy+}"],
    ],
)
def test_what_api_gateway_refuses_is_refused(resources):
    with pytest.raises(ValueError):
        RouteTable(resources)


def test_the_same_name_below_different_parents_may_differ():
    table = RouteTable(["/a/{id}", "/b/{name}"])
    assert table.match("/b/1") == ("/b/{name}", {"name": "1"})


def test_a_segment_that_is_no_utf8_is_an_error():
    with pytest.raises(UnicodeDecodeError):
        RouteTable(["/a/{id}"]).match("/a/%ff")
