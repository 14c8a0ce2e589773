"""What people pick charging sessions by, and how a session stands with its payer. Pure.

The list of the console and the files that are exported from it use the same `SessionFilter`, so that a file holds what
the screen showed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from chalicelib.chargers.model import charger_key
from chalicelib.charging.model.sessions import (
    DELIVERING_STATES,
    OPEN_STATES,
    PENDING_STATES,
    ChargingSession,
    SessionState,
    order_no_of,
)
from chalicelib.kernel.spans import Span, overlap

SessionGroup = Literal["waiting", "live", "history", "abnormal"]
"""The tabs of the screens: not begun yet, delivering now, over, over and not as it should be."""
PaymentStatus = Literal[
    "held", "not_held", "paid", "partly_paid", "uncollected", "free", "released", "refunded", "partly_refunded"
]

_A_DAY: Final = timedelta(days=1)


def payment_status(session: ChargingSession) -> PaymentStatus:
    """How the session stands with who pays for it.

    While it is open: `held` money is reserved, `not_held` nobody is known to pay, or had nothing. Then: `released`
    nothing was delivered, and what was held is back; `free` it cost nothing; `paid` all of its cost was taken from the
    wallet (or is an enterprise's to pay, see `enterprise_id`), `partly_paid` some of it, `uncollected` none. Where a
    correction has given back: `refunded` nothing of what was taken is left, `partly_refunded` all that it costs is.
    """
    if session.is_open:
        return "held" if session.held > 0 else "not_held"
    if session.cost is None:
        return "released"
    captured = session.captured or 0
    if session.cost <= 0:
        return "refunded" if session.given_back else "free"
    if captured >= session.cost:
        return "partly_refunded" if session.given_back else "paid"
    return "partly_paid" if captured > 0 else "uncollected"


def is_in_group(session: ChargingSession, group: SessionGroup) -> bool:
    """An abnormal order is one that was given up, or whose registers or clock cannot be true (`abnormal_cause`)."""
    if group == "waiting":
        return session.state in PENDING_STATES
    if group == "live":
        return session.state in DELIVERING_STATES
    if group == "history":
        return session.state not in OPEN_STATES
    return not session.is_open and (session.state == "abnormal" or session.abnormal_cause is not None)


@dataclass(frozen=True)
class SessionFilter:
    """None: whatever. `date_from` and `date_to` (exclusive) are of the request, by our clock; ids of chargers and
    id tokens are compared without case, `order_no` is what is printed on the receipt
    (the receipt's own number does as well);
    `agency_id` is whose location it was when the session was made."""

    date_from: datetime | None = None
    date_to: datetime | None = None
    location_id: str | None = None
    agency_id: str | None = None
    charger_id: str | None = None
    evse_no: int | None = None
    state: SessionState | None = None
    group: SessionGroup | None = None
    payment_status: PaymentStatus | None = None
    driver_id: str | None = None
    id_token: str | None = None
    order_no: str | None = None

    def matches(self, session: ChargingSession) -> bool:
        """Whether the session is one of those, its moment aside: that is in its id, see `window`."""
        return self._is_there(session) and self._is_whose(session) and self._stands_so(session)

    def window(self) -> Span:
        """When the sessions were asked for: from, and until before. An order's number tells its day; a request that
        was tried again over midnight was first made on the day before."""
        asked = (self.date_from, self.date_to)
        day = _day_of(self.order_no)
        return overlap(asked, (None, None) if day is None else (day - _A_DAY, day + _A_DAY))

    def _is_there(self, session: ChargingSession) -> bool:
        return (
            self.location_id in (None, session.location_id)
            and self.agency_id in (None, session.agency_id)
            and (self.charger_id is None or charger_key(session.charger_id) == charger_key(self.charger_id))
            and self.evse_no in (None, session.evse_no)
        )

    def _is_whose(self, session: ChargingSession) -> bool:
        return (
            self.driver_id in (None, session.driver_id)
            and (self.id_token is None or session.id_token.upper() == self.id_token.strip().upper())
            and (self.order_no is None or session.order_no == order_no_of(self.order_no))
        )

    def _stands_so(self, session: ChargingSession) -> bool:
        return (
            self.state in (None, session.state)
            and (self.group is None or is_in_group(session, self.group))
            and self.payment_status in (None, payment_status(session))
        )


def _day_of(order_no: str | None) -> datetime | None:
    """The day (UTC) that an order's number begins with; None for what is no such number: nothing has it."""
    if order_no is None:
        return None
    try:
        return datetime.strptime(order_no.strip()[:6] + "+0000", "%y%m%d%z")
    except ValueError:
        return None
