"""2.0.1 and 2.1 chargers that report, and where a person would look for what they reported."""

from __future__ import annotations

from typing import Any

from chalicelib.chargers import service as chargers
from chalicelib.maintenance import service as maintenance
from chalicelib.maintenance.model.journal import ChargerEvent
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

AT = "2026-03-02T07:59:00.000Z"
CARD = "04A2B3C4"
PROTOCOLS = ("ocpp2.0.1", "ocpp2.1")
STATION = {"vendorName": "Wire", "model": "Two", "firmwareVersion": "2.3", "serialNumber": "SN-1"}
HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "01"}


def connected(
    world: World, operator: Operator, protocol: str, charger_id: str = "WIRE-2", *, placed: bool = True
) -> Wire:
    place(world, operator, charger_id, placed=placed)
    wire = Wire(world, charger_id)
    assert wire.connect(protocols=protocol)[0] == 200
    return wire


def protocol_of(wire: Wire) -> str | None:
    link = chargers.get_link(wire.world.ctx, wire.charger_id)
    return None if link is None else link.protocol


def journal(wire: Wire, kind: str) -> list[ChargerEvent]:
    """Oldest first."""
    return maintenance.list_events(wire.world.ctx, wire.charger_id, kind=kind, limit=100, cursor=None).data[::-1]


def entries(wire: Wire, noun: Any) -> list[dict[str, Any]]:
    return [entry.data for entry in maintenance.list_entries(wire.world.ctx, wire.charger_id, noun).entries.values()]


def boot(wire: Wire, reason: str = "PowerUp") -> Any:
    return wire.call("BootNotification", {"reason": reason, "chargingStation": STATION})


def ask(wire: Wire, action: str, payload: dict[str, Any], answer: dict[str, Any]) -> Any:
    """An operator asks; the charger says yes. The command as it went out."""
    wire.queue(action, payload)
    [command] = wire.commands()
    wire.reply(command, answer)
    return command


def progress(wire: Wire) -> list[tuple[str, str]]:
    """What the charger told about the operator's only command."""
    [command] = chargers.list_commands(wire.world.ctx, wire.charger_id, limit=10, cursor=None).data
    return [(step.status, step.detail) for step in command.progress]
