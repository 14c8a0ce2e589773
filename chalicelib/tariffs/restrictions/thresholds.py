"""Tiers: from `least` on (it is in), below `most` (it is out). Shared by energy, power and duration. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from chalicelib.kernel.errors import invalid

_MILLI: Final = 1000


def check_tier(least: Decimal | int | None, most: Decimal | int | None, name: str, pointer: str) -> None:
    """Raises tariff.tier (422) for a tier that nothing is in. `name` is that of the restriction without `min_`."""
    if least is not None and most is not None and least >= most:
        raise invalid("tariff.tier", f"`min_{name}` is below `max_{name}`.", f"{pointer}/max_{name}")
    if most is not None and most <= 0:
        raise invalid("tariff.tier", f"`max_{name}` is above 0.", f"{pointer}/max_{name}")
    for prefix, value in (("min", least), ("max", most)):
        if value is not None and value < 0:
            raise invalid("tariff.tier", f"`{prefix}_{name}` is not negative.", f"{pointer}/{prefix}_{name}")
        if isinstance(value, Decimal) and value * _MILLI % 1:
            raise invalid("tariff.tier", "At most three decimals.", f"{pointer}/{prefix}_{name}")


def edges_of(least: int | None, most: int | None) -> tuple[int, ...]:
    return tuple(edge for edge in (least, most) if edge)


def milli(value: Decimal | None) -> int | None:
    """kWh to Wh, kW to W."""
    return None if value is None else int(value * _MILLI)
