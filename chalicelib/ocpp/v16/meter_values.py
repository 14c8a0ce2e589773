"""1.6 `meterValue` → readings in Wh, W and percent. Pure; MeterValues and StopTransaction share it.

A sampled value without a measurand is the import register in Wh (OCPP 1.6 7.34). What cannot be read is left out,
never taken for zero: a reading that is missing costs nobody anything, a wrong one does. The raw values are kept
beside, signed ones included, untouched.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from chalicelib.charging.model import MeterSample
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt

ENERGY: Final = "Energy.Active.Import.Register"
POWER: Final = "Power.Active.Import"
STATE_OF_CHARGE: Final = "SoC"

MAX_ENERGY_WH: Final = 10**12
MAX_POWER_W: Final = 10**8

_MULTIPLIERS: Final = {
    ENERGY: {"": Decimal(1), "wh": Decimal(1), "kwh": Decimal(1000), "mwh": Decimal(1_000_000)},
    POWER: {"": Decimal(1), "w": Decimal(1), "kw": Decimal(1000)},
    STATE_OF_CHARGE: {"": Decimal(1), "percent": Decimal(1), "%": Decimal(1)},
}
_LIMITS: Final = {ENERGY: MAX_ENERGY_WH, POWER: MAX_POWER_W, STATE_OF_CHARGE: 100}
_PHASES: Final = (frozenset({"L1", "L2", "L3"}), frozenset({"L1-N", "L2-N", "L3-N"}))
_CONTEXT_RANKS: Final = {"Transaction.End": 2, "Transaction.Begin": 0}
_OTHER_CONTEXT: Final = 1
# One decimal comma or point, a bounded exponent, perhaps the unit behind: "12.3", " 1e3", "12,3 kWh".
_NUMBER: Final = re.compile(r"\s*([+-]?\d{1,15}(?:[.,]\d{0,15})?(?:[eE][+-]?\d{1,2})?)\s*([A-Za-z%]{0,8})\s*", re.ASCII)


def read_samples(meter_values: list[Payload], received_at: datetime) -> list[MeterSample]:
    """One sample per `meterValue` element, in their order."""
    return [_sample(element, received_at) for element in meter_values]


def _sample(element: Payload, received_at: datetime) -> MeterSample:
    values: list[Payload] = element["sampledValue"]
    return MeterSample(
        taken_at=moment_or_receipt(element["timestamp"], received_at),
        energy_wh=_reading(values, ENERGY),
        power_w=_reading(values, POWER),
        soc_percent=_reading(values, STATE_OF_CHARGE),
        values=values,
    )


def _reading(values: list[Payload], measurand: str) -> int | None:
    """The value of one measurand: the latest context, the outlet's side, all phases together."""
    candidates = [value for value in values if value.get("measurand", ENERGY) == measurand]
    candidates = [value for value in candidates if value.get("format") != "SignedData"]
    if not candidates:
        return None
    if len(candidates) > 1:
        candidates = _at_outlet(_of_latest_context(candidates))
    whole = [read for value in candidates if "phase" not in value and (read := _number(value, measurand)) is not None]
    if whole:
        return _bounded(whole[-1], measurand)
    return _sum_of_phases(candidates, measurand)


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


def _sum_of_phases(values: list[Payload], measurand: str) -> int | None:
    """The sum over the phases. SoC has none; line voltages (L1-L2) and the neutral are no parts of a sum."""
    if measurand == STATE_OF_CHARGE:
        return None
    for phases in _PHASES:
        parts = {value["phase"]: _number(value, measurand) for value in values if value.get("phase") in phases}
        known = [part for part in parts.values() if part is not None]
        if parts and len(known) == len(parts):
            return _bounded(sum(known, Decimal(0)), measurand)
    return None


def _number(value: Payload, measurand: str) -> Decimal | None:
    """The value in the measurand's base unit; None when it is no number or its unit is foreign."""
    found = _NUMBER.fullmatch(value["value"])
    if found is None:
        return None
    unit = found[2] or value.get("unit", "")
    multiplier = _MULTIPLIERS[measurand].get(unit.lower())
    return None if multiplier is None else Decimal(found[1].replace(",", ".")) * multiplier


def _bounded(number: Decimal, measurand: str) -> int | None:
    if not 0 <= number <= _LIMITS[measurand]:
        return None
    return int(number.to_integral_value(ROUND_HALF_UP))
