"""A dispute: a payer's bank takes a payment back, hears our side, and decides. Pure.

Invariants: only the provider's own answer moves a dispute; each of its lines is booked once; no more is withheld than
is disputed, and what is withheld goes back whole when it is won. What the payer's money was put into makes good for it
first; what is missing then is `uncovered`, and after a dispute that is lost it is somebody's loss (decision 0058).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from chalicelib.kernel.errors import DomainError, conflict
from chalicelib.kernel.ids import derived_id
from chalicelib.kernel.lifecycle import Lifecycle
from chalicelib.kernel.money import Money
from chalicelib.payments.model.lifecycle import DISPUTED
from chalicelib.payments.model.payments import Payment
from chalicelib.payments.providers.port import DisputeLine, DisputeOutcome, DisputeState

DisputeStateName = Literal["inquiry", "open", "won", "lost"]

DISPUTE_LIFECYCLE: Lifecycle[DisputeStateName] = Lifecycle(
    noun="dispute",
    initial="inquiry",
    transitions={
        ("inquiry", "opened"): "open",
        ("inquiry", "won"): "won",  # closed: the bank asked and took nothing
        ("inquiry", "lost"): "lost",
        ("open", "won"): "won",
        ("open", "lost"): "lost",
        # A bank may come back to what it has decided for us, and we hear of it late.
        ("won", "opened"): "open",
        ("won", "lost"): "lost",
    },
)
ASK_AGAIN_AFTER = timedelta(days=1)
"""A dispute that is not decided is asked about so often, for whoever is not told."""
_EVENTS = {
    DisputeState.OPEN: "opened",
    DisputeState.WON: "won",
    DisputeState.LOST: "lost",
}
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True)
class Dispute:
    """`amount` is what the payer disputes, `taken` what the provider took off our balance for it by now (`fees`
    besides), by the currency in which it did; `booked` are its lines.

    `withheld` was taken out of the wallet into which the money went, with `bonus_withheld` of the gift that came with
    it; `recovered` was taken out of it after the loss was booked; `borne` was taken out of an operator's income.
    `loser_id`: whose loss the rest is. `is_blocking`: the wallet may reserve nothing. `answered_at`: since when the
    wallet has made good what it could; `settled_at`: since when the loss is booked; `forgiven_at`: nobody is to pay
    what is missing.
    """

    dispute_id: str
    dispute_ref: str
    payment_id: str
    provider: str
    purpose: str
    purpose_id: str
    payer_id: str
    state: DisputeStateName
    amount: Money
    opened_at: datetime
    noted_at: datetime
    changed_at: datetime
    asked_at: datetime
    operator_id: str | None = None
    reason: str | None = None
    respond_by: datetime | None = None
    closed_at: datetime | None = None
    taken: dict[str, int] = field(default_factory=dict)
    fees: dict[str, int] = field(default_factory=dict)
    booked: list[str] = field(default_factory=list)
    withheld: int = 0
    bonus_withheld: int = 0
    recovered: int = 0
    borne: int = 0
    loser_id: str | None = None
    is_blocking: bool = False
    answered_at: datetime | None = None
    settled_at: datetime | None = None
    forgiven_at: datetime | None = None
    revision: int = 1

    @property
    def currency(self) -> str:
        return self.amount.currency

    @property
    def is_harmful(self) -> bool:
        return self.state in DISPUTED

    @property
    def is_undecided(self) -> bool:
        return self.state in ("inquiry", "open")

    @property
    def is_unfinished(self) -> bool:
        """Somebody has to look: the bank has not decided, or what follows from it is not booked."""
        return self.is_undecided or (self.state == "lost" and self.settled_at is None)

    @property
    def uncovered(self) -> Money:
        """What nobody has made good: an operator's loss is made good by its income."""
        if not self.is_harmful or self.forgiven_at is not None:
            return Money.zero(self.currency)
        left = self.amount.amount - self.withheld - self.recovered - self.borne
        return Money(max(0, left), self.currency)

    @property
    def taken_amount(self) -> int:
        """In the currency of the payment; all of it where the provider took it in another one."""
        return self.taken.get(self.currency, self.amount.amount if self.taken else 0)


@dataclass(frozen=True)
class ListedDispute:
    """A dispute's place in the list of `listed_for`: the platform, or the operator whose charger it was about."""

    listed_for: str
    opened_at: datetime
    dispute_id: str


def dispute_id_of(provider: str, dispute_ref: str) -> str:
    return derived_id("dsp", _EPOCH, provider, dispute_ref)


