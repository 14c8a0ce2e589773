"""2.x EVSE and connector numbers (OCPP 2.0.1 part 1, 4): EVSE 0 is the charger itself, connectors count from 1."""

from __future__ import annotations

from typing import Final

from chalicelib.chargers.model import Charger
from chalicelib.kernel.errors import invalid
from chalicelib.ocpp.frames import Payload

MAX_EVSE_NO: Final = 999


def evse_no_of(payload: Payload, charger: Charger) -> int:
    """The `evseId` of a payload; where it has none the charger's only EVSE, or the charger itself. Raises
    evse.not_found for a number that no EVSE can have."""
    evse_no: int = payload.get("evseId", charger.only_evse_no)
    if not 0 <= evse_no <= MAX_EVSE_NO:
        raise invalid("evse.not_found", f"There is no EVSE {evse_no}.", "/evseId")
    return evse_no


def delivering_evse_no(payload: Payload) -> int | None:
    """The EVSE that a transaction is told to be at; None while the charger does not say, or says what cannot be."""
    evse_no: int = payload.get("evse", {}).get("id", 0)
    return evse_no if 0 < evse_no <= MAX_EVSE_NO else None
