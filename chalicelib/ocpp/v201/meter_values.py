"""2.x `meterValue` → readings in Wh, W and percent. Pure; MeterValues and TransactionEvent share it.

Values are JSON numbers in 2.x, with a unit and a power of ten beside them (OCPP 2.0.1, SampledValueType and
UnitOfMeasureType). The raw values are kept beside the readings, signed ones included, untouched.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

from chalicelib.charging.model import MeterSample
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.readings import ENERGY, POWER, STATE_OF_CHARGE, in_base_unit, reading

BEGIN: Final = "Transaction.Begin"
END: Final = "Transaction.End"
_MULTIPLIERS: Final = range(-12, 13)
"""Powers of ten that a meter can mean; beyond them nothing is read."""


def read_samples(meter_values: list[Payload], received_at: datetime) -> list[MeterSample]:
    """One sample per `meterValue` element, in their order."""
    return [_sample(element, received_at) for element in meter_values]


def register_at(context: str, meter_values: Iterable[Payload]) -> int | None:
    """The import register (Wh) that is marked as of `context` (BEGIN or END); None if no value is."""
    marked = [value for element in meter_values for value in element["sampledValue"] if value.get("context") == context]
    return reading(marked, ENERGY, _number)


def _sample(element: Payload, received_at: datetime) -> MeterSample:
    values: list[Payload] = element["sampledValue"]
    return MeterSample(
        taken_at=moment_or_receipt(element.get("timestamp"), received_at),
        energy_wh=reading(values, ENERGY, _number),
        power_w=reading(values, POWER, _number),
        soc_percent=reading(values, STATE_OF_CHARGE, _number),
        values=values,
    )


def _number(value: Payload, measurand: str) -> Decimal | None:
    unit = value.get("unitOfMeasure", {})
    exponent = unit.get("multiplier", 0)
    if exponent not in _MULTIPLIERS:
        return None
    # By way of its text: the binary fraction that JSON was read into is not what the meter said.
    return in_base_unit(Decimal(str(value["value"])).scaleb(exponent), unit.get("unit", ""), measurand)
