"""Days against a provider's statement: a right one is quiet, each difference is found, told once, and closes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.money import Money
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.payments import reconciliation_jobs, service
from chalicelib.payments.providers.port import PayoutState, RefundState
from tests.unit.payments.statement import NIGHT_S, Counter
from tests.unit.payments.till import INCOME, euro, page
from tests.world import World

QUIET = {"days": 1, "opened": 0, "settling": 0, "healed": 0}
MONDAY, TUESDAY = "2026-03-02", "2026-03-03"


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


def codes(counter: Counter) -> dict[str, str | None]:
    return {item_id: difference.code for item_id, difference in counter.differences().items()}


def test_a_clean_day_is_quiet(counter: Counter) -> None:
    counter.topup()
    guest = counter.guest()
    counter.ask_refund(guest, 200)
    counter.run_events()
    assert counter.sleep() == QUIET
    assert counter.faults == []
    day = service.require_reconciliation(counter.world.ctx, MONDAY, "stripe")
    [(currency, totals)] = day.totals.items()
    assert (day.state, currency, totals.difference) == ("done", "EUR", 0)
    assert totals.theirs == 2000 + 1234 - 200 - 2 * 25
    assert sum(hour.movements for hour in day.hours.values()) == 3
    assert counter.differences(MONDAY) == {}
    assert counter.compare() == QUIET | {"days": 0}


def test_money_that_nobody_has_here(counter: Counter) -> None:
    counter.provider.move("payment", euro(700), source_ref="py_stray")
    assert counter.sleep()["opened"] == 1
    assert codes(counter) == {"py_stray": "missing_here"}
    assert counter.faults == ["reconciliation_missing_here"]
    assert counter.sleep() == QUIET  # told once, and still there
    assert counter.faults == ["reconciliation_missing_here"]
    assert codes(counter) == {"py_stray": "missing_here"}


def test_a_posting_that_the_provider_knows_nothing_of(counter: Counter) -> None:
    counter.clear("top_up", "top_ghost", 500, "wallet:drv_1:EUR")
    assert counter.sleep()["opened"] == 1
    assert codes(counter) == {"top_ghost": "missing_there"}


def tampered(counter: Counter, **changes: Any) -> str:
    """The last line of the statement says something else than we know. Returns its payment's id."""
    line = counter.provider.movements[-1] = replace(counter.provider.movements[-1], **changes)
    return line.payment_id or ""


def test_another_amount(counter: Counter) -> None:
    counter.guest(1234)
    payment_id = tampered(counter, amount=euro(1233))
    counter.sleep()
    assert codes(counter) == {payment_id: "amount"}
    [difference] = counter.differences().values()
    assert difference.remaining == {"EUR": 1}
    assert "1234 EUR" in difference.detail


def test_another_currency(counter: Counter) -> None:
    counter.guest(1234)
    payment_id = tampered(counter, amount=Money(1234, "NOK"))
    counter.sleep()
    assert codes(counter) == {payment_id: "currency"}


@pytest.mark.parametrize("fee", [euro(26), None, Money(25, "NOK")])
def test_another_fee(counter: Counter, fee: Money | None) -> None:
    counter.guest()
    payment_id = tampered(counter, fee=fee)
    counter.sleep()
    assert codes(counter) == {payment_id: "currency" if fee and fee.currency == "NOK" else "fee"}
    assert len(counter.faults) == 1


def test_a_dispute_and_what_nobody_knows(counter: Counter) -> None:
    counter.provider.move("dispute", euro(-2000), fee=euro(1500), source_ref="dp_1")
    counter.provider.move("other", euro(-3))
    counter.sleep()
    found = {(d.kind, d.code) for d in service.list_unclosed_differences(counter.world.ctx, limit=9).data}
    assert found == {("dispute", "dispute"), ("fee", "fee"), ("other", "unknown_kind")}


def test_a_refund_by_hand(counter: Counter) -> None:
    payment = counter.guest()
    counter.provider.move("refund", euro(-100), payment_id=payment.payment_id, source_ref="re_by_hand")
    counter.sleep()
    assert codes(counter) == {"re_by_hand": "missing_here"}


