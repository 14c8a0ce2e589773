"""What restrictions look at, and where they change their mind. Pure.

All are whole numbers: days since 1970-01-01 and seconds of the day in the location's time, seconds since the start of
the charging session, Wh delivered since then, watts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

DAY_S: Final = 86_400


class Situation(NamedTuple):
    """One moment of a charging session."""

    local_day: int
    local_s: int
    duration_s: int
    energy_wh: int
    power_w: int


@dataclass(frozen=True)
class Limit:
    """`holds` is constant between the edges. Times of day are edges on every day."""

    holds: Callable[[Situation], bool]
    times_of_day_s: tuple[int, ...] = ()
    durations_s: tuple[int, ...] = ()
    energies_wh: tuple[int, ...] = ()
    powers_w: tuple[int, ...] = ()
