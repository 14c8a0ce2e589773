"""What components are counted in. Pure."""

from __future__ import annotations

from typing import Literal, NamedTuple

Dimension = Literal["ENERGY", "FLAT", "PARKING_TIME", "TIME"]


class Piece(NamedTuple):
    """A part of a delivery in which no price changes. The time in which an idle car has grace is in neither of the
    two."""

    energy_wh: int
    charging_s: int
    idle_s: int
