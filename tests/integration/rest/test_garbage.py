"""Whatever a client sends, the answer is a problem it can read, never a failure of ours.

Each endpoint is asked by somebody who may use it, with a request that would be granted, in which one thing is spoiled:
the body as a whole, one member of it, one query parameter, or what the path names.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any, get_origin

import msgspec
import pytest

from chalicelib.kernel.http import Endpoint
from tests.integration.rest.catalogue import ENDPOINTS, ask, body_of, query_of
from tests.integration.rest.test_isolation import PLATFORM_ONLY
from tests.site import Site
from tests.world import Reply, World

DEEP = b'{"a":' * 3000 + b"1" + b"}" * 3000
BODIES: tuple[bytes, ...] = (
    b"",
    b"null",
    b"[]",
    b"7",
    b'"text"',
    b"{",
    b"{}",
    b'{"nobody_knows":1}',
    b'{"name":"\\ud800","email":"\\ud800"}',
    DEEP,
)
MEMBERS: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    -(2**70),
    0.1,
    1e300,
    "",
    " ",
    "x" * 5000,
    "\x00",
    "line\nline",
    "Ünïcode ☂ \U0001f50c",
    "2026-02-30",
    "9999-12-31T23:59:59Z",
    "0001-01-01T00:00:00+14:00",
    "../..",
    [],
    [None],
    {},
    {"amount": 1, "currency": "XXX"},
    {"amount": -(2**63), "currency": "EUR"},
)
WORDS = (
    "",
    " ",
    "0",
    "-1",
    "x" * 3000,
    "\x00",
    "é☂",
    "2026-02-30",
    "9999-12-31",
    "2026-03-02T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "true",
    "eyJwayI6IjEifQ",
    "{}",
    "e30",
)
NAMES = ("x", " ", "é☂", "a#b", "a:b", "...", "org_.2026-03-02", "\x00", "x" * 300, "\n", "null")
"""No longer than API Gateway lets an address be."""
TROUBLE = 500
AWAY = {"create_my_topup"}
"""Their payment provider does not answer here: 503 says so, and is right."""


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.operation_id)
def test_no_garbage_makes_us_fail(world: World, site: Site, things: dict[str, str], endpoint: Endpoint) -> None:
    token = token_for(world, site, endpoint)
    for number, (things_sent, options) in enumerate(spoiled(endpoint, things)):
        reply = ask(world.rest, endpoint, things_sent, f"garbage-{number}", token=token, **options)
        assert answered(endpoint, reply), (str(options)[:300], reply.body)


def token_for(world: World, site: Site, endpoint: Endpoint) -> str | None:
    if endpoint.audience == "public":
        return None
    if endpoint.audience == "driver":
        return world.access_token(f"{site.driver.driver_id.lower()}@driver.example")
    return (
        world.platform_admin()
        if endpoint.operation_id in PLATFORM_ONLY
        else world.access_token(site.operator.user.email)
    )


def answered(endpoint: Endpoint, reply: Reply) -> bool:
    if reply.status == 503:
        return endpoint.operation_id in AWAY
    return reply.status < TROUBLE and (reply.status < 300 or "code" in reply.body)


def spoiled(endpoint: Endpoint, things: dict[str, str]) -> Iterator[tuple[dict[str, str], dict[str, Any]]]:
    """`(things, options of ask)` for each way to spoil the request."""
    fresh = count(1)
    for name in endpoint.path_names:
        for value in NAMES:
            yield {**things, name: value}, {}
    query = query_of(endpoint, things)
    for name in query_names(endpoint):
        for value in WORDS:
            yield things, {"query": {**query, name: value}}
    example = body_of(endpoint, things)
    if example is None:
        return
    for raw in BODIES:
        yield things, {"raw": raw}
    for path in places(endpoint.body, example):
        for value in MEMBERS:
            body = body_of(endpoint, {**things, "fresh": str(next(fresh))})
            yield things, {"json_body": spoil(body, path, value)}


def query_names(endpoint: Endpoint) -> list[str]:
    return [] if endpoint.query is None else [field.name for field in msgspec.structs.fields(endpoint.query)]


def places(shape: Any, body: Any) -> Iterator[tuple[Any, ...]]:
    """Where a body can be spoiled: all members of its shape, and whatever the example has further down."""
    names = {field.name for field in msgspec.structs.fields(shape)} if get_origin(shape) is None else set()
    for name in sorted(names | set(body)):
        yield (name,)
        for deeper in inner(body.get(name)):
            yield (name, *deeper)


def inner(value: Any) -> Iterator[tuple[Any, ...]]:
    steps = list(value.items()) if isinstance(value, dict) else []
    steps = list(enumerate(value)) if isinstance(value, list) else steps
    for step, below in steps:
        yield (step,)
        for deeper in inner(below):
            yield (step, *deeper)


def spoil(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    step, *rest = path
    copy = list(body) if isinstance(body, list) else dict(body)
    below = copy[step] if isinstance(body, list) else copy.get(step)
    copy[step] = spoil(below, tuple(rest), value)
    return copy
