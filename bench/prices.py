"""Dollars of a charger-month on AWS, from what `bench.cost` counted. Pure.

List prices of us-east-1 without the free tier. Not in it: data transfer, support, and the REST calls of people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bench.cost import Usage, session
from chalicelib.charging.model import METER_RETENTION
from chalicelib.ocpp.store import MESSAGE_RETENTION

DAYS: Final = 365 / 12
MINUTES: Final = DAYS * 24 * 60
MILLION: Final = 1_000_000

MESSAGE_USD: Final = 1.00 / MILLION
CONNECTION_MINUTE_USD: Final = 0.25 / MILLION
INVOCATION_USD: Final = 0.20 / MILLION
GB_SECOND_USD: Final = 0.0000166667  # x86_64, as the functions are built
WRU_USD: Final = 0.625 / MILLION
RRU_USD: Final = 0.125 / MILLION
STORED_GB_MONTH_USD: Final = 0.25
LOG_GB_USD: Final = 0.50
TRANSITION_USD: Final = 0.025 / 1000
MAIL_USD: Final = 0.10 / 1000

MEMORY_GB: Final = 0.5
"""MemorySize of the WebSocket functions."""
CPU_S, ROUND_TRIP_S = 0.006, 0.005
"""Assumed for an invocation: CPU at 0.29 vCPU, and each call of DynamoDB."""
MESSAGE_LOG_CPU_S: Final = 0.001
"""Assumed too: making a row of the message log."""
STORED_MONTHS: Final = 13
MESSAGE_LOG_MONTHS: Final = MESSAGE_RETENTION.days / DAYS
METER_VALUES_MONTHS: Final = METER_RETENTION.days / DAYS
RECONNECTS_A_DAY: Final = 12
"""API Gateway ends every connection after two hours."""


@dataclass(frozen=True)
class Load:
    """What a charger does in a day."""

    name: str
    heartbeat_s: int
    meter_values_s: int
    sessions: int = 4
    session_s: int = 3600
    statuses: int = 20

    @property
    def heartbeats(self) -> float:
        return 24 * 3600 / self.heartbeat_s

    @property
    def meter_values(self) -> float:
        """Of one session."""
        return self.session_s / self.meter_values_s


STANDARD: Final = Load("standard load (heartbeat 300 s, meter values 60 s)", 300, 60)
PUSHED: Final = Load("our configuration (heartbeat 540 s, meter values 300 s)", 540, 300)


def day(used: dict[str, Usage], load: Load) -> Usage:
    """All that a charger's day uses. Statuses come in pairs: half of them within a minute of another frame."""
    total = session(used, load.meter_values)
    total = Usage().plus(total, load.sessions).plus(used["heartbeat"], load.heartbeats)
    for action in ("status, within a minute", "status, later"):
        total = total.plus(used[action], load.statuses / 2)
    for action in ("connect", "disconnect"):
        total = total.plus(used[action], RECONNECTS_A_DAY)
    return total


def monthly(used: dict[str, Usage], load: Load) -> dict[str, float]:
    """USD by item; all of them but the e-mails and the message log are what `total` adds up."""
    month = Usage().plus(day(used, load), DAYS)
    busy_s = month.invocations * CPU_S + month.round_trips * ROUND_TRIP_S
    readings = used["meter values"].stored_bytes * load.meter_values * load.sessions * DAYS
    byte_months = readings * METER_VALUES_MONTHS + (month.stored_bytes - readings) * STORED_MONTHS
    return {
        "messages": month.messages * MESSAGE_USD,
        "connection minutes": MINUTES * CONNECTION_MINUTE_USD,
        "Lambda requests": month.invocations * INVOCATION_USD,
        "Lambda time": busy_s * MEMORY_GB * GB_SECOND_USD,
        "DynamoDB writes": month.wru * WRU_USD,
        "DynamoDB reads": month.rru * RRU_USD,
        "DynamoDB storage": byte_months / 1e9 * STORED_GB_MONTH_USD,
        "logs": month.log_bytes / 1e9 * LOG_GB_USD,
        "state transitions": month.transitions * TRANSITION_USD,
        "e-mails": month.mails * MAIL_USD,
        "message log": _message_log(month),
    }


def _message_log(month: Usage) -> float:
    """Its writes, the time of the functions that make them after the answer, and a month of storage."""
    busy_s = month.message_log_trips * (MESSAGE_LOG_CPU_S + ROUND_TRIP_S)
    return (
        month.message_log_wru * WRU_USD
        + busy_s * MEMORY_GB * GB_SECOND_USD
        + month.message_log_bytes * MESSAGE_LOG_MONTHS / 1e9 * STORED_GB_MONTH_USD
    )


def total(items: dict[str, float]) -> float:
    """Dollars of a charger-month. Receipts are a choice of the operator's, the message log is for finding faults: both
    are shown apart."""
    return sum(usd for name, usd in items.items() if name not in ("e-mails", "message log"))
