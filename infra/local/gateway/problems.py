"""The answers the gateway gives on its own, before or instead of a function: RFC 9457 problem+json.

Used by the gateway's HTTP side only. API Gateway's own bodies differ, the deployed template overrides its gateway
responses with the same shape, so a client sees one kind of error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

REQUEST_ID_HEADER = "x-request-id"


def problem(
    status: int,
    code: str,
    detail: str,
    request_id: str,
    headers: Mapping[str, str] | None = None,
) -> web.Response:
    """A problem document with `code` and `request_id`; `detail` is for people and names no internals."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    return web.Response(
        status=status,
        body=json.dumps(document).encode("utf-8"),
        content_type="application/problem+json",
        headers={REQUEST_ID_HEADER: request_id, **(headers or {})},
    )
