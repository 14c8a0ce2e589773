"""What a simulated charger has its protocol do: the port between `charger.py` and the faces (`v16/`, `v201/`).

A face translates in both directions and decides nothing that hardware would: it tells what happened in the messages
of its version, and turns the platform's commands into orders. Telling again after a lost answer tells the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

from infra.local.simulators.evse import Delivery, Evse, Interrupted, Reservation, Stop
from infra.local.simulators.ocpp_client import Declined, Payload

MAX_ERRANDS: Final = 50

Call = Callable[[str, Payload], Awaitable[Payload]]
"""`(action, payload)` → the answer's payload; raises Disconnected, Refused."""
Errand = Callable[[], Awaitable[object]]
Order = Callable[[Payload], Payload]
BootReason = Literal["power_up", "remote_reset", "scheduled_reset", "triggered"]


@dataclass(frozen=True)
class Boot:
    """The platform's answer to a boot. `interval_s`: between heartbeats, or until the next try."""

    accepted: bool
    interval_s: int


class Errands:
    """What a command asked to be told after its answer, in order; bounded."""

    def __init__(self) -> None:
        self._waiting: deque[Errand] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, *errands: Errand) -> bool:
        """False, and none is taken, when there are too many."""
        if len(self._waiting) + len(errands) > MAX_ERRANDS:
            return False
        self._waiting.extend(errands)
        return True

    def first(self) -> Errand:
        return self._waiting[0]

    def done(self) -> None:
        """The first is."""
        self._waiting.popleft()

    def forget(self) -> None:
        self._waiting.clear()


class Face(Protocol):
    @property
    def subprotocol(self) -> str: ...

    async def boot(self, why: BootReason) -> Boot: ...

    async def heartbeat(self) -> None: ...

    def status_word(self, evse: Evse) -> str:
        """The EVSE's status as this version calls it."""

    async def tell_status(self, evse: Evse) -> None: ...

    async def begin(self, evse: Evse, delivery: Delivery) -> bool:
        """Gives the delivery its `transaction_id`; whether it may go on."""

    async def meter(self, evse: Evse, delivery: Delivery) -> None: ...

    async def end(self, evse: Evse, delivery: Delivery, why: Stop) -> None: ...

    async def end_interrupted(self, evse: Evse, interrupted: Interrupted) -> None: ...

    async def tell_expired(self, reservation: Reservation) -> None: ...

    def obey(self, action: str, payload: Payload) -> Payload:
        """The answer to a command. Raises Declined."""


def follow(order: Order, payload: Payload, malformed: str) -> Payload:
    """The order's answer. Raises Declined with the code `malformed` for a payload that is not what it should be."""
    try:
        return order(payload)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Declined(malformed) from error


def moment(text: str) -> datetime:
    """Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)


def text_of(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
