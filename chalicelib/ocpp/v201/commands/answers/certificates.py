"""Certificates that the charger has, took or dropped (OCPP 2.0.1 M03 to M05)."""

from __future__ import annotations

from typing import Any

from chalicelib.chargers.model import Charger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload


def keep_listed(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """Each certificate of a chain for itself, of the kind of its chain; NotFound says that there is none of the types
    that were asked for (none named: of all)."""
    entries = [
        _entry(chain["certificateType"], hash_data)
        for chain in answer.get("certificateHashDataChain", [])
        for hash_data in (chain["certificateHashData"], *chain.get("childCertificateHashData", ()))
    ]
    maintenance.record_installed_certificates(uow, charger, entries, kinds=asked.get("certificateType"))


def keep_installed(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    if answer["status"] == "Accepted":
        maintenance.record_certificate_installed(uow, charger, asked["certificateType"], asked["certificate"])


def keep_deleted(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """NotFound: the charger has none such, so neither have we."""
    if answer["status"] in ("Accepted", "NotFound"):
        hash_data = asked["certificateHashData"]
        maintenance.forget_certificate(uow, charger, hash_data["serialNumber"], hash_data["issuerKeyHash"])


def _entry(kind: str, hash_data: Payload) -> dict[str, Any]:
    return {
        "kind": kind,
        "hash_algorithm": hash_data["hashAlgorithm"],
        "issuer_name_hash": hash_data["issuerNameHash"],
        "issuer_key_hash": hash_data["issuerKeyHash"],
        "serial_number": hash_data["serialNumber"],
    }
