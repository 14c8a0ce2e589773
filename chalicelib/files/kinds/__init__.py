"""What can be imported: one module per kind, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.files.kinds.chargers import CHARGERS
from chalicelib.files.kinds.common import Created, ImportKind
from chalicelib.files.kinds.drivers import DRIVERS
from chalicelib.files.kinds.id_tokens import ID_TOKENS
from chalicelib.files.kinds.locations import LOCATIONS

IMPORT_KINDS: Final[Mapping[str, ImportKind]] = {
    "drivers": DRIVERS,
    "id_tokens": ID_TOKENS,
    "chargers": CHARGERS,
    "locations": LOCATIONS,
}

__all__ = ["IMPORT_KINDS", "Created", "ImportKind"]
