"""OCPP 2.0.1 and 2.1, us → charger: every request goes out as its schema has it, every kind of answer ends it right.

What any version has (one at a time, never twice, silence, malformed answers) is in test_commands.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import INTENTS, Progress
from chalicelib.ocpp import jobs
from chalicelib.ocpp.version import Version
from chalicelib.ocpp.versions import VERSIONS
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, World

V201, V21 = VERSIONS["ocpp2.0.1"], VERSIONS["ocpp2.1"]
HASHES = {"hashAlgorithm": "SHA256", "issuerNameHash": "aa", "issuerKeyHash": "bb", "serialNumber": "01"}
ADDRESS = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
CARD = {"idToken": "04A2B3C4", "type": "ISO14443"}
LATER = "2026-03-02T10:00:00Z"
PROFILE = {
    "id": 7,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}]}
    ],
}
MESSAGE = {"id": 3, "priority": "InFront", "message": {"format": "UTF8", "content": "Hello"}}
NETWORK = {
    "ocppVersion": "OCPP20",
    "ocppTransport": "JSON",
    "ocppCsmsUrl": "wss://csms.example/ocpp",
    "messageTimeout": 30,
    "securityProfile": 2,
    "ocppInterface": "Wired0",
}
MONITOR = {"value": 10.0, "type": "Delta", "severity": 5, **ADDRESS}
SCHEDULE = {
    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
    "evseId": 1,
    "duration": 60,
    "scheduleStart": LATER,
    "chargingRateUnit": "A",
}
TARIFF = {"tariffId": "day", "currency": "EUR", "energy": {"prices": [{"priceKwh": 0.35}]}}


@dataclass(frozen=True)
class Case:
    """A request, and the words of the answer's `status` that mean yes; all others of the schema mean no. `rest` is
    what the answer has besides. Without `yes` the answer has no status and is a yes in itself."""

    payload: dict[str, Any]
    yes: tuple[str, ...] = ("Accepted",)
    rest: dict[str, Any] | None = None


REPORT = ("Accepted", "EmptyResultSet")
CASES: dict[str, Case] = {
    "CancelReservation": Case({"reservationId": 5}),
    "CertificateSigned": Case({"certificateChain": "-----BEGIN", "certificateType": "V2GCertificate"}),
    "ChangeAvailability": Case({"operationalStatus": "Inoperative", "evse": {"id": 1}}, ("Accepted", "Scheduled")),
    "ClearCache": Case({}),
    "ClearChargingProfile": Case({"chargingProfileId": 7}),
    "ClearDisplayMessage": Case({"id": 3}),
    "ClearVariableMonitoring": Case({"id": [4]}, (), {"clearMonitoringResult": [{"id": 4, "status": "Accepted"}]}),
    "CostUpdated": Case({"totalCost": 1.5, "transactionId": "T-1"}, ()),
    "CustomerInformation": Case({"requestId": 9, "report": True, "clear": False, "idToken": CARD}),
    "DataTransfer": Case({"vendorId": "com.example", "data": {"a": 1}}),
    "DeleteCertificate": Case({"certificateHashData": HASHES}),
    "GetBaseReport": Case({"requestId": 9, "reportBase": "FullInventory"}, REPORT),
    "GetChargingProfiles": Case({"requestId": 9, "chargingProfile": {}}, ("Accepted", "NoProfiles")),
    "GetCompositeSchedule": Case({"duration": 60, "evseId": 1}, rest={"schedule": SCHEDULE}),
    "GetDisplayMessages": Case({"requestId": 9}, ("Accepted", "Unknown")),
    "GetInstalledCertificateIds": Case({}, ("Accepted", "NotFound")),
    "GetLocalListVersion": Case({}, (), {"versionNumber": 4}),
    "GetLog": Case(
        {"requestId": 9, "logType": "SecurityLog", "log": {"remoteLocation": "https://logs.example/a"}},
        ("Accepted", "AcceptedCanceled"),
    ),
    "GetMonitoringReport": Case({"requestId": 9}, REPORT),
    "GetReport": Case({"requestId": 9, "componentCriteria": ["Problem"]}, REPORT),
    "GetTransactionStatus": Case({"transactionId": "T-1"}, (), {"ongoingIndicator": True, "messagesInQueue": False}),
    "GetVariables": Case(
        {"getVariableData": [ADDRESS]},
        (),
        {"getVariableResult": [{**ADDRESS, "attributeStatus": "Accepted", "attributeValue": "540"}]},
    ),
    "InstallCertificate": Case({"certificateType": "CSMSRootCertificate", "certificate": "-----BEGIN"}),
    "PublishFirmware": Case({"requestId": 9, "location": "https://fw.example/1", "checksum": "0" * 32}),
    "RequestStartTransaction": Case({"idToken": CARD, "remoteStartId": 1, "evseId": 1}),
    "RequestStopTransaction": Case({"transactionId": "T-1"}),
    "ReserveNow": Case({"id": 5, "expiryDateTime": LATER, "idToken": CARD, "evseId": 1}),
    "Reset": Case({"type": "OnIdle"}, ("Accepted", "Scheduled")),
    "SendLocalList": Case({"versionNumber": 5, "updateType": "Full"}),
    "SetChargingProfile": Case({"evseId": 1, "chargingProfile": PROFILE}),
    "SetDisplayMessage": Case({"message": MESSAGE}),
    "SetMonitoringBase": Case({"monitoringBase": "All"}),
    "SetMonitoringLevel": Case({"severity": 4}),
    "SetNetworkProfile": Case({"configurationSlot": 1, "connectionData": NETWORK}),
    "SetVariableMonitoring": Case(
        {"setMonitoringData": [MONITOR]},
        (),
        {"setMonitoringResult": [{"id": 4, "status": "Accepted", "type": "Delta", "severity": 5, **ADDRESS}]},
    ),
    "SetVariables": Case(
        {"setVariableData": [{**ADDRESS, "attributeValue": "540"}]},
        (),
        {"setVariableResult": [{**ADDRESS, "attributeStatus": "RebootRequired"}]},
    ),
    "TriggerMessage": Case({"requestedMessage": "Heartbeat"}),
    "UnlockConnector": Case({"evseId": 1, "connectorId": 1}, ("Unlocked",)),
    "UnpublishFirmware": Case({"checksum": "0" * 32}, ("Unpublished",)),
    "UpdateFirmware": Case(
        {"requestId": 9, "firmware": {"location": "https://fw.example/1", "retrieveDateTime": LATER}},
        ("Accepted", "AcceptedCanceled"),
    ),
}
CASES_21: dict[str, Case] = {
    **CASES,
    "AFRRSignal": Case({"timestamp": LATER, "signal": 3}),
    "AdjustPeriodicEventStream": Case({"id": 1, "params": {"interval": 60}}),
    "ChangeTransactionTariff": Case({"transactionId": "T-1", "tariff": TARIFF}),
    "ClearDERControl": Case({"isDefault": True}),
    "ClearTariffs": Case({}, (), {"clearTariffsResult": [{"status": "Accepted"}]}),
    "GetDERControl": Case({"requestId": 9}, ("Accepted", "NotFound")),
    "GetPeriodicEventStream": Case({}, ()),
    "GetTariffs": Case({"evseId": 1}, ("Accepted", "NoTariff")),
    "NotifyAllowedEnergyTransfer": Case({"transactionId": "T-1", "allowedEnergyTransfer": ["DC"]}),
    "NotifyWebPaymentStarted": Case({"evseId": 1, "timeout": 60}, ()),
    "RequestBatterySwap": Case({"requestId": 9, "idToken": CARD}),
    "Reset": Case({"type": "ImmediateAndResume"}, ("Accepted", "Scheduled")),
    "SetDERControl": Case(
        {
            "isDefault": False,
            "controlId": "c1",
            "controlType": "LimitMaxDischarge",
            "limitMaxDischarge": {"priority": 1, "pctMaxDischargePower": 50.0},
        }
    ),
    "SetDefaultTariff": Case({"evseId": 1, "tariff": TARIFF}),
    "UpdateDynamicSchedule": Case({"chargingProfileId": 7, "scheduleUpdate": {"limit": 11.0}}),
    "UsePriorityCharging": Case({"transactionId": "T-1", "activate": True}),
}
TABLES = {V201.protocol: CASES, V21.protocol: CASES_21}
ROWS = [(protocol, action) for protocol, table in TABLES.items() for action in sorted(table)]


def connected(world: World, operator: Operator, protocol: str, charger_id: str = "V2-1") -> Wire:
    place(world, operator, charger_id)
    wire = Wire(world, charger_id)
    assert wire.connect(protocols=protocol) == (200, {"Sec-WebSocket-Protocol": protocol})
    return wire


@pytest.fixture(params=sorted(TABLES))
def wire(request: pytest.FixtureRequest, world: World, operator: Operator) -> Wire:
    """A charger that speaks 2.x; it has not said anything yet."""
    return connected(world, operator, request.param)


def ask(wire: Wire, action: str, payload: Any, answer: Any) -> tuple[str, Any]:
    """The command goes out and is answered; its state, and what was said."""
    queued = wire.queue(action, payload)
    [sent] = wire.commands()
    assert sent == [2, queued.command_id, action, payload]
    wire.reply(sent, answer)
    return wire.outcome(queued)


def progress(wire: Wire, action: str) -> list[Progress]:
    page = chargers.list_commands(wire.world.ctx, wire.charger_id, action=action, limit=1, cursor=None)
    return page.data[0].progress


def words(version: Version, action: str) -> list[str]:
    """Every word that the schema allows as the answer's status."""
    schema = json.loads(version.schemas.path(f"{action}Response").read_text("utf-8-sig"))
    reference = schema.get("properties", {}).get("status", {}).get("$ref", "")
    return list(schema["definitions"][reference.rpartition("/")[2]]["enum"]) if reference else []


