"""Random days of the town: everything that moves money, in any order, with crashes at any store call.

Payers, guests, chargers, the provider, the operator and the workflows act in any order; frames, notifications and
events are told again, late, or never; the process dies before or after any call to the store and is started again.
After every step the ledger is proved, and the operator owes no more than the platform trusts it with; at the end
everything that has any say must say the same (`audit.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.charging.model.orders import Resolving
from chalicelib.payments.providers.port import PayoutState, RefundState
from tests.integration.money.town import audit
from tests.integration.money.town.bank import Bank
from tests.integration.money.town.people import Presents
from tests.integration.money.town.town import MUCH, Death, Town
from tests.unit.payments.till import euro

Choice = TypeVar("Choice")
Who = Literal["driver", "other driver", "employee", "guest", "card", "stranger"]
PAYERS: tuple[Who, ...] = ("driver", "other driver", "employee")
# Which store call of a step the process dies at, and whether that call was carried out; mostly it lives.
deaths = st.none() | st.tuples(st.integers(1, 25), st.booleans())


@dataclass(frozen=True)
class Dice:
    """Whatever a step may need to know. The same for all, so that what is drawn does not hang on what has happened."""

    which: int
    other: int
    amount: int | None
    energy_wh: int
    is_so: bool
    silence: str
    death: Death
    again: Death

    def one_of(self, *choices: Choice) -> Choice:
        return choices[self.which % len(choices)]


dice = st.builds(
    Dice,
    which=st.integers(0, 59),
    other=st.integers(0, 59),
    amount=st.none() | st.integers(1, 1500),
    energy_wh=st.sampled_from([0, 1, 120, 5_000, 30_000]),
    is_so=st.booleans(),
    silence=st.sampled_from(["ok", "ok", "before", "after"]),
    death=deaths,
    again=deaths,
)


@dataclass(frozen=True)
class Step:
    """Something that may happen, as often beside others as its weight says, where it is possible."""

    run: Callable[[TownMachine, Dice], None]
    weight: int
    is_possible: Callable[[TownMachine], Any]


STEPS: list[Step] = []


def step(
    weight: int = 1, when: Callable[[TownMachine], Any] = lambda machine: True
) -> Callable[[Callable[[TownMachine, Dice], None]], Callable[[TownMachine, Dice], None]]:
    def add(run: Callable[[TownMachine, Dice], None]) -> Callable[[TownMachine, Dice], None]:
        STEPS.append(Step(run, weight, when))
        return run

    return add


class TownMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.town = Town()
        self.people = Bank(self.town)

    def teardown(self) -> None:
        try:
            audit.bring_to_an_end(self.town, self.people)
            audit.check_the_end(self.town, self.people)
        finally:
            self.town.close()

    @initialize(first=st.booleans(), second=st.booleans(), limit=st.sampled_from([MUCH, 1000, 0]))
    def there_is_money_about(self, first: bool, second: bool, limit: int) -> None:
        self.town.trust_with(limit)
        for driver, by_package in enumerate((first, second)):
            self.people.tops_up(driver, None if by_package else 2500, None, "ok")
            self.last_one_pays()

    @rule(pick=st.integers(0, 9999), thrown=dice)
    def something_happens(self, pick: int, thrown: Dice) -> None:
        possible = [step for step in STEPS if step.is_possible(self) for _ in range(step.weight)]
        chosen = possible[pick % len(possible)]
        note(chosen.run.__name__)
        chosen.run(self, thrown)

    @invariant()
    def books_are_right(self) -> None:
        audit.check_books(self.town)

    def last_one_pays(self, death: Death = None) -> None:
        self.people.pays(-1, "good")
        self.people.notifies(-1, "first", death)
        self.town.deliver(death)

    def has_free_evse(self) -> bool:
        return len(self.town.running) < len(self.town.registers)

    def has_running(self) -> bool:
        return bool(self.town.running)

    def has_open(self) -> bool:
        return bool(self.town.open_sessions())

    def has_ended(self) -> bool:
        return bool(self.town.ended)

    def has_disputes(self) -> bool:
        return bool(self.town.till.provider.disputes)

    def running_evse(self, number: int) -> int:
        evses = sorted(self.town.running)
        return evses[number % len(evses)]

    # -- wallets ------------------------------------------------------------------------------------------------

    @step()
    def driver_tops_up(self, dice: Dice) -> None:
        self.people.tops_up(dice.which % 2, dice.amount and max(dice.amount, 50), dice.death, dice.silence)
        if dice.is_so:
            self.last_one_pays(dice.again)

    @step()
    def payer_acts(self, dice: Dice) -> None:
        self.people.pays(dice.other, dice.one_of("good", "good", "decline", "refuse", "expire"))

    @step(2)
    def provider_notifies(self, dice: Dice) -> None:
        self.people.notifies(dice.other, dice.one_of("first", "second"), dice.death, dice.silence)

    @step()
    def operator_adjusts(self, dice: Dice) -> None:
        amount = dice.amount or 700
        self.people.adjusts(dice.which % 2, amount if dice.is_so else -amount, dice.death)

    @step()
    def topup_is_paid_back(self, dice: Dice) -> None:
        self.people.pays_back(dice.other, dice.amount, dice.death)

    # -- charges ------------------------------------------------------------------------------------------------

    @step(8, when=has_free_evse)
    def somebody_wants_to_charge(self, dice: Dice) -> None:
        """And mostly plugs in, also where the money is not good."""
        who: Who = dice.one_of("driver", "driver", "other driver", "employee", "guest", "guest", "card", "stranger")
        evse_no = next(number for number in self.town.registers if number not in self.town.running)
        goes_on = dice.other % 4 > 0
        presents: Presents = "what is asked for"
        if who == "guest":
            amount = dice.amount and max(dice.amount, 100)
            if self.people.orders(evse_no, amount, dice.death, dice.silence) == "done" and goes_on:
                self.last_one_pays(dice.again)
        elif who == "card":
            presents = "a card"
        elif who == "stranger":
            presents = "a strange card"
        else:
            self.people.requests(PAYERS.index(who), evse_no, dice.amount, dice.death)
        if goes_on:
            self.people.begins(evse_no, presents, dice.again)

    @step(4, when=has_running)
    def charger_meters(self, dice: Dice) -> None:
        self.people.meters(self.running_evse(dice.which), dice.energy_wh, dice.death)

    @step(8, when=has_running)
    def charge_ends(self, dice: Dice) -> None:
        self.people.ends(self.running_evse(dice.which), dice.energy_wh, dice.death)

    @step(2, when=has_running)
    def charger_forgets_the_end(self, dice: Dice) -> None:
        self.people.loses(self.running_evse(dice.which))

    @step(4, when=lambda self: self.town.lost)
    def charger_ends_late(self, dice: Dice) -> None:
        self.people.ends_late(dice.which, dice.energy_wh, dice.death)

    @step(2, when=has_ended)
    def charger_ends_again(self, dice: Dice) -> None:
        self.people.ends_again(dice.which, dice.death)

    @step(4, when=has_open)
    def somebody_or_a_deadline_ends_it(self, dice: Dice) -> None:
        how = dice.one_of("call off", "expire", "look", "press", "give_up")
        if how == "call off":
            self.people.calls_off(dice.other, dice.death)
        else:
            self.people.deadline(dice.other, how, dice.death)

    @step(when=has_open)
    def sweeper_runs(self, dice: Dice) -> None:
        self.people.sweeps(dice.one_of(1, 600, 4 * 3600, 26 * 3600), dice.death)

    # -- what was wrong -----------------------------------------------------------------------------------------

    @step(2, when=lambda self: self.people.statements_due())
    def driver_says_what_happened(self, dice: Dice) -> None:
        self.people.says_what_happened(dice.which, dice.death)

    @step(4, when=lambda self: self.people.orders_waiting())
    def operator_resolves(self, dice: Dice) -> None:
        wish = dice.one_of(
            Resolving("as_billed"),
            Resolving("order_fee", energy_wh=dice.energy_wh if dice.is_so else None),
            Resolving("other_deduction", "Agreed", amount=euro(dice.amount or 0)),
        )
        self.people.resolves(dice.other, wish, dice.death)

    @step(3, when=has_ended)
    def operator_corrects(self, dice: Dice) -> None:
        self.people.corrects(dice.other, (dice.amount or 0) // 5, dice.death)

    @step(2, when=lambda self: self.people.reserved())
    def authorisation_runs_out(self, dice: Dice) -> None:
        self.people.runs_out(dice.which)

    @step()
    def refunds_go_on(self, dice: Dice) -> None:
        """Those under way end so, or the next ones begin so."""
        if dice.is_so:
            self.people.refunds_end(dice.one_of(RefundState.SUCCEEDED, RefundState.FAILED), dice.death)
        else:
            self.town.till.provider.refund_state = dice.one_of(*RefundState)

    @step(when=lambda self: self.town.till.provider.payouts)
    def payouts_end(self, dice: Dice) -> None:
        self.people.payouts_end(dice.one_of(PayoutState.PAID, PayoutState.PAID, PayoutState.FAILED), dice.death)

    # -- banks --------------------------------------------------------------------------------------------------

    @step(2, when=lambda self: self.people.disputable())
    def bank_takes_back(self, dice: Dice) -> None:
        self.people.takes_back(dice.which, dice.amount, asks_only=dice.other % 4 == 0)
        if dice.is_so:
            self.people.is_told_of_dispute(-1, "first", dice.death, dice.silence)
            self.town.deliver(dice.again)

    @step(2, when=has_disputes)
    def bank_decides(self, dice: Dice) -> None:
        self.people.bank_decides(dice.which, won=dice.is_so)

    @step(3, when=has_disputes)
    def somebody_is_told_of_it(self, dice: Dice) -> None:
        self.people.is_told_of_dispute(dice.other, dice.one_of("first", "second"), dice.death, dice.silence)

    @step(when=has_disputes)
    def platform_sees_to_it(self, dice: Dice) -> None:
        self.people.sees_to_dispute(dice.which, forgives=dice.other % 3 == 0, death=dice.death)

    # -- what follows -------------------------------------------------------------------------------------------

    @step(5)
    def outbox_is_delivered(self, dice: Dice) -> None:
        self.town.deliver(dice.death, dice.silence)

    @step()
    def outbox_is_delivered_all_over(self, _dice: Dice) -> None:
        self.town.deliver_all_over()

    @step(2)
    def reconciliation_runs(self, dice: Dice) -> None:
        self.people.reconciles(dice.death, dice.silence)

    @step(2)
    def night_falls(self, dice: Dice) -> None:
        self.people.night_falls(dice.death)
        self.people.settles(dice.again)

    @step(3, when=lambda self: self.people.owed() > 0)
    def operator_withdraws(self, dice: Dice) -> None:
        """A part, all, or more than is there."""
        amount = -(-self.people.owed() * dice.one_of(1, 2, 3, 4) // 3)
        self.people.withdraws(amount, "bank" if dice.is_so else "provider", dice.death)

    @step(6, when=lambda self: self.people.withdrawals())
    def platform_decides(self, dice: Dice) -> None:
        self.people.decides(dice.other, dice.one_of("approve", "pay", "approve", "pay", "reject"), dice.death)


TownMachine.TestCase.settings = settings(
    max_examples=60, stateful_step_count=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestTown = TownMachine.TestCase
