"""ENERGY: Wh, in steps of Wh; the price is per kWh (OCPI 2.2.1, TariffDimensionType). Pure."""

from __future__ import annotations

from chalicelib.tariffs.components.pieces import Piece


def quantity(piece: Piece) -> int:
    return piece.energy_wh