def actions_of(version: Version) -> set[str]:
    folder = version.schemas.path("HeartbeatRequest").parent
    return {path.name.removesuffix("Request.json") for path in folder.glob("*Request.json")}


@pytest.mark.parametrize(("protocol", "action"), ROWS)
def test_a_command_goes_out_by_its_schema_and_every_answer_ends_it(
    world: World, operator: Operator, protocol: str, action: str
) -> None:
    version, case = VERSIONS[protocol], TABLES[protocol][action]
    wire = connected(world, operator, protocol)
    assert version.request_violation(action, case.payload) is None
    for word in words(version, action):
        answer = {"status": word, **(case.rest or {})}
        state = "accepted" if word in case.yes else "rejected"
        assert ask(wire, action, case.payload, answer) == (state, answer), word
    if not case.yes:
        assert ask(wire, action, case.payload, case.rest or {}) == ("accepted", case.rest or {})


@pytest.mark.parametrize("version", [V201, V21], ids=lambda version: version.protocol)
def test_the_tables_above_have_every_command_and_every_word(version: Version) -> None:
    table = TABLES[version.protocol]
    assert set(table) == set(version.commands)
    assert actions_of(version) >= set(version.commands)
    for action, case in table.items():
        assert set(case.yes) <= set(words(version, action)), action
        assert bool(case.yes) == bool(words(version, action)), action