def test_one_that_was_taken_although_we_think_otherwise(counter: Counter) -> None:
    """Paid with another amount than was asked for: a state in which nothing is booked."""
    payment = counter.open(2000, purpose="topup")
    counter.provider.pay(page(payment), euro(1999))
    counter.notify(payment)
    counter.sleep()
    assert counter.stored(payment).state == "mismatch"
    assert codes(counter) == {payment.purpose_id: "state", payment.payment_id: "fee"}


def test_twice_on_the_statement(counter: Counter) -> None:
    counter.guest(1000)
    line = counter.provider.movements[-1]
    counter.provider.movements.append(replace(line, movement_ref="txn_again", fee=None))
    counter.sleep()
    assert codes(counter) == {line.payment_id: "amount"}


# -- what heals -----------------------------------------------------------------------------------------------------


def test_a_payment_that_nobody_told_us_of_is_made_good(counter: Counter) -> None:
    payment = counter.topup(told=False)
    assert payment.state == "pending"
    assert counter.sleep() == QUIET | {"settling": 2, "healed": 1}  # the money, and its fee
    assert counter.stored(payment).state == "succeeded"
    assert counter.faults == []
    assert counter.sleep() == QUIET
    assert counter.differences() == {}


def test_a_top_up_that_nobody_booked_is_told_again(counter: Counter) -> None:
    payment = counter.open(2000, purpose="topup")
    counter.provider.pay(page(payment))
    counter.notify(payment)
    counter.world.run_events({})  # who books it heard nothing
    assert counter.sleep()["healed"] == 1
    assert counter.sleep() == QUIET
    assert counter.differences() == {}
    assert counter.faults == []


def test_a_refund_that_came_back_unheard_is_made_good(counter: Counter) -> None:
    payment = counter.topup()
    counter.ask_refund(payment, 500)
    counter.run_events()
    counter.sleep()
    counter.provider.settle_refund("re_ref_1", RefundState.FAILED, "account_closed")
    assert counter.sleep()["healed"] == 1
    assert counter.refund(payment).state == "failed"
    assert counter.sleep() == QUIET
    assert counter.differences() == {}


def test_what_only_the_provider_and_we_have_is_booked(counter: Counter) -> None:
    counter.provider.move("payout", euro(-900))
    counter.provider.move("fee", euro(-150))
    assert counter.sleep() == QUIET
    assert counter.books() == {
        "clearing:stripe:EUR": 900 + 150,
        "clearing:bank:EUR": -900,
        "fees:stripe:EUR": -150,
    }
    day = counter.again(MONDAY)
    assert sum(hour.booked for hour in day.hours.values()) == 0
    assert counter.differences() == {}
    assert counter.books()["clearing:stripe:EUR"] == 900 + 150


# -- what only takes time -------------------------------------------------------------------------------------------


def test_around_midnight_it_settles(counter: Counter) -> None:
    """The provider has it before, we after."""
    counter.world.advance(15 * 3600 + 59 * 60)
    payment = counter.open(2000, purpose="topup")
    counter.provider.pay(page(payment))
    counter.world.advance(120)
    counter.notify(payment)
    counter.run_events()
    assert counter.today == TUESDAY
    counter.world.advance(3 * 3600)
    assert counter.compare() == QUIET | {"settling": 2}
    assert counter.sleep() == QUIET
    assert counter.differences() == {}
    assert counter.faults == []
    assert counter.again(MONDAY).opened == 0  # the other side is on the other day, and is known
    assert counter.sleep() == QUIET
    assert counter.faults == []


def test_what_does_not_settle_is_told_a_day_later(counter: Counter) -> None:
    counter.world.advance(15 * 3600 + 45 * 60)
    counter.provider.move("payment", euro(700), source_ref="py_stray")
    counter.world.advance(4 * 3600)
    assert counter.compare() == QUIET | {"settling": 1}
    assert counter.faults == []
    assert counter.sleep()["opened"] == 1
    assert counter.faults == ["reconciliation_missing_here"]


