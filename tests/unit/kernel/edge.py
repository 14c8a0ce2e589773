"""Calls an Api of a test as API Gateway would: a small application of its own, no product endpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.kernel.actor import Actor
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import unauthenticated
from chalicelib.kernel.http import Api, Endpoint, Record, Request
from chalicelib.kernel.rest import RestApp, mount
from infra.local.gateway.invocation import LambdaContext
from infra.local.gateway.rest_events import RestRequest, proxy_event
from infra.local.gateway.routes import RouteTable
from tests.world import World

ACTORS = {
    "operator": Actor("person", login_id="lgn_o", organization_id="org_1", permissions=frozenset({"things:read"})),
    "driver": Actor("person", login_id="lgn_d", driver_id="drv_1"),
    "both": Actor("person", login_id="lgn_b", organization_id="org_1", user_id="usr_b", driver_id="drv_b"),
    "root": Actor("person", organization_id="org_0", organization_kind="platform", permissions=frozenset({"*"})),
}


def authenticate(ctx: Context, access_token: str, source_ip: str) -> Actor:
    """The access token is the name of one of ACTORS."""
    if access_token not in ACTORS:
        raise unauthenticated("auth.token_invalid", "unknown")
    return ACTORS[access_token]


def record_nothing(request: Request, endpoint: Endpoint, arguments: Mapping[str, Any]) -> None:
    """The audit log of those who do not look at it."""


class Edge:
    def __init__(self, world: World, *apis: Api, record: Record = record_nothing) -> None:
        self._world = world
        self.app = RestApp("edge")
        mount(self.app, apis, authenticate, record)
        self._routes = RouteTable(self.app.routes)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        raw: bytes | None = None,
        query: str = "",
    ) -> tuple[int, Any, dict[str, str]]:
        """`(status, decoded body, headers in lower case)`."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        match = self._routes.match(path)
        assert match is not None
        request = RestRequest(
            method=method,
            path=path,
            query=query,
            headers=list(sent.items()),
            body=raw if raw is not None else b"" if body is None else json.dumps(body).encode(),
            source_ip="192.0.2.7",
            host="127.0.0.1",
            request_id="request-1",
            received_at=self._world.ctx.now(),
        )
        answer = self.app(proxy_event(request, match, frozenset(self.app.api.binary_types)), LambdaContext("edge"))
        received = {name.lower(): value for name, value in answer["headers"].items()}
        text = answer["body"]
        return (
            answer["statusCode"],
            json.loads(text) if "json" in received.get("content-type", "") and text else text,
            received,
        )
