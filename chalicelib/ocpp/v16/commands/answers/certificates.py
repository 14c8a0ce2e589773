"""Root certificates that the charger has, took or dropped (security whitepaper 1.6)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload


def keep_listed(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """GetInstalledCertificateIds: all of one type; NotFound says that there is none."""
    kind = asked["certificateType"]
    entries = [
        {
            "kind": kind,
            "hash_algorithm": found["hashAlgorithm"],
            "issuer_name_hash": found["issuerNameHash"],
            "issuer_key_hash": found["issuerKeyHash"],
            "serial_number": found["serialNumber"],
        }
        for found in answer.get("certificateHashData", [])
    ]
    maintenance.record_installed_certificates(uow, charger, entries, kinds=[kind])


def keep_installed(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    if answer["status"] == "Accepted":
        maintenance.record_certificate_installed(uow, charger, asked["certificateType"], asked["certificate"])


def keep_deleted(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """Gone, or (NotFound) gone already. Failed says that it is still there."""
    if answer["status"] in ("Accepted", "NotFound"):
        hash_data = asked["certificateHashData"]
        maintenance.forget_certificate(uow, charger, hash_data["serialNumber"], hash_data["issuerKeyHash"])
