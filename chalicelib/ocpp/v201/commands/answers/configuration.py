"""Variables of the device model that the charger told or took (OCPP 2.0.1 B05, B06), and its way to us (B09)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger, Variable
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.variable_names import name_of

_ACTUAL: Final = "Actual"


def keep_read(uow: UnitOfWork, charger: Charger, _asked: Payload, answer: Payload) -> None:
    """Values as told by GetVariables."""
    told = [
        Variable(name_of(result["component"], result["variable"]), result.get("attributeValue"))
        for result in _accepted(answer["getVariableResult"])
    ]
    if told:
        chargers.record_configuration(uow, charger, told)


def keep_written(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """Values that the charger took at once; what needs a reboot first is told by the charger after it."""
    values = {
        name_of(item["component"], item["variable"]): item["attributeValue"]
        for item in _actual(asked["setVariableData"])
    }
    taken = (name_of(result["component"], result["variable"]) for result in _accepted(answer["setVariableResult"]))
    told = [Variable(name, values[name]) for name in taken if name in values]
    if told:
        chargers.record_configuration(uow, charger, told)


def keep_network_profile(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """A charger that took a profile of a higher security profile will come back with it; one that did not keeps its
    password, whatever the profile (2.1) would have told it."""
    if answer["status"] == "Accepted":
        profile = asked["connectionData"]["securityProfile"]
        chargers.expect_security_profile(uow, charger.charger_id, profile)
    elif "basicAuthPassword" in asked["connectionData"]:
        chargers.forget_new_password(uow, charger.charger_id)


def _actual(items: Iterable[Payload]) -> Iterable[Payload]:
    """Targets and bounds are other things than the value (part 1, 4.3)."""
    return (item for item in items if item.get("attributeType", _ACTUAL) == _ACTUAL)


def _accepted(results: Iterable[Payload]) -> Iterable[Payload]:
    return (result for result in _actual(results) if result["attributeStatus"] == "Accepted")
