"""Takes passwords out of OCPP messages before they are kept. Pure; the message log calls it, and who keeps the answers
to commands.

The invariant: no value of a password that OCPP names comes through, in whichever place the standard or a charger puts
it; text that names one and cannot be read is not kept at all. Everything else stays as it was sent, byte for byte.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

MASK: Final = "***"
WITHHELD: Final = "(not kept: it names a password and is not JSON)"

_KEYS: Final = frozenset({"authorizationkey"})
"""1.6: `{"key": ..., "value": ...}` of ChangeConfiguration and GetConfiguration."""
_VARIABLES: Final = frozenset({"basicauthpassword", "sharedsecret"})
"""2.x: `variable.name` beside the values of SetVariables, GetVariables, NotifyReport and NotifyEvent."""
_VALUES: Final = ("attributeValue", "actualValue", "value")
_PROPERTIES: Final = frozenset({"authorizationkey", "basicauthpassword", "password", "apnpassword", "simpin"})
"""2.x: SetNetworkProfile; and what chargers call it in messages of their own."""
_MARKS: Final = ("authorizationkey", "password", "sharedsecret", "simpin", '"vpn"', "\\u")
"""A text with none of these (in small letters) holds nothing to mask: the usual message is not parsed again."""


def mask_secrets(text: str) -> str:
    """The text of a message as it may be kept."""
    lowered = text.lower()
    if not any(mark in lowered for mark in _MARKS):
        return text
    try:
        message = msgspec.json.decode(text)
        masked = _masked(message)
    except (ValueError, RecursionError):
        return WITHHELD
    return text if masked == message else msgspec.json.encode(masked).decode()


def mask_payload(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload of a message as it may be kept."""
    masked: dict[str, Any] = _masked(payload)
    return masked


def _masked(value: Any) -> Any:
    if isinstance(value, list):
        return [_masked(item) for item in value]
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        return mask_secrets(value)  # DataTransfer carries JSON as text
    if not isinstance(value, dict):
        return value
    secret = _secret_names(value)
    return {
        name: _blank(item) if name in secret or name.lower() in _PROPERTIES else _masked(item)
        for name, item in value.items()
    }


def _secret_names(value: dict[str, Any]) -> tuple[str, ...]:
    """The properties of an object that hold a password because of what stands beside them."""
    variable = value.get("variable")
    name = variable.get("name") if isinstance(variable, dict) else value.get("key")
    known = _VARIABLES if isinstance(variable, dict) else _KEYS
    if isinstance(name, str) and name.strip().lower() in known:
        return (*_VALUES, "variableAttribute")
    # A VPN's `key` is the secret that both ends share.
    return ("key",) if {"server", "user", "password", "key"} <= value.keys() else ()


def _blank(value: Any) -> Any:
    """The same shape without what it says: that a value was there, and of what kind, is worth knowing."""
    if isinstance(value, list):
        return [_blank(item) for item in value]
    if isinstance(value, dict):
        return {name: _blank(item) if name in _VALUES else item for name, item in value.items()}
    return value if value is None else MASK
