"""The events of API Gateway's WebSocket APIs, as Lambda functions receive them.

Pure: facts of a connection in, event out. The shapes are those of the published examples that
aws_lambda_powertools' data classes read: CONNECT carries headers and query, MESSAGE only its body (no headers),
DISCONNECT the close code. Each event is fresh: a handler may change its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from chalicelib.kernel.clock import from_epoch_ms
from infra.local.gateway.connection import Connection
from infra.local.gateway.invocation import JsonObject, new_id

Pairs = list[tuple[str, str]]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Handshake(NamedTuple):
    """What the client asked for when it connected, after the CDN's rewriting."""

    headers: Pairs
    query: Pairs
    identity: str
    """The charger's identity, percent-decoded; empty when none was given."""


class EventFactory:
    """Builds the events of one API; `api_id` and `stage` are those of every event."""

    def __init__(self, api_id: str, stage: str) -> None:
        self._api_id = api_id
        self._stage = stage
        self._second = -1
        self._request_time = ""

    def connect(self, connection: Connection, handshake: Handshake) -> JsonObject:
        event: JsonObject = {
            "headers": dict(handshake.headers),
            "multiValueHeaders": grouped(handshake.headers),
            "requestContext": self._context(connection, "$connect", "CONNECT", connection.connected_at_ms),
            "isBase64Encoded": False,
        }
        if handshake.query:
            event["queryStringParameters"] = dict(handshake.query)
            event["multiValueQueryStringParameters"] = grouped(handshake.query)
        return event

    def message(self, connection: Connection, body: str, now_ms: int) -> JsonObject:
        context = self._context(connection, "$default", "MESSAGE", now_ms)
        context["messageId"] = new_id()
        return {"requestContext": context, "body": body, "isBase64Encoded": False}

    def disconnect(self, connection: Connection, code: int, reason: str, now_ms: int) -> JsonObject:
        context = self._context(connection, "$disconnect", "DISCONNECT", now_ms)
        context["disconnectStatusCode"] = code
        context["disconnectReason"] = reason
        headers = [
            ("Host", connection.domain_name),
            ("x-api-key", ""),
            ("X-Forwarded-For", ""),
            ("x-restapi", ""),
        ]
        return {
            "headers": dict(headers),
            "multiValueHeaders": grouped(headers),
            "requestContext": context,
            "isBase64Encoded": False,
        }

    def _context(self, connection: Connection, route_key: str, event_type: str, now_ms: int) -> JsonObject:
        identity = {"sourceIp": connection.source_ip}
        if connection.user_agent is not None:
            identity["userAgent"] = connection.user_agent
        request_id = new_id()
        return {
            "routeKey": route_key,
            "eventType": event_type,
            "extendedRequestId": request_id,
            "requestTime": self._common_log_time(now_ms),
            "messageDirection": "IN",
            "stage": self._stage,
            "connectedAt": connection.connected_at_ms,
            "requestTimeEpoch": now_ms,
            "identity": identity,
            "requestId": request_id,
            "domainName": connection.domain_name,
            "connectionId": connection.connection_id,
            "apiId": self._api_id,
        }

    def _common_log_time(self, now_ms: int) -> str:
        second = now_ms // 1000
        if second != self._second:
            self._second, self._request_time = second, common_log_time(from_epoch_ms(second * 1000))
        return self._request_time


def common_log_time(moment: datetime) -> str:
    """`11/Nov/2024:11:35:24 +0000`, whatever the locale; `moment` in UTC."""
    return f"{moment:%d}/{_MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S} +0000"


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Every value of each name, in order: the `multiValue` half of an event."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values