@pytest.mark.parametrize("version", [V201, V21], ids=lambda version: version.protocol)
def test_what_is_no_command_is_what_chargers_send(version: Version) -> None:
    """Every action of the schemas is on one side or the other (both: DataTransfer)."""
    assert actions_of(version) - set(version.commands) <= set(version.actions) | version.unserved
    assert set(version.commands) & set(version.actions) == {"DataTransfer"}


@pytest.mark.parametrize("version", VERSIONS.values(), ids=lambda version: version.protocol)
def test_every_intent_has_its_words_in_every_version(version: Version) -> None:
    assert set(version.wordings) >= INTENTS
    assert set(version.wordings) == set(V201.wordings)


def test_what_the_charger_reports_later_attaches_to_the_command(wire: Wire) -> None:
    """A log is asked for by number; the charger's reports with that number are the command's progress."""
    payload = CASES["GetLog"].payload
    assert ask(wire, "GetLog", payload, {"status": "Accepted", "filename": "security.log"})[0] == "accepted"
    for status in ("Uploading", "Uploaded"):
        wire.call("LogStatusNotification", {"status": status, "requestId": payload["requestId"]})
    wire.call("LogStatusNotification", {"status": "UploadFailure", "requestId": 10})
    assert [step.status for step in progress(wire, "GetLog")] == ["Uploading", "Uploaded"]


@pytest.mark.parametrize(
    "action",
    [
        "CustomerInformation",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetDisplayMessages",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
        "PublishFirmware",
        "UpdateFirmware",
    ],
)
def test_numbered_requests_are_followed_up_by_their_number(world: World, wire: Wire, action: str) -> None:
    ask(wire, action, CASES[action].payload, {"status": "Accepted"})
    told = world.commit(lambda uow: chargers.follow_up(uow, wire.charger_id, "request#9", "Going on"))
    assert told is not None
    assert told.action == action


