"""Charging profiles as a simulated charger keeps and obeys them (OCPP 1.6 3.13, 2.0.1 K01). Pure; times come in.

Of each purpose the highest stack level that says something holds; a TxProfile takes the place of the TxDefaultProfile;
the lowest of what then holds is the limit. Both versions say the same in the same words but for a few names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from infra.local.simulators.device_model import MAX_PERIODS, MAX_PROFILES, MAX_STACK_LEVEL

VOLTAGE: Final = 230
PHASES: Final = 3
_CYCLES: Final = {"Daily": timedelta(days=1), "Weekly": timedelta(days=7)}
_OF_CHARGER: Final = frozenset({"ChargePointMaxProfile", "ChargingStationMaxProfile"})
_PURPOSES: Final = _OF_CHARGER | {"TxDefaultProfile", "TxProfile"}


@dataclass(frozen=True)
class Profile:
    """`evse_no` 0 is every EVSE; `periods` are (seconds from the start, W), in order. `cycle` None: once. `start`
    None: from the beginning of the delivery."""

    profile_id: int
    evse_no: int
    purpose: str
    stack_level: int
    periods: tuple[tuple[int, int], ...]
    transaction_id: int | str | None = None
    start: datetime | None = None
    cycle: timedelta | None = None
    duration_s: int | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    def limit_w(self, at: datetime, began_at: datetime) -> int | None:
        """What it allows at this moment; None when it has nothing to say."""
        if (self.valid_from and at < self.valid_from) or (self.valid_to and at >= self.valid_to):
            return None
        elapsed_s = (at - (self.start or began_at)) / timedelta(seconds=1)
        if elapsed_s < 0:
            return None
        if self.cycle is not None:
            elapsed_s %= self.cycle.total_seconds()
        if self.duration_s is not None and elapsed_s >= self.duration_s:
            return None
        return next((limit_w for start_s, limit_w in reversed(self.periods) if start_s <= elapsed_s), None)


def read_profile(evse_no: int, payload: dict[str, Any], moment: Callable[[str], datetime]) -> Profile | None:
    """A profile as either version writes it; None for one that this charger does not take. Raises KeyError, TypeError,
    ValueError for what is no profile."""
    schedule = payload["chargingSchedule"]
    if isinstance(schedule, list):
        schedule = schedule[0]
    told = schedule["chargingSchedulePeriod"]
    purpose, stack_level = payload["chargingProfilePurpose"], payload["stackLevel"]
    if purpose not in _PURPOSES or not 0 <= stack_level <= MAX_STACK_LEVEL or not 0 < len(told) <= MAX_PERIODS:
        return None
    if (purpose in _OF_CHARGER and evse_no) or (purpose == "TxProfile" and not evse_no):
        return None

    def when(record: dict[str, Any], name: str) -> datetime | None:
        return moment(record[name]) if name in record else None

    profile_id = payload["chargingProfileId"] if "chargingProfileId" in payload else payload["id"]
    start = None if payload["chargingProfileKind"] == "Relative" else when(schedule, "startSchedule")
    unit = schedule["chargingRateUnit"]
    return Profile(
        profile_id=profile_id,
        evse_no=evse_no,
        purpose=purpose,
        stack_level=stack_level,
        periods=tuple((period["startPeriod"], _watts(period, unit)) for period in told),
        transaction_id=payload.get("transactionId"),
        start=start,
        cycle=_CYCLES.get(payload.get("recurrencyKind", "")) if start else None,
        duration_s=schedule.get("duration"),
        valid_from=when(payload, "validFrom"),
        valid_to=when(payload, "validTo"),
    )


def _watts(period: dict[str, Any], unit: str) -> int:
    limit = max(0.0, float(period["limit"]))
    return int(limit if unit == "W" else limit * VOLTAGE * period.get("numberPhases", PHASES))


class ProfileBook:
    """The profiles that are installed: one per id, and one per EVSE, purpose and stack level."""

    def __init__(self) -> None:
        self._profiles: dict[int, Profile] = {}

    def install(self, profile: Profile) -> bool:
        """False when the book is full."""
        kept = {
            known.profile_id: known
            for known in self._profiles.values()
            if known.profile_id != profile.profile_id and _place(known) != _place(profile)
        }
        if len(kept) >= MAX_PROFILES:
            return False
        self._profiles = kept | {profile.profile_id: profile}
        return True

    def clear(self, matches: Callable[[Profile], bool]) -> int:
        """How many were removed."""
        kept = {number: profile for number, profile in self._profiles.items() if not matches(profile)}
        removed = len(self._profiles) - len(kept)
        self._profiles = kept
        return removed

    def limit_w(self, evse_no: int, at: datetime, began_at: datetime) -> int | None:
        """None: no limit."""
        here = [profile for profile in self._profiles.values() if profile.evse_no in (0, evse_no)]
        of_charger = _highest((p for p in here if p.purpose in _OF_CHARGER), at, began_at)
        of_delivery = _highest((p for p in here if p.purpose == "TxProfile"), at, began_at)
        if of_delivery is None:
            of_delivery = _highest((p for p in here if p.purpose == "TxDefaultProfile"), at, began_at)
        return min((limit for limit in (of_charger, of_delivery) if limit is not None), default=None)


def _place(profile: Profile) -> tuple[int, str, int]:
    return profile.evse_no, profile.purpose, profile.stack_level


def _highest(profiles: Iterable[Profile], at: datetime, began_at: datetime) -> int | None:
    """An EVSE's own profile before the one of all, on the same level."""
    for profile in sorted(profiles, key=lambda each: (each.stack_level, each.evse_no), reverse=True):
        limit_w = profile.limit_w(at, began_at)
        if limit_w is not None:
            return limit_w
    return None
