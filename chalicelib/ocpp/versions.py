"""The versions that are spoken, by WebSocket subprotocol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.ocpp.v16.routes import V16
from chalicelib.ocpp.v21.routes import V21
from chalicelib.ocpp.v201.routes import V201
from chalicelib.ocpp.version import Version

VERSIONS: Final[Mapping[str, Version]] = {version.protocol: version for version in (V16, V201, V21)}
