"""Passwords in OCPP messages: taken out wherever a version or a charger puts them; nothing else is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.ocpp.masking import MASK, WITHHELD, mask_secrets

SECRET = "9cA1b2"


@pytest.mark.parametrize(
    "payload",
    [
        {"key": "AuthorizationKey", "value": SECRET},
        {"configurationKey": [{"key": "AUTHORIZATIONKEY ", "readonly": False, "value": SECRET}]},
        {
            "setVariableData": [
                {
                    "attributeValue": SECRET,
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                }
            ]
        },
        {"getVariableResult": [{"variable": {"name": "basicauthpassword"}, "attributeValue": SECRET}]},
        {"reportData": [{"variable": {"name": "BasicAuthPassword"}, "variableAttribute": [{"value": SECRET}]}]},
        {"eventData": [{"variable": {"name": "BasicAuthPassword"}, "actualValue": SECRET}]},
        {"setVariableData": [{"variable": {"name": "SharedSecret"}, "attributeValue": SECRET}]},
        {"connectionData": {"basicAuthPassword": SECRET, "apn": {"apnPassword": SECRET, "simPin": SECRET}}},
        {"connectionData": {"vpn": {"server": "v", "user": "u", "password": SECRET, "key": SECRET}}},
        {"vendorId": "x", "data": json.dumps({"AuthorizationKey": SECRET})},
        {"vendorId": "x", "data": json.dumps([{"key": "AuthorizationKey", "value": SECRET}])},
        {"key": "AuthorizationKey", "value": [SECRET, {"value": SECRET}]},
    ],
)
def test_a_password_is_masked(payload: Any) -> None:
    masked = mask_secrets(json.dumps([2, "id", "Action", payload]))
    assert SECRET not in masked
    assert MASK in masked
    assert json.loads(masked)[:3] == [2, "id", "Action"]


def test_a_password_behind_escapes_is_masked() -> None:
    text = '[2,"id","ChangeConfiguration",{"key":"Author\\u0069zationKey","value":"9cA1b2"}]'
    assert SECRET not in mask_secrets(text)


@pytest.mark.parametrize(
    "text", ['[2,"id","ChangeConfiguration",{"key":"AuthorizationKey","value":"9cA1b2"', "Password: 9cA1b2"]
)
def test_what_names_a_password_and_is_no_json_is_not_kept(text: str) -> None:
    assert mask_secrets(text) == WITHHELD


def test_a_text_that_nests_too_deep_is_not_kept() -> None:
    assert mask_secrets('["password",' + "[" * 5000 + "]" * 5001) == WITHHELD


@pytest.mark.parametrize(
    "text",
    [
        '[2, "id", "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "540"}]',
        '[3, "id", {"status": "Accepted"}]',
        '[2, "id", "GetConfiguration", {"key": ["AuthorizationKey"]}]',
        '[2, "id", "GetVariables", {"getVariableData": [{"variable": {"name": "BasicAuthPassword"}}]}]',
        '[2, "id", "DataTransfer", {"data": "see \\u00fc { password"}]',
        "hello \ufeff",
        "",
    ],
)
def test_everything_else_stays_byte_for_byte(text: str) -> None:
    assert mask_secrets(text) == text
