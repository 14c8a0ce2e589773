"""Inventories: display messages, variable monitors, charging profiles and certificates that a charger has.

Each change reads one row and writes it on condition; a change that changes nothing writes nothing. Call one of these
per unit of work and noun: a transaction writes a row once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import Charger
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.maintenance import pki
from chalicelib.maintenance.model import inventories
from chalicelib.maintenance.model.certificates import hash_data_of
from chalicelib.maintenance.model.inventories import Entry, Inventory, Noun, Part
from chalicelib.maintenance.model.journal import fingerprint
from chalicelib.maintenance.store import INVENTORIES, InventoryRow, inventory_key

REPORTED = "reported"
ACCEPTED = "accepted"


# -- display messages ---------------------------------------------------------------------------------------------


def record_display_message(uow: UnitOfWork, charger: Charger, message: dict[str, Any]) -> None:
    """The charger accepted a message for its display (OCPP MessageInfoType)."""
    entries = _messages([message], uow.ctx.now(), ACCEPTED)
    _change(uow, charger, "display_message", lambda known: inventories.with_entries(known, entries))


def forget_display_message(uow: UnitOfWork, charger: Charger, message_id: int) -> None:
    _change(uow, charger, "display_message", lambda known: inventories.without(known, [str(message_id)]))


def report_display_messages(
    uow: UnitOfWork, charger: Charger, request_id: int | None, messages: list[dict[str, Any]], last: bool
) -> None:
    """A part of NotifyDisplayMessages; `last`: nothing comes after it."""
    entries = _messages(messages, uow.ctx.now(), REPORTED)
    _take_part(uow, charger, "display_message", Part(request_id, messages, last), entries)


def _messages(messages: Iterable[dict[str, Any]], now: datetime, source: str) -> list[Entry]:
    return [Entry(str(message["id"]), message, now, source) for message in messages if "id" in message]


# -- monitors -----------------------------------------------------------------------------------------------------


def report_monitors(
    uow: UnitOfWork, charger: Charger, request_id: int | None, entries: list[dict[str, Any]], last: bool
) -> None:
    """A part of NotifyMonitoringReport: `entries` as its `monitor` list, or monitors one by one."""
    told = _monitors(entries, uow.ctx.now(), REPORTED)
    _take_part(uow, charger, "monitor", Part(request_id, entries, last), told)


def record_monitors_set(uow: UnitOfWork, charger: Charger, results: list[dict[str, Any]]) -> None:
    """Results of SetVariableMonitoring, with what was asked where the caller has it; only accepted ones count."""
    accepted = [result for result in results if result.get("status") == "Accepted"]
    told = _monitors(accepted, uow.ctx.now(), ACCEPTED)
    _change(uow, charger, "monitor", lambda known: inventories.with_entries(known, told))


def forget_monitors(uow: UnitOfWork, charger: Charger, ids: Iterable[int]) -> None:
    keys = [str(number) for number in ids]
    _change(uow, charger, "monitor", lambda known: inventories.without(known, keys))


def _monitors(told: Iterable[dict[str, Any]], now: datetime, source: str) -> list[Entry]:
    return [Entry(str(monitor["id"]), monitor, now, source) for monitor in inventories.monitors_of(told)]


# -- charging profiles --------------------------------------------------------------------------------------------


def record_charging_profile(uow: UnitOfWork, charger: Charger, evse_no: int, profile: dict[str, Any]) -> None:
    """The charger accepted a charging profile (OCPP payload of its version) for an EVSE, 0 for all of it."""
    entries = _profiles(evse_no, "CSO", [profile], uow.ctx.now(), ACCEPTED)

    def changed(known: Inventory) -> Inventory:
        rest = inventories.without(known, inventories.replaced_profiles(known, evse_no, profile))
        return inventories.with_entries(rest, entries)

    _change(uow, charger, "charging_profile", changed)


def forget_charging_profiles(
    uow: UnitOfWork,
    charger: Charger,
    *,
    profile_id: int | None = None,
    evse_no: int | None = None,
    purpose: str | None = None,
    stack_level: int | None = None,
) -> None:
    """The charger accepted ClearChargingProfile; without criteria it dropped all."""
    _change(
        uow,
        charger,
        "charging_profile",
        lambda known: inventories.without(
            known,
            inventories.matching_profiles(
                known, profile_id=profile_id, evse_no=evse_no, purpose=purpose, stack_level=stack_level
            ),
        ),
    )


def report_charging_profiles(
    uow: UnitOfWork,
    charger: Charger,
    request_id: int | None,
    evse_no: int,
    source: str,
    profiles: list[dict[str, Any]],
    last: bool,
) -> None:
    """A part of ReportChargingProfiles; `source` is who set the limit (CSO, EMS, SO, Other)."""
    part = Part(request_id, [evse_no, source, *profiles], last)
    entries = _profiles(evse_no, source, profiles, uow.ctx.now(), REPORTED)
    _take_part(uow, charger, "charging_profile", part, entries)


def _profiles(
    evse_no: int, limit_source: str, profiles: Iterable[dict[str, Any]], now: datetime, source: str
) -> list[Entry]:
    found = []
    for profile in profiles:
        number = inventories.profile_id(profile)
        if number is not None:
            data = {"evse_no": evse_no, "limit_source": limit_source, "profile": profile}
            found.append(Entry(str(number), data, now, source))
    return found


# -- certificates -------------------------------------------------------------------------------------------------


def record_installed_certificates(
    uow: UnitOfWork, charger: Charger, entries: list[dict[str, Any]], *, kinds: Iterable[str] | None = ()
) -> None:
    """What the charger told of its certificates (`kind` and OCPP certificate hash data). A kind that is told, or was
    asked for (`kinds`; None: all), is told whole: what is not among its entries is not there any more."""
    now = uow.ctx.now()
    told = [_certificate(str(entry.get("kind", "")), entry, now, REPORTED) for entry in entries]
    whole = None if kinds is None else {*kinds, *(entry.data["kind"] for entry in told)}

    def changed(known: Inventory) -> Inventory:
        over = [key for key, entry in known.entries.items() if whole is None or entry.data.get("kind") in whole]
        merged = [_with_what_is_known(known, entry) for entry in told]
        return inventories.with_entries(inventories.without(known, over), merged)

    _change(uow, charger, "certificate", changed)


def record_certificate_installed(uow: UnitOfWork, charger: Charger, kind: str, pem: str) -> None:
    """The charger accepted InstallCertificate. One that nobody can read is kept by the hash of its text."""
    facts = pki.describe(pem)
    if facts is None:
        entry = Entry(fingerprint(pem), {"kind": kind, "pem": pem}, uow.ctx.now(), ACCEPTED)
    else:
        entry = _certificate(kind, {**facts, "pem": pem}, uow.ctx.now(), ACCEPTED)
    _change(uow, charger, "certificate", lambda known: inventories.with_entries(known, [entry]))


def forget_certificate(uow: UnitOfWork, charger: Charger, serial_number: str, issuer_key_hash: str) -> None:
    """The charger accepted DeleteCertificate."""
    key = inventories.certificate_key(serial_number, issuer_key_hash)
    _change(uow, charger, "certificate", lambda known: inventories.without(known, [key]))


def _with_what_is_known(known: Inventory, entry: Entry) -> Entry:
    """The charger tells hashes only; the text of one that we installed is not forgotten."""
    before = known.entries.get(entry.key)
    return entry if before is None else replace(entry, data={**before.data, **entry.data})


def _certificate(kind: str, entry: dict[str, Any], now: datetime, source: str) -> Entry:
    algorithm, name_hash, key_hash, serial_number = hash_data_of(entry)
    data: dict[str, Any] = {
        "kind": kind,
        "hash_algorithm": algorithm,
        "issuer_name_hash": name_hash,
        "issuer_key_hash": key_hash,
        "serial_number": serial_number,
        **{name: entry[name] for name in ("pem", "subject", "valid_until") if name in entry},
    }
    return Entry(inventories.certificate_key(serial_number, key_hash), data, now, source)


# -- the row ------------------------------------------------------------------------------------------------------


def list_entries(ctx: Context, charger_id: str, noun: Noun) -> Inventory:
    """What the charger has, in the order in which it was told; without what is over by itself."""
    known = _inventory(ctx, charger_id, noun)
    if noun != "charging_profile":
        return known
    now = ctx.now()
    return inventories.without(known, [key for key, entry in known.entries.items() if inventories.is_over(entry, now)])


def _take_part(uow: UnitOfWork, charger: Charger, noun: Noun, part: Part, entries: list[Entry]) -> None:
    """Stores what a part of a report tells; the command that asked for it shows how far the report is."""
    known = _inventory(uow.ctx, charger.charger_id, noun)
    if inventories.is_repeat(known, part):
        return
    after = inventories.with_part(inventories.with_entries(known, entries), part)
    _save(uow, known, after)
    if part.request_id is not None and (part.last or after.report_parts == 1):
        chargers.follow_report(uow, charger.charger_id, part.request_id, after.report_parts, is_last=part.last)


def _inventory(ctx: Context, charger_id: str, noun: Noun) -> Inventory:
    return INVENTORIES.get(ctx, *inventory_key(charger_id, noun)) or Inventory(charger_id, noun)


def _change(uow: UnitOfWork, charger: Charger, noun: Noun, change: Callable[[Inventory], Inventory]) -> None:
    known = _inventory(uow.ctx, charger.charger_id, noun)
    after = change(known)
    if _said(after) != _said(known):
        _save(uow, known, after)


def _said(inventory: Inventory) -> dict[str, dict[str, Any]]:
    return {key: entry.data for key, entry in inventory.entries.items()}


def _save(uow: UnitOfWork, known: Inventory, after: Inventory) -> None:
    """Written if nobody changed it since it was read (StaleRead: decide again)."""
    unchanged = InventoryRow.pk.does_not_exist() if known.revision == 0 else InventoryRow.revision == known.revision
    saved = replace(after, revision=known.revision + 1, changed_at=uow.ctx.now())
    uow.put(INVENTORIES, saved, condition=unchanged, name="inventory")
