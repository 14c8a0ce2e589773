"""What answers about the local authorization list tell: which version the charger has (OCPP 1.6 5.10, 5.15).

For lists that an operator wrote by hand; those that the platform composes go through `ocpp/intents.py`.
"""

from __future__ import annotations

from chalicelib.chargers.model import Command
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.version import Answer


def record_version(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    """GetLocalListVersion: -1 says that the charger keeps no list."""
    version = answer.payload.get("listVersion")
    if version is not None:
        maintenance.record_local_list_version(uow, command.charger_id, version)


def record_sent(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    """SendLocalList: the charger's word, where it gave one."""
    status = answer.payload.get("status")
    if status is not None:
        maintenance.record_local_list_answer(uow, command.charger_id, command.payload["listVersion"], status)
