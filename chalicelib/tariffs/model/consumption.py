"""What is to be paid for: told by meters, or imagined. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from chalicelib.kernel.errors import invalid

_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Reading:
    """What the meter told on the way: `energy_wh` delivered since the start, and what holds from `taken_at` until the
    next reading: the power, and whether the car is idle (None: not told). One of the start itself tells what holds from
    there."""

    taken_at: datetime
    energy_wh: int
    power_w: int | None = None
    is_idle: bool | None = None


@dataclass(frozen=True)
class Consumption:
    """`time_zone` is the location's IANA zone, in which calendar rules are read. `readings` are in order of time, begin
    and end excluded; without any, the energy flowed evenly. `parking_s`, for what-ifs without readings, is the idle
    end of the time."""

    started_at: datetime
    ended_at: datetime
    energy_wh: int
    time_zone: str = "UTC"
    parking_s: int = 0
    readings: tuple[Reading, ...] = ()

    @property
    def duration_s(self) -> int:
        """Whole seconds, never negative: a charger whose clock jumped back has used no time."""
        return max(0, int((self.ended_at - self.started_at).total_seconds()))

    @property
    def charging_s(self) -> int:
        return max(0, self.duration_s - self.parking_s)


def what_if(
    *,
    started_at: datetime,
    duration_s: int,
    energy_wh: int,
    time_zone: str,
    parking_s: int = 0,
    power_w: int | None = None,
    readings: tuple[Reading, ...] = (),
) -> Consumption:
    """A consumption that nobody had yet. With `parking_s` the car is idle at the end, with `power_w` as soon as it has
    its energy, with `readings` as they say. Raises quote.* (422) where that cannot be."""
    if sum(1 for profile in (parking_s, power_w, readings) if profile) > 1:
        raise invalid("quote.profile", "Only one of `parking_s`, `power_w` and `readings`.")
    if parking_s > duration_s:
        raise invalid("quote.parking", "The parking time is a part of the duration.", "/parking_s")
    ended_at = started_at + timedelta(seconds=duration_s)
    _check_readings(readings, started_at, ended_at, energy_wh)
    if power_w is not None:
        charging_s = -(-energy_wh * _HOUR_S // power_w)
        if charging_s > duration_s:
            raise invalid("quote.power", f"At this power the energy takes {charging_s} seconds.", "/power_w")
        full_at = started_at + timedelta(seconds=charging_s)
        readings = (Reading(started_at, 0, power_w, False), Reading(full_at, energy_wh, 0, True))
    return Consumption(started_at, ended_at, energy_wh, time_zone, parking_s, readings)


def _check_readings(readings: tuple[Reading, ...], started_at: datetime, ended_at: datetime, energy_wh: int) -> None:
    last = Reading(started_at, 0)
    for number, reading in enumerate(readings):
        if not last.taken_at <= reading.taken_at <= ended_at:
            raise invalid("quote.readings", "Readings are in order of time.", f"/readings/{number}/after_s")
        if not last.energy_wh <= reading.energy_wh <= energy_wh:
            raise invalid("quote.readings", "Energy grows up to `energy_wh`.", f"/readings/{number}/energy_wh")
        last = reading
