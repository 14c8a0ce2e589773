"""What chargers are expected to be set to: templates by vendor and model, and what one charger is to have instead.

Three layers, the later over the earlier: the platform's built-in template, the operator's most specific template that
matches, the charger's own overrides. A value of None in a layer means: left to the charger. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

import msgspec

from chalicelib.chargers.model.configuration import has_components, is_component_name, is_secret, variable_key
from chalicelib.chargers.model.links import HEARTBEAT_INTERVAL_S
from chalicelib.kernel.errors import invalid

MAX_SETTINGS: Final = 100
MAX_SETTINGS_BYTES: Final = 16_000
"""Of one layer, as JSON: what was tried of all layers is kept in one row of the charger."""
MAX_TEMPLATES: Final = 100
ANY: Final = "*"
KEY_LENGTH: Final = 50
KEY_VALUE_LENGTH: Final = 500
"""OCPP 1.6 ChangeConfiguration.req."""

HEARTBEAT_NAMES: Final = frozenset({"heartbeatinterval", "ocppcommctrlr/heartbeatinterval"})

_KEY_NAME = re.compile(rf"[!-~](?:[ -~]{{0,{KEY_LENGTH - 2}}}[!-~])?")
_PART = r"[^./@\x00-\x1f]+"
_VARIABLE_NAME = re.compile(rf"{_PART}(?:\.{_PART})?(?:@\d{{1,9}}(?:\.\d{{1,9}})?)?/{_PART}(?:\.{_PART})?")

Source = Literal["platform", "template", "charger"]


@dataclass(frozen=True)
class Setting:
    """A variable by its name (of 1.6 or of 2.x: chargers are told those of their version) and the value to have."""

    name: str
    value: str | None


@dataclass(frozen=True)
class ChargerTemplate:
    """What all chargers whose BootNotification matches are to have. `vendor` and `model` are patterns: compared
    without case, `*` is any text. `operator_id` None: the platform's own, for everybody."""

    template_id: str
    operator_id: str | None
    name: str
    created_at: datetime
    vendor: str = ANY
    model: str = ANY
    settings: list[Setting] = field(default_factory=list)
    revision: int = 0


@dataclass(frozen=True)
class Expected:
    """The value that a variable is to have, and which layer says so."""

    name: str
    value: str
    source: Source


def choose_template(
    templates: Iterable[ChargerTemplate], vendor: str | None, model: str | None
) -> ChargerTemplate | None:
    """The most specific one that matches: vendor and model before model before vendor before anything; among equals
    the one with more letters, then the older one."""
    matching = [
        template
        for template in templates
        if matches(template.vendor, vendor or "") and matches(template.model, model or "")
    ]
    return min(matching, key=_generality, default=None)


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text fits, without case; `*` is any text, also none. Linear: no pattern takes long."""
    head, *rest = pattern.lower().split("*")
    text = text.lower()
    if not rest:
        return text == head
    *middle, tail = rest
    if not text.startswith(head) or len(text) < len(head) + len(tail) or not text.endswith(tail):
        return False
    at, end = len(head), len(text) - len(tail)
    for piece in middle:
        found = text.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def expected_settings(
    platform: Sequence[Setting], template: ChargerTemplate | None, overrides: Sequence[Setting], protocol: str
) -> dict[str, Expected]:
    """What a charger of this subprotocol is to have, by the key of the name."""
    layers: tuple[tuple[Source, Sequence[Setting]], ...] = (
        ("platform", platform),
        ("template", template.settings if template else ()),
        ("charger", overrides),
    )
    expected: dict[str, Expected] = {}
    for source, settings in layers:
        for setting in settings:
            key = variable_key(setting.name)
            if is_component_name(key) != has_components(protocol):
                continue
            if setting.value is None:
                expected.pop(key, None)
            else:
                expected[key] = Expected(setting.name, setting.value, source)
    return expected


def heartbeat_interval_s(expected: Mapping[str, Expected]) -> int:
    """What a boot is answered: many chargers take that for their HeartbeatInterval, and would drift by it."""
    values = [int(setting.value) for key, setting in expected.items() if key in HEARTBEAT_NAMES]
    return values[0] if values else HEARTBEAT_INTERVAL_S


def basis_of(expected: Mapping[str, Expected], firmware: str, protocol: str) -> str:
    """A short fingerprint of what a charger is to have and of what it is: the same until one of them changes."""
    wanted = sorted((key, setting.value) for key, setting in expected.items())
    return hashlib.sha256(msgspec.json.encode([protocol, firmware, wanted])).hexdigest()[:16]


def check_settings(settings: Sequence[Setting], pointer: str) -> None:
    """Raises setting.crowd (422) for too many, setting.repeated for a name that is there twice, and what
    `check_setting` does."""
    check_room(settings, pointer)
    seen: set[str] = set()
    for place, setting in enumerate(settings):
        key = variable_key(setting.name)
        check_setting(setting, f"{pointer}/{place}")
        if key in seen:
            raise invalid("setting.repeated", f"{setting.name} is there twice.", f"{pointer}/{place}/name")
        seen.add(key)


def check_room(settings: Sequence[Setting], pointer: str) -> None:
    """Raises setting.crowd (422) for more than MAX_SETTINGS or MAX_SETTINGS_BYTES in one layer."""
    if len(settings) > MAX_SETTINGS or len(msgspec.json.encode(settings)) > MAX_SETTINGS_BYTES:
        limit = f"There are at most {MAX_SETTINGS} settings, of {MAX_SETTINGS_BYTES} bytes together."
        raise invalid("setting.crowd", limit, pointer)


def check_setting(setting: Setting, pointer: str) -> None:
    """Raises setting.name (422) for what is no name, setting.value for what is too long for a 1.6 key,
    setting.heartbeat for an interval that would cost the connection, setting.secret: passwords have a rotation of their
    own, and would be shown here."""
    name = setting.name
    if is_component_name(name):
        if _VARIABLE_NAME.fullmatch(name) is None:
            raise invalid("setting.name", f"{name!r} is no Component/Variable.", f"{pointer}/name")
    elif _KEY_NAME.fullmatch(name) is None:
        raise invalid("setting.name", f"A key has 1 to {KEY_LENGTH} printable characters.", f"{pointer}/name")
    elif len(setting.value or "") > KEY_VALUE_LENGTH:
        raise invalid(
            "setting.value", f"The value of a key has at most {KEY_VALUE_LENGTH} characters.", f"{pointer}/value"
        )
    if variable_key(name) in HEARTBEAT_NAMES and not _is_heartbeat(setting.value):
        raise invalid(
            "setting.heartbeat",
            f"A heartbeat comes every 1 to {HEARTBEAT_INTERVAL_S} s: a connection that is silent for 600 s is closed.",
            f"{pointer}/value",
        )
    if is_secret(name):
        raise invalid("setting.secret", f"{name} is a secret, which is never set as configuration.", f"{pointer}/name")


def _is_heartbeat(value: str | None) -> bool:
    return value is None or (re.fullmatch(r"[0-9]{1,4}", value) is not None and 0 < int(value) <= HEARTBEAT_INTERVAL_S)


def _generality(template: ChargerTemplate) -> tuple[bool, bool, int, str]:
    letters = sum(len(pattern.replace("*", "")) for pattern in (template.vendor, template.model))
    return (template.model == ANY, template.vendor == ANY, -letters, template.template_id)
