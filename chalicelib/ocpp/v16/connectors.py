"""1.6 connector n is EVSE n; 0 is the charger itself (OCPP 1.6 7.8, "connectorId")."""

from __future__ import annotations

from typing import Final

from chalicelib.chargers.model import Charger
from chalicelib.kernel.errors import invalid
from chalicelib.ocpp.frames import Payload

MAX_EVSE_NO: Final = 999


def evse_no_of(payload: Payload, charger: Charger) -> int:
    """The EVSE; of a frame that does not tell it the charger's only one, or the charger itself. Raises evse.not_found
    for a number that no connector can have."""
    connector_id: int = payload.get("connectorId", charger.only_evse_no)
    if not 0 <= connector_id <= MAX_EVSE_NO:
        raise invalid("evse.not_found", f"There is no connector {connector_id}.", "/connectorId")
    return connector_id
