"""1.6 `meterValue` → readings in Wh, W and percent. Pure; MeterValues and StopTransaction share it.

Values are text in 1.6, the unit a word beside it. The raw values are kept beside the readings, signed ones included,
untouched.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Final

from chalicelib.charging.model import MeterSample
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.readings import ENERGY, POWER, STATE_OF_CHARGE, in_base_unit, reading

# One decimal comma or point, a bounded exponent, perhaps the unit behind: "12.3", " 1e3", "12,3 kWh".
_NUMBER: Final = re.compile(r"\s*([+-]?\d{1,15}(?:[.,]\d{0,15})?(?:[eE][+-]?\d{1,2})?)\s*([A-Za-z%]{0,8})\s*", re.ASCII)


def read_samples(meter_values: list[Payload], received_at: datetime) -> list[MeterSample]:
    """One sample per `meterValue` element, in their order."""
    return [_sample(element, received_at) for element in meter_values]


def _sample(element: Payload, received_at: datetime) -> MeterSample:
    values: list[Payload] = element["sampledValue"]
    readable = [value for value in values if value.get("format") != "SignedData"]
    return MeterSample(
        taken_at=moment_or_receipt(element.get("timestamp"), received_at),
        energy_wh=reading(readable, ENERGY, _number),
        power_w=reading(readable, POWER, _number),
        soc_percent=reading(readable, STATE_OF_CHARGE, _number),
        values=values,
    )


def _number(value: Payload, measurand: str) -> Decimal | None:
    found = _NUMBER.fullmatch(value["value"])
    if found is None:
        return None
    return in_base_unit(Decimal(found[1].replace(",", ".")), found[2] or value.get("unit", ""), measurand)
