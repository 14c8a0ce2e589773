"""One name for a variable of the device model: `Component[.instance][@evse[.connector]]/Variable[.instance]`.

    EVSE@1/AvailabilityState    OCPPCommCtrlr/HeartbeatInterval    SampledDataCtrlr/Available.Values

OCPP 2.x addresses a variable by two objects (part 1, 4.1); the platform, its REST and its templates by this text.
`name_of` and `address_of` are inverse: `.`, `@`, `/` and `%` inside a part are written as `%2E`, `%40`, `%2F`, `%25`.
Pure.
"""

from __future__ import annotations

import re
from typing import Any, Final

from chalicelib.ocpp.frames import Payload

_NAME: Final = re.compile(
    r"(?P<component>[^./@]+)(?:\.(?P<instance>[^./@]+))?(?:@(?P<evse>\d{1,9})(?:\.(?P<connector>\d{1,9}))?)?"
    r"/(?P<variable>[^./@]+)(?:\.(?P<variable_instance>[^./@]+))?"
)
_ESCAPES: Final = (("%", "%25"), (".", "%2E"), ("@", "%40"), ("/", "%2F"))


def name_of(component: Payload, variable: Payload) -> str:
    """`{"name": "EVSE", "evse": {"id": 1}}`, `{"name": "Power"}` → `EVSE@1/Power`."""
    evse = component.get("evse")
    place = ""
    if isinstance(evse, dict):
        connector = evse.get("connectorId")
        place = f"@{evse['id']}" if connector is None else f"@{evse['id']}.{connector}"
    return f"{_part(component)}{place}/{_part(variable)}"


def address_of(name: str) -> Payload | None:
    """`{"component": ..., "variable": ...}` as GetVariables and SetVariables have it; None for what is no such name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    component = _address_part(found["component"], found["instance"])
    if found["evse"] is not None:
        component["evse"] = {"id": int(found["evse"])}
        if found["connector"] is not None:
            component["evse"]["connectorId"] = int(found["connector"])
    return {"component": component, "variable": _address_part(found["variable"], found["variable_instance"])}


def _part(part: Payload) -> str:
    name, instance = _escape(str(part["name"])), part.get("instance")
    return f"{name}.{_escape(str(instance))}" if instance else name


def _address_part(name: str, instance: str | None) -> dict[str, Any]:
    return {"name": _unescape(name)} if instance is None else {"name": _unescape(name), "instance": _unescape(instance)}


def _escape(text: str) -> str:
    for plain, escaped in _ESCAPES:
        text = text.replace(plain, escaped)
    return text


def _unescape(text: str) -> str:
    for plain, escaped in reversed(_ESCAPES):
        text = text.replace(escaped, plain)
    return text
