"""Charging profiles that the charger took or dropped (OCPP 2.0.1 K01, K09, K10)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload


def keep_set(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    if answer["status"] == "Accepted":
        maintenance.record_charging_profile(uow, charger, asked["evseId"], asked["chargingProfile"])


def keep_cleared(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """Unknown: the charger has none such, so neither have we."""
    if answer["status"] not in ("Accepted", "Unknown"):
        return
    criteria = asked.get("chargingProfileCriteria", {})
    maintenance.forget_charging_profiles(
        uow,
        charger,
        profile_id=asked.get("chargingProfileId"),
        evse_no=criteria.get("evseId"),
        purpose=criteria.get("chargingProfilePurpose"),
        stack_level=criteria.get("stackLevel"),
    )


def keep_none_found(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """NoProfiles: what meets these criteria is not there any more. Several ids, or whose limit it is, are more than we
    can look for at once."""
    criteria = asked["chargingProfile"]
    ids = criteria.get("chargingProfileId", [])
    if answer["status"] != "NoProfiles" or len(ids) > 1 or "chargingLimitSource" in criteria:
        return
    maintenance.forget_charging_profiles(
        uow,
        charger,
        profile_id=ids[0] if ids else None,
        evse_no=asked.get("evseId"),
        purpose=criteria.get("chargingProfilePurpose"),
        stack_level=criteria.get("stackLevel"),
    )
