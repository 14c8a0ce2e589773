"""The event of API Gateway's REST APIs (proxy integration, payload version 1), as Lambda functions receive it.

Pure: facts of a request in, event out. `RestApi` alone calls it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

from chalicelib.kernel.clock import to_epoch_ms
from infra.local.gateway.invocation import ACCOUNT_ID, REGION, JsonObject
from infra.local.gateway.routes import RouteMatch
from infra.local.gateway.websocket_events import Pairs, common_log_time, grouped

API_ID: Final = "local"
STAGE: Final = "live"


@dataclass(frozen=True, slots=True)
class RestRequest:
    """One HTTP request as the gateway read it. `path` and `query` as in the request line, still encoded."""

    method: str
    path: str
    query: str
    headers: Pairs
    body: bytes
    source_ip: str
    host: str
    request_id: str
    received_at: datetime

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def media_type(self) -> str:
        return (self.header("content-type") or "").partition(";")[0].strip().lower()


def proxy_event(request: RestRequest, match: RouteMatch, binary_types: frozenset[str]) -> JsonObject:
    """`binary_types` as the API declares them; `*/*` is all. Raises UnicodeDecodeError when a body of a text media type
    is not UTF-8."""
    query = parse_qsl(request.query, keep_blank_values=True, errors="strict")
    is_binary = "*/*" in binary_types or request.media_type in binary_types
    body = base64.b64encode(request.body).decode("ascii") if is_binary else request.body.decode("utf-8")
    return {
        "resource": match.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": dict(request.headers),
        "multiValueHeaders": grouped(request.headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": grouped(query) or None,
        "pathParameters": match.parameters or None,
        "stageVariables": None,
        "requestContext": _request_context(request, match),
        "body": body or None,
        "isBase64Encoded": is_binary and bool(body),
    }


def _request_context(request: RestRequest, match: RouteMatch) -> JsonObject:
    return {
        "accountId": ACCOUNT_ID,
        "apiId": API_ID,
        "domainName": request.host,
        "extendedRequestId": request.request_id,
        "httpMethod": request.method,
        "identity": {"sourceIp": request.source_ip, "userAgent": request.header("user-agent")},
        "path": request.path,
        "protocol": "HTTP/1.1",
        "requestId": request.request_id,
        "requestTime": common_log_time(request.received_at),
        "requestTimeEpoch": to_epoch_ms(request.received_at),
        "resourcePath": match.resource,
        "stage": STAGE,
    }


def method_arn(request: RestRequest) -> str:
    """What an authorizer is asked about: `arn:…:execute-api:…/{stage}/{method}/{path}`."""
    return f"arn:aws:execute-api:{REGION}:{ACCOUNT_ID}:{API_ID}/{STAGE}/{request.method}/{request.path[1:]}"
