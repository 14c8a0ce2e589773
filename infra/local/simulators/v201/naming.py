"""A variable's one name, `Component[.instance][@evse[.connector]]/Variable[.instance]`, in two objects. Pure."""

from __future__ import annotations

from typing import Any

Part = dict[str, Any]


def address_of(name: str) -> dict[str, Part]:
    """`{"component": ..., "variable": ...}`; of a name that this charger has."""
    component_text, _, variable_text = name.partition("/")
    component_text, _, place = component_text.partition("@")
    component = _part(component_text)
    if place:
        evse_no, _, connector_no = place.partition(".")
        component["evse"] = {"id": int(evse_no)} | ({"connectorId": int(connector_no)} if connector_no else {})
    return {"component": component, "variable": _part(variable_text)}


def name_of(component: Part, variable: Part) -> str:
    """Inverse. Raises KeyError, TypeError for what is no address."""
    return f"{component_of(component)}/{_text(variable)}"


def component_of(component: Part) -> str:
    """The part of the name before the slash."""
    evse = component.get("evse")
    if evse is None:
        return _text(component)
    place = f"{evse['id']}.{evse['connectorId']}" if "connectorId" in evse else str(evse["id"])
    return f"{_text(component)}@{place}"


def _part(text: str) -> Part:
    name, _, instance = text.partition(".")
    return {"name": name, "instance": instance} if instance else {"name": name}


def _text(part: Part) -> str:
    return f"{part['name']}.{part['instance']}" if part.get("instance") else str(part["name"])
