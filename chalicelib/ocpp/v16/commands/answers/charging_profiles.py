"""Charging profiles that the charger took or dropped (OCPP 1.6 5.5, 5.16)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload


def keep_set(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    if answer["status"] == "Accepted":
        maintenance.record_charging_profile(uow, charger, asked["connectorId"], asked["csChargingProfiles"])


def keep_cleared(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """Cleared, or (Unknown) not there: either way the charger has none that meets the criteria."""
    if answer["status"] in ("Accepted", "Unknown"):
        maintenance.forget_charging_profiles(
            uow,
            charger,
            profile_id=asked.get("id"),
            evse_no=asked.get("connectorId"),
            purpose=asked.get("chargingProfilePurpose"),
            stack_level=asked.get("stackLevel"),
        )
