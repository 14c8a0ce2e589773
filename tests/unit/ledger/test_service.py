"""Posting, holds and lists against the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import model, service
from chalicelib.ledger.model import Entry, Hold, Posting
from tests.world import World

WALLET = "wallet:drv_1:EUR"
CASH = "cash:org_1:EUR"
INCOME = "income:org_1:EUR"
DAY = "2026-03-02"


def eur(amount: int) -> Money:
    return Money(amount, "EUR")


def cash_entry(world: World, amount: int, entry_id: str = "", note: str | None = None) -> Entry:
    return Entry(
        entry_id=entry_id or world.ctx.new_id("ent"),
        home_account_id=WALLET,
        kind="manual_entry",
        currency="EUR",
        postings=[Posting(WALLET, amount), Posting(CASH, -amount)],
        occurred_at=world.ctx.now(),
        source_id="org_1",
        business_day=DAY,
        note=note,
    )


def post(world: World, amount: int, entry_id: str = "") -> Entry:
    entry = cash_entry(world, amount, entry_id)
    world.commit(lambda uow: service.post(uow, entry))
    return entry


def hold(world: World, amount: int) -> tuple[Hold, str]:
    session_id = world.ctx.new_id("ses")
    placed = Hold(model.hold_id(WALLET, session_id), WALLET, model.hold_account(session_id), eur(amount))
    expires_at = world.ctx.now() + timedelta(hours=1)
    world.commit(lambda uow: service.place_hold(uow, placed, source_id=session_id, expires_at=expires_at))
    return placed, session_id


def capture(world: World, placed: Hold, session_id: str, taken: int) -> Entry:
    entry: Entry = world.commit(
        lambda uow: service.capture_hold(
            uow, placed, taken=eur(taken), to_account_id=INCOME, source_id=session_id, business_day=DAY
        )
    )
    return entry


def refused_code(action: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refused:
        action()
    return refused.value.code


def test_an_account_that_was_never_posted_to_is_empty(world: World) -> None:
    assert service.balance(world.ctx, WALLET) == eur(0)


def test_posting_moves_the_balance_and_is_listed_newest_first(world: World) -> None:
    first = post(world, 1000)
    world.advance(1)
    second = post(world, -300)
    assert service.balance(world.ctx, WALLET) == eur(700)
    assert service.list_entries(world.ctx, WALLET).data == [second, first]


def test_the_same_entry_twice_is_posted_once(world: World) -> None:
    entry = post(world, 1000)
    assert world.commit(lambda uow: service.post(uow, entry)) is False
    assert service.balance(world.ctx, WALLET) == eur(1000)


def test_the_same_id_for_another_fact_is_refused(world: World) -> None:
    entry = post(world, 1000)
    assert refused_code(lambda: post(world, 999, entry.entry_id)) == "ledger.entry_conflict"
    assert service.balance(world.ctx, WALLET) == eur(1000)


def test_a_guarded_account_never_goes_below_zero(world: World) -> None:
    post(world, 1000)
    assert refused_code(lambda: post(world, -1001)) == "ledger.insufficient_funds"
    post(world, -1000)
    assert refused_code(lambda: post(world, -1)) == "ledger.insufficient_funds"
    assert service.balance(world.ctx, WALLET) == eur(0)
    assert len(service.list_entries(world.ctx, WALLET).data) == 2


def test_a_debit_decided_on_a_balance_that_is_gone_is_decided_again(world: World) -> None:
    post(world, 1000)
    tries = []

    def decide(uow: UnitOfWork) -> None:
        service.post(uow, cash_entry(world, -800))
        tries.append(1)
        if len(tries) == 1:
            post(world, -500)  # somebody is faster

    assert refused_code(lambda: world.commit(decide)) == "ledger.insufficient_funds"
    assert service.balance(world.ctx, WALLET) == eur(500)


def test_a_refused_entry_writes_nothing(world: World) -> None:
    broken = cash_entry(world, 5)
    broken.postings.append(Posting(INCOME, 1))
    assert refused_code(lambda: world.commit(lambda uow: service.post(uow, broken))) == "ledger.unbalanced"
    assert service.list_entries(world.ctx, WALLET).data == []


def test_capturing_a_part_gives_the_rest_back(world: World) -> None:
    post(world, 1000)
    placed, session_id = hold(world, 500)
    assert service.balance(world.ctx, WALLET) == eur(500)
    closing = capture(world, placed, session_id, 7)
    assert service.balance(world.ctx, WALLET) == eur(993)
    assert closing.amount_on(INCOME) == 7
    held = service.require_entry(world.ctx, WALLET, placed.entry_id)
    assert (held.hold_state, held.hold_reason) == ("captured", "captured")
    assert service.total_of_period(world.ctx, INCOME, DAY) == eur(7)


def test_capturing_nothing_is_a_release(world: World) -> None:
    post(world, 1000)
    placed, session_id = hold(world, 500)
    capture(world, placed, session_id, 0)
    assert service.balance(world.ctx, WALLET) == eur(1000)
    assert service.require_entry(world.ctx, WALLET, placed.entry_id).hold_state == "released"
    assert list(service.entries_of_period(world.ctx, INCOME, DAY)) == []


def test_capturing_all_leaves_the_balance_alone(world: World) -> None:
    post(world, 500)
    placed, session_id = hold(world, 500)
    capture(world, placed, session_id, 500)
    assert service.balance(world.ctx, WALLET) == eur(0)
    assert service.total_of_period(world.ctx, INCOME, DAY) == eur(500)


def test_capturing_more_than_was_held_draws_on_the_balance_and_no_further(world: World) -> None:
    post(world, 600)
    placed, session_id = hold(world, 500)
    assert refused_code(lambda: capture(world, placed, session_id, 601)) == "ledger.insufficient_funds"
    capture(world, placed, session_id, 600)
    assert service.balance(world.ctx, WALLET) == eur(0)


def test_a_release_keeps_its_reason(world: World) -> None:
    post(world, 500)
    placed, session_id = hold(world, 500)
    world.commit(lambda uow: service.release_hold(uow, placed, source_id=session_id, reason="expired"))
    held = service.require_entry(world.ctx, WALLET, placed.entry_id)
    assert (held.hold_state, held.hold_reason) == ("released", "expired")
    assert service.balance(world.ctx, WALLET) == eur(500)


def test_a_hold_ends_once(world: World) -> None:
    post(world, 1000)
    placed, session_id = hold(world, 500)
    capture(world, placed, session_id, 100)
    assert refused_code(lambda: capture(world, placed, session_id, 100)) == "ledger.hold_not_open"
    again = lambda uow: service.release_hold(uow, placed, source_id=session_id, reason="late")  # noqa: E731
    assert refused_code(lambda: world.commit(again)) == "ledger.hold_not_open"
    assert service.balance(world.ctx, WALLET) == eur(900)


def test_a_capture_that_names_another_amount_than_was_held_is_refused(world: World) -> None:
    post(world, 1000)
    placed, session_id = hold(world, 500)
    lie = Hold(placed.entry_id, placed.home_account_id, placed.account_id, eur(600))
    assert refused_code(lambda: capture(world, lie, session_id, 550)) == "ledger.hold_not_open"
    assert service.balance(world.ctx, WALLET) == eur(500)


@pytest.mark.parametrize("amount", [0, -5])
def test_a_hold_is_of_more_than_nothing(world: World, amount: int) -> None:
    post(world, 100)
    assert refused_code(lambda: hold(world, amount)) == "ledger.hold_amount"


def test_a_reversal_happens_once_and_may_not_overdraw(world: World) -> None:
    entry = post(world, 1000)
    reverse = lambda uow: service.reverse(  # noqa: E731
        uow, service.require_entry(world.ctx, WALLET, entry.entry_id), business_day=DAY
    )
    post(world, -1)
    assert refused_code(lambda: world.commit(reverse)) == "ledger.insufficient_funds"
    post(world, 1)
    world.commit(reverse)
    assert service.balance(world.ctx, WALLET) == eur(0)
    assert refused_code(lambda: world.commit(reverse)) == "ledger.already_reversed"
    stale = lambda uow: service.reverse(uow, entry, business_day=DAY)  # noqa: E731
    post(world, 1000)
    assert refused_code(lambda: world.commit(stale)) == "ledger.already_reversed"


def test_what_is_filed_under_a_day_is_reversed_on_a_day(world: World) -> None:
    """Else cash that was taken by mistake would stay in its day for ever, and its reversal in none."""
    entry = post(world, 1000)
    assert refused_code(lambda: world.commit(lambda uow: service.reverse(uow, entry))) == "ledger.day_missing"
    assert service.total_of_period(world.ctx, CASH, DAY) == eur(-1000)
    world.commit(lambda uow: service.reverse(uow, entry, business_day="2026-03-03"))
    assert service.total_of_period(world.ctx, CASH, "2026-03-03") == eur(1000)


def test_dates_cut_a_list_from_inclusive_to_exclusive(world: World) -> None:
    start = world.ctx.now()
    entries = []
    for _ in range(3):
        entries.append(post(world, 10))
        world.advance(3600)
    hour = timedelta(hours=1)
    cut = service.list_entries(world.ctx, WALLET, date_from=start + hour, date_to=start + 2 * hour).data
    assert cut == [entries[1]]
    assert service.list_entries(world.ctx, WALLET, date_from=start + hour, newest_first=False).data == entries[1:]
    assert service.list_entries(world.ctx, WALLET, date_from=start + hour, date_to=start).data == []
    dawn, dusk = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert len(service.list_entries(world.ctx, WALLET, date_from=dawn, date_to=dusk).data) == 3


def test_pages_follow_each_other_without_gap(world: World) -> None:
    entries = []
    for _ in range(7):
        world.advance(1)
        entries.append(post(world, 10))
    seen: list[Entry] = []
    cursor: str | None = None
    for _ in range(3):
        page = service.list_entries(world.ctx, WALLET, limit=3, cursor=cursor)
        seen += page.data
        cursor = page.next_cursor
    assert seen == entries[::-1]
    assert cursor is None


def test_a_period_holds_what_was_posted_on_that_business_day_only(world: World) -> None:
    entry = post(world, 1000)
    other_day = cash_entry(world, 50)
    world.commit(lambda uow: service.post(uow, Entry(**{**vars(other_day), "business_day": "2026-03-03"})))
    (listed,) = service.entries_of_period(world.ctx, CASH, DAY)
    assert (listed.entry_id, listed.amount_on(CASH)) == (entry.entry_id, -1000)
    assert service.total_of_period(world.ctx, CASH, "2026-03-03") == eur(-50)


@pytest.mark.parametrize("account_id", ["income:org_1:EUR", "hold:ses_1", "nonsense"])
def test_only_guarded_accounts_have_a_balance(world: World, account_id: str) -> None:
    assert refused_code(lambda: service.balance(world.ctx, account_id)) in {
        "ledger.no_balance",
        "ledger.account_invalid",
    }


def test_what_a_session_costs_in_write_units(world: World) -> None:
    """Start pays two writes for its hold, Stop three and one index entry; a transactional write counts twice."""
    post(world, 1000)
    world.engine.consumed.clear()
    placed, session_id = hold(world, 500)
    assert _written(world) == 4
    capture(world, placed, session_id, 7)
    assert _written(world) == 7


def _written(world: World) -> float:
    written = sum(units for (_, kind), units in world.engine.consumed.items() if kind == "write")
    world.engine.consumed.clear()
    return float(written)
