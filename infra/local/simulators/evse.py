"""One EVSE of a simulated charger and the car at it: the plug, the meter, a reservation. Pure; knows no protocol.

`hardware.py` gives the orders, `charger.py` lets time pass. The meter counts whole Wh and carries the rest on in time,
so that no energy is lost between readings.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

CAR_TAKES_WH: Final = 40_000
_MS_PER_HOUR: Final = 3_600_000

Stop = Literal["remote", "full", "deauthorized", "soft_reset", "hard_reset", "unlocked", "power_loss"]
"""Why a delivery ends."""
Status = Literal["available", "preparing", "charging", "suspended", "finishing", "reserved", "unavailable"]


@dataclass(frozen=True)
class IdToken:
    """`kind` in the words of 2.x; 1.6 has none."""

    text: str
    kind: str = "Central"


@dataclass
class Delivery:
    """One charge, from the order to the last word about it. `transaction_id` is None until it is known to have begun.

    The last four are of 2.x: the number of the next event, the state that was told last, the events that the platform
    has not answered yet, and how often it refused the first of them.
    """

    id_token: IdToken
    plugged_at: datetime
    started_wh: int
    remote_start_id: int | None = None
    reservation_number: int | None = None
    transaction_id: int | str | None = None
    is_plugged: bool = False
    is_running: bool = False
    meter_due: datetime | None = None
    stop: Stop | None = None
    seq_no: int = 0
    charging_state: str | None = None
    unsent: deque[dict[str, Any]] = field(default_factory=deque)
    refusals: int = 0


@dataclass(frozen=True)
class Reservation:
    number: int
    id_token: str
    expires_at: datetime


@dataclass(frozen=True)
class Interrupted:
    """A delivery that a power loss cut short, as the flash memory knows it."""

    transaction_id: int | str
    seq_no: int


@dataclass
class Evse:
    """`register_wh` is what the meter showed at `measured_at`; `power_w` flows since then. `told` is the status that
    the platform was told last, in the words of its protocol."""

    evse_no: int
    register_wh: int = 0
    power_w: int = 0
    measured_at: datetime | None = None
    is_operative: bool = True
    reservation: Reservation | None = None
    delivery: Delivery | None = None
    interrupted: Interrupted | None = None
    told: str | None = None
    is_finishing: bool = False

    @property
    def status(self) -> Status:
        delivery = self.delivery
        if delivery is not None and delivery.is_running:
            return "charging" if self.power_w else "suspended"
        if delivery is not None and delivery.is_plugged:
            return "preparing"
        if self.is_finishing:
            return "finishing"
        if not self.is_operative:
            return "unavailable"
        return "available" if self.reservation is None else "reserved"

    @property
    def is_full(self) -> bool:
        """Whether the car has what it takes."""
        return self.delivery is not None and self.register_wh - self.delivery.started_wh >= CAR_TAKES_WH

    def next_due(self) -> datetime | None:
        """When something happens here; long ago for what is overdue."""
        delivery = self.delivery
        if delivery is None:
            return self.reservation.expires_at if self.reservation else None
        if not delivery.is_running:
            return delivery.plugged_at
        return self.measured_at if delivery.stop or delivery.unsent else delivery.meter_due

    def measure(self, now: datetime) -> None:
        """Reads the meter. A clock that went back takes nothing from it."""
        if self.measured_at is None or not self.power_w:
            self.measured_at = now if self.measured_at is None else max(now, self.measured_at)
            return
        elapsed_ms = max(0, (now - self.measured_at) // timedelta(milliseconds=1))
        delivered_wh = self.power_w * elapsed_ms // _MS_PER_HOUR
        self.register_wh += delivered_wh
        self.measured_at += timedelta(milliseconds=-(-delivered_wh * _MS_PER_HOUR // self.power_w))

    def leave(self) -> None:
        """The car is gone."""
        self.delivery = None
        self.power_w = 0
        self.measured_at = None
