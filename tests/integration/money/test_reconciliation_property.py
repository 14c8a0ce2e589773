"""Random days: whatever happens, a day on which nothing is wrong wakes nobody; whatever is changed on the statement is
found, to the cent. And a reconciliation that dies at any store call ends like one that did not."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.kernel import context
from chalicelib.payments import reconciliation_jobs, service
from chalicelib.payments.model import Difference
from chalicelib.payments.providers.port import Movement, RefundState
from tests import world as worlds
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.unit.payments.statement import Counter
from tests.unit.payments.till import euro
from tests.world import World

MONDAY = "2026-03-02"
MOST_CALLS = 120
SPOILS = ("drop", "twice", "cent more", "fee more", "stranger")

actions = st.one_of(
    st.tuples(st.just("topup"), st.integers(100, 5000)),
    st.tuples(st.just("unheard topup"), st.integers(100, 5000)),
    st.tuples(st.just("guest"), st.integers(1, 3000)),
    st.tuples(st.just("refund"), st.integers(1, 99)),
    st.tuples(st.just("slow refund"), st.integers(1, 99)),
    st.tuples(st.just("refund that fails"), st.integers(1, 99)),
    st.tuples(st.just("own payout"), st.integers(1, 500)),
    st.tuples(st.just("ten minutes"), st.integers(600, 4 * 3600)),
    st.tuples(st.just("night"), st.just(0)),
)
few = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def new_counter() -> Iterator[Counter]:
    world = worlds.build()
    try:
        yield Counter(world)
    finally:
        world.close()


def act(counter: Counter, number: int, what: str, size: int) -> None:
    counter.world.advance(size % 60)
    if what in ("topup", "unheard topup"):
        counter.topup(size, told=what == "topup")
    elif what == "guest":
        counter.guest(size)
    elif "refund" in what:
        refund(counter, f"ref_{number}", what, size)
    elif what == "own payout":
        counter.provider.move("payout", euro(-size))
    elif what == "ten minutes":
        counter.world.advance(size)
        counter.reconcile()
        counter.run_events()
    else:
        counter.sleep()


def refund(counter: Counter, refund_id: str, what: str, size: int) -> None:
    payment = counter.topup(1000)
    counter.provider.refund_state = RefundState.SUCCEEDED if what == "refund" else RefundState.PENDING
    counter.ask_refund(payment, size, refund_id)
    counter.run_events()
    if what == "refund that fails":
        counter.world.advance(3600)
        counter.provider.settle_refund(f"re_{refund_id}", RefundState.FAILED, "account_closed")


def end_well(counter: Counter) -> None:
    """What is slow arrives, and two nights pass."""
    for ref, outcome in list(counter.provider.refunds.items()):
        if outcome.state is RefundState.PENDING:
            counter.provider.settle_refund(ref, RefundState.SUCCEEDED)
    counter.world.advance(1200)
    counter.reconcile()
    counter.run_events()
    for _ in range(2):
        counter.sleep()


def balance(movements: list[Movement]) -> int:
    return sum(line.amount.amount - (line.fee.amount if line.fee else 0) for line in movements)


@few
@given(st.lists(actions, min_size=1, max_size=10))
def test_a_right_statement_wakes_nobody(traffic: list[tuple[str, int]]) -> None:
    with new_counter() as counter:
        for number, (what, size) in enumerate(traffic):
            act(counter, number, what, size)
        end_well(counter)
        assert counter.faults == []
        assert counter.differences() == {}
        assert counter.books().get("clearing:stripe:EUR", 0) == -balance(counter.provider.movements)
        days = service.list_reconciliations(counter.world.ctx, limit=50).data
        assert sum(sums.difference for day in days for sums in day.totals.values()) == 0


@few
@given(
    st.lists(actions, min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from(SPOILS), st.integers(0)), min_size=1, max_size=4),
)
def test_whatever_is_spoilt_is_found(traffic: list[tuple[str, int]], spoils: list[tuple[str, int]]) -> None:
    with new_counter() as counter:
        act(counter, 100, "guest", 777)
        for number, (what, size) in enumerate(traffic):
            act(counter, number, what, size)
        end_well(counter)
        right = list(counter.provider.movements)
        for what, place in spoils:
            spoil(counter.provider.movements, what, place)
        for day in sorted({each.day for each in service.list_reconciliations(counter.world.ctx, limit=50).data}):
            counter.again(day)
        counter.sleep()
        spoilt, open_ = counter.provider.movements, all_of(counter)
        assert sum(sum(each.remaining.values()) for each in open_) == balance(right) - balance(spoilt)
        before, after = by_item(right), by_item(spoilt)
        expected = {item for item in {*before, *after} if before[item] != after[item]}
        assert {(each.kind, each.item_id) for each in open_} == expected
        assert len(counter.faults) == len(expected)


def all_of(counter: Counter) -> list[Difference]:
    return service.list_unclosed_differences(counter.world.ctx, limit=200).data


def spoil(lines: list[Movement], what: str, place: int) -> None:
    """Changes a line of the first guest's, or adds one that is nobody's."""
    own = [index for index, line in enumerate(lines) if line.amount == euro(777)]
    if what == "stranger" or not own:
        at = worlds.START
        lines.append(
            Movement(
                movement_ref=f"txn_{place}", kind="other", amount=euro(5), fee=None, created_at=at, source_ref=None
            )
        )
        return
    index = own[place % len(own)]
    line = lines[index]
    if what == "drop":
        del lines[index]
    elif what == "twice":
        lines.append(replace(line, movement_ref=f"{line.movement_ref}-{len(lines)}"))
    elif what == "cent more":
        lines[index] = replace(line, amount=euro(778))
    else:
        lines[index] = replace(line, fee=euro(26))


def by_item(lines: list[Movement]) -> Counts[tuple[str, str]]:
    """What `spoil` changes, added up."""
    sums: Counts[tuple[str, str]] = Counts()
    for line in lines:
        if line.kind == "other":
            sums["other", line.movement_ref] += line.amount.amount
        elif line.kind == "payment":
            sums["payment", line.payment_id or ""] += line.amount.amount
            sums["fee", line.payment_id or ""] += line.fee.amount if line.fee else 0
    return sums


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
def test_a_crash_at_any_store_call(world: World, *, carried_out: bool) -> None:
    """Of an hour and of the end of a day with a payment to be healed, a stranger, and a payout of our own."""
    mortal = MortalContext(world.ctx)
    world.ctx = mortal
    context.install(mortal)
    counter = Counter(world)
    day, hour = MONDAY, 8
    for call in range(1, MOST_CALLS):
        unheard = counter.topup(100, told=False)
        counter.provider.move("payment", euro(7), source_ref=f"py_{call}")
        counter.provider.move("payout", euro(-3))
        day, hour = counter.today, world.ctx.now().hour
        world.advance(24 * 3600)
        mortal.calls, mortal.crash_at = 0, (call, carried_out)
        try:
            compare(counter, day, hour)
            died = False
        except Crash:
            died = True
        mortal.crash_at = None
        compare(counter, day, hour)
        counter.run_events()
        assert counter.faults == ["reconciliation_missing_here"] * call, f"at call {call}"
        assert counter.stored(unheard).state == "succeeded"
        for difference in all_of(counter):
            see_to(counter, difference.difference_id)
        if not died:
            assert call > 15, "the way has so few store calls that nothing was tried"
            assert counter.books()["clearing:bank:EUR"] == -3 * call
            return
    raise AssertionError("the way never ends")


def compare(counter: Counter, day: str, hour: int) -> None:
    counter.world.commit(lambda uow: service.begin_reconciliation(uow, day, "stripe"))
    reconciliation_jobs.compare_hour(counter.world.ctx, counter.provider, day, hour)
    reconciliation_jobs.finish(counter.world.ctx, counter.provider, day)


def see_to(counter: Counter, difference_id: str) -> None:
    counter.world.commit(lambda uow: service.close_difference(uow, difference_id, by="usr_1", note="Seen"))
