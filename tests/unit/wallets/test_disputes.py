"""A bank takes a top-up back: the wallet gives what it has, begins no charge while something is missing, has all of it
again when the bank decides for us; and when it does not, the loss is booked once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.identity.model import PLATFORM_ID
from chalicelib.payments import jobs, service
from chalicelib.payments.providers.port import ProviderEventKind
from chalicelib.wallets import service as wallets
from tests.unit.payments.till import euro, page
from tests.unit.wallets.purse import CLEARING, DISPUTES, DRIVER, FEES, LOSSES, WALLET, Purse
from tests.world import World

FEE = 20
PROMOTION = f"promotion:{PLATFORM_ID}:EUR"


@pytest.fixture
def purse(world: World) -> Purse:
    world.platform_admin()
    return Purse(world, package_owner=PLATFORM_ID)


# -- it is opened -----------------------------------------------------------------------------------------------------


def test_what_the_wallet_has_is_withheld(purse: Purse) -> None:
    topup = purse.top_up(2000)
    dispute = purse.disputes(topup)
    assert (dispute.state, dispute.withheld, dispute.uncovered, dispute.is_blocking) == ("open", 2000, euro(0), False)
    assert purse.has() == 0
    assert purse.books() == {CLEARING: FEE, FEES: -FEE}
    assert "payment.fault_found" in purse.till.events
    assert purse.payment(topup).is_disputed


def test_what_was_spent_is_missing_and_no_charge_begins(purse: Purse) -> None:
    topup = purse.top_up(2000)
    purse.spend(700)
    dispute = purse.disputes(topup)
    assert (dispute.withheld, dispute.uncovered, dispute.is_blocking) == (1300, euro(700), True)
    assert purse.charge(1) == "wallet.disputed"
    purse.top_up(5000)
    assert purse.has() == 5000, "the driver's next money is left alone"
    assert purse.charge(100) == "wallet.disputed"
    assert wallets.reservable(purse.world.ctx, DRIVER, "EUR") == euro(0)
    assert purse.books()[DISPUTES] == -700


def test_nothing_that_a_charge_has_reserved_is_taken(purse: Purse) -> None:
    topup = purse.top_up(2000)
    session_id = purse.charge(1500)
    dispute = purse.disputes(topup)
    assert (dispute.withheld, dispute.uncovered) == (500, euro(1500))
    purse.top_up(300)
    extend = lambda uow: wallets.extend_session_hold(  # noqa: E731
        uow, driver_id=DRIVER, session_id=session_id, held=euro(1500), most=euro(200)
    )
    assert purse.world.commit(extend) == euro(200), "what runs may go on"


def test_the_bonus_that_came_with_it_goes_after_the_money(purse: Purse) -> None:
    topup = purse.top_up(2000, bonus=200)
    purse.spend(100)
    dispute = purse.disputes(topup)
    assert (dispute.withheld, dispute.bonus_withheld, dispute.is_blocking) == (2000, 100, False)
    assert purse.has() == 0


def test_a_part_takes_its_part_of_the_bonus(purse: Purse) -> None:
    dispute = purse.disputes(purse.top_up(2000, bonus=200), amount=euro(500))
    assert (dispute.withheld, dispute.bonus_withheld, purse.has()) == (500, 50, 1650)


def test_other_money_of_the_driver_is_not_more_than_makes_good(purse: Purse) -> None:
    purse.top_up(5000)
    dispute = purse.disputes(purse.top_up(2000))
    assert (dispute.withheld, purse.has()) == (2000, 5000)


def test_one_that_is_disputed_before_we_hear_that_it_is_paid(purse: Purse) -> None:
    topup = purse.begin(2000)
    payment = purse.payment(topup)
    purse.provider.pay(page(payment))
    ref = purse.provider.dispute(page(payment))
    dispute = purse.tell(ref, delivered=False)
    assert (dispute.state, dispute.is_blocking) == ("open", True)
    assert purse.payment(topup).state == "succeeded"
    purse.run()
    dispute = purse.look(ref)
    assert (dispute.withheld, dispute.is_blocking, purse.has()) == (2000, False, 0)


def test_one_that_is_disputed_before_it_is_credited(purse: Purse) -> None:
    """The events are delivered in the other order: first that it is disputed, which finds nothing to take."""
    topup = purse.begin(2000)
    payment = purse.payment(topup)
    purse.provider.pay(page(payment))
    purse.till.notify(payment)
    ref = purse.provider.dispute(page(payment))
    dispute = purse.tell(ref, delivered=False)
    purse.world.commit(lambda uow: wallets.answer_dispute(uow, dispute.dispute_id))
    assert purse.look(ref).answered_at is None
    purse.run()
    assert (purse.look(ref).withheld, purse.has()) == (2000, 0)


def test_an_inquiry_takes_nothing_and_becomes_a_dispute(purse: Purse) -> None:
    topup = purse.top_up(2000)
    dispute = purse.disputes(topup, takes=False)
    assert (dispute.state, dispute.withheld, purse.has()) == ("inquiry", 0, 2000)
    assert purse.refund(topup, 500) == "done", "the best answer to it"
    purse.run()
    lost = purse.decides(dispute, won=False)
    assert (lost.state, lost.withheld, lost.uncovered) == ("lost", 1500, euro(500))


def test_what_is_told_again_changes_nothing(purse: Purse) -> None:
    topup = purse.top_up(2000)
    purse.spend(500)
    before = purse.disputes(topup)
    books = purse.books()
    again = purse.tell(before.dispute_ref)
    purse.world._sequence = 0
    purse.run()
    assert (again.withheld, again.booked, again.is_blocking) == (before.withheld, before.booked, True)
    assert purse.books() == books
    assert purse.cover(before) == "ledger.insufficient_funds"


# -- it is decided ----------------------------------------------------------------------------------------------------


def test_won_all_of_it_is_there_again(purse: Purse) -> None:
    topup = purse.top_up(2000, bonus=200)
    purse.spend(700)
    dispute = purse.decides(purse.disputes(topup), won=True)
    assert (dispute.state, dispute.withheld, dispute.bonus_withheld, dispute.is_blocking) == ("won", 0, 0, False)
    assert purse.has() == 1500
    assert purse.charge(100).startswith("ses_")
    assert DISPUTES not in purse.books()
    assert not purse.payment(topup).is_disputed
    assert purse.refund(topup, 100) == "done"


def test_lost_the_rest_is_the_platforms(purse: Purse) -> None:
    topup = purse.top_up(2000, bonus=200)
    purse.spend(700)
    dispute = purse.decides(purse.disputes(topup), won=False)
    assert (dispute.state, dispute.withheld, dispute.bonus_withheld) == ("lost", 1500, 0)
    assert (dispute.uncovered, dispute.is_blocking) == (euro(500), True)
    books = purse.books()
    assert (books[LOSSES], books.get(DISPUTES)) == (-500, None)
    assert books[PROMOTION] == -200, "what was spent of a gift stays given"
    assert purse.charge(1) == "wallet.disputed"


def test_lost_the_bonus_goes_back_to_whoever_gave_it(purse: Purse) -> None:
    topup = purse.top_up(2000, bonus=200)
    purse.decides(purse.disputes(topup), won=False)
    assert purse.books() == {CLEARING: FEE, FEES: -FEE}
    assert sum(wallets.require_topup(purse.world.ctx, topup.topup_id).shares_back.values()) == 200


def test_lost_before_we_heard_of_it(purse: Purse) -> None:
    topup = purse.top_up(2000)
    purse.spend(500)
    ref = purse.provider.dispute(page(purse.payment(topup)))
    purse.provider.decide(ref, won=False)
    dispute = purse.tell(ref)
    assert (dispute.state, dispute.withheld, dispute.uncovered) == ("lost", 1500, euro(500))
    assert purse.books()[LOSSES] == -500


def test_won_before_we_heard_of_it(purse: Purse) -> None:
    topup = purse.top_up(2000)
    ref = purse.provider.dispute(page(purse.payment(topup)))
    purse.provider.decide(ref, won=True)
    dispute = purse.tell(ref)
    assert (dispute.state, dispute.withheld, purse.has()) == ("won", 0, 2000)
    assert purse.books() == {WALLET: 2000, CLEARING: -2000 + FEE, FEES: -FEE}


@pytest.mark.parametrize("won", [True, False])
def test_decided_before_the_wallet_has_answered(purse: Purse, won: bool) -> None:
    topup = purse.top_up(2000)
    ref = purse.provider.dispute(page(purse.payment(topup)))
    purse.tell(ref, delivered=False)
    purse.provider.decide(ref, won=won)
    dispute = purse.tell(ref)
    assert (dispute.withheld, dispute.is_blocking, purse.has()) == ((0, False, 2000) if won else (2000, False, 0))
    assert purse.charge(1).startswith("ses_") == won


def test_a_bank_that_comes_back_to_what_it_has_decided(purse: Purse) -> None:
    dispute = purse.decides(purse.disputes(purse.top_up(2000)), won=True)
    again = purse.decides(dispute, won=False)
    assert (again.state, again.withheld, purse.has()) == ("lost", 2000, 0)
    assert purse.books() == {CLEARING: 2 * FEE, FEES: -2 * FEE}


def test_a_loss_that_is_none_after_all_wakes_somebody(purse: Purse) -> None:
    dispute = purse.decides(purse.disputes(purse.top_up(2000)), won=False)
    again = purse.decides(dispute, won=True)
    assert again.state == "lost"
    assert purse.books()[DISPUTES] == 2000, "booked, and nobody's yet"


def test_what_the_provider_did_not_take_goes_back(purse: Purse) -> None:
    """More was disputed than it took in the end."""
    topup = purse.top_up(2000)
    dispute = purse.disputes(topup)
    purse.provider._move_for(dispute.dispute_ref, euro(800))
    lost = purse.decides(dispute, won=False)
    assert (lost.withheld, purse.has()) == (1200, 800)
    assert DISPUTES not in purse.books()


# -- what is missing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [False, True])
def test_what_is_missing_is_covered_when_somebody_says_so(purse: Purse, lost: bool) -> None:
    topup = purse.top_up(2000)
    purse.spend(2000)
    dispute = purse.disputes(topup)
    if lost:
        dispute = purse.decides(dispute, won=False)
    purse.top_up(500)
    assert purse.cover(dispute) == "done"
    assert (purse.look(dispute.dispute_ref).uncovered, purse.has()) == (euro(1500), 0)
    assert purse.charge(1) == "wallet.disputed"
    purse.top_up(3000)
    assert purse.cover(dispute) == "done"
    assert purse.has() == 1500
    assert purse.charge(1).startswith("ses_")
    assert purse.cover(dispute) == "dispute.covered"
    books = purse.books()
    assert (books.get(LOSSES), books.get(DISPUTES)) == (None, None)


@pytest.mark.parametrize("lost", [False, True])
def test_what_is_missing_is_forgiven(purse: Purse, lost: bool) -> None:
    topup = purse.top_up(2000)
    purse.spend(2000)
    dispute = purse.disputes(topup)
    if lost:
        dispute = purse.decides(dispute, won=False)
    purse.top_up(500)
    assert purse.forgive(dispute) == "done"
    assert purse.charge(1).startswith("ses_")
    assert purse.forgive(dispute) == purse.cover(dispute) == "dispute.covered"
    lost_at_last = dispute if lost else purse.decides(dispute, won=False)
    assert purse.look(lost_at_last.dispute_ref).withheld == 0
    assert purse.books()[LOSSES] == -2000
    assert purse.has() == 499


def test_what_was_forgiven_before_the_wallet_could_answer_is_booked_when_it_is_lost(purse: Purse) -> None:
    """The event that asks the wallet comes behind: it finds nothing to take any more, and the loss is somebody's."""
    topup = purse.top_up(2000)
    ref = purse.provider.dispute(page(purse.payment(topup)))
    dispute = purse.tell(ref, delivered=False)
    assert purse.forgive(dispute) == "done"
    purse.run()
    dispute = purse.decides(dispute, won=False)
    assert not dispute.is_unfinished
    assert (dispute.withheld, purse.has(), purse.books()[LOSSES]) == (0, 2000, -2000)


