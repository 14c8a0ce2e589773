"""Blocks: a begun block of `step_size` is a whole one. Pure.

OCPI 2.2.1, mod_cdrs, "step_size": it counts once per session for ENERGY, and once for TIME and PARKING_TIME together.
The total of the session is rounded up, by the step of the component that priced the dimension last, and what it grows
by is billed at that component's price. Where idle time is billed only the idle time is rounded: charging time is then
followed by another time that is billed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.tariffs.components.pieces import Dimension

_ROUNDED_ONCE: Final[tuple[tuple[Dimension, ...], ...]] = (("ENERGY",), ("PARKING_TIME", "TIME"))


def round_up(amount: int, step_size: int) -> int:
    """`round_up(61, 60)` is 120. A step of 0 or 1 changes nothing; nothing stays nothing."""
    return amount if step_size <= 1 else -(-amount // step_size) * step_size


def rounded_dimensions(used: Mapping[Dimension, object]) -> list[Dimension]:
    """Which of the used dimensions are rounded up to whole steps."""
    return [
        dimension
        for together in _ROUNDED_ONCE
        if (dimension := next((one for one in together if one in used), None)) is not None
    ]
