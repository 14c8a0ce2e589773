"""NotifyEvent: a monitored variable crossed a line, changed, or is reported from time to time (OCPP 2.0.1 N07, N08).

Each goes to the charger's journal. What it says of a connector's availability is its status too: chargers may send
this in place of StatusNotification.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chalicelib.chargers import service as chargers
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import service as maintenance
from chalicelib.maintenance.model import Severity
from chalicelib.ocpp.frames import Payload
from chalicelib.ocpp.moments import moment_or_receipt, read_moment
from chalicelib.ocpp.v201.evses import MAX_EVSE_NO
from chalicelib.ocpp.v201.variable_names import name_of
from chalicelib.ocpp.version import Inbound

MAX_ENTRIES: Final = 25
"""Journal entries of one message, since one commit takes a hundred writes; what is more shares the last one."""
MAX_STATUSES: Final = 25

_CONNECTOR_STATUSES: Final = frozenset({"Available", "Occupied", "Reserved", "Unavailable", "Faulted"})
_SHOWN: Final = 80


def handle(uow: UnitOfWork, call: Inbound) -> Payload:
    events = _distinct(call.payload["eventData"])
    for event in events[: MAX_ENTRIES - 1]:
        _record(uow, call, event)
    rest = events[MAX_ENTRIES - 1 :]
    if len(rest) == 1:
        _record(uow, call, rest[0])
    elif rest:
        _record_together(uow, call, rest)
    # Of several words about one connector the last one is true.
    statuses = {place: event for event in events if (place := _connector(event)) is not None}
    for (evse_no, connector_no), event in list(statuses.items())[:MAX_STATUSES]:
        chargers.record_status(
            uow,
            call.charger.charger_id,
            evse_no,
            event["actualValue"],
            "NoError",
            event.get("techInfo"),
            read_moment(event["timestamp"], call.received_at),
            event.get("techCode"),
            connector_no=connector_no,
        )
    return {}


def _distinct(events: Sequence[Payload]) -> list[Payload]:
    """In their order; an event that a message tells twice is one."""
    return [event for place, event in enumerate(events) if event not in events[:place]]


def _record(uow: UnitOfWork, call: Inbound, event: Payload) -> None:
    cleared = " (cleared)" if event.get("cleared") else ""
    maintenance.record_event(
        uow,
        call.charger,
        kind="device",
        at=moment_or_receipt(event["timestamp"], call.received_at),
        summary=f"{name_of(event['component'], event['variable'])} = {event['actualValue'][:_SHOWN]}{cleared}",
        data=event,
        severity=_severity(event),
    )


def _record_together(uow: UnitOfWork, call: Inbound, events: Sequence[Payload]) -> None:
    names = sorted({name_of(event["component"], event["variable"]) for event in events})
    maintenance.record_event(
        uow,
        call.charger,
        kind="device",
        at=call.received_at,
        summary=f"{len(events)} more: {', '.join(names)}"[: 3 * _SHOWN],
        data={"eventData": list(events)},
    )


def _severity(event: Payload) -> Severity | None:
    """2.1 says it, from 0 (danger) over 3 (critical) and 6 (warning) to 9 (debug)."""
    level = event.get("severity")
    if not isinstance(level, int):
        return None
    return "critical" if level <= 3 else "warning" if level <= 6 else "info"


def _connector(event: Payload) -> tuple[int, int] | None:
    """EVSE and connector whose availability this event tells; None for all others."""
    component, variable = event["component"], event["variable"]
    if (component["name"], variable["name"]) != ("Connector", "AvailabilityState"):
        return None
    evse = component.get("evse", {})
    if event["actualValue"] not in _CONNECTOR_STATUSES or not 0 < evse.get("id", 0) <= MAX_EVSE_NO:
        return None
    return evse["id"], evse.get("connectorId", 1)
