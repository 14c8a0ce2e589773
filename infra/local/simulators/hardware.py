"""A simulated charger without its network: EVSEs, settings, limits, lists, and the orders it is given.

The faces translate a protocol's commands into the orders here and answer at once; `charger.py` lets time pass and
does what was ordered. Nothing here knows OCPP's frames, and nothing here waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from infra.local.simulators.device_model import MAX_LIST_ENTRIES, MAX_LIST_UPDATE, PASSWORD, DeviceModel, Variable
from infra.local.simulators.evse import Delivery, Evse, IdToken, Reservation, Status, Stop
from infra.local.simulators.flash import Flash
from infra.local.simulators.power_limits import Profile, ProfileBook

PLUG_IN_TIME: Final = timedelta(seconds=3)
GRACE_TIME: Final = timedelta(seconds=1)
"""Before the charger hangs up on its own: its answer is to arrive first."""

Scheduling = Literal["accepted", "scheduled", "rejected"]
Reserving = Literal["accepted", "occupied", "unavailable", "rejected"]
Listing = Literal["accepted", "failed", "version_mismatch"]
_AVAILABILITY: Final[Mapping[Status, str]] = {
    "available": "Available",
    "preparing": "Occupied",
    "charging": "Occupied",
    "suspended": "Occupied",
    "finishing": "Occupied",
    "reserved": "Reserved",
    "unavailable": "Unavailable",
}


@dataclass(frozen=True)
class Restart:
    """From `at` on, as soon as nothing is being delivered. `is_scheduled`: it waits for that instead of ending it."""

    at: datetime
    is_scheduled: bool


class Hardware:
    """`now` is the platform's clock; `password` the one it was delivered with."""

    def __init__(
        self, now: Callable[[], datetime], password: bytes, memory: Path | None, *, evse_count: int, power_w: int
    ) -> None:
        self.now = now
        self.power_w = power_w
        self.evses = {evse_no: Evse(evse_no) for evse_no in range(1, evse_count + 1)}
        self.profiles = ProfileBook()
        self.restart: Restart | None = None
        self.rejoin_at: datetime | None = None
        self._flash = Flash(memory)
        self._flash.read(self.evses)
        self._password = password
        self.variables = DeviceModel(self._observed, self._flash.changed)

    # -- what it knows ----------------------------------------------------------------------------------------------

    @property
    def password(self) -> bytes:
        return self._flash.password or self._password

    @property
    def list_version(self) -> int:
        return self._flash.list_version

    def at(self, evse_no: int | None) -> list[Evse]:
        """That EVSE; all of them for None or 0; none for one it does not have."""
        if not evse_no:
            return list(self.evses.values())
        evse = self.evses.get(evse_no)
        return [] if evse is None else [evse]

    def delivering(self, transaction_id: int | str) -> Evse | None:
        for evse in self.evses.values():
            if evse.delivery is not None and evse.delivery.transaction_id == transaction_id:
                return evse
        return None

    @property
    def is_idle(self) -> bool:
        return all(evse.delivery is None for evse in self.evses.values())

    def keep(self) -> None:
        """Writes down what a power loss must not take."""
        self._flash.changed = self.variables.changed
        self._flash.write(self.evses)

    def _observed(self) -> Iterator[Variable]:
        yield Variable(None, "NumberOfConnectors", str(len(self.evses)))
        yield Variable("LocalAuthListCtrlr/Entries", None, str(len(self._flash.listed)), "integer")
        for no, evse in self.evses.items():
            availability = _AVAILABILITY[evse.status]
            yield Variable(f"EVSE@{no}/AvailabilityState", None, availability, "OptionList")
            yield Variable(f"EVSE@{no}/Power", None, str(evse.power_w), "decimal", "W")
            yield Variable(f"Connector@{no}.1/AvailabilityState", None, availability, "OptionList")
            yield Variable(f"Connector@{no}.1/ConnectorType", None, "sType2", "string")

    # -- orders: deliveries -----------------------------------------------------------------------------------------

    def order_start(
        self, evse_no: int | None, id_token: IdToken, remote_start_id: int | None = None
    ) -> Delivery | None:
        """A car is about to be plugged in at this EVSE (None: any that is free). None: there is no such place."""
        evse = next((evse for evse in self.at(evse_no) if self._may_start(evse, id_token)), None)
        if evse is None or self.restart is not None:
            return None
        number = None if evse.reservation is None else evse.reservation.number
        plugged_at = self.now() + PLUG_IN_TIME
        evse.delivery = Delivery(id_token, plugged_at, evse.register_wh, remote_start_id, number)
        evse.reservation = None
        return evse.delivery

    @staticmethod
    def _may_start(evse: Evse, id_token: IdToken) -> bool:
        if evse.delivery is not None or evse.interrupted is not None or not evse.is_operative:
            return False
        return evse.reservation is None or evse.reservation.id_token == id_token.text

    def order_stop(self, transaction_id: int | str, why: Stop) -> bool:
        evse = self.delivering(transaction_id)
        if evse is None:
            return False
        self.end(evse, why)
        return True

    @staticmethod
    def end(evse: Evse, why: Stop) -> None:
        """The first reason stays."""
        if evse.delivery is not None and evse.delivery.stop is None:
            evse.delivery.stop = why

    def unlock(self, evse_no: int) -> bool:
        """Ends what is being delivered there; False for a connector it does not have."""
        evses = self.at(evse_no) if evse_no else []
        for evse in evses:
            self.end(evse, "unlocked")
        return bool(evses)

    # -- orders: places ---------------------------------------------------------------------------------------------

    def order_reserve(self, evse_no: int, reservation: Reservation) -> Reserving:
        """The same number again replaces it (5.13)."""
        evse = self.evses.get(evse_no)
        if evse is None or reservation.expires_at <= self.now():
            return "rejected"
        if not evse.is_operative:
            return "unavailable"
        is_others = evse.reservation is not None and evse.reservation.number != reservation.number
        if evse.delivery is not None or is_others:
            return "occupied"
        self.cancel_reservation(reservation.number)
        evse.reservation = reservation
        return "accepted"

    def cancel_reservation(self, number: int) -> bool:
        for evse in self.evses.values():
            if evse.reservation is not None and evse.reservation.number == number:
                evse.reservation = None
                return True
        return False

    def change_availability(self, evse_no: int | None, *, is_operative: bool) -> Scheduling:
        """Where something is being delivered it is scheduled: that goes on until its end."""
        evses = self.at(evse_no)
        if not evses:
            return "rejected"
        for evse in evses:
            evse.is_operative = is_operative
        self.keep()
        is_busy = not is_operative and any(evse.delivery is not None for evse in evses)
        return "scheduled" if is_busy else "accepted"

    # -- orders: limits and lists -----------------------------------------------------------------------------------

    def install_profile(self, profile: Profile) -> bool:
        """A TxProfile is for a delivery that is there."""
        if profile.evse_no not in (0, *self.evses):
            return False
        if profile.purpose == "TxProfile":
            delivery = self.evses[profile.evse_no].delivery
            if delivery is None or profile.transaction_id not in (None, delivery.transaction_id):
                return False
        if not self.profiles.install(profile):
            return False
        self.adjust()
        return True

    def clear_profiles(self, matches: Callable[[Profile], bool]) -> bool:
        """Whether there was any."""
        removed = self.profiles.clear(matches)
        self.adjust()
        return removed > 0

    def adjust(self) -> None:
        """Lets flow what the limits allow now; a change is worth a reading."""
        now = self.now()
        for evse in self.evses.values():
            delivery = evse.delivery
            if delivery is None or not delivery.is_running:
                continue
            power_w = self.allowed_w(evse, delivery)
            if power_w != evse.power_w:
                evse.measure(now)
                evse.power_w = power_w
                delivery.meter_due = now

    def allowed_w(self, evse: Evse, delivery: Delivery) -> int:
        limit_w = self.profiles.limit_w(evse.evse_no, self.now(), delivery.plugged_at)
        return self.power_w if limit_w is None else min(limit_w, self.power_w)

    def release(self, evse: Evse) -> None:
        """The delivery there is over and told: the car leaves, and what was meant for this delivery alone is gone."""
        evse.leave()
        self.profiles.clear(lambda profile: profile.purpose == "TxProfile" and profile.evse_no == evse.evse_no)
        self.keep()

    def update_list(self, version: int, *, is_full: bool, entries: Mapping[str, bool]) -> Listing:
        """Id token → whether it stays. A step must be newer than what is known (2.0.1 D01.FR.16 and 19)."""
        if not is_full and version <= self._flash.list_version:
            return "version_mismatch"
        listed = set() if is_full else set(self._flash.listed)
        listed |= {id_token for id_token, stays in entries.items() if stays}
        listed -= {id_token for id_token, stays in entries.items() if not stays}
        if len(entries) > MAX_LIST_UPDATE or len(listed) > MAX_LIST_ENTRIES:
            return "failed"
        self._flash.listed, self._flash.list_version = listed, version
        self.keep()
        return "accepted"

    # -- orders: the charger itself ---------------------------------------------------------------------------------

    def order_restart(self, why: Stop | None) -> Scheduling:
        """What is being delivered ends for this reason; with none it is waited for."""
        was_idle = self.is_idle
        if why is not None:
            for evse in self.evses.values():
                self._cut_short(evse, why)
        self.restart = Restart(self.now() + GRACE_TIME, is_scheduled=why is None)
        return "scheduled" if why is None and not was_idle else "accepted"

    def _cut_short(self, evse: Evse, why: Stop) -> None:
        if evse.delivery is not None and not evse.delivery.is_plugged:
            self.release(evse)
        else:
            self.end(evse, why)

    def write(self, variable: Variable, value: str, password: bytes) -> bool:
        """Whether it took the value; `password` is what the value means should the variable be the password."""
        if not self.variables.write(variable, value):
            return False
        if variable.name == PASSWORD:
            self._flash.password = password
            self.rejoin_at = self.now() + GRACE_TIME
        self.keep()
        return True
