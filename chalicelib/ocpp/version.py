"""What a version of OCPP is to the rest of this folder: its schemas, its error codes, its two maps.

A version is one folder (`v16/`) that fills in a `Version`, and one line in `versions.VERSIONS`. Actions translate a
payload into a call of a service and its outcome into a payload; they add writes to the unit of work and never commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chalicelib.chargers.model import Charger, Command, request_topic
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ocpp.errors import ErrorCodes, Failure
from chalicelib.ocpp.frames import Fault, Payload
from chalicelib.ocpp.repairs import NEVER_LOST, Repaired, repair
from chalicelib.ocpp.schemas import SchemaFolder, Violation
from chalicelib.ocpp.wording import Wording


@dataclass(frozen=True, slots=True)
class Inbound:
    """A CALL of a known charger, its payload as `Version.read_request` gives it."""

    charger: Charger
    message_id: str
    payload: Payload
    received_at: datetime


TIMED_OUT: Final = "timed_out"
"""The `detail` of an answer that never came: what the charger did is unknown."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended. `detail` is what the charger (or its silence: TIMED_OUT) said, `Rejected`; `payload` its
    CALLRESULT (of an intent: as the version's wording heard it), empty when there was none."""

    accepted: bool
    detail: str
    payload: Payload = field(default_factory=dict)


Handle = Callable[[UnitOfWork, Inbound], Payload]
Refuse = Callable[[Inbound, DomainError], Payload]
OnAnswer = Callable[[UnitOfWork, Command, Answer], None]
IsWanted = Callable[[Context, Command], bool]
IsHeard = Callable[[Context, Charger, Payload], bool]


@dataclass(frozen=True, slots=True)
class Action:
    """Charger → us. `refuse` gives the payload when a rule of the business was not met: what a CALLERROR would only
    make the charger send again, for ever."""

    handle: Handle
    refuse: Refuse | None = None
    while_pending: bool = False
    """Served also before the charger has been accepted."""
    heard_pending: IsHeard | None = None
    """Where that depends on what it says."""
    fresh_charger: bool | Callable[[Payload], bool] = False
    """Decides (or what this payload says does) on facts of the charger that may have changed within minutes."""

    def wants_fresh_charger(self, payload: Payload) -> bool:
        return self.fresh_charger if isinstance(self.fresh_charger, bool) else self.fresh_charger(payload)


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """Us → charger. `accepting` are the values of `status` that mean yes; empty: any valid answer does.

    `refusal` judges an answer that has a status per item instead of one: what was refused, in words, or None for yes.
    `on_answer` stores what the answer tells (also when an operator asked); `topic` names, from the payload, what later
    reports of the charger about this request will carry (`chargers.model.FollowUp`).
    """

    accepting: frozenset[str] = frozenset()
    on_answer: OnAnswer | None = None
    topic: Callable[[Payload], str] | None = None
    refusal: Callable[[Payload], str | None] | None = None


def numbered(payload: Payload) -> str:
    """A `CommandRoute.topic`: later reports carry the request's `requestId`."""
    return request_topic(payload["requestId"])


@dataclass(frozen=True, slots=True)
class Version:
    protocol: str
    schemas: SchemaFolder
    codes: ErrorCodes
    faults: Mapping[Fault, Failure | None]
    actions: Mapping[str, Action]
    commands: Mapping[str, CommandRoute]
    wordings: Mapping[str, Wording]
    """Every intent (`chargers.model.INTENTS`) in this version's words."""
    life_signs: frozenset[str]
    """Actions that exist to prove that the charger lives: each is noted."""
    unserved: frozenset[str] = frozenset()
    """Actions that the version has and we neither serve nor send: answered NotSupported, not NotImplemented."""
    request_suffix: str = ""
    """Of the names of request schemas: none in 1.6, `Request` in 2.x."""

    def request_violation(self, action: str, payload: object) -> Violation | None:
        return self.schemas.violation(action + self.request_suffix, payload)

    def read_request(self, action: str, payload: Payload, received_at: datetime) -> Repaired | Violation:
        """The payload of a charger's CALL, valid by the schema, repaired where that was needed; of an action of
        NEVER_LOST perhaps without properties that it must have. A violation where it cannot be told."""
        violation = self.request_violation(action, payload)
        if violation is None:
            return Repaired(payload, (), ())
        read = repair(self.schemas.schema(action + self.request_suffix), payload, received_at)
        if read.absent:
            return read if action in NEVER_LOST else violation
        return read if self.request_violation(action, read.payload) is None else violation

    def read_answer(self, action: str, payload: object, received_at: datetime) -> Repaired | Violation:
        """As `read_request`, for the charger's CALLRESULT to our CALL; nothing may be absent from it."""
        violation = self.answer_violation(action, payload)
        if not isinstance(payload, dict):
            return violation or Repaired({}, (), ())
        if violation is None:
            return Repaired(payload, (), ())
        read = repair(self.schemas.schema(f"{action}Response"), payload, received_at)
        conforms = not read.absent and self.answer_violation(action, read.payload) is None
        return read if conforms else violation

    def answer_violation(self, action: str, payload: object) -> Violation | None:
        return self.schemas.violation(f"{action}Response", payload)

    def requires(self, action: str, name: str) -> bool:
        """Whether a request of this action must carry the property `name`."""
        return name in self.schemas.required(action + self.request_suffix)

    def knows(self, action: str) -> bool:
        return action in self.actions or action in self.commands or action in self.unserved
