"""Sampled values → readings in Wh, W and percent. Pure; the versions share it and bring their own way to read a number.

A sampled value without a measurand is the import register (OCPP 1.6 7.34, 2.0.1 SampledValueType). What cannot be
read is left out, never taken for zero: a reading that is missing costs nobody anything, a wrong one does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from chalicelib.ocpp.frames import Payload

ENERGY: Final = "Energy.Active.Import.Register"
POWER: Final = "Power.Active.Import"
STATE_OF_CHARGE: Final = "SoC"

MAX_ENERGY_WH: Final = 10**12
MAX_POWER_W: Final = 10**8

NUMBER_WITH_UNIT: Final = re.compile(
    r"\s*([+-]?\d{1,15}(?:[.,]\d{0,15})?(?:[eE][+-]?\d{1,2})?)\s*([A-Za-z%]{0,8})\s*", re.ASCII
)
"""A number as firmware writes it: one decimal comma or point, a bounded exponent, perhaps (group 2) the unit behind."""

ReadNumber = Callable[[Payload, str], Decimal | None]
"""`(sampled value, measurand)` → its number in Wh, W or percent; None when it is none or its unit is foreign."""

_MULTIPLIERS: Final = {
    ENERGY: {"": Decimal(1), "wh": Decimal(1), "kwh": Decimal(1000), "mwh": Decimal(1_000_000)},
    POWER: {"": Decimal(1), "w": Decimal(1), "kw": Decimal(1000)},
    STATE_OF_CHARGE: {"": Decimal(1), "percent": Decimal(1), "%": Decimal(1)},
}
_LIMITS: Final = {ENERGY: MAX_ENERGY_WH, POWER: MAX_POWER_W, STATE_OF_CHARGE: 100}
_PHASES: Final = (frozenset({"L1", "L2", "L3"}), frozenset({"L1-N", "L2-N", "L3-N"}))
_CONTEXT_RANKS: Final = {"Transaction.End": 2, "Transaction.Begin": 0}
_OTHER_CONTEXT: Final = 1


def reading(values: Sequence[Payload], measurand: str, read_number: ReadNumber) -> int | None:
    """The value of one measurand: the latest context, the outlet's side, all phases together."""
    candidates = [value for value in values if value.get("measurand", ENERGY) == measurand]
    if not candidates:
        return None
    if len(candidates) > 1:
        candidates = _at_outlet(_of_latest_context(candidates))
    whole = [
        read for value in candidates if "phase" not in value and (read := read_number(value, measurand)) is not None
    ]
    if whole:
        return _bounded(whole[-1], measurand)
    return _sum_of_phases(candidates, measurand, read_number)


def in_base_unit(number: Decimal, unit: str, measurand: str) -> Decimal | None:
    """The number in Wh, W or percent; None for a unit that the measurand does not have."""
    multiplier = _MULTIPLIERS[measurand].get(unit.lower())
    return None if multiplier is None else number * multiplier


def _of_latest_context(values: list[Payload]) -> list[Payload]:
    """A frame may carry the begin and the end of a transaction in one element; the register now is the end's."""
    ranks = [_CONTEXT_RANKS.get(value.get("context", ""), _OTHER_CONTEXT) for value in values]
    latest = max(ranks)
    return [value for value, rank in zip(values, ranks, strict=True) if rank == latest]


def _at_outlet(values: list[Payload]) -> list[Payload]:
    """What the driver got: measured at the outlet where there is such a value, else wherever the first was."""
    locations = [value.get("location", "Outlet") for value in values]
    wanted = "Outlet" if "Outlet" in locations else locations[0]
    return [value for value, location in zip(values, locations, strict=True) if location == wanted]


def _sum_of_phases(values: list[Payload], measurand: str, read_number: ReadNumber) -> int | None:
    """The sum over the phases. SoC has none; line voltages (L1-L2) and the neutral are no parts of a sum."""
    if measurand == STATE_OF_CHARGE:
        return None
    for phases in _PHASES:
        parts = {value["phase"]: read_number(value, measurand) for value in values if value.get("phase") in phases}
        known = [part for part in parts.values() if part is not None]
        if parts and len(known) == len(parts):
            return _bounded(sum(known, Decimal(0)), measurand)
    return None


def _bounded(number: Decimal, measurand: str) -> int | None:
    if not 0 <= number <= _LIMITS[measurand]:
        return None
    return int(number.to_integral_value(ROUND_HALF_UP))
