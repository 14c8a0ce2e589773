"""What answers about charging profiles tell: which of them the charger has (OCPP 1.6 5.5, 5.16)."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Command
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.version import Answer


def record_set(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    charger = chargers.get_charger(uow.ctx, command.charger_id) if answer.accepted else None
    if charger is not None:
        payload = command.payload
        maintenance.record_charging_profile(uow, charger, payload["connectorId"], payload["csChargingProfiles"])


def record_cleared(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    """Cleared, or (Unknown) not there: either way the charger has none that meets the criteria."""
    if answer.payload.get("status") not in ("Accepted", "Unknown"):
        return
    charger = chargers.get_charger(uow.ctx, command.charger_id)
    if charger is not None:
        criteria = command.payload
        maintenance.forget_charging_profiles(
            uow,
            charger,
            profile_id=criteria.get("id"),
            evse_no=criteria.get("connectorId"),
            purpose=criteria.get("chargingProfilePurpose"),
            stack_level=criteria.get("stackLevel"),
        )
