"""The versions that are spoken, by WebSocket subprotocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.ocpp.v16.routes import V16
from chalicelib.ocpp.version import Version

VERSIONS: Final[Mapping[str, Version]] = {version.protocol: version for version in (V16,)}
