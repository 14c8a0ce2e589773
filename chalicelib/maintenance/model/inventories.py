"""Inventories: what a charger has, as far as it told or accepted. One per charger and noun, bounded, keyed by the
charger's own ids. Pure: each function gives the entries after a change.

An inventory is what we were told, not what is: `told_at` says how old each entry is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from chalicelib.kernel.clock import from_rfc3339
from chalicelib.maintenance.model.journal import fingerprint, within_bounds

Noun = Literal["certificate", "display_message", "monitor", "charging_profile"]

MAX_ENTRIES: Final = 300
MAX_BYTES: Final = 200_000
"""A row of DynamoDB has 400 KB, and each KB is paid for at each change."""
_TX_PROFILE_LIFE: Final = timedelta(days=2)
"""Nobody tells that a transaction took its profile along."""


@dataclass(frozen=True)
class Entry:
    """One thing on the charger, in the words of its version."""

    key: str
    data: dict[str, Any]
    told_at: datetime
    source: str
    """`reported` by the charger, or `accepted`: we asked for it."""


@dataclass(frozen=True)
class Inventory:
    """`report_id`, `report_parts` and `last_part` are of the report that was told last; `revision` counts changes."""

    charger_id: str
    noun: str
    entries: dict[str, Entry] = field(default_factory=dict)
    revision: int = 0
    changed_at: datetime | None = None
    is_cut: bool = False
    report_id: int | None = None
    report_parts: int = 0
    last_part: str = ""


@dataclass(frozen=True)
class Part:
    """One message of a report in parts."""

    request_id: int | None
    told: list[Any]
    last: bool

    @property
    def fingerprint(self) -> str:
        return fingerprint([self.request_id, self.told, self.last])


def with_entries(inventory: Inventory, entries: Iterable[Entry]) -> Inventory:
    """The newest word about each key wins; the oldest entries make room where there are too many."""
    kept = dict(inventory.entries)
    for entry in entries:
        kept.pop(entry.key, None)
        kept[entry.key] = replace(entry, data=within_bounds(entry.data))
    total = sum(_size(entry) for entry in kept.values())
    is_cut = inventory.is_cut
    while len(kept) > MAX_ENTRIES or total > MAX_BYTES:
        total -= _size(kept.pop(next(iter(kept))))
        is_cut = True
    return replace(inventory, entries=kept, is_cut=is_cut)


def without(inventory: Inventory, keys: Iterable[str]) -> Inventory:
    gone = set(keys)
    return replace(inventory, entries={key: entry for key, entry in inventory.entries.items() if key not in gone})


def with_part(inventory: Inventory, part: Part) -> Inventory:
    """Counts the part of a report. A part that repeats the one before it (a lost answer) is not counted again."""
    parts = inventory.report_parts + 1 if inventory.report_id == part.request_id else 1
    return replace(inventory, report_id=part.request_id, report_parts=parts, last_part=part.fingerprint)


def is_repeat(inventory: Inventory, part: Part) -> bool:
    return inventory.report_parts > 0 and inventory.last_part == part.fingerprint


def _size(entry: Entry) -> int:
    return len(msgspec.json.encode(entry))


# -- monitors -----------------------------------------------------------------------------------------------------


def monitors_of(told: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """NotifyMonitoringReport groups monitors by variable (OCPP 2.0.1 MonitoringDataType): here each for itself."""
    found: list[dict[str, Any]] = []
    for group in told:
        place = {name: group[name] for name in ("component", "variable") if name in group}
        monitors = group.get("variableMonitoring")
        if isinstance(monitors, list):
            found.extend({**place, **monitor} for monitor in monitors if isinstance(monitor, Mapping))
        elif "id" in group:
            found.append(dict(group))
    return [monitor for monitor in found if isinstance(monitor.get("id"), int)]


# -- charging profiles --------------------------------------------------------------------------------------------

_TX_PURPOSE: Final = "TxProfile"


def profile_id(profile: Mapping[str, Any]) -> int | None:
    """`chargingProfileId` in OCPP 1.6, `id` in 2.x."""
    number = profile.get("chargingProfileId", profile.get("id"))
    return number if isinstance(number, int) else None


def replaced_profiles(inventory: Inventory, evse_no: int, profile: Mapping[str, Any]) -> list[str]:
    """Keys of those that the charger drops for this one: same place, purpose and stack level (OCPP 1.6 5.16.2,
    2.0.1 K01.FR.05), and of the same transaction where it names one."""
    names = ("chargingProfilePurpose", "stackLevel", "transactionId")
    said = [profile.get(name) for name in names]
    return [
        key
        for key, entry in inventory.entries.items()
        if entry.data.get("evse_no") == evse_no and [entry.data.get("profile", {}).get(name) for name in names] == said
    ]


def matching_profiles(
    inventory: Inventory,
    *,
    profile_id: int | None,
    evse_no: int | None,
    purpose: str | None,
    stack_level: int | None,
) -> list[str]:
    """Keys of those that ClearChargingProfile takes: the one with the id, else all that meet each given criterion."""
    if profile_id is not None:
        return [str(profile_id)] if str(profile_id) in inventory.entries else []
    wanted = {"chargingProfilePurpose": purpose, "stackLevel": stack_level}
    return [
        key
        for key, entry in inventory.entries.items()
        if evse_no in (None, entry.data.get("evse_no"))
        and all(value in (None, entry.data.get("profile", {}).get(name)) for name, value in wanted.items())
    ]


def is_over(entry: Entry, now: datetime) -> bool:
    """A charging profile that the charger has dropped by itself: past its `validTo`, or of a transaction long ago."""
    profile = entry.data.get("profile", {})
    try:
        if "validTo" in profile and from_rfc3339(str(profile["validTo"])) <= now:
            return True
    except ValueError:
        return False
    return profile.get("chargingProfilePurpose") == _TX_PURPOSE and now - entry.told_at > _TX_PROFILE_LIFE


# -- certificates -------------------------------------------------------------------------------------------------


def serial_key(serial_number: str) -> str:
    """Serial numbers are hexadecimal, with or without leading zeros, in any case (OCPP CertificateHashDataType)."""
    return serial_number.lower().lstrip("0") or "0"


def certificate_key(serial_number: str, issuer_key_hash: str) -> str:
    return f"{serial_key(serial_number)}#{issuer_key_hash.lower()}"
