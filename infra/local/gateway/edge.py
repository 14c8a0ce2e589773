"""The content delivery network before the WebSocket API: path identity in, query parameter out.

The local twin of `infra/cloudfront/`: API Gateway refuses a path after the stage, and OCPP chargers append their
identity to it. Pure; `WebSocketApi` calls it. The invariant: what a function trusts the CDN for (the identity, the
origin secret, the viewer's certificate) never comes from the client.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from infra.local.gateway.websocket_events import Handshake, Pairs

IDENTITY_PARAMETER: Final = "cp"
ORIGIN_HEADER: Final = "x-origin-verify"
SCHEME_HEADER: Final = "x-viewer-scheme"
_CDN_HEADERS: Final = ("cloudfront-", "x-viewer-")


def through_cdn(path: str, query: str, headers: Pairs, origin_secret: str) -> Handshake:
    """A request to `/ocpp/{identity}`: the last path segment, as encoded in the URL, becomes `cp`; the origin
    secret is added; what the client itself sent under those names is dropped."""
    identity = path.strip("/").removeprefix("ocpp").rpartition("/")[2]
    kept = [(name, value) for name, value in headers if not _reserved(name)]
    # This gateway has no TLS; AWS's CDN takes nothing else and therefore says nothing.
    kept += [(ORIGIN_HEADER, origin_secret), (SCHEME_HEADER, "http")]
    parameters = [(name, value) for name, value in split_query(query) if name != IDENTITY_PARAMETER]
    parameters.append((IDENTITY_PARAMETER, identity))
    return Handshake(kept, parameters, unquote(identity))


def direct(query: str, headers: Pairs) -> Handshake:
    """A request to the API's own address, `/{stage}?cp=…`: everything passes as the client sent it."""
    parameters = split_query(query)
    return Handshake(headers, parameters, unquote(dict(parameters).get(IDENTITY_PARAMETER, "")))


def _reserved(name: str) -> bool:
    lowered = name.lower()
    return lowered == ORIGIN_HEADER or lowered.startswith(_CDN_HEADERS)


def split_query(query: str) -> Pairs:
    """Names decoded (so that `%63p` is `cp`), values as they stand in the URL: $connect decodes them, once."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(unquote(name), value) for name, _, value in pairs]
