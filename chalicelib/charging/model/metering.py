"""What a meter says: samples, the stored readings, and what two registers tell about a delivery. Pure.

Registers are Wh. A reading that cannot be right costs nobody anything, and is an abnormal cause.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

METER_RETENTION = timedelta(days=90)
"""Raw readings expire; begin, end and the CDR stay."""
MAX_ENERGY_WH = 10_000_000
"""More than 400 kW deliver in a day: a register that says so leapt (lost its memory, overflowed)."""
JITTER_WH = 10
"""How far a register may seem to fall: frames overtake each other, and some meters round each reading anew."""
MOST_POWER_W = 400_000
"""No socket gives more: what would need it is a leap of a register, or a slip of the finger."""


@dataclass(frozen=True)
class MeterSample:
    """One reading, normalised by the OCPP edge. `values` are the raw sampled values, kept as they came."""

    taken_at: datetime
    energy_wh: int | None = None
    power_w: int | None = None
    soc_percent: int | None = None
    values: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class MeterReading:
    """The stored form of one frame of meter values: the latest reading by value, all samples beside it.

    `owner` is a key: of the session (1.6), of the OCPP transaction (2.x: there before any session is), or of the
    charger, when neither could be found. `seq_no` and `charging_state` are those of a 2.x event; one without any
    sample is kept for them.
    """

    owner: str
    taken_at: datetime
    received_at: datetime
    fingerprint: str
    energy_wh: int | None = None
    power_w: int | None = None
    soc_percent: int | None = None
    samples: list[MeterSample] = field(default_factory=list)
    seq_no: int | None = None
    charging_state: str | None = None


@dataclass(frozen=True)
class BareReading:
    """A reading without its samples: when it was taken, by the charger's clock, when it came, and what it says in
    short. All that is asked of a delivery's readings as a whole."""

    owner: str
    taken_at: datetime
    received_at: datetime
    fingerprint: str
    energy_wh: int | None = None
    power_w: int | None = None
    soc_percent: int | None = None


@dataclass(frozen=True)
class Registers:
    """Begin and end of a delivery in Wh, and what is not certain about them."""

    start_wh: int | None
    stop_wh: int | None
    cause: str | None = None


def most_energy_wh(duration: timedelta, power_w: int | None = None) -> int:
    """What can have been delivered in that time, of which the first hour counts whole, at `power_w` at most (None: it
    is not known what the charger gives)."""
    return min(power_w or MOST_POWER_W, MOST_POWER_W) * max(int(duration.total_seconds()), 3600) // 3600


def meter_fault(meter_start_wh: int | None, meter_now_wh: int | None, duration: timedelta | None = None) -> str | None:
    """Why two registers cannot be the begin and the end of one delivery, which took `duration`; None when they can."""
    if meter_start_wh is None or meter_now_wh is None:
        return None
    if meter_now_wh < meter_start_wh:
        return "meter_backwards"
    most = MAX_ENERGY_WH if duration is None else min(MAX_ENERGY_WH, most_energy_wh(duration))
    return "meter_implausible" if meter_now_wh - meter_start_wh > most else None


def delivered_energy_wh(meter_start_wh: int | None, meter_now_wh: int | None, duration: timedelta | None = None) -> int:
    """Wh since the start. A reading that cannot be right costs nobody anything (and is an abnormal cause)."""
    if meter_start_wh is None or meter_now_wh is None or meter_fault(meter_start_wh, meter_now_wh, duration):
        return 0
    return meter_now_wh - meter_start_wh


def settle_registers(
    told: Registers, first_seen_wh: int | None, last_seen_wh: int | None, duration: timedelta | None = None
) -> Registers:
    """Begin and end, as the charger told them or (it did not) as far as readings in between show them.

    What nobody saw, nobody pays: the first and the last reading bound what was surely delivered. So they do where the
    registers told cannot be true together (a charger that lost its register while it delivered stops at 0).
    """
    fault = meter_fault(told.start_wh, told.stop_wh, duration)
    if fault is not None:
        seen_is_sound = last_seen_wh is not None and meter_fault(told.start_wh, last_seen_wh, duration) is None
        return Registers(told.start_wh, last_seen_wh if seen_is_sound else told.stop_wh, fault)
    start_wh = first_seen_wh if told.start_wh is None else told.start_wh
    stop_wh = last_seen_wh if told.stop_wh is None else told.stop_wh
    if start_wh is None or stop_wh is None:
        known = stop_wh if start_wh is None else start_wh
        return Registers(known, known, "meter_missing")
    if told.start_wh is None:
        return Registers(start_wh, stop_wh, "meter_start_missing")
    return Registers(start_wh, stop_wh, "meter_stop_missing" if told.stop_wh is None else None)


def runs_backwards(registers: Sequence[int]) -> bool:
    """Whether a register fell on the way, by the charger's time, the one of the end last. One reading out of line
    alone, with those before and behind it in order, is misread; how it begins is left to `meter_fault` (some chargers
    count from 0 in between)."""
    highest = None
    for i, register_wh in enumerate(registers):
        if 0 < i < len(registers) - 1 and _is_out_of_line(*registers[i - 1 : i + 2]):
            continue
        if highest is not None and register_wh < highest - JITTER_WH:
            return True
        highest = register_wh if highest is None else max(highest, register_wh)
    return False


def _is_out_of_line(before_wh: int, register_wh: int, behind_wh: int) -> bool:
    fits = before_wh - JITTER_WH <= register_wh <= behind_wh + JITTER_WH
    return before_wh <= behind_wh + JITTER_WH and not fits


def latest_sample(samples: list[MeterSample]) -> MeterSample | None:
    """What a frame says now: of each quantity the newest value (some firmware gives each a sample of its own)."""
    if not samples:
        return None
    ordered = sorted(samples, key=lambda sample: sample.taken_at, reverse=True)
    return MeterSample(
        taken_at=ordered[0].taken_at,
        energy_wh=next((s.energy_wh for s in ordered if s.energy_wh is not None), None),
        power_w=next((s.power_w for s in ordered if s.power_w is not None), None),
        soc_percent=next((s.soc_percent for s in ordered if s.soc_percent is not None), None),
    )


def first_register_wh(samples: list[MeterSample]) -> int | None:
    """The oldest register that a frame names."""
    named = [sample for sample in samples if sample.energy_wh is not None]
    return min(named, key=lambda sample: sample.taken_at).energy_wh if named else None
