"""Times as chargers send them. Pure: what was meant, or None when it cannot have been meant.

Many chargers boot in 1970 and learn the time from our answers; a session must not be priced by such a clock.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from chalicelib.kernel.clock import from_rfc3339

EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC)
"""OCPP 1.6 is of 2015: nothing that a charger reports with it happened before."""
MAX_AHEAD: Final = timedelta(days=1)
"""A zone that was left off makes a clock at most fourteen hours fast."""


def read_moment(text: object, received_at: datetime) -> datetime | None:
    """The moment in `text`, or None for what is unreadable, long before OCPP, or more than a day in the future."""
    if not isinstance(text, str):
        return None
    try:
        moment = from_rfc3339(text)
    except (ValueError, OverflowError):
        return None
    return moment if EARLIEST <= moment <= received_at + MAX_AHEAD else None


def moment_or_receipt(text: object, received_at: datetime) -> datetime:
    """As `read_moment`, with the time of receipt where the charger's own is of no use."""
    return read_moment(text, received_at) or received_at
