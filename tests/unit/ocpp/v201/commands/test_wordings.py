"""The intents of the platform in the words of 2.0.1 and 2.1: each is what the schema of the version has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.chargers.model import INTENTS, Command
from chalicelib.ocpp.version import Version
from chalicelib.ocpp.versions import VERSIONS

V201, V21 = VERSIONS["ocpp2.0.1"], VERSIONS["ocpp2.1"]
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
EXPIRY = "2026-03-02T10:00:00.000Z"
HEARTBEAT = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
APP = "APP0123456789ABCDEFG"

SAID: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    (
        "start_session",
        {"evse_no": 2, "id_token": APP, "remote_start_id": 77, "limits": {"energy_wh": 5000}},
        "RequestStartTransaction",
        {"evseId": 2, "idToken": {"idToken": APP, "type": "Central"}, "remoteStartId": 77},
    ),
    ("stop_session", {"transaction_id": "T-1"}, "RequestStopTransaction", {"transactionId": "T-1"}),
    (
        "reserve",
        {"number": 5, "evse_no": 1, "id_token": "04A2B3C4", "expires_at": EXPIRY},
        "ReserveNow",
        {"id": 5, "evseId": 1, "expiryDateTime": EXPIRY, "idToken": {"idToken": "04A2B3C4", "type": "ISO14443"}},
    ),
    (
        "reserve",
        {
            "number": 5,
            "evse_no": 0,
            "id_token": APP,
            "expires_at": EXPIRY,
            "group_id": "FLEET",
            "connector_type": "cCCS2",
        },
        "ReserveNow",
        {
            "id": 5,
            "expiryDateTime": EXPIRY,
            "idToken": {"idToken": APP, "type": "Central"},
            "groupIdToken": {"idToken": "FLEET", "type": "Central"},
            "connectorType": "cCCS2",
        },
    ),
    ("cancel_reservation", {"number": 5}, "CancelReservation", {"reservationId": 5}),
    (
        "read_configuration",
        {"names": ["OCPPCommCtrlr/HeartbeatInterval"]},
        "GetVariables",
        {"getVariableData": [HEARTBEAT]},
    ),
    (
        "write_configuration",
        {"name": "OCPPCommCtrlr/HeartbeatInterval", "value": "540"},
        "SetVariables",
        {"setVariableData": [{**HEARTBEAT, "attributeValue": "540"}]},
    ),
    (
        "set_password",
        {"password": "0123456789abcdef"},
        "SetVariables",
        {
            "setVariableData": [
                {
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                    "attributeValue": "0123456789abcdef",
                }
            ]
        },
    ),
    (
        "trigger_meter_values",
        {"evse_no": 2, "transaction_id": "T-1"},
        "TriggerMessage",
        {"requestedMessage": "TransactionEvent", "evse": {"id": 2}},
    ),
    ("trigger_meter_values", {"evse_no": 0}, "TriggerMessage", {"requestedMessage": "MeterValues"}),
    ("trigger_boot", {}, "TriggerMessage", {"requestedMessage": "BootNotification"}),
    (
        "send_local_list",
        {
            "version": 4,
            "full": False,
            "entries": [
                {"id_token": "04A2B3C4D5E6F7", "status": "accepted", "expires_at": EXPIRY, "group_id": "FLEET"},
                {"id_token": "E004015012345678"},
            ],
        },
        "SendLocalList",
        {
            "versionNumber": 4,
            "updateType": "Differential",
            "localAuthorizationList": [
                {
                    "idToken": {"idToken": "04A2B3C4D5E6F7", "type": "ISO14443"},
                    "idTokenInfo": {
                        "status": "Accepted",
                        "cacheExpiryDateTime": EXPIRY,
                        "groupIdToken": {"idToken": "FLEET", "type": "Central"},
                    },
                },
                {"idToken": {"idToken": "E004015012345678", "type": "ISO15693"}},
            ],
        },
    ),
    (
        "send_local_list",
        {"version": 1, "full": True, "entries": []},
        "SendLocalList",
        {"versionNumber": 1, "updateType": "Full"},
    ),
    (
        "renew_certificate",
        {"kind": "charger"},
        "TriggerMessage",
        {"requestedMessage": "SignChargingStationCertificate"},
    ),
    (
        "install_signed_certificate",
        {"kind": "v2g", "chain_pem": "PEM"},
        "CertificateSigned",
        {"certificateChain": "PEM", "certificateType": "V2GCertificate"},
    ),
]


SAID_IN_2_1_ALONE: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    (
        "set_web_payments",
        {"settings": {"WebPaymentsCtrlr/Length": "12", "WebPaymentsCtrlr/Enabled": "true"}},
        "SetVariables",
        {
            "setVariableData": [
                {
                    "component": {"name": "WebPaymentsCtrlr"},
                    "variable": {"name": name},
                    "attributeValue": value,
                }
                for name, value in (("Length", "12"), ("Enabled", "true"))
            ]
        },
    ),
    (
        "web_payment_started",
        {"evse_no": 2, "timeout_s": 300},
        "NotifyWebPaymentStarted",
        {"evseId": 2, "timeout": 300},
    ),
]


def command(intent: str, payload: dict[str, Any]) -> Command:
    return Command("cmd_1", "CP", "org_1", intent, payload, "usr_1", NOW, NOW)


def said(version: Version, intent: str, payload: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    asked = command(intent, payload)
    wording = version.wordings[intent]
    action = wording.action if isinstance(wording.action, str) else wording.action(asked)
    return action, wording.say(asked)


@pytest.mark.parametrize("version", [V201, V21], ids=lambda version: version.protocol)
@pytest.mark.parametrize(("intent", "payload", "action", "expected"), SAID)
def test_an_intent_is_said_by_the_schema(
    version: Version, intent: str, payload: dict[str, Any], action: str, expected: dict[str, Any]
) -> None:
    assert said(version, intent, payload) == (action, expected)
    assert version.request_violation(action, expected) is None


def test_the_tables_have_every_intent() -> None:
    assert {row[0] for row in [*SAID, *SAID_IN_2_1_ALONE]} == set(V201.wordings) == set(V21.wordings) == INTENTS


def test_the_whole_configuration_is_asked_for_as_a_report() -> None:
    action, payload = said(V201, "read_configuration", {"names": []})
    assert payload is not None
    assert action == "GetBaseReport"
    assert payload["reportBase"] == "FullInventory"
    assert V201.request_violation(action, payload) is None


def test_a_start_without_a_number_gets_one_that_stays() -> None:
    first = said(V201, "start_session", {"evse_no": 1, "id_token": APP})
    assert first == said(V201, "start_session", {"evse_no": 1, "id_token": APP})
    assert V201.request_violation(first[0], first[1]) is None


@pytest.mark.parametrize(("intent", "payload", "action", "expected"), SAID_IN_2_1_ALONE)
def test_what_only_2_1_has_words_for(
    intent: str, payload: dict[str, Any], action: str, expected: dict[str, Any]
) -> None:
    assert said(V21, intent, payload) == (action, expected)
    assert V21.request_violation(action, expected) is None
    assert said(V201, intent, payload)[1] is None


@pytest.mark.parametrize(
    ("intent", "payload"),
    [
        ("read_configuration", {"names": ["HeartbeatInterval"]}),
        ("write_configuration", {"name": "HeartbeatInterval", "value": "540"}),
        ("set_password", {"password": "too short"}),
        ("set_password", {"password": "x" * 41}),
        ("install_signed_certificate", {"kind": "v2g20", "chain_pem": "PEM"}),
        ("renew_certificate", {"kind": "v2g20"}),
    ],
)
def test_what_2_0_1_has_no_words_for_is_not_said(intent: str, payload: dict[str, Any]) -> None:
    assert said(V201, intent, payload)[1] is None


def test_2_1_says_which_request_a_certificate_answers() -> None:
    payload = {"kind": "v2g20", "chain_pem": "PEM", "request_id": 9}
    action, sent = said(V21, "install_signed_certificate", payload)
    assert sent == {"certificateChain": "PEM", "certificateType": "V2G20Certificate", "requestId": 9}
    assert V21.request_violation(action, sent) is None


def test_2_1_renews_the_certificates_of_iso_15118_20() -> None:
    action, sent = said(V21, "renew_certificate", {"kind": "v2g20"})
    assert sent == {"requestedMessage": "SignV2G20Certificate"}
    assert V21.request_violation(action, sent) is None


def test_variables_are_heard_by_name() -> None:
    hear = V201.wordings["read_configuration"].hear
    assert hear is not None
    other = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "Nonsense"}}
    secret = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    results = [
        {**HEARTBEAT, "attributeStatus": "Accepted", "attributeValue": "540"},
        {**other, "attributeStatus": "UnknownVariable"},
        {**secret, "attributeStatus": "Rejected"},
    ]
    assert hear({"getVariableResult": results}) == {
        "variables": [
            {"name": "OCPPCommCtrlr/HeartbeatInterval", "value": "540", "readonly": None},
            {"name": "SecurityCtrlr/BasicAuthPassword", "value": None, "readonly": None},
        ],
        "unknown": ["EVSE@1/Nonsense"],
    }
    assert hear({"status": "Accepted"}) == {"variables": [], "unknown": []}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Accepted", "accepted"),
        ("RebootRequired", "reboot_required"),
        ("Rejected", "rejected"),
        ("UnknownComponent", "not_supported"),
        ("UnknownVariable", "not_supported"),
        ("NotSupportedAttributeType", "not_supported"),
    ],
)
def test_a_write_is_heard_in_the_platforms_words(status: str, outcome: str) -> None:
    hear = V201.wordings["write_configuration"].hear
    assert hear is not None
    assert hear({"setVariableResult": [{**HEARTBEAT, "attributeStatus": status}]}) == {"outcome": outcome}
