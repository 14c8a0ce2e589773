"""Answers that have a status per item instead of one: what was refused, in words, or None when nothing was. Pure.

A command of several items is accepted when every item is; else it is rejected, and its error names each refused item,
so that nobody takes a half-done change for a done one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.v201.variable_names import name_of
from chalicelib.ocpp.v201.words import reason_text

_WRITTEN: Final = frozenset({"Accepted", "RebootRequired"})
_MAX_NAMED: Final = 5


def set_variables(answer: Payload) -> str | None:
    results = answer["setVariableResult"]
    refusals = (
        _said(
            name_of(result["component"], result["variable"]),
            result["attributeStatus"],
            reason_text(result, "attributeStatusInfo"),
        )
        for result in results
        if result["attributeStatus"] not in _WRITTEN
    )
    return _refused(refusals, len(results))


def set_monitors(answer: Payload) -> str | None:
    results = answer["setMonitoringResult"]
    refusals = (
        _said(
            f"{name_of(result['component'], result['variable'])} {result['type']}",
            result["status"],
            reason_text(result),
        )
        for result in results
        if result["status"] != "Accepted"
    )
    return _refused(refusals, len(results))


def clear_monitors(answer: Payload) -> str | None:
    results = answer["clearMonitoringResult"]
    refusals = (
        _said(f"monitor {result['id']}", result["status"], reason_text(result))
        for result in results
        if result["status"] != "Accepted"
    )
    return _refused(refusals, len(results))


def clear_tariffs(answer: Payload) -> str | None:
    """2.1. A result without an id is about all tariffs of the EVSE."""
    results = answer["clearTariffsResult"]
    refusals = (
        _said(f"tariff {result.get('tariffId', '*')}", result["status"], reason_text(result))
        for result in results
        if result["status"] != "Accepted"
    )
    return _refused(refusals, len(results))


def _said(item: str, status: str, reason: str) -> str:
    return f"{item}: {status} ({reason})" if reason else f"{item}: {status}"


def _refused(refusals: Iterable[str], items: int) -> str | None:
    refused = list(refusals)
    if not refused:
        return None
    named = "; ".join(refused[:_MAX_NAMED])
    more = f"; and {len(refused) - _MAX_NAMED} more" if len(refused) > _MAX_NAMED else ""
    return f"{len(refused)} of {items} refused: {named}{more}"
