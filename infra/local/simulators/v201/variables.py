"""The device model of a simulated charger in the words of OCPP 2.0.1: GetVariables, SetVariables, GetBaseReport (B05 to
B07). Actual values alone: it has no targets."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from infra.local.simulators.device_model import MAX_READ, PASSWORD, Variable
from infra.local.simulators.face import Call, Errands, text_of
from infra.local.simulators.hardware import Hardware
from infra.local.simulators.ocpp_client import Declined, Payload
from infra.local.simulators.v201.naming import address_of, component_of, name_of

REPORT_PART: Final = 15
"""Variables in one NotifyReport."""

_BASES: Final[dict[str, Callable[[Variable], bool]]] = {
    "ConfigurationInventory": lambda variable: variable.check is not None,
    "FullInventory": lambda _: True,
    "SummaryInventory": lambda variable: str(variable.name).endswith("/AvailabilityState"),
}


class VariablesV201:
    def __init__(self, hardware: Hardware, errands: Errands, call: Call) -> None:
        self._hardware = hardware
        self._errands = errands
        self._call = call

    def get(self, payload: Payload) -> Payload:
        return {"getVariableResult": [self._read(asked) for asked in _bounded(payload["getVariableData"])]}

    def set(self, payload: Payload) -> Payload:
        return {"setVariableResult": [self._write(asked) for asked in _bounded(payload["setVariableData"])]}

    def report(self, payload: Payload) -> Payload:
        """The variables follow by NotifyReport, in parts."""
        is_wanted = _BASES.get(payload["reportBase"])
        if is_wanted is None:
            return {"status": "NotSupported"}
        entries = [_entry(known) for known in self._hardware.variables.all() if known.name and is_wanted(known)]
        parts = [entries[start : start + REPORT_PART] for start in range(0, len(entries), REPORT_PART)]
        made_at = text_of(self._hardware.now())
        reports = [
            {
                "requestId": payload["requestId"],
                "generatedAt": made_at,
                "seqNo": seq_no,
                "tbc": seq_no < len(parts) - 1,
                "reportData": part,
            }
            for seq_no, part in enumerate(parts)
        ]
        taken = self._errands.add(*(partial(self._call, "NotifyReport", report) for report in reports))
        return {"status": "Accepted" if taken else "Rejected"}

    def _read(self, asked: Payload) -> Payload:
        status, variable = self._look_up(asked)
        if variable is None:
            return _result(asked, status)
        if variable.is_secret:
            return _result(asked, "Rejected")
        return _result(asked, status) | {"attributeValue": variable.value}

    def _write(self, asked: Payload) -> Payload:
        """The password is its own text: only 1.6 has it in hex."""
        status, variable = self._look_up(asked)
        if variable is None:
            return _result(asked, status)
        value: str = asked["attributeValue"]
        password = value.encode() if variable.name == PASSWORD else b""
        return _result(asked, "Accepted" if self._hardware.write(variable, value, password) else "Rejected")

    def _look_up(self, asked: Payload) -> tuple[str, Variable | None]:
        if asked.get("attributeType", "Actual") != "Actual":
            return "NotSupportedAttributeType", None
        variable = self._hardware.variables.find(name=name_of(asked["component"], asked["variable"]))
        if variable is not None:
            return "Accepted", variable
        component = component_of(asked["component"]).casefold()
        names = [known.name.casefold() for known in self._hardware.variables.all() if known.name]
        is_known = any(name.partition("/")[0] == component for name in names)
        return "UnknownVariable" if is_known else "UnknownComponent", None


def _bounded(asked: list[Payload]) -> list[Payload]:
    """Raises Declined for more than DeviceDataCtrlr/ItemsPerMessage says."""
    if len(asked) > MAX_READ:
        raise Declined("OccurrenceConstraintViolation")
    return asked


def _result(asked: Payload, status: str) -> Payload:
    told = {name: asked[name] for name in ("component", "variable", "attributeType") if name in asked}
    return told | {"attributeStatus": status}


def _entry(variable: Variable) -> dict[str, Any]:
    attribute: dict[str, Any] = {"type": "Actual", "mutability": variable.mutability}
    if not variable.is_secret:
        attribute["value"] = variable.value
    traits: dict[str, Any] = {"dataType": variable.data_type, "supportsMonitoring": False}
    if variable.unit is not None:
        traits["unit"] = variable.unit
    address = address_of(str(variable.name))
    return {**address, "variableAttribute": [attribute], "variableCharacteristics": traits}
