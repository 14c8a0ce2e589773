"""Remote trigger: the charger is asked to say something, and says it."""

from __future__ import annotations

from typing import Any

from tests.contract.ocpp.octt16.scripted import NOW, ScriptedCharger

BOOT = {"chargePointVendor": "Wire", "chargePointModel": "One"}
READING = {"connectorId": 1, "meterValue": [{"timestamp": NOW, "sampledValue": [{"value": "1000"}]}]}
AVAILABLE = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}

SAYS: dict[str, dict[str, Any]] = {
    "MeterValues": READING,
    "Heartbeat": {},
    "StatusNotification": AVAILABLE,
    "DiagnosticsStatusNotification": {"status": "Idle"},
    "FirmwareStatusNotification": {"status": "Idle"},
    "BootNotification": BOOT,
}


def test_tc_054_csms(charger: ScriptedCharger) -> None:
    """Everything that 1.6 lets us ask for: the charger agrees, says it, and is answered."""
    for message, payload in SAYS.items():
        wanted = {"requestedMessage": message}
        if "connectorId" in payload:
            wanted = {**wanted, "connectorId": 1}
        assert charger.ask("TriggerMessage", wanted).reply({"status": "Accepted"}) == "accepted"
        charger.call(message, payload)


def test_tc_055_csms(charger: ScriptedCharger) -> None:
    """The charger will not."""
    asked = charger.ask("TriggerMessage", {"requestedMessage": "MeterValues", "connectorId": 1})
    assert asked.reply({"status": "Rejected"}) == "rejected"
