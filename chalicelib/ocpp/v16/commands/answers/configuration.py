"""Configuration keys that the charger told or took (OCPP 1.6 5.3, 5.8)."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Variable
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.intents import note_taken


def keep_read(uow: UnitOfWork, charger: Charger, _asked: Payload, answer: Payload) -> None:
    told = [
        Variable(entry["key"], entry.get("value"), entry["readonly"]) for entry in answer.get("configurationKey", [])
    ]
    if told:
        chargers.record_configuration(uow, charger, told)


def keep_written(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """What was accepted can be written and has this value; what needs a reboot has it later."""
    key, value = asked["key"], asked["value"]
    if answer["status"] == "Accepted":
        chargers.record_configuration(uow, charger, [Variable(key, value, readonly=False)])
    if answer["status"] in ("Accepted", "RebootRequired"):
        note_taken(uow, charger.charger_id, key, value)