def new_dispute(payment: Payment, outcome: DisputeOutcome, now: datetime) -> Dispute:
    """As it is before anything is known of it but that it is there."""
    return Dispute(
        dispute_id=dispute_id_of(payment.provider, outcome.dispute_ref),
        dispute_ref=outcome.dispute_ref,
        payment_id=payment.payment_id,
        provider=payment.provider,
        purpose=payment.purpose,
        purpose_id=payment.purpose_id,
        payer_id=payment.payer_id,
        state=DISPUTE_LIFECYCLE.initial,
        amount=_disputed(payment, outcome),
        opened_at=outcome.opened_at,
        noted_at=now,
        changed_at=now,
        asked_at=now,
        operator_id=payment.operator_id,
    )


def _disputed(payment: Payment, outcome: DisputeOutcome) -> Money:
    """In the payment's currency, and no more than it brought: a bank's rounding is not the payer's debt."""
    most = payment.captured or payment.amount
    return min(outcome.amount, most) if outcome.amount.currency == most.currency else most


def after_dispute(dispute: Dispute, outcome: DisputeOutcome, now: datetime) -> Dispute:
    """The dispute after the provider said how it stands, its lines not booked yet."""
    told = replace(dispute, reason=outcome.reason, respond_by=outcome.respond_by, asked_at=now)
    event = _EVENTS.get(outcome.state)
    if event is None or (dispute.state, event) not in DISPUTE_LIFECYCLE.transitions:
        return told
    state = DISPUTE_LIFECYCLE.next(dispute.state, event)
    is_over = state in ("won", "lost")
    return replace(told, state=state, changed_at=now, closed_at=now if is_over else None)


def is_reversed_loss(dispute: Dispute, outcome: DisputeOutcome) -> bool:
    """Lost, and now it is not: what was booked as a loss is for people to take back."""
    return dispute.state == "lost" and outcome.state in (DisputeState.OPEN, DisputeState.WON)


def with_line(dispute: Dispute, line: DisputeLine, now: datetime) -> Dispute:
    """Once it is booked."""
    currency = line.amount.currency
    taken = dispute.taken | {currency: dispute.taken.get(currency, 0) - line.amount.amount}
    fees = dispute.fees
    if line.fee is not None:
        fees = fees | {line.fee.currency: fees.get(line.fee.currency, 0) + line.fee.amount}
    booked = [*dispute.booked, line.movement_ref]
    return replace(dispute, taken=taken, fees=fees, booked=booked, changed_at=now)


def given_back(dispute: Dispute) -> Dispute:
    """Won: the wallet has what was withheld again, and may be used."""
    return replace(
        dispute, withheld=0, bonus_withheld=0, is_blocking=False, answered_at=None, forgiven_at=None, settled_at=None
    )


def answered(dispute: Dispute, money: int, bonus: int, now: datetime) -> Dispute:
    """`money` and `bonus` more are withheld. Raises dispute.not_open (409)."""
    if not dispute.is_harmful or dispute.settled_at is not None:
        raise not_open(dispute)
    after = replace(
        dispute,
        withheld=dispute.withheld + money,
        bonus_withheld=dispute.bonus_withheld + bonus,
        answered_at=dispute.answered_at or now,
        changed_at=now,
    )
    return _unblocked_if_covered(after)


def recovered(dispute: Dispute, money: int, now: datetime) -> Dispute:
    """`money` was taken out of the wallet for a loss that is booked."""
    return _unblocked_if_covered(replace(dispute, recovered=dispute.recovered + money, changed_at=now))


def settled(dispute: Dispute, *, loser_id: str, borne: int, now: datetime) -> Dispute:
    """Lost, and whose loss it is. What was withheld beyond what the provider has taken goes back. Raises
    dispute.not_open."""
    if not may_settle(dispute):
        raise not_open(dispute)
    too_much = max(0, dispute.withheld - dispute.taken_amount)
    after = replace(
        dispute,
        withheld=dispute.withheld - too_much,
        borne=borne,
        loser_id=loser_id,
        settled_at=now,
        changed_at=now,
    )
    return _unblocked_if_covered(after)


def may_settle(dispute: Dispute) -> bool:
    """Lost, not booked, and the provider has taken what it takes."""
    return dispute.state == "lost" and dispute.settled_at is None and bool(dispute.taken)


def forgiven(dispute: Dispute, now: datetime) -> Dispute:
    """Raises dispute.not_open, dispute.covered (409)."""
    if not dispute.is_harmful:
        raise not_open(dispute)
    if not dispute.uncovered.amount:
        raise conflict("dispute.covered", "Nothing is missing for this dispute.")
    return replace(dispute, forgiven_at=now, is_blocking=False, changed_at=now)


def not_open(dispute: Dispute) -> DomainError:
    return conflict("dispute.not_open", f"A dispute that is {dispute.state} takes nothing.")


def _unblocked_if_covered(dispute: Dispute) -> Dispute:
    return dispute if dispute.uncovered.amount else replace(dispute, is_blocking=False)