def test_nothing_is_covered_or_forgiven_of_one_that_is_won(purse: Purse) -> None:
    dispute = purse.decides(purse.disputes(purse.top_up(2000)), won=True)
    assert purse.cover(dispute) == purse.forgive(dispute) == "dispute.not_open"


def test_two_disputes_both_have_to_be_covered(purse: Purse) -> None:
    first, second = purse.top_up(1000), purse.top_up(1000)
    purse.spend(2000)
    one, other = purse.disputes(first), purse.disputes(second)
    assert purse.forgive(one) == "done"
    assert purse.charge(1) == "wallet.disputed"
    assert purse.forgive(other) == "done"
    assert purse.charge(1) == "ledger.insufficient_funds"


# -- refunds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [False, True])
def test_a_disputed_payment_is_not_paid_back_besides(purse: Purse, lost: bool) -> None:
    topup = purse.top_up(2000)
    purse.top_up(2000)
    dispute = purse.disputes(topup)
    if lost:
        purse.decides(dispute, won=False)
    assert purse.payment(topup).refundable == euro(0)
    assert purse.refund(topup, 500) == "payment.disputed"


def test_a_refund_under_way_fails_and_makes_good(purse: Purse) -> None:
    topup = purse.top_up(2000, bonus=200)
    assert purse.refund(topup, 500) == "done"
    dispute = purse.disputes(topup)
    dispute = purse.look(dispute.dispute_ref)
    assert (dispute.withheld, dispute.bonus_withheld, dispute.is_blocking) == (2000, 200, False)
    assert purse.has() == 0


