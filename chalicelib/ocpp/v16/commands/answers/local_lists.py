"""The local authorization list as the charger has it, when an operator asked by hand (OCPP 1.6 5.10, 5.15)."""

from __future__ import annotations

from chalicelib.chargers.model import Charger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload


def keep_version(uow: UnitOfWork, charger: Charger, _asked: Payload, answer: Payload) -> None:
    """-1 says that the charger keeps no list."""
    maintenance.record_local_list_version(uow, charger.charger_id, answer["listVersion"])


def keep_sent(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    maintenance.record_local_list_answer(uow, charger.charger_id, asked["listVersion"], answer["status"])
