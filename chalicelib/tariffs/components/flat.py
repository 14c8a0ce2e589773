"""FLAT: once per charging session, at the first moment at which an element has it (OCPI 2.2.1). Pure."""

from __future__ import annotations

from chalicelib.tariffs.components.pieces import Piece


def quantity(_piece: Piece) -> int:
    """A session that never began has no piece, and costs nothing."""
    return 1
