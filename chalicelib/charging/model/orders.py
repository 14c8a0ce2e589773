"""Abnormal orders: the episode of a session that is not as it should be, and how it is brought to an end. Pure.

The money of a session moves when it ends, by what is certain; the review of it is apart. The driver says what
happened, where that is not certain; the operator resolves it, once. It is closed when both have spoken, or nobody is
left to ask; what nobody resolves stays open, and listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from chalicelib.charging.model.sessions import order_no_of
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.magnitudes import about
from chalicelib.kernel.money import Money

ReviewState = Literal["open", "stated", "resolved", "closed"]
WhatHappened = Literal[
    "charged_as_billed",
    "charged_less",
    "charged_more",
    "did_not_charge",
    "could_not_stop",
    "charger_failed",
    "was_not_me",
    "other",
]
ResolutionKind = Literal["order_fee", "other_deduction", "as_billed", "late_stop"]
"""`order_fee` the real consumption, `other_deduction` another amount instead, `as_billed` what was taken stays;
`late_stop`: the charger told the end after all, and no person had to decide."""

STATEMENT_WAIT: Final = timedelta(days=14)
"""How long a resolved order waits for what the driver has to say."""
MAX_STATEMENT: Final = 2_000
MAX_REASON: Final = 500
MOST_OF_METERED: Final = 3
MOST_IN_ANY_CASE: Final = 100
"""A deduction instead of the fee is at most three times what the meter says, or about as much as 100 euro where that is
more: a slip of the finger empties no wallet."""

ORDER_LIFECYCLE: Final[Lifecycle[ReviewState]] = Lifecycle(
    noun="abnormal_order",
    initial="open",
    transitions={
        ("open", "stated"): "stated",
        ("open", "resolved"): "resolved",
        ("open", "resolved_unasked"): "closed",
        ("stated", "resolved"): "closed",
        ("resolved", "stated"): "closed",
        ("resolved", "statement_overdue"): "closed",
    },
)


@dataclass(frozen=True)
class Statement:
    """What the driver says that happened; `claimed_energy_wh` what he or she believes to have got."""

    what_happened: WhatHappened
    text: str
    stated_at: datetime
    claimed_energy_wh: int | None = None


@dataclass(frozen=True)
class Resolution:
    """What the order costs in the end. `moved` is what the payer paid more; below zero, it was given back.
    `uncollected`: nobody could pay it. `resolved_by` is a person's id, or `charger`. `is_assumed`: what was delivered
    was uncertain, and nobody has named it: `energy_wh` is what the meter showed."""

    kind: ResolutionKind
    resolved_at: datetime
    resolved_by: str
    cost: Money
    energy_wh: int
    moved: Money
    uncollected: Money
    reason: str = ""
    is_assumed: bool = False


@dataclass(frozen=True)
class AbnormalOrder:
    """One per session. `asks_driver`: it waits for a statement. `revision` counts writes: who changes the order names
    the one that was read."""

    session_id: str
    order_no: str
    operator_id: str
    charger_id: str
    evse_no: int
    opened_at: datetime
    causes: list[str]
    state: ReviewState = "open"
    asks_driver: bool = False
    location_id: str | None = None
    driver_id: str | None = None
    statement: Statement | None = None
    resolution: Resolution | None = None
    closed_at: datetime | None = None
    revision: int = 0

    @property
    def is_statement_due(self) -> bool:
        return self.asks_driver and self.statement is None and self.state != "closed"

    @property
    def overdue_at(self) -> datetime | None:
        """When it is closed although the driver has said nothing; None: it waits for somebody else."""
        if self.resolution is None or not self.is_statement_due:
            return None
        return self.resolution.resolved_at + STATEMENT_WAIT


@dataclass(frozen=True)
class OrderEntry:
    """Names an order in a list: a driver's orders, those that wait for his or her statement, those that are overdue."""

    owner: str
    place: str
    operator_id: str
    session_id: str
    order_no: str


@dataclass(frozen=True)
class OrderFilter:
    """None: whatever. `order_no` is what is printed on the receipt."""

    state: ReviewState | None = None
    cause: str | None = None
    order_no: str | None = None
    driver_id: str | None = None
    charger_id: str | None = None
    location_id: str | None = None
    statement_due: bool | None = None

    def matches(self, order: AbnormalOrder) -> bool:
        return (
            self.state in (None, order.state)
            and (self.cause is None or self.cause in order.causes)
            and (self.order_no is None or order_no_of(self.order_no) == order.order_no)
            and self.driver_id in (None, order.driver_id)
            and (self.charger_id is None or self.charger_id.upper() == order.charger_id.upper())
            and self.location_id in (None, order.location_id)
            and self.statement_due in (None, order.is_statement_due)
        )


@dataclass(frozen=True)
class Resolving:
    """How the operator wants an order resolved. `energy_wh` and `duration_s` None: as known."""

    kind: Literal["order_fee", "other_deduction", "as_billed"]
    reason: str = ""
    energy_wh: int | None = None
    duration_s: int | None = None
    amount: Money | None = None


def most_to_deduct(metered: Money, taken_of_card: Money | None = None) -> Money:
    """The highest amount that may stand for a fee of `metered`. A guest's card, of which `taken_of_card` was taken, is
    never charged again."""
    most = max(Money(metered.amount * MOST_OF_METERED, metered.currency), about(MOST_IN_ANY_CASE, metered.currency))
    return most if taken_of_card is None else min(most, taken_of_card)
