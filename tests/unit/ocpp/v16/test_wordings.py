"""The intents of the platform in 1.6: every one is worded, and what is said conforms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.chargers.model import INTENTS, Command
from chalicelib.ocpp.v16.commands.wordings import WORDINGS
from chalicelib.ocpp.v16.routes import COMMANDS, V16

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
UNTIL = "2026-03-02T09:00:00.000Z"
HEX = "00112233445566778899AABBCCDDEEFF00112233"


def say(intent: str, payload: dict[str, Any]) -> Any:
    command = Command("cmd_1", "CP-1", "org_1", intent, payload, "usr_1", NOW, NOW)
    return WORDINGS[intent].say(command)


def test_every_intent_is_worded_by_a_command_that_we_send() -> None:
    assert set(WORDINGS) == INTENTS
    assert {wording.action for wording in WORDINGS.values()} <= set(COMMANDS)


@pytest.mark.parametrize(
    ("intent", "payload", "said"),
    [
        ("start_session", {"evse_no": 1, "id_token": "T"}, {"connectorId": 1, "idTag": "T"}),
        (
            "start_session",
            {"evse_no": 2, "id_token": "T", "remote_start_id": 7, "limits": {"energy_wh": 5000}},
            {"connectorId": 2, "idTag": "T"},
        ),
        ("stop_session", {"transaction_id": 17}, {"transactionId": 17}),
        (
            "reserve",
            {"number": 5, "evse_no": 0, "id_token": "T", "expires_at": UNTIL},
            {"connectorId": 0, "expiryDate": UNTIL, "idTag": "T", "reservationId": 5},
        ),
        (
            "reserve",
            {"number": 5, "evse_no": 1, "id_token": "T", "expires_at": UNTIL, "group_id": "G", "connector_type": "x"},
            {"connectorId": 1, "expiryDate": UNTIL, "idTag": "T", "reservationId": 5, "parentIdTag": "G"},
        ),
        (
            "reserve",
            {"number": 5, "evse_no": 1, "id_token": "T", "expires_at": UNTIL, "group_id": "g" * 21},
            {"connectorId": 1, "expiryDate": UNTIL, "idTag": "T", "reservationId": 5},
        ),
        ("cancel_reservation", {"number": 5}, {"reservationId": 5}),
        ("read_configuration", {"names": []}, {}),
        ("read_configuration", {"names": ["A", "B"]}, {"key": ["A", "B"]}),
        ("write_configuration", {"name": "A", "value": "1"}, {"key": "A", "value": "1"}),
        ("set_password", {"password": HEX}, {"key": "AuthorizationKey", "value": HEX}),
        ("set_password", {"password": "p" * 16}, {"key": "AuthorizationKey", "value": "70" * 16}),
        (
            "set_password",
            {"password": "0123456789abcdef"},
            {"key": "AuthorizationKey", "value": b"0123456789abcdef".hex()},
        ),
        ("trigger_meter_values", {"evse_no": 1}, {"requestedMessage": "MeterValues", "connectorId": 1}),
        (
            "trigger_meter_values",
            {"evse_no": 1, "transaction_id": 17},
            {"requestedMessage": "MeterValues", "connectorId": 1},
        ),
        ("trigger_meter_values", {"evse_no": 0}, {"requestedMessage": "MeterValues"}),
        ("trigger_meter_values", {}, {"requestedMessage": "MeterValues"}),
        ("trigger_boot", {}, {"requestedMessage": "BootNotification"}),
        (
            "send_local_list",
            {"version": 1, "full": True, "entries": []},
            {"listVersion": 1, "localAuthorizationList": [], "updateType": "Full"},
        ),
        (
            "install_signed_certificate",
            {"chain_pem": "-----BEGIN", "kind": "charger", "request_id": 4},
            {"certificateChain": "-----BEGIN"},
        ),
    ],
)
def test_an_intent_in_the_words_of_1_6(intent: str, payload: dict[str, Any], said: dict[str, Any]) -> None:
    worded = say(intent, payload)
    assert worded == said
    action = WORDINGS[intent].action
    assert isinstance(action, str)
    assert V16.request_violation(action, worded) is None


def test_a_list_names_who_comes_and_who_goes_in_the_order_that_chargers_read() -> None:
    entries = [
        {"id_token": "GONE"},
        {"id_token": "NEW", "status": "Accepted", "expires_at": UNTIL, "group_id": "G"},
        {"id_token": "LONG-GROUP", "status": "Accepted", "group_id": "g" * 21},
        {"id_token": "t" * 21, "status": "Accepted"},
    ]
    said = say("send_local_list", {"version": 2, "full": False, "entries": entries})
    assert list(said) == ["listVersion", "localAuthorizationList", "updateType"]
    assert said["localAuthorizationList"] == [
        {"idTag": "GONE"},
        {"idTag": "NEW", "idTagInfo": {"status": "Accepted", "expiryDate": UNTIL, "parentIdTag": "G"}},
        {"idTag": "LONG-GROUP", "idTagInfo": {"status": "Accepted"}},
    ]
    assert said["updateType"] == "Differential"
    assert V16.request_violation("SendLocalList", said) is None


@pytest.mark.parametrize(
    ("intent", "payload"),
    [
        ("set_password", {"password": "p" * 15}),
        ("set_password", {"password": "p" * 21}),
        ("set_password", {"password": "p" * 40}),
        ("install_signed_certificate", {"chain_pem": "-----BEGIN", "kind": "v2g"}),
        ("install_signed_certificate", {"chain_pem": "-----BEGIN", "kind": "v2g20"}),
        ("set_web_payments", {}),
        ("web_payment_started", {"evse_no": 1}),
    ],
)
def test_what_1_6_cannot_carry_is_not_said(intent: str, payload: dict[str, Any]) -> None:
    assert say(intent, payload) is None


def test_a_configuration_is_heard_with_what_is_unknown() -> None:
    hear = WORDINGS["read_configuration"].hear
    assert hear is not None
    told = [{"key": "A", "value": "1", "readonly": False}, {"key": "B", "readonly": True}]
    assert hear({"configurationKey": told, "unknownKey": ["C"]}) == {
        "variables": [
            {"name": "A", "value": "1", "readonly": False},
            {"name": "B", "value": None, "readonly": True},
        ],
        "unknown": ["C"],
    }
    assert hear({}) == {"variables": [], "unknown": []}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Accepted", "accepted"),
        ("RebootRequired", "reboot_required"),
        ("Rejected", "rejected"),
        ("NotSupported", "not_supported"),
    ],
)
def test_a_written_key_is_heard(status: str, outcome: str) -> None:
    hear = WORDINGS["write_configuration"].hear
    assert hear is not None
    assert hear({"status": status}) == {"outcome": outcome}
