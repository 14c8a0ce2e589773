"""What 2.0.1 and 2.1 chargers report lands where a person would look for it. Each story runs in both versions."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.maintenance import service as maintenance
from tests.contract.ocpp.reporting import AT, PROTOCOLS, ask, boot, connected, entries, journal, progress, protocol_of
from tests.contract.ocpp.wire import Wire
from tests.world import Operator, World

CONNECTOR = {"name": "Connector", "evse": {"id": 1, "connectorId": 2}}


@pytest.fixture(params=PROTOCOLS)
def wire(request: pytest.FixtureRequest, world: World, operator: Operator) -> Wire:
    return connected(world, operator, request.param)


@pytest.fixture
def wire21(world: World, operator: Operator) -> Wire:
    return connected(world, operator, "ocpp2.1")


# -- provisioning -----------------------------------------------------------------------------------------------------


def test_a_boot_says_who_and_why(wire: Wire) -> None:
    answer = boot(wire, "Watchdog")
    assert answer["status"] == "Accepted"
    charger = chargers.require_charger(wire.world.ctx, wire.charger_id)
    assert (charger.vendor, charger.model, charger.firmware_version) == ("Wire", "Two", "2.3")
    assert charger.reported_serial_number == "SN-1"
    [event] = journal(wire, "boot")
    assert (event.summary, event.severity, event.data["reason"]) == ("Watchdog", "warning", "Watchdog")


def test_a_boot_that_we_asked_for_is_no_news(wire: Wire) -> None:
    boot(wire, "Triggered")
    assert journal(wire, "boot") == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_charger_that_is_not_placed_is_pending_until_it_is(world: World, operator: Operator, protocol: str) -> None:
    wire = connected(world, operator, protocol, placed=False)
    answer = boot(wire)
    assert (answer["status"], answer["interval"]) == ("Pending", 60)
    assert wire.error("Heartbeat", {}) == "SecurityError"
    assert journal(wire, "boot") == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pending_charger_is_heard_on_what_we_asked(world: World, operator: Operator, protocol: str) -> None:
    """B02.FR.09: TriggerMessage opens the way for one message, for a short while; the others stay closed."""
    wire = connected(world, operator, protocol, placed=False)
    boot(wire)
    status = {"timestamp": AT, "connectorStatus": "Available", "evseId": 1, "connectorId": 1}
    assert wire.error("StatusNotification", status) == "SecurityError"
    ask(wire, "TriggerMessage", {"requestedMessage": "StatusNotification"}, {"status": "Accepted"})
    assert wire.call("StatusNotification", status) == {}
    assert wire.error("Heartbeat", {}) == "SecurityError"
    world.advance(301)
    assert wire.error("StatusNotification", status) == "SecurityError"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refused_trigger_opens_nothing(world: World, operator: Operator, protocol: str) -> None:
    wire = connected(world, operator, protocol, placed=False)
    ask(wire, "TriggerMessage", {"requestedMessage": "Heartbeat"}, {"status": "Rejected"})
    assert wire.error("Heartbeat", {}) == "SecurityError"


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pending_charger_may_ask_for_the_certificate_that_we_want_it_to_have(
    world: World, operator: Operator, protocol: str
) -> None:
    wire = connected(world, operator, protocol, placed=False)
    ask(wire, "TriggerMessage", {"requestedMessage": "SignV2GCertificate"}, {"status": "Accepted"})
    assert wire.call("SignCertificate", {"csr": "none"}) == {"status": "Rejected"}


def test_a_report_in_parts_becomes_the_configuration(wire: Wire) -> None:
    ask(wire, "GetBaseReport", {"requestId": 7, "reportBase": "FullInventory"}, {"status": "Accepted"})
    first = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "HeartbeatInterval"},
        "variableAttribute": [{"type": "Target", "value": "1"}, {"value": "300", "mutability": "ReadWrite"}],
        "variableCharacteristics": {"dataType": "integer", "unit": "s", "supportsMonitoring": False},
    }
    second = {
        "component": {"name": "EVSE", "evse": {"id": 1}},
        "variable": {"name": "AvailabilityState"},
        "variableAttribute": [{"type": "Actual", "value": "Available", "mutability": "ReadOnly"}],
    }
    report = {"requestId": 7, "generatedAt": AT}
    wire.call("NotifyReport", {**report, "seqNo": 0, "tbc": True, "reportData": [first]})
    assert progress(wire) == []
    wire.call("NotifyReport", {**report, "seqNo": 1, "reportData": [second]})
    assert progress(wire) == [("reported (2 parts)", "")]
    charger = chargers.require_charger(wire.world.ctx, wire.charger_id)
    known = chargers.get_configuration(wire.world.ctx, charger).known
    told = {v.name: (v.value, v.readonly, v.data_type, v.unit) for v in known.values()}
    assert told["OCPPCommCtrlr/HeartbeatInterval"] == ("300", False, "integer", "s")
    assert told["EVSE@1/AvailabilityState"] == ("Available", True, None, None)


# -- status and events ------------------------------------------------------------------------------------------------


def statuses(wire: Wire) -> tuple[list[str | None], list[tuple[int, int | None, str | None]]]:
    facts = chargers.get_facts(wire.world.ctx, chargers.require_charger(wire.world.ctx, wire.charger_id))
    further = [(evse.evse_no, evse.connector_no, evse.status) for evse in facts.further_connectors]
    return [evse.status for evse in facts.connectors], further


def test_a_status_is_that_of_its_evse_and_of_its_second_connector(wire: Wire) -> None:
    for connector_no, status in ((1, "Available"), (2, "Faulted")):
        payload = {"timestamp": AT, "connectorStatus": status, "evseId": 1, "connectorId": connector_no}
        assert wire.call("StatusNotification", payload) == {}
    assert statuses(wire) == (["Faulted", None], [(1, 2, "Faulted")])


def event(event_id: int, component: dict[str, Any], variable: str, value: str, **more: Any) -> dict[str, Any]:
    return {
        "eventId": event_id,
        "timestamp": AT,
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": component,
        "variable": {"name": variable},
        **more,
    }


def notify(wire: Wire, *events: dict[str, Any]) -> None:
    assert wire.call("NotifyEvent", {"generatedAt": AT, "seqNo": 0, "eventData": list(events)}) == {}


def test_an_event_is_a_line_in_the_journal(wire: Wire) -> None:
    notify(wire, event(1, {"name": "ConnectedEV"}, "Problem", "true", techCode="E7", cleared=True))
    [line] = journal(wire, "device")
    assert (line.summary, line.data["techCode"]) == ("ConnectedEV/Problem = true (cleared)", "E7")
    assert line.at.isoformat() == "2026-03-02T07:59:00+00:00"


def test_the_availability_of_a_connector_is_its_status(wire: Wire) -> None:
    notify(
        wire,
        event(1, CONNECTOR, "AvailabilityState", "Available"),
        event(2, CONNECTOR, "AvailabilityState", "Occupied"),
        event(3, CONNECTOR, "AvailabilityState", "On fire"),
        event(4, {"name": "EVSE", "evse": {"id": 2}}, "AvailabilityState", "Faulted"),
    )
    assert statuses(wire) == (["Occupied", None], [(1, 2, "Occupied")])


@pytest.mark.parametrize("count", [24, 25, 26, 200])
def test_a_flood_of_events_is_one_commit_and_none_is_lost(wire: Wire, count: int) -> None:
    notify(wire, *[event(number, {"name": f"C{number}"}, "Problem", "true") for number in range(count)])
    lines = journal(wire, "device")
    assert len(lines) == min(count, 25)
    if count > 25:
        assert lines[-1].summary.startswith(f"{count - 24} more: C")


def test_the_same_event_twice_lands_once(wire: Wire) -> None:
    same = event(1, {"name": "FiscalMetering"}, "Problem", "true")
    notify(wire, same, same)
    notify(wire, same)
    assert len(journal(wire, "device")) == 1


@pytest.mark.parametrize(
    ("level", "severity"), [(0, "critical"), (3, "critical"), (4, "warning"), (6, "warning"), (9, "info")]
)
def test_how_bad_an_event_is(wire21: Wire, level: int, severity: str) -> None:
    notify(wire21, event(1, {"name": "FiscalMetering"}, "Problem", "true", severity=level))
    assert [line.severity for line in journal(wire21, "device")] == [severity]


def test_a_security_event_twice_lands_once(wire: Wire) -> None:
    payload = {"type": "TamperDetectionActivated", "timestamp": AT, "techInfo": "lid"}
    for _ in range(2):
        assert wire.call("SecurityEventNotification", payload) == {}
    [line] = journal(wire, "security")
    assert line.severity == "critical"


def test_a_vendors_message_is_kept_and_not_understood(wire: Wire) -> None:
    answer = wire.call("DataTransfer", {"vendorId": "com.acme", "messageId": "Weather", "data": {"rain": True}})
    assert answer == {"status": "UnknownVendorId"}
    [line] = journal(wire, "data_transfer")
    assert (line.summary, line.data["data"]) == ("com.acme Weather", {"rain": True})


# -- firmware, logs, reports that were asked for ----------------------------------------------------------------------


def test_a_firmware_update_is_followed(wire: Wire) -> None:
    firmware = {"location": "https://files.example/f", "retrieveDateTime": AT}
    ask(wire, "UpdateFirmware", {"requestId": 5, "firmware": firmware}, {"status": "Accepted"})
    for status in ("Downloading", "Downloaded", "Installed"):
        assert wire.call("FirmwareStatusNotification", {"status": status, "requestId": 5}) == {}
    assert [status for status, _ in progress(wire)] == ["Downloading", "Downloaded", "Installed"]


def test_a_firmware_update_of_its_own_accord_is_seen_all_the_same(wire: Wire) -> None:
    wire.call("FirmwareStatusNotification", {"status": "Installing"})
    [procedure] = maintenance.list_procedures(wire.world.ctx, wire.charger_id, limit=10, cursor=None).data
    assert (procedure.kind, procedure.status) == ("firmware", "Installing")


def test_published_firmware_tells_where(wire: Wire) -> None:
    payload = {"location": "https://files.example/f", "checksum": "0" * 32, "requestId": 6}
    ask(wire, "PublishFirmware", payload, {"status": "Accepted"})
    report = {"status": "Published", "requestId": 6, "location": ["ftp://10.0.0.2/f"]}
    assert wire.call("PublishFirmwareStatusNotification", report) == {}
    assert progress(wire) == [("Published", "ftp://10.0.0.2/f")]


def test_the_upload_of_a_log_is_followed(wire: Wire) -> None:
    payload = {"logType": "DiagnosticsLog", "requestId": 8, "log": {"remoteLocation": "https://files.example/"}}
    ask(wire, "GetLog", payload, {"status": "Accepted"})
    for status in ("Uploading", "Uploaded"):
        assert wire.call("LogStatusNotification", {"status": status, "requestId": 8}) == {}
    assert [status for status, _ in progress(wire)] == ["Uploading", "Uploaded"]


def test_the_reason_of_a_failure_is_told_on(wire21: Wire) -> None:
    payload = {"logType": "DiagnosticsLog", "requestId": 8, "log": {"remoteLocation": "https://files.example/"}}
    ask(wire21, "GetLog", payload, {"status": "Accepted"})
    why = {"reasonCode": "InvalidURL", "additionalInfo": "no such host"}
    wire21.call("LogStatusNotification", {"status": "UploadFailure", "requestId": 8, "statusInfo": why})
    assert progress(wire21) == [("UploadFailure", "InvalidURL no such host")]


def test_monitors_messages_and_profiles_are_kept(wire: Wire) -> None:
    monitor = {"id": 3, "transaction": False, "value": 1, "type": "Delta", "severity": 8}
    if protocol_of(wire) == "ocpp2.1":
        monitor["eventNotificationType"] = "CustomMonitor"
    told = {"component": {"name": "EVSE"}, "variable": {"name": "Power"}, "variableMonitoring": [monitor]}
    wire.call("NotifyMonitoringReport", {"requestId": 1, "seqNo": 0, "generatedAt": AT, "monitor": [told]})
    assert len(entries(wire, "monitor")) == 1
    message = {"id": 4, "priority": "InFront", "message": {"format": "UTF8", "content": "Hello"}}
    wire.call("NotifyDisplayMessages", {"requestId": 2, "messageInfo": [message]})
    assert [entry["id"] for entry in entries(wire, "display_message")] == [4]
    schedule = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]}
    profile = {
        "id": 9,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    report = {"requestId": 3, "chargingLimitSource": "CSO", "evseId": 1, "chargingProfile": [profile]}
    wire.call("ReportChargingProfiles", report)
    assert len(entries(wire, "charging_profile")) == 1


def test_an_empty_last_part_of_a_report_is_the_end_of_it(wire: Wire) -> None:
    ask(wire, "GetMonitoringReport", {"requestId": 1}, {"status": "Accepted"})
    wire.call("NotifyMonitoringReport", {"requestId": 1, "seqNo": 0, "generatedAt": AT})
    assert progress(wire) != []


def test_what_a_charger_holds_about_a_person(wire: Wire) -> None:
    ask(wire, "CustomerInformation", {"requestId": 4, "report": True, "clear": False}, {"status": "Accepted"})
    part = {"generatedAt": AT, "requestId": 4}
    wire.call("NotifyCustomerInformation", {**part, "data": "Dora ", "seqNo": 0, "tbc": True})
    wire.call("NotifyCustomerInformation", {**part, "data": "Driver", "seqNo": 1})
    told = maintenance.get_customer_information(wire.world.ctx, wire.charger_id, 4)
    assert "Dora Driver" in str(told)
