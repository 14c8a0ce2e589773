"""What answers about certificates tell: which root certificates the charger has (security whitepaper 1.6)."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Command
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.version import Answer


def record_listed(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    """GetInstalledCertificateIds: all of one type; NotFound says that there is none."""
    charger = chargers.get_charger(uow.ctx, command.charger_id) if answer.accepted else None
    if charger is None:
        return
    kind = command.payload["certificateType"]
    entries = [
        {
            "kind": kind,
            "hash_algorithm": found["hashAlgorithm"],
            "issuer_name_hash": found["issuerNameHash"],
            "issuer_key_hash": found["issuerKeyHash"],
            "serial_number": found["serialNumber"],
        }
        for found in answer.payload.get("certificateHashData", [])
    ]
    maintenance.record_installed_certificates(uow, charger, entries, kinds=[kind])


def record_installed(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    """InstallCertificate: what was accepted is there."""
    charger = chargers.get_charger(uow.ctx, command.charger_id) if answer.accepted else None
    if charger is not None:
        payload = command.payload
        maintenance.record_certificate_installed(uow, charger, payload["certificateType"], payload["certificate"])


def record_deleted(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    """DeleteCertificate: gone, or (NotFound) gone already. Failed says that it is still there."""
    if answer.payload.get("status") not in ("Accepted", "NotFound"):
        return
    charger = chargers.get_charger(uow.ctx, command.charger_id)
    if charger is not None:
        data = command.payload["certificateHashData"]
        maintenance.forget_certificate(uow, charger, data["serialNumber"], data["issuerKeyHash"])
