"""TIME: seconds of charging, in steps of seconds; the price is per hour (OCPI 2.2.1, TariffDimensionType). Pure."""

from __future__ import annotations

from chalicelib.tariffs.components.pieces import Piece


def quantity(piece: Piece) -> int:
    return piece.charging_s