def test_a_slow_refund_is_under_way_for_two_weeks(counter: Counter) -> None:
    payment = counter.topup()
    counter.provider.refund_state = RefundState.PENDING
    counter.ask_refund(payment, 500)
    counter.run_events()
    for _ in range(13):
        assert counter.sleep() == QUIET | {"settling": 1}
    assert counter.faults == []
    assert [counter.sleep()["opened"] for _ in range(2)] == [0, 1]
    counter.provider.settle_refund("re_ref_1", RefundState.SUCCEEDED)
    counter.reconcile()
    counter.run_events()
    counter.sleep()
    [closed] = [d for d in counter.differences(MONDAY).values() if d.kind == "refund"]
    assert (closed.state, closed.closed_by) == ("closed", "itself")


def test_a_payout_leaves_the_balance_before_it_arrives(counter: Counter) -> None:
    payee(counter)
    counter.world.commit(
        lambda uow: service.request_payout(
            uow, payout_id="wdr_1", organization_id="org_1", amount=euro(400), description="Withdrawal"
        )
    )
    service_send(counter, "wdr_1")
    assert counter.sleep() == QUIET | {"settling": 1}
    counter.provider.settle_payout("po_wdr_1", PayoutState.PAID)
    counter.reconcile()
    counter.clear("payout", "wdr_1", -400, "withdrawals:org_1:EUR")  # as settlement does when it hears of it
    assert counter.sleep() == QUIET
    assert counter.differences() == {}
    counter.provider.settle_payout("po_wdr_1", PayoutState.FAILED, "account_closed")
    assert counter.sleep()["healed"] == 1
    assert service.require_payout(counter.world.ctx, "wdr_1").state == "failed"


def payee(counter: Counter) -> None:
    organization = counter.world.operator().organization
    named = replace(organization, organization_id="org_1")
    commit = counter.world.commit
    account = commit(lambda uow: service.begin_payout_account(uow, named))
    opened = commit(lambda uow: service.open_payout_account(uow, counter.provider, account))
    counter.provider.enable(opened.payee_ref)
    commit(lambda uow: service.open_payout_account(uow, counter.provider, opened))


def service_send(counter: Counter, payout_id: str) -> None:
    counter.world.commit(lambda uow: service.send_payout(uow, counter.provider, payout_id))


# -- how it ends ----------------------------------------------------------------------------------------------------


def test_it_closes_itself_when_it_is_gone(counter: Counter) -> None:
    counter.provider.move("payment", euro(700), source_ref="py_late")
    counter.sleep()
    assert codes(counter) == {"py_late": "missing_here"}
    counter.clear("capture", "py_late", 700, "captures:stripe:EUR")
    counter.sleep()
    assert counter.differences() == {}
    [closed] = counter.differences(MONDAY).values()
    assert (closed.state, closed.closed_by, closed.remaining) == ("closed", "itself", {})


def test_a_person_closes_it_until_it_changes(counter: Counter) -> None:
    counter.provider.move("dispute", euro(-700), source_ref="dp_1")
    counter.sleep()
    [difference] = counter.differences().values()
    close = {"difference_id": difference.difference_id, "by": "usr_1", "note": "Written off"}
    counter.world.commit(lambda uow: service.close_difference(uow, **close))
    with pytest.raises(DomainError, match="closed"):
        counter.world.commit(lambda uow: service.close_difference(uow, **close))
    assert counter.sleep() == QUIET
    assert counter.differences() == {}
    assert counter.again(MONDAY).opened == 0
    counter.provider.move("dispute", euro(-5), source_ref="dp_1")
    assert counter.sleep()["opened"] == 1
    [again] = counter.differences().values()
    assert again.note == "Written off"
    assert again.remaining == {"EUR": 705}


def test_a_statement_that_was_corrected_closes_its_day(counter: Counter) -> None:
    counter.guest(1234)
    right = counter.provider.movements[-1]
    tampered(counter, amount=euro(1000))
    counter.sleep()
    counter.provider.movements[-1] = right
    assert counter.again(MONDAY).opened == 0
    assert counter.differences() == {}


