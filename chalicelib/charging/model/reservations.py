"""Reservations: an EVSE kept for one id token until a moment (OCPP 1.6 4.11, 2.0.1 H01 to H04). Pure.

The charger keeps it and refuses others; we ask, remember, and see that nobody else is sent there. A reservation is
over when its time has passed, whether or not the charger says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.kernel.ids import number_of
from chalicelib.kernel.lifecycle import Lifecycle

MAX_RESERVATION = timedelta(hours=24)

RESERVATION_LIFECYCLE = Lifecycle(
    noun="reservation",
    initial="requested",
    transitions={
        ("requested", "accepted"): "active",
        ("requested", "refused"): "refused",
        ("requested", "cancel_requested"): "cancelling",
        ("requested", "used"): "used",
        ("requested", "expired"): "expired",
        ("requested", "removed"): "cancelled",
        ("active", "cancel_requested"): "cancelling",
        ("active", "used"): "used",
        ("active", "expired"): "expired",
        ("active", "removed"): "cancelled",
        ("cancelling", "cancel_requested"): "cancelling",
        ("cancelling", "refused"): "cancelled",
        ("cancelling", "removed"): "cancelled",
        ("cancelling", "cancel_failed"): "active",
        ("cancelling", "used"): "used",
        ("cancelling", "expired"): "expired",
    },
)


@dataclass(frozen=True)
class Reservation:
    """`evse_no` 0: any EVSE of the charger. `group_id`: whoever belongs to it may use the reservation, too.

    `until` is when it ends by itself; `detail` what the charger said when it refused.
    """

    reservation_id: str
    state: str
    operator_id: str
    charger_id: str
    evse_no: int
    id_token: str
    until: datetime
    created_at: datetime
    requested_by: str
    driver_id: str | None = None
    group_id: str | None = None
    connector_type: str | None = None
    session_id: str | None = None
    detail: str | None = None

    @property
    def number(self) -> int:
        """What chargers call it: OCPP reservations have an int32."""
        return number_of(self.reservation_id)

    def state_at(self, now: datetime) -> str:
        """The state, seen now: nobody need tell that the time is over."""
        ends_by_itself = RESERVATION_LIFECYCLE.allows(self.state, "expired")
        return "expired" if ends_by_itself and now >= self.until else self.state

    def keeps_others_out(self, now: datetime) -> bool:
        return self.state_at(now) not in RESERVATION_LIFECYCLE.final_states


@dataclass(frozen=True)
class ReservedEvse:
    """The latest reservation of an EVSE (0: of any EVSE), by which two cannot be made at once."""

    charger_key: str
    evse_no: int
    reservation_id: str


@dataclass(frozen=True)
class ReservationEntry:
    """A line in the list of an operator or a driver. `owner` is the list's key."""

    owner: str
    reservation_id: str