# -- whoever is not told ----------------------------------------------------------------------------------------------


def test_the_job_asks_once_a_day_and_learns_of_the_end(purse: Purse) -> None:
    dispute = purse.disputes(purse.top_up(2000))
    purse.provider.decide(dispute.dispute_ref, won=True)
    reconcile = lambda: jobs.reconcile(purse.world.ctx, lambda _name: purse.provider)  # noqa: E731
    assert reconcile().get("dispute_won") is None
    purse.world.advance(timedelta(days=1).total_seconds() + 1)
    assert reconcile()["dispute_won"] == 1
    purse.run()
    assert purse.has() == 2000
    purse.world.advance(timedelta(days=1).total_seconds() + 1)
    assert not [name for name in reconcile() if name.startswith("dispute")]


def test_the_job_tells_again_what_nobody_has_heard(purse: Purse) -> None:
    topup = purse.top_up(2000)
    ref = purse.provider.dispute(page(purse.payment(topup)))
    purse.tell(ref, delivered=False)
    purse.world.run_events({})  # the relay has given up
    purse.world.advance(601)
    jobs.reconcile(purse.world.ctx, lambda _name: purse.provider)
    purse.run()
    assert purse.look(ref).withheld == 2000


def test_it_is_told_which_payment(purse: Purse) -> None:
    topup = purse.top_up(2000)
    purse.disputes(topup)
    found = service.disputes_of(purse.world.ctx, purse.payment(topup))
    assert [(dispute.payment_id, dispute.purpose_id) for dispute in found] == [(topup.payment_id, topup.topup_id)]
    assert purse.till.notify(purse.payment(topup), "evt_late", ProviderEventKind.CHECKOUT_PAID) == "applied"
    assert purse.payment(topup).is_disputed
