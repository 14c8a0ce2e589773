"""What answers about the configuration tell: the charger's known configuration is brought up to date.

For what an operator asked; what the platform itself reads and writes goes through `ocpp/intents.py`.
"""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Command, Variable
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.intents import note_taken
from chalicelib.ocpp.version import Answer


def record_read(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    """GetConfiguration: the keys that the charger has and told."""
    keys = answer.payload.get("configurationKey", [])
    told = [Variable(entry["key"], entry.get("value"), entry["readonly"]) for entry in keys]
    _record(uow, command, told)


def record_written(uow: UnitOfWork, command: Command, answer: Answer) -> None:
    """ChangeConfiguration: what was accepted can be written and has this value; what needs a reboot has it later."""
    if not answer.accepted:
        return
    key, value = command.payload["key"], command.payload["value"]
    if answer.payload["status"] == "Accepted":
        _record(uow, command, [Variable(key, value, readonly=False)])
    note_taken(uow, command.charger_id, key, value)


def _record(uow: UnitOfWork, command: Command, told: list[Variable]) -> None:
    charger = chargers.get_charger(uow.ctx, command.charger_id) if told else None
    if charger is not None:
        chargers.record_configuration(uow, charger, told)
