"""Id tokens as chargers tell them. Pure; the actions of all versions read theirs by it.

A card reader that hands over a C string leaves its padding in the token: blanks, line ends, what stands behind a NUL.
No id token is registered with such in it (`drivers.model.check_id_token`), so none becomes another one by losing it.
"""

from __future__ import annotations


def read_id_token(told: str) -> str:
    """The token without what is padding; empty where nothing else was told."""
    return told.partition("\x00")[0].strip()
