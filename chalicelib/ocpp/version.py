"""What a version of OCPP is to the rest of this folder: its schemas, its error codes, its two maps.

A version is one folder (`v16/`) that fills in a `Version`, and one line in `versions.VERSIONS`. Actions translate a
payload into a call of a service and its outcome into a payload; they add writes to the unit of work and never commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from chalicelib.chargers.model import Charger, Command
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.errors import ErrorCodes, Failure
from chalicelib.ocpp.frames import Fault, Payload
from chalicelib.ocpp.schemas import SchemaFolder


@dataclass(frozen=True, slots=True)
class Inbound:
    """A CALL of a known charger, its payload valid by the schema."""

    charger: Charger
    message_id: str
    payload: Payload
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended. `detail` is what the charger (or its silence) said: `Rejected`, `timed out`."""

    accepted: bool
    detail: str


Handle = Callable[[UnitOfWork, Inbound], Payload]
Refuse = Callable[[Inbound, DomainError], Payload]
OnAnswer = Callable[[UnitOfWork, Command, Answer], None]
IsWanted = Callable[[Context, Command], bool]


@dataclass(frozen=True, slots=True)
class Action:
    """Charger → us. `refuse` gives the payload when a rule of the business was not met: what a CALLERROR would only
    make the charger send again, for ever."""

    handle: Handle
    refuse: Refuse | None = None
    while_pending: bool = False
    """Served also before the charger has been accepted."""
    fresh_charger: bool = False
    """Decides on facts of the charger that may have changed within the last ten minutes."""


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """Us → charger. `accepting` are the values of `status` that mean yes; empty: any valid answer does."""

    accepting: frozenset[str] = frozenset()
    on_answer: OnAnswer | None = None
    is_wanted: IsWanted | None = None
    """Asked just before it is sent, where what it was queued for may be called off meanwhile."""


@dataclass(frozen=True, slots=True)
class Version:
    protocol: str
    schemas: SchemaFolder
    codes: ErrorCodes
    faults: Mapping[Fault, Failure | None]
    actions: Mapping[str, Action]
    commands: Mapping[str, CommandRoute]
    life_signs: frozenset[str]
    """Actions that exist to prove that the charger lives: each is noted."""
    known_elsewhere: frozenset[str]
    """Actions of this version that are neither served nor sent (yet, or by a CSMS at all)."""

    def knows(self, action: str) -> bool:
        return action in self.actions or action in self.commands or action in self.known_elsewhere
