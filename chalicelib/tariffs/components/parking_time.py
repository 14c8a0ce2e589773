"""PARKING_TIME: seconds connected without charging; the price is per hour (OCPI 2.2.1, TariffDimensionType). Pure."""

from __future__ import annotations

from chalicelib.tariffs.components.pieces import Piece


def quantity(piece: Piece) -> int:
    """What is within the tariff's grace is not in `idle_s`."""
    return piece.idle_s