def test_a_reversed_entry_is_about_what_it_reverses(counter: Counter) -> None:
    entry = counter.clear("capture", "pay_x", 100, "captures:stripe:EUR")
    counter.world.commit(lambda uow: ledger.reverse(uow, entry))
    assert counter.sleep() == QUIET


# -- interruptions --------------------------------------------------------------------------------------------------


def test_a_silent_provider_is_asked_at_the_next_hour(counter: Counter) -> None:
    counter.guest()
    counter.provider.breaks.extend(["ok", "before"])
    with pytest.raises(RuntimeError, match="stripe 2026-03-02: payment_provider"):
        counter.sleep()
    counter.provider.breaks.clear()
    begun = service.require_reconciliation(counter.world.ctx, MONDAY, "stripe")
    assert (begun.state, len(begun.hours)) == ("running", 1)
    assert counter.compare() == QUIET


def test_days_that_were_missed_are_caught_up_with(counter: Counter) -> None:
    counter.sleep()
    counter.world.advance(3 * NIGHT_S)
    assert counter.compare()["days"] == 3
    latest = service.list_reconciliations(counter.world.ctx, limit=9).data
    assert [each.day for each in latest] == ["2026-03-05", "2026-03-04", TUESDAY, MONDAY]


def test_today_is_not_over(counter: Counter) -> None:
    with pytest.raises(DomainError, match="over"):
        counter.world.commit(lambda uow: service.begin_reconciliation(uow, MONDAY, "stripe", requested_by="usr_1"))


def test_a_crash_on_the_way_changes_nothing(counter: Counter) -> None:
    """The same hour twice, and the end twice."""
    counter.provider.move("payment", euro(700), source_ref="py_stray")
    counter.world.advance(NIGHT_S)
    ctx = counter.world.ctx
    counter.world.commit(lambda uow: service.begin_reconciliation(uow, MONDAY, "stripe"))
    for hour in (8, 8, 9):
        reconciliation_jobs.compare_hour(ctx, counter.provider, MONDAY, hour)
    for _ in range(2):
        reconciliation_jobs.finish(ctx, counter.provider, MONDAY)
    counter.run_events()
    assert counter.faults == ["reconciliation_missing_here"]
    [difference] = counter.differences().values()
    assert difference.remaining == {"EUR": -700}


def test_of_two_who_decide_at_once_one_decides_again(counter: Counter) -> None:
    counter.provider.move("payment", euro(700), source_ref="py_stray")
    counter.sleep()
    [difference] = counter.differences().values()
    first, second = UnitOfWork(counter.world.ctx), UnitOfWork(counter.world.ctx)
    for uow, by in ((first, "usr_1"), (second, "usr_2")):
        service.close_difference(uow, difference.difference_id, by=by, note="Seen")
    first.commit()
    with pytest.raises(StaleRead):
        second.commit()


def test_silence_about_one_thing_leaves_it_different(counter: Counter) -> None:
    counter.topup(told=False)
    counter.world.advance(NIGHT_S)
    ctx = counter.world.ctx
    counter.world.commit(lambda uow: service.begin_reconciliation(uow, MONDAY, "stripe"))
    for hour in range(24):
        reconciliation_jobs.compare_hour(ctx, counter.provider, MONDAY, hour)
    counter.provider.breaks.extend(["before"] * 4)
    done = reconciliation_jobs.finish(ctx, counter.provider, MONDAY)
    assert (done.opened, done.healed) == (2, 0)


def test_income_is_not_touched(counter: Counter) -> None:
    counter.guest(1000)
    before = counter.books()
    counter.sleep()
    assert counter.books() == before
    assert before[INCOME] == 1000


def test_before_the_first_payment_nobody_is_asked(world: World) -> None:
    world.advance(NIGHT_S)
    assert reconciliation_jobs.reconcile_due(world.ctx, lambda _name: pytest.fail("asked")) == QUIET | {"days": 0}
