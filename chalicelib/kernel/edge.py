"""What the CDN vouches for. It adds a secret header of ours to each request; without it nothing here is believed."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from chalicelib.kernel.context import Context

ORIGIN_HEADER = "x-origin-verify"
ORIGIN_SECRET = "origin-verify"
VIEWER_HEADER = "x-viewer-address"
SCHEME_HEADER = "x-viewer-scheme"
CERTIFICATE_HEADER = "x-viewer-certificate-subject"


def came_through_cdn(ctx: Context, headers: Mapping[str, str]) -> bool:
    """Whether the request carries the origin secret. `headers` by lower-case name. False where none is configured."""
    expected = ctx.secret(ORIGIN_SECRET)
    return bool(expected) and hmac.compare_digest(headers.get(ORIGIN_HEADER, "").encode(), expected.encode())


def viewer_address(ctx: Context, headers: Mapping[str, str], peer: str) -> str:
    """The address of who asked: behind the CDN `peer` is the CDN's own, and throttling by it would hit strangers."""
    stated = headers.get(VIEWER_HEADER)
    return stated if stated and came_through_cdn(ctx, headers) else peer


def is_secure(ctx: Context, headers: Mapping[str, str]) -> bool:
    """Whether the viewer came over TLS. API Gateway itself knows nothing else; a CDN that lets plain requests in says
    `http`."""
    return not (came_through_cdn(ctx, headers) and headers.get(SCHEME_HEADER) == "http")


def certificate_subject(ctx: Context, headers: Mapping[str, str]) -> str | None:
    """The subject of the client certificate that the CDN has verified; believed with the origin secret only."""
    return headers.get(CERTIFICATE_HEADER) or None if came_through_cdn(ctx, headers) else None
