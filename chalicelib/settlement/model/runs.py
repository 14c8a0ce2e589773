"""Settlement runs: when a business day is due, and what may become of its run; pure.

One run per operator and business day computes the statement from CDRs; it is posted only if the ledger, read
independently, says the same. What gets onto a day that is settled (its operator moved to a zone further west and lives
it again) a supplement takes up: a further run of that day, of what the runs before it have not settled.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.settlement.model.contracts import ContractKind
from chalicelib.settlement.model.statements import Line

GRACE = timedelta(minutes=15)
"""After the operator's midnight: commits that were decided before it have landed."""

MAX_DAYS = 31
"""Runs that are opened at once for one operator."""

RESTARTED_AFTER = timedelta(hours=2)
"""A workflow that has not come to an end by then is taken for dead. Two at once would do no harm."""

RunState = Literal["open", "computed", "posting", "posted", "disputed"]

RUN_LIFECYCLE: Lifecycle[RunState] = Lifecycle(
    noun="settlement_run",
    initial="open",
    transitions={
        ("open", "computed"): "computed",
        ("computed", "computed"): "computed",
        ("computed", "agreed"): "posting",
        ("computed", "disagreed"): "disputed",
        ("disputed", "computed"): "computed",
        ("posting", "posted"): "posted",
    },
)
"""From `posting` on the statement stands: what it gives to beneficiaries is booked one by one, each once, before the
operator's own part."""


@dataclass(frozen=True)
class Run:
    """`number` is 1, for supplements 2 and so on; `lines` of a supplement are what it adds."""

    operator_id: str
    business_day: str
    state: RunState
    opened_at: datetime
    lines: list[Line] = field(default_factory=list)
    computed_at: datetime | None = None
    posted_at: datetime | None = None
    difference: str | None = None
    number: int = 1

    @property
    def settlement_id(self) -> str:
        first = f"{self.operator_id}.{self.business_day}"
        return first if self.number == 1 else f"{first}.{self.number}"


@dataclass(frozen=True)
class PendingRun:
    """A run that is not posted, and the workflow that is to do it: its `attempt` began at `started_at`."""

    operator_id: str
    business_day: str
    number: int
    attempt: int
    started_at: datetime


@dataclass(frozen=True)
class Share:
    """What a run gave to a beneficiary, in its list: `gross` and what else it is counted from, `amount` + `fee` + `vat`
    are the beneficiary's."""

    beneficiary_id: str
    operator_id: str
    business_day: str
    settlement_id: str
    currency: str
    kind: ContractKind
    sessions: int
    energy_wh: int
    gross: int
    tax: int
    card_payments: int
    amount: int
    fee: int
    vat: int

    @property
    def total(self) -> int:
        return self.amount + self.fee + self.vat


@dataclass(frozen=True)
class Received:
    """What an operator's runs have given to a beneficiary since ever: the sum of its shares."""

    beneficiary_id: str
    operator_id: str
    currency: str
    total: int


@dataclass(frozen=True)
class Payee:
    """An organisation to which something was ever owed in this currency: what balances are listed from."""

    organization_id: str
    currency: str


def parse_settlement_id(settlement_id: str) -> tuple[str, str, int] | None:
    """Operator, business day, number of the run; None for what is no settlement's id."""
    parts = settlement_id.split(".")
    number = parts[2] if len(parts) == 3 else "1"
    if len(parts) not in (2, 3) or not (all(parts) and number.isascii() and number.isdecimal() and len(number) < 10):
        return None
    return parts[0], parts[1], int(number)


def last_closed_day(now: datetime, zone: str) -> date:
    """The newest business day that is over in the operator's zone, grace included (right across DST)."""
    return (now - GRACE).astimezone(ZoneInfo(zone)).date() - timedelta(days=1)


def due_days(created_at: datetime, newest: date | None, now: datetime, zone: str) -> list[date]:
    """The closed business days that have no run yet, oldest first: those after the `newest` run, else since the
    operator exists. Days on which the schedule did not run are among them; MAX_DAYS at a time."""
    began = first_open_day(created_at, newest, zone)
    count = (last_closed_day(now, zone) - began).days + 1
    return [began + timedelta(days=n) for n in range(min(count, MAX_DAYS))]


def first_open_day(created_at: datetime, newest: date | None, zone: str) -> date:
    """The first business day that has no run."""
    return created_at.astimezone(ZoneInfo(zone)).date() if newest is None else newest + timedelta(days=1)
