"""What remains of a delivery: the sealed CDR, the day's totals, and stops for which no session could be found. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from chalicelib.charging.model.transactions import TransactionId
from chalicelib.kernel.money import Money

OrphanCause = Literal["unknown_transaction", "session_over"]


@dataclass(frozen=True)
class Cdr:
    """The sealed billing record of one charging session. `captured + uncollected = total_cost`. What was captured, the
    driver's wallet has paid, or `enterprise_id` owes it to the operator."""

    cdr_id: str
    session_id: str
    operator_id: str
    charger_id: str
    evse_no: int
    id_token: str
    started_at: datetime
    ended_at: datetime
    energy_wh: int
    total_cost: Money
    captured: Money
    uncollected: Money
    business_day: str
    lines: list[dict[str, Any]]
    location_id: str | None = None
    driver_id: str | None = None
    tariff_id: str | None = None
    tariff_version: int | None = None
    stop_reason: str | None = None
    abnormal_cause: str | None = None
    enterprise_id: str | None = None


@dataclass(frozen=True)
class CdrTotals:
    """What the index of a day's CDRs carries."""

    cdr_id: str
    session_id: str
    energy_wh: int
    total_cost: Money
    captured: Money
    uncollected: Money
    driver_id: str | None = None
    location_id: str | None = None
    enterprise_id: str | None = None


@dataclass(frozen=True)
class OrphanStop:
    """A stop that could not be billed: kept for the operator, so that the energy is not lost.

    `cause` is unknown_transaction (no session could be found) or session_over (`session_id` was given up before).
    """

    operator_id: str
    charger_id: str
    transaction_id: TransactionId
    stopped_at: datetime
    received_at: datetime
    cause: OrphanCause
    meter_stop_wh: int | None = None
    session_id: str | None = None
    id_token: str | None = None
    reason: str | None = None
