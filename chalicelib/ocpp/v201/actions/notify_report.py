"""NotifyReport: the charger's variables, in parts (OCPP 2.0.1 B07, B08). A Pending charger may send it, when asked."""

from __future__ import annotations

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Variable
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.variable_names import name_of
from chalicelib.ocpp.v201.words import is_last
from chalicelib.ocpp.version import Inbound


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    payload = call.payload
    variables = [variable for entry in payload.get("reportData", []) if (variable := _actual(entry)) is not None]
    if variables:
        chargers.record_configuration(uow, call.charger, variables)
    if is_last(payload):
        parts = payload["seqNo"] + 1
        chargers.follow_report(uow, call.charger.charger_id, payload["requestId"], parts, is_last=True)
    return {}


def _actual(entry: Payload) -> Variable | None:
    """The attribute that is in force; targets and bounds are no configuration. A write-only value is never told."""
    traits = entry.get("variableCharacteristics", {})
    for attribute in entry["variableAttribute"]:
        if attribute.get("type", "Actual") == "Actual":
            # Without a word about it a variable may be written (VariableAttributeType: ReadWrite is the default).
            mutability = attribute.get("mutability", "ReadWrite")
            return Variable(
                name=name_of(entry["component"], entry["variable"]),
                value=attribute.get("value"),
                readonly=mutability == "ReadOnly" or attribute.get("constant", False),
                mutability=mutability,
                data_type=traits.get("dataType"),
                unit=traits.get("unit"),
                values_list=traits.get("valuesList"),
            )
    return None
