"""1.6 `meterValue` → readings in Wh, W and percent. Pure; MeterValues and StopTransaction share it.

Values are text in 1.6, the unit a word beside it. The raw values are kept beside the readings, signed ones included,
untouched.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from chalicelib.charging.model import MeterSample
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt
from chalicelib.ocpp.readings import ENERGY, NUMBER_WITH_UNIT, POWER, STATE_OF_CHARGE, in_base_unit, reading


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
    found = NUMBER_WITH_UNIT.fullmatch(value["value"])
    if found is None:
        return None
    return in_base_unit(Decimal(found[1].replace(",", ".")), found[2] or value.get("unit", ""), measurand)
