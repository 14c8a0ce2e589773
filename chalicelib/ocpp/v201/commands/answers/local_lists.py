"""The local authorization list as the charger has it, when an operator asked by hand (OCPP 2.0.1 D01, D02)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload


def keep_version(uow: UnitOfWork, charger: Charger, _asked: Payload, answer: Payload) -> None:
    maintenance.record_local_list_version(uow, charger.charger_id, answer["versionNumber"])


def keep_sent(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    maintenance.record_local_list_answer(uow, charger.charger_id, asked["versionNumber"], answer["status"])