def test_every_numbered_request_has_a_topic() -> None:
    for version in (V201, V21):
        for action, route in version.commands.items():
            assert (route.topic is not None) == version.requires(action, "requestId"), action


def test_variables_of_which_one_is_refused_are_told_by_name(wire: Wire) -> None:
    """Two of three are set: the command is rejected, and says which one was not."""
    names = ("HeartbeatInterval", "MessageTimeout", "QueueAllMessages")
    items = [{"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": name}} for name in names]
    results = [
        {**items[0], "attributeStatus": "Accepted"},
        {
            **items[1],
            "attributeStatus": "Rejected",
            "attributeStatusInfo": {"reasonCode": "ReadOnly", "additionalInfo": "not by you"},
        },
        {**items[2], "attributeStatus": "RebootRequired"},
    ]
    queued = wire.queue("SetVariables", {"setVariableData": [{**item, "attributeValue": "1"} for item in items]})
    [sent] = wire.commands()
    wire.reply(sent, {"setVariableResult": results})
    now = chargers.get_command(wire.world.ctx, queued.command_id)
    assert now is not None
    assert (now.state, now.answer) == ("rejected", {"setVariableResult": results})
    assert now.error == "1 of 3 refused: OCPPCommCtrlr/MessageTimeout: Rejected (ReadOnly not by you)"


@pytest.mark.parametrize(
    ("action", "payload", "answer", "error"),
    [
        (
            "ClearVariableMonitoring",
            {"id": [4, 5]},
            {"clearMonitoringResult": [{"id": 4, "status": "Accepted"}, {"id": 5, "status": "NotFound"}]},
            "1 of 2 refused: monitor 5: NotFound",
        ),
        (
            "SetVariableMonitoring",
            {"setMonitoringData": [MONITOR]},
            {"setMonitoringResult": [{"status": "UnsupportedMonitorType", "type": "Delta", "severity": 5, **ADDRESS}]},
            "1 of 1 refused: OCPPCommCtrlr/HeartbeatInterval Delta: UnsupportedMonitorType",
        ),
    ],
)
def test_a_list_of_results_is_a_yes_only_if_all_are(
    wire: Wire, action: str, payload: Any, answer: Any, error: str
) -> None:
    queued = wire.queue(action, payload)
    [sent] = wire.commands()
    wire.reply(sent, answer)
    now = chargers.get_command(wire.world.ctx, queued.command_id)
    assert now is not None
    assert (now.state, now.error) == ("rejected", error)


def test_tariffs_that_are_not_cleared_are_told(world: World, operator: Operator) -> None:
    wire = connected(world, operator, "ocpp2.1")
    queued = wire.queue("ClearTariffs", {"tariffIds": ["day", "night"]})
    [sent] = wire.commands()
    results = [{"tariffId": "day", "status": "Accepted"}, {"tariffId": "night", "status": "NoTariff"}]
    wire.reply(sent, {"clearTariffsResult": results})
    now = chargers.get_command(world.ctx, queued.command_id)
    assert now is not None
    assert (now.state, now.error) == ("rejected", "1 of 2 refused: tariff night: NoTariff")


def test_an_error_is_shown_with_the_chargers_text(wire: Wire) -> None:
    """A charger that reads the profile with the field names of 1.6 (FoxESS) refuses it: the operator sees its words."""
    queued = wire.queue("SetChargingProfile", {"evseId": 1, "chargingProfile": PROFILE})
    [sent] = wire.commands()
    text = [4, sent[1], "PropertyConstraintViolation", "csChargingProfiles validation failed", {}]
    assert wire.send(json.dumps(text)) is None
    assert wire.outcome(queued) == ("failed", "PropertyConstraintViolation: csChargingProfiles validation failed")


def test_silence_times_out(wire: Wire) -> None:
    queued = wire.queue("GetBaseReport", {"requestId": 9, "reportBase": "FullInventory"})
    assert len(wire.commands()) == 1
    wire.world.advance(31)
    wire.world.run_job(jobs.expire_commands)
    assert wire.outcome(queued) == ("timed_out", "not answered in time")


def test_what_only_2_1_has_is_not_sent_to_a_2_0_1_charger(world: World, operator: Operator) -> None:
    wire = connected(world, operator, "ocpp2.0.1")
    queued = wire.queue("UsePriorityCharging", CASES_21["UsePriorityCharging"].payload)
    assert wire.commands() == []
    assert wire.outcome(queued) == ("failed", "UsePriorityCharging cannot be sent to this charger")
