"""Times as chargers send them. Pure: what was meant, or None when it cannot have been meant.

Read are RFC 3339 and what firmware makes of it: no zone (UTC then), a zone without minutes, no seconds, small letters,
slashes, a space for the T, numbers of one digit, a `Z` or `UTC` behind the zone, seconds or milliseconds since 1970.

Many chargers boot in 1970 and learn the time from our answers; a session must not be priced by such a clock.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from chalicelib.kernel.clock import from_epoch_ms, from_rfc3339

EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC)
"""OCPP 1.6 is of 2015: nothing that a charger reports with it happened before."""
MAX_AHEAD: Final = timedelta(days=1)
"""A zone that was left off makes a clock at most fourteen hours fast."""

_EPOCH_S: Final = re.compile(r"\s*(\d{10})(\d{3})?(?:\.\d{0,9})?\s*", re.ASCII)
_SLOPPY: Final = re.compile(
    r"\s*(\d{4})[-/.](\d\d?)[-/.](\d\d?)[ T_]+(\d\d?):(\d\d?)(?::(\d\d?)(?:[.,](\d{0,9}))?)?"
    r" ?([+-]\d\d(?::?\d\d)?)?\s*(?:Z{1,2}|UTC|GMT)?\s*",
    re.ASCII,
)


def read_moment(text: object, received_at: datetime) -> datetime | None:
    """The moment in `text`, or None for what is unreadable, long before OCPP, or more than a day in the future."""
    if not isinstance(text, str):
        return None
    try:
        moment = from_rfc3339(text)
    except ValueError:
        found = _from_sloppy(text)
        if found is None:
            return None
        moment = found
    except OverflowError:
        return None
    return moment if EARLIEST <= moment <= received_at + MAX_AHEAD else None


def moment_or_receipt(text: object, received_at: datetime) -> datetime:
    """As `read_moment`, with the time of receipt where the charger's own is of no use."""
    return read_moment(text, received_at) or received_at


def _from_sloppy(text: str) -> datetime | None:
    """What is no RFC 3339, and can be told all the same."""
    epoch = _EPOCH_S.fullmatch(text)
    if epoch is not None:
        return from_epoch_ms(int(epoch[1]) * 1000 + int(epoch[2] or 0))
    found = _SLOPPY.fullmatch(text.upper())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    date, time = f"{year}-{int(month):02}-{int(day):02}", f"{int(hour):02}:{int(minute):02}:{int(second or 0):02}"
    try:
        return from_rfc3339(f"{date}T{time}.{fraction or 0}{zone or 'Z'}")
    except (ValueError, OverflowError):
        return None
