"""What was seen of a delivery on its way, cleaned for the bill: the same for the cost so far and the final one. Pure.

Called by `lookup.pricing`. Registers become Wh since the start that never fall and never pass the end; what does not
fit is dropped, and costs nobody anything. OCPP 2.x also tells when the car stops taking energy, often without a
register: the one behind it says how much had flowed by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.charging.model.metering import MeterReading
from chalicelib.tariffs.model import Consumption, Reading

IDLE_STATES = frozenset({"EVConnected", "Idle", "SuspendedEV", "SuspendedEVSE"})
"""OCPP 2.0.1 ChargingStateEnumType; the other state is Charging."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One moment: the register, the power, whether the car takes energy from here on; each only where it was told."""

    taken_at: datetime
    energy_wh: int | None = None
    power_w: int | None = None
    is_idle: bool | None = None


def sightings_of(reading: MeterReading) -> tuple[Sighting, ...]:
    """All samples of a frame. The charging state is that of its end, also where it has no sample at all."""
    samples = tuple(Sighting(sample.taken_at, sample.energy_wh, sample.power_w) for sample in reading.samples)
    if reading.charging_state is None:
        return samples
    return (*samples, Sighting(reading.taken_at, is_idle=reading.charging_state in IDLE_STATES))


def delivered_readings(seen: Iterable[Sighting], start_wh: int | None, consumption: Consumption) -> tuple[Reading, ...]:
    """What was seen between begin and end of a consumption, as rating wants it. In whatever order it was told."""
    if start_wh is None:
        return ()
    inside = [one for one in seen if consumption.started_at < one.taken_at < consumption.ended_at]
    delivered = _delivered(_merged(inside), start_wh, consumption.energy_wh)
    energies = _filled([one.energy_wh for one in delivered], [one.is_idle for one in delivered], consumption.energy_wh)
    return tuple(
        Reading(one.taken_at, energy_wh, one.power_w, one.is_idle)
        for one, energy_wh in zip(delivered, energies, strict=True)
    )


def _merged(seen: Iterable[Sighting]) -> list[Sighting]:
    """One per moment, in order of time: some firmware gives each quantity a sample of its own."""
    by_moment: dict[datetime, Sighting] = {}
    for one in seen:
        known = by_moment.get(one.taken_at)
        by_moment[one.taken_at] = one if known is None else _both(known, one)
    return [by_moment[moment] for moment in sorted(by_moment)]


def _both(one: Sighting, other: Sighting) -> Sighting:
    """Whichever came first: of two registers the higher, and a car that charges is not idle."""
    return Sighting(
        one.taken_at,
        max((wh for wh in (one.energy_wh, other.energy_wh) if wh is not None), default=None),
        max((w for w in (one.power_w, other.power_w) if w is not None), default=None),
        min((idle for idle in (one.is_idle, other.is_idle) if idle is not None), default=None),
    )


def _delivered(seen: Sequence[Sighting], start_wh: int, total_wh: int) -> list[Sighting]:
    """With Wh since the start instead of registers. What fell behind, or leapt beyond the end, was misread: of it the
    charging state counts alone."""
    kept, last_wh = [], 0
    for one in seen:
        since_wh = None if one.energy_wh is None else one.energy_wh - start_wh
        if since_wh is not None and last_wh <= since_wh <= total_wh:
            last_wh = since_wh
            kept.append(replace(one, energy_wh=since_wh))
        elif one.is_idle is not None:
            kept.append(replace(one, energy_wh=None, power_w=None))
    return kept


def _filled(energies: list[int | None], idle: list[bool | None], total_wh: int) -> list[int]:
    """The Wh of moments that told the charging state alone. None flows while the car is idle: what the next register
    has more had flowed by then, unless the car charged again in between."""
    filled: list[int] = [0] * len(energies)
    next_wh, charges_again = total_wh, False
    for i in reversed(range(len(energies))):
        known_wh = energies[i]
        if known_wh is not None:
            filled[i] = next_wh = known_wh
            charges_again = False
        else:
            charges_again = charges_again or not idle[i]
            filled[i] = -1 if charges_again else next_wh
    last_wh = 0
    for i, energy_wh in enumerate(filled):
        last_wh = filled[i] = last_wh if energy_wh < 0 else energy_wh
    return filled
