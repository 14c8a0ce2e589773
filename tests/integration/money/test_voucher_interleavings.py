"""Batches are made, handed out and blocked, cards are redeemed, tried again and taken back, cash is taken, nights are
settled, in any order, with crashes at any store call.

After every step each voucher has paid at most once, what its batch counts is what happened, and the operator owes no
more than the platform lets it; at the end all that was redeemed is settled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib.kernel import context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import decide_and_commit
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import business_day, payable_account
from chalicelib.settlement import jobs as settlement_jobs
from chalicelib.settlement import service as settlement
from chalicelib.wallets import service as wallets
from chalicelib.wallets.store import EXPOSURES, exposure_key
from tests import world as worlds
from tests.integration.money.counter import Counter, eur
from tests.integration.money.test_interleavings import Crash, MortalContext

LIMIT = 2_500
DAY_S = 24 * 3600
Death = tuple[int, bool] | None
deaths = st.none() | st.tuples(st.integers(1, 20), st.booleans())


@dataclass(frozen=True)
class Dice:
    """Whatever a step may need to know."""

    number: int
    other: int
    driver_no: int
    amount: int
    death: Death


dice = st.builds(
    Dice,
    number=st.integers(0, 11),
    other=st.integers(0, 11),
    driver_no=st.integers(0, 1),
    amount=st.integers(1, 900),
    death=deaths,
)


@dataclass
class Card:
    """What must be so of a voucher, by what people were told."""

    batch_id: str
    number: int
    code: str
    redeemed_by: int | None = None
    is_void: bool = False


@dataclass
class Sold:
    amount: int
    valid_until: datetime
    state: str = "draft"


class VoucherMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.counter = Counter(worlds.build())
        self.world = self.counter.world
        self.counter.trust_with(LIMIT)
        self.ctx = MortalContext(self.world.ctx)
        self.world.ctx = self.ctx
        context.install(self.ctx)
        self.sold: dict[str, Sold] = {}
        self.all_cards: list[Card] = []
        self.cash = [0, 0]

    def teardown(self) -> None:
        try:
            self.night_falls()
            self.night_falls()
            self.check_the_end()
        finally:
            self.world.close()

    def live(self, decide: Any, death: Death) -> tuple[str, Any]:
        """`done` and the answer, or the code of a refusal; who dies is started again."""
        self.world.advance(1)
        self.ctx.calls, self.ctx.crash_at = 0, death
        try:
            try:
                return "done", decide_and_commit(self.ctx, decide)
            except Crash:
                self.ctx.crash_at = None
                return "done", decide_and_commit(self.ctx, decide)
        except DomainError as error:
            return error.code, None
        finally:
            self.ctx.crash_at = None

    def batch_id(self, number: int) -> str:
        """The latest ones first."""
        return list(self.sold)[-1 - number % len(self.sold)]

    def card(self, number: int) -> Card:
        return self.all_cards[-1 - number % len(self.all_cards)]

    def used(self) -> list[Card]:
        return [card for card in self.all_cards if card.is_void or card.redeemed_by is not None]

    @rule(pick=st.integers(0, 999), dice=dice)
    def something_happens(self, pick: int, dice: Dice) -> None:
        """One rule, so that what happens often does in every run: hypothesis leaves out some rules in each."""
        used = self.used()
        steps: list[tuple[int, Callable[[], None]]] = [
            (3, lambda: self.makes(1 + dice.number % 3, dice.amount, 1 + dice.other % 4, dice.death)),
            (3, lambda: self.takes_cash(dice.driver_no, dice.amount, dice.death)),
            (2, self.night_falls),
            (3, lambda: self.operator_pays_what_it_owes(3 * dice.amount)),
        ]
        if self.sold:
            steps += [
                (2, lambda: self.hands_out(dice.number, dice.death)),
                (1, lambda: self.blocks(dice.number, dice.death)),
                (2, lambda: self.takes_back(dice.number, dice.death)),
                (12, lambda: self.tries(self.card(dice.number), dice.driver_no, dice.death)),
            ]
        if used:
            steps.append((3, lambda: self.tries(used[dice.number % len(used)], dice.driver_no, dice.death)))
        possible = [step for weight, step in steps for _ in range(weight)]
        possible[pick % len(possible)]()

    # -- the counter --------------------------------------------------------------------------------------------

    def makes(self, size: int, amount: int, days: int, death: Death) -> None:
        """And mostly hands them out."""
        batch_id = self.ctx.new_id("vcb")
        done, batch = self.live(self.counter.making(batch_id, size, amount, timedelta(days=days)), death)
        assert done == "done"
        self.sold[batch_id] = Sold(amount, batch.valid_until)
        self.all_cards += [Card(batch_id, 1 + place, code) for place, code in enumerate(self.counter.codes(batch_id))]
        if amount % 4:
            self.hands_out(0, death)

    def hands_out(self, number: int, death: Death) -> None:
        batch_id = self.batch_id(number)
        done, _ = self.live(self.counter.activating(batch_id), death)
        assert done in ("done", "operator.credit_exhausted", "voucher_batch.over")
        if done == "done":
            self.sold[batch_id].state = "active"

    def blocks(self, number: int, death: Death) -> None:
        batch_id = self.batch_id(number)
        assert self.live(self.counter.blocking(batch_id), death)[0] == "done"
        self.sold[batch_id].state = "blocked"

    def takes_back(self, number: int, death: Death) -> None:
        card = self.card(number)
        done, _ = self.live(self.counter.voiding(f"{card.batch_id}-{card.number:04d}"), death)
        assert (done == "voucher.redeemed") == (card.redeemed_by is not None)
        card.is_void = card.is_void or done == "done"

    def takes_cash(self, driver_no: int, amount: int, death: Death) -> None:
        entry_id = self.ctx.new_id("ent")
        day = business_day(self.ctx.now(), self.counter.organization.time_zone)
        done, _ = self.live(
            lambda uow: wallets.adjust_wallet(
                uow,
                entry_id=entry_id,
                driver_id=self.counter.driver_ids[driver_no],
                operator_id=self.counter.operator_id,
                direction="top_up",
                amount=eur(amount),
                reason="cash",
                business_day=day,
            ),
            death,
        )
        assert done in ("done", "operator.credit_exhausted")
        self.cash[driver_no] += amount if done == "done" else 0

    # -- drivers ------------------------------------------------------------------------------------------------

    def tries(self, card: Card, driver_no: int, death: Death) -> None:
        sold = self.sold[card.batch_id]
        done, _ = self.live(self.counter.redeeming(card.code, self.counter.driver_ids[driver_no]), death)
        if done == "auth.too_many_attempts":
            return
        if card.redeemed_by is not None:
            assert done == ("done" if card.redeemed_by == driver_no else "voucher.redeemed")
        elif card.is_void:
            assert done == "voucher.void"
        elif self.ctx.now() >= sold.valid_until:
            assert done == "voucher.expired"
        elif sold.state != "active":
            assert done == {"draft": "voucher.not_active", "blocked": "voucher.blocked"}[sold.state]
        elif done == "voucher.not_covered":
            assert self.owed() + sold.amount > LIMIT
        else:
            assert done == "done"
            card.redeemed_by = driver_no

    # -- time ---------------------------------------------------------------------------------------------------

    def night_falls(self) -> None:
        self.world.advance(DAY_S)
        self.world.run_job(settlement_jobs.open_settlements)
        for run in list(settlement.pending_runs(self.ctx)):
            event = {"operator_id": run.operator_id, "business_day": run.business_day, "number": run.number}
            settlement_jobs.settlement_compute(event, None)
            settlement_jobs.settlement_post(event, None)

    def operator_pays_what_it_owes(self, amount: int) -> None:
        """Or a part of it: else nothing would be covered soon."""
        owed = -ledger.balance(self.ctx, payable_account(self.counter.operator_id, "EUR")).amount
        if owed > 0:
            entry_id, now = self.ctx.new_id("ent"), self.ctx.now()
            self.live(
                lambda uow: settlement.record_debt_payment(
                    uow,
                    entry_id=entry_id,
                    organization_id=self.counter.operator_id,
                    amount=eur(min(amount, owed)),
                    reference="SEPA",
                    paid_at=now,
                ),
                None,
            )

    # -- what must be so ----------------------------------------------------------------------------------------

    def owed(self) -> int:
        """To the platform: what is settled, and what is not yet."""
        exposure = EXPOSURES.get(self.ctx, *exposure_key(self.counter.operator_id, "EUR"))
        payable = ledger.balance(self.ctx, payable_account(self.counter.operator_id, "EUR")).amount
        return (0 if exposure is None else exposure.unsettled) - payable

    @invariant()
    def books_are_right(self) -> None:
        self.counter.check_books()
        expected = list(self.cash)
        for card in self.all_cards:
            if card.redeemed_by is not None:
                expected[card.redeemed_by] += self.sold[card.batch_id].amount
        assert self.counter.balances() == expected
        assert self.owed() <= LIMIT

    @invariant()
    def batches_count_what_happened(self) -> None:
        for batch_id, sold in self.sold.items():
            batch = self.counter.batch(batch_id)
            mine = [card for card in self.all_cards if card.batch_id == batch_id]
            assert batch.redeemed == sum(1 for card in mine if card.redeemed_by is not None)
            assert batch.voided == sum(1 for card in mine if card.is_void)
            assert batch.state == sold.state

    def check_the_end(self) -> None:
        """Statement and ledger agree, and nothing is left over."""
        runs = list(settlement.runs_between(self.ctx, self.counter.operator_id, "2026-01-01", "2027-12-31"))
        assert [run for run in runs if run.state != "posted" or run.difference] == []
        redeemed = sum(self.sold[card.batch_id].amount for card in self.all_cards if card.redeemed_by is not None)
        assert sum(line.cash for run in runs for line in run.lines) == redeemed + sum(self.cash)
        exposure = EXPOSURES.get(self.ctx, *exposure_key(self.counter.operator_id, "EUR"))
        assert exposure is None or exposure.unsettled == 0


VoucherMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestVouchers = VoucherMachine.TestCase
