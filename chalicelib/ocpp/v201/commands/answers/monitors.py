"""Monitors on the charger's variables that it set or cleared (OCPP 2.0.1 N04, N06)."""

from __future__ import annotations

from typing import Any

from chalicelib.chargers.model import Charger
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.variable_names import name_of

_GONE = frozenset({"Accepted", "NotFound"})


def keep_set(uow: UnitOfWork, charger: Charger, asked: Payload, answer: Payload) -> None:
    """The answer has the ids, the request what they watch for."""
    wanted = {_place(item): item for item in asked["setMonitoringData"]}
    results = [
        {**wanted.get(_place(result), {}), **result}
        for result in answer["setMonitoringResult"]
        if result["status"] == "Accepted" and "id" in result
    ]
    if results:
        maintenance.record_monitors_set(uow, charger, results)


def keep_cleared(uow: UnitOfWork, charger: Charger, _asked: Payload, answer: Payload) -> None:
    """NotFound: the charger has none such, so neither have we."""
    gone = [result["id"] for result in answer["clearMonitoringResult"] if result["status"] in _GONE]
    if gone:
        maintenance.forget_monitors(uow, charger, gone)


def _place(item: Payload) -> tuple[Any, ...]:
    """What tells two monitors apart before they have an id: at most one of a type and severity per variable."""
    return name_of(item["component"], item["variable"]), item["type"], item["severity"]
