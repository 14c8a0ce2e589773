"""What a charger has, as far as it told or accepted: display messages, monitors, charging profiles."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from chalicelib.chargers.scope import owned_charger
from chalicelib.kernel.http import PageView, Request, Shape
from chalicelib.maintenance import service
from chalicelib.maintenance.api_operator.common import api
from chalicelib.maintenance.model import Entry
from chalicelib.maintenance.model.inventories import Noun

View = TypeVar("View")


class DisplayMessageView(Shape):
    """`message` is OCPP's MessageInfoType. `source`: `reported` by the charger, or `accepted` from us."""

    message_id: int
    message: dict[str, Any]
    told_at: datetime
    source: str


class MonitorView(Shape):
    """`monitor` is OCPP's, with the component and the variable that it watches."""

    monitor_id: int
    monitor: dict[str, Any]
    told_at: datetime
    source: str


class ChargingProfileView(Shape):
    """`profile` in the words of the charger's OCPP version. `limit_source` is who set it: CSO (us), EMS, SO, Other."""

    profile_id: int
    evse_no: int
    limit_source: str
    profile: dict[str, Any]
    told_at: datetime
    source: str


def _message_view(entry: Entry) -> DisplayMessageView:
    return DisplayMessageView(message_id=int(entry.key), message=entry.data, told_at=entry.told_at, source=entry.source)


def _monitor_view(entry: Entry) -> MonitorView:
    return MonitorView(monitor_id=int(entry.key), monitor=entry.data, told_at=entry.told_at, source=entry.source)


def _profile_view(entry: Entry) -> ChargingProfileView:
    return ChargingProfileView(
        profile_id=int(entry.key),
        evse_no=entry.data.get("evse_no", 0),
        limit_source=entry.data.get("limit_source", ""),
        profile=entry.data.get("profile", entry.data),
        told_at=entry.told_at,
        source=entry.source,
    )


def _listed(req: Request, charger_id: str, noun: Noun, view: Callable[[Entry], View]) -> PageView[View]:
    """An inventory is bounded: one page holds it."""
    charger = owned_charger(req, charger_id)
    inventory = service.list_entries(req.ctx, charger.charger_id, noun)
    return PageView(data=[view(entry) for entry in inventory.entries.values()], has_more=False)


@api.get("/v1/chargers/{charger_id}/display-messages", "chargers:read")
def list_display_messages(req: Request, charger_id: str) -> PageView[DisplayMessageView]:
    """The messages on the charger's display. Ask the charger itself with the command GetDisplayMessages."""
    return _listed(req, charger_id, "display_message", _message_view)


@api.get("/v1/chargers/{charger_id}/monitors", "chargers:read")
def list_monitors(req: Request, charger_id: str) -> PageView[MonitorView]:
    """The variable monitors that are set. Ask the charger itself with the command GetMonitoringReport."""
    return _listed(req, charger_id, "monitor", _monitor_view)


@api.get("/v1/chargers/{charger_id}/charging-profiles", "chargers:read")
def list_charging_profiles(req: Request, charger_id: str) -> PageView[ChargingProfileView]:
    """The charging profiles that the charger keeps; those that are over are left out."""
    return _listed(req, charger_id, "charging_profile", _profile_view)
