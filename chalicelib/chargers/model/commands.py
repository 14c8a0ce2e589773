"""Commands: what we ask a charger to do, from the request to its answer.

queued → sent → accepted | rejected | failed | timed_out. A command that could not be delivered goes back to the
queue; one that nobody could send in time is timed out. The message id of its CALL is its command id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from chalicelib.kernel.lifecycle import Lifecycle

CommandState = Literal["queued", "sent", "accepted", "rejected", "failed", "timed_out"]

INTENTS = frozenset(
    {
        "cancel_reservation",
        "install_signed_certificate",
        "read_configuration",
        "renew_certificate",
        "reserve",
        "send_local_list",
        "set_password",
        "set_web_payments",
        "start_session",
        "stop_session",
        "trigger_boot",
        "trigger_meter_values",
        "web_payment_started",
        "write_configuration",
    }
)
"""What the platform itself asks for, whatever a charger speaks: each OCPP version has its wording. A command's action
is one of these, or (an operator asks) the name of an OCPP action of the charger's version."""

SECRET_INTENTS = frozenset({"set_password", "set_web_payments"})
"""What these carry is forgotten when they end, and never shown."""

ANSWER_TIMEOUT = timedelta(seconds=30)
MAX_OUTBOUND = 20

_LIFETIME = timedelta(minutes=10)
# A driver stands there and waits; a start that happens later would surprise whoever stands there then.
_START_LIFETIME = timedelta(seconds=60)
# Whenever the charger is back it may be asked how it is set, or for what it needs: it need not boot for that.
_CONFIGURATION_LIFETIME = timedelta(days=1)
# Who watched has looked away by then.
_WATCHING_LIFETIME = timedelta(seconds=30)
_LIFETIMES = {
    **dict.fromkeys(
        ("start_session", "web_payment_started", "RemoteStartTransaction", "RequestStartTransaction"), _START_LIFETIME
    ),
    **dict.fromkeys(("read_configuration", "renew_certificate", "write_configuration"), _CONFIGURATION_LIFETIME),
    "trigger_meter_values": _WATCHING_LIFETIME,
}

MAX_PROGRESS = 50


@dataclass(frozen=True)
class FollowUp:
    """Which command the charger's later reports are about. `topic` is what they carry: `request#17`, or the name of the
    procedure (`firmware`, `diagnostics`) where OCPP gives no number; the latest command of a topic has it."""

    charger_id: str
    topic: str
    command_id: str
    sent_at: datetime


def request_topic(request_id: int) -> str:
    """The topic of reports that carry the number of the request they are about."""
    return f"request#{request_id}"


COMMAND_LIFECYCLE = Lifecycle(
    noun="command",
    initial="queued",
    transitions={
        ("queued", "send"): "sent",
        ("queued", "time_out"): "timed_out",
        ("queued", "fail"): "failed",
        ("sent", "requeue"): "queued",
        ("sent", "accept"): "accepted",
        ("sent", "reject"): "rejected",
        ("sent", "fail"): "failed",
        ("sent", "time_out"): "timed_out",
    },
)

EVENT_OF_STATE = {"accepted": "accept", "rejected": "reject", "failed": "fail", "timed_out": "time_out"}


@dataclass(frozen=True)
class Progress:
    """What the charger told later about a request that it had accepted: `Downloading`, `Uploaded` ..."""

    status: str
    at: datetime
    detail: str = ""


@dataclass(frozen=True)
class Command:
    """One request to a charger. `answer` is the payload of its CALLRESULT, `error` why there is none, or
    which of the answer's items were refused.

    `sent_as` and `sent_payload` are what went out for an intent, in the words of `protocol`. `progress` is what the
    charger reported afterwards, oldest first.
    """

    command_id: str
    charger_id: str
    operator_id: str
    action: str
    payload: dict[str, Any]
    requested_by: str
    queued_at: datetime
    expires_at: datetime
    state: CommandState = "queued"
    session_id: str | None = None
    purpose: str | None = None
    sent_at: datetime | None = None
    finished_at: datetime | None = None
    answer: dict[str, Any] | None = None
    error: str | None = None
    protocol: str | None = None
    sent_as: str | None = None
    sent_payload: dict[str, Any] | None = None
    progress: list[Progress] = field(default_factory=list)

    @property
    def ocpp_action(self) -> str:
        """The OCPP action of its CALL (once it was sent)."""
        return self.sent_as or self.action

    @property
    def ocpp_payload(self) -> dict[str, Any]:
        return self.payload if self.sent_payload is None else self.sent_payload

    @property
    def is_secret(self) -> bool:
        return self.action in SECRET_INTENTS

    @property
    def is_finished(self) -> bool:
        return self.state in COMMAND_LIFECYCLE.final_states

    def is_overdue(self, now: datetime) -> bool:
        """Not sent before it expired, or sent and not answered in time."""
        if self.state == "queued":
            return now >= self.expires_at
        return self.state == "sent" and self.sent_at is not None and now - self.sent_at > ANSWER_TIMEOUT


def lifetime_of(action: str) -> timedelta:
    """How long a command of this action may wait for being sent."""
    return _LIFETIMES.get(action, _LIFETIME)
