"""What a car needs (ISO 15118, told by the charger) → the schedule that we give it. Pure.

The platform manages no load: the charger knows what its EVSE and its grid connection bear, so the schedule is the
car's own maximum, without an end.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from chalicelib.kernel.ids import number_of
from chalicelib.ocpp.frames import Payload

_PHASES: Final = {"AC_single_phase": 1, "AC_two_phase": 2, "AC_three_phase": 3}
_TX_PROFILE: Final = "TxProfile"


def profile_for(needs: Payload, *, transaction_id: str, evse_no: int, starts_at: str) -> Payload | None:
    """The payload of SetChargingProfile for `chargingNeeds`; None when they name no maximum that could be granted.

    The number of the profile is that of its transaction, so that the needs of a renegotiation replace it.
    """
    schedule = _schedule(needs)
    if schedule is None:
        return None
    number = number_of(f"{transaction_id}@{evse_no}")
    return {
        "evseId": evse_no,
        "chargingProfile": {
            "id": number,
            "stackLevel": 0,
            "chargingProfilePurpose": _TX_PROFILE,
            "chargingProfileKind": "Absolute",
            "transactionId": transaction_id,
            "chargingSchedule": [{"id": number, "startSchedule": starts_at, **schedule}],
        },
    }


def _schedule(needs: Payload) -> Payload | None:
    """Amperes per phase for AC, watts for DC and for what 2.1 adds (both ways, wireless)."""
    ac, dc = needs.get("acChargingParameters"), needs.get("dcChargingParameters")
    if ac is not None:
        period: Payload = {"startPeriod": 0, "limit": ac["evMaxCurrent"]}
        phases = _PHASES.get(needs["requestedEnergyTransfer"])
        if phases is not None:
            period["numberPhases"] = phases
        return _granting("A", period)
    power_w = needs.get("v2xChargingParameters", {}).get("maxChargePower") if dc is None else _dc_power_w(dc)
    return None if power_w is None else _granting("W", {"startPeriod": 0, "limit": power_w})


def _dc_power_w(dc: Payload) -> float:
    """`evMaxPower`, or what its maximal current and voltage make together."""
    told: float | None = dc.get("evMaxPower")
    if told is not None:
        return told
    return float(Decimal(str(dc["evMaxCurrent"])) * Decimal(str(dc["evMaxVoltage"])))


def _granting(unit: str, period: Payload) -> Payload | None:
    """A car that says that it takes nothing is given no schedule: it would be told to stop."""
    return {"chargingRateUnit": unit, "chargingSchedulePeriod": [period]} if period["limit"] > 0 else None
