"""What proves that somebody has a charger in hands: its serial number and the UID code beside it. Pure."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from chalicelib.chargers.model.places import Charger, serial_key

MAX_TRIES: Final = 20
"""Claims of an operator since the last one that was right; then it waits for TRIES_WINDOW."""
TRIES_WINDOW: Final = timedelta(hours=1)


@dataclass(frozen=True)
class SerialNumber:
    """Which charger of an owner has a serial number: one, whatever its case."""

    operator_id: str
    serial_number: str
    charger_id: str


def proves(charger: Charger | None, uid: str) -> bool:
    """Is this the UID of the charger? In constant time; a charger without one cannot be claimed."""
    known = "" if charger is None or charger.uid is None else serial_key(charger.uid)
    is_equal = hmac.compare_digest(known.encode(), serial_key(uid).encode())
    return is_equal and known != ""
