"""Local authorization lists: which cards a charger knows by itself when it cannot ask. Pure.

A synchronisation compares what should be there with what the charger has and sends the difference in pages, each with
a version of its own, one after the other was accepted. After any trouble nobody knows what the charger has, and the
next synchronisation sends the whole list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from chalicelib.kernel.clock import to_rfc3339

LocalListState = Literal["unknown", "synchronizing", "synchronized", "outdated", "failed", "not_supported"]

PAGE_ENTRIES: Final = 50
"""In OCPP 2.x an entry takes up to 250 bytes: a page stays below 13 KB, and API Gateway takes 32."""
MAX_ENTRIES: Final = 2_000
MAX_GROUP_ID: Final = 36
"""OCPP 2.x, IdTokenType."""
MAX_VERSION: Final = 2**31 - 1
PAGE_LIMIT_NAMES: Final = ("SendLocalListMaxLength", "LocalAuthListCtrlr/ItemsPerMessage")
WHOLE_LIMIT_NAMES: Final = ("LocalAuthListMaxLength",)
"""In OCPP 1.6, in 2.x."""
STUCK_AFTER: Final = timedelta(minutes=30)


@dataclass(frozen=True)
class ListEntry:
    """One id token that may charge; `expires_at` and `group_id` as on the card."""

    id_token: str
    expires_at: str | None = None
    group_id: str | None = None

    def payload(self) -> dict[str, Any]:
        """The entry of intent `send_local_list`."""
        said = {"expires_at": self.expires_at, "group_id": self.group_id}
        return {
            "id_token": self.id_token,
            "status": "Accepted",
            **{name: value for name, value in said.items() if value is not None},
        }


@dataclass(frozen=True)
class LocalList:
    """How the list of one charger stands.

    `version` is what the charger is known to have; `sending_version` the page under way, `pages_sent` of `pages`;
    `is_full` whether this synchronisation began with an empty list; `knows_content` whether `held` is what the charger
    has. `was_repeated`: it answered VersionMismatch once already.

    `digest` tells the entries that were sent last, of which there was room for `room`, and `left_out` cards for which
    there was none. `firmware` is the one that keeps no lists. `excluded`: only told by hand.
    """

    charger_id: str
    operator_id: str
    state: LocalListState = "unknown"
    version: int = 0
    entry_count: int = 0
    knows_content: bool = False
    is_full: bool = False
    was_repeated: bool = False
    page_entries: int = PAGE_ENTRIES
    pages: int = 0
    pages_sent: int = 0
    sending_version: int | None = None
    queued_version: int | None = None
    requested_by: str = ""
    detail: str = ""
    digest: str = ""
    room: int | None = None
    left_out: int = 0
    firmware: str | None = None
    excluded: bool = False
    revision: int = 0
    changed_at: datetime | None = None
    synchronized_at: datetime | None = None

    def is_busy(self, now: datetime) -> bool:
        """A synchronisation is under way, and has not been forgotten."""
        return self.state == "synchronizing" and self.changed_at is not None and now - self.changed_at < STUCK_AFTER


@dataclass(frozen=True)
class ListContent:
    """Entries by id token key: what a charger holds, or what it shall hold."""

    charger_id: str
    role: Literal["held", "wanted"]
    entries: dict[str, ListEntry] = field(default_factory=dict)


def entry_of(id_token: str, expires_at: datetime | None, group_id: str | None) -> ListEntry:
    """A group that no version can carry is left out: one such card would have the whole page refused."""
    told_group = group_id if group_id is not None and len(group_id) <= MAX_GROUP_ID else None
    return ListEntry(id_token, None if expires_at is None else to_rfc3339(expires_at), told_group)


@dataclass(frozen=True, slots=True)
class ListLimits:
    """How many entries a message, and the whole list, may have."""

    page: int = PAGE_ENTRIES
    whole: int = MAX_ENTRIES


def limits_of(told: Callable[[str], str | None]) -> ListLimits:
    """Ours, or the charger's where it told smaller ones; `told` gives the value of a variable, by its name."""

    def limit(names: Sequence[str], ours: int) -> int:
        values = [value for value in map(told, names) if value is not None and value.isdecimal() and int(value) > 0]
        return min([ours, *map(int, values)])

    return ListLimits(limit(PAGE_LIMIT_NAMES, PAGE_ENTRIES), limit(WHOLE_LIMIT_NAMES, MAX_ENTRIES))


def keeps_lists(told: Callable[[str], str | None]) -> bool:
    """False where the charger's configuration says that it has no local lists; else it is asked, and will answer."""
    profiles, available = told("SupportedFeatureProfiles"), told("LocalAuthListCtrlr/Available")
    if profiles and "LocalAuthListManagement".casefold() not in profiles.casefold():
        return False
    return (available or "").strip().casefold() != "false"


def changes_between(held: Mapping[str, ListEntry], wanted: Mapping[str, ListEntry]) -> list[dict[str, Any]]:
    """Entries of a differential update: removals (no status) first, so that a full charger has room."""
    gone = [{"id_token": entry.id_token} for key, entry in held.items() if key not in wanted]
    return [*gone, *(entry.payload() for key, entry in wanted.items() if held.get(key) != entry)]


def pages_of(entries: Sequence[dict[str, Any]], size: int) -> list[list[dict[str, Any]]]:
    """At least one page: an empty full list clears the charger's."""
    return [list(entries[start : start + size]) for start in range(0, len(entries), size)] or [[]]


def by_key(entries: Iterable[tuple[str, ListEntry]]) -> dict[str, ListEntry]:
    return dict(sorted(entries))


def next_versions(version: int, pages: int) -> int:
    """The version of the first of so many pages: above the charger's, and never past OCPP's integer."""
    return version + 1 if version + pages <= MAX_VERSION else 1
