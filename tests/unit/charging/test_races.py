"""Two things at one moment, and frames out of their order: no energy lost, no money twice, nobody turned away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import MAX_OUTBOUND
from chalicelib.charging import lookup
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger import service as ledger
from chalicelib.ledger.model import Entry, Posting, wallet_account
from tests.site import CARD, Site
from tests.unit.charging.conftest import AfterRead

OTHER_CARD = "0BADCAFE01"


def spend(site: Site, amount: int) -> None:
    """Takes money out of the wallet, as another charge of the same driver would."""
    wallet = wallet_account(site.driver.driver_id, "EUR")
    entry = Entry(
        entry_id=site.world.ctx.new_id("ent"),
        home_account_id=wallet,
        kind="manual_entry",
        currency="EUR",
        postings=[Posting(wallet, -amount), Posting("cash:org_1:EUR", amount)],
        occurred_at=site.world.clock.now(),
        source_id="org_1",
        business_day="2026-03-02",
    )
    site.world.commit(lambda uow: ledger.post(uow, entry))


def test_money_that_goes_while_a_card_starts_makes_the_hold_smaller(site: Site, after_read: AfterRead) -> None:
    wallet = wallet_account(site.driver.driver_id, "EUR")
    # One look for the authorization and the hold; what it saw is gone at the commit, which decides again.
    after_read(wallet, lambda: spend(site, 1500))
    outcome = site.start()
    assert outcome.authorization.status == "accepted"
    [session] = site.sessions()
    assert session.held == 500


def test_money_that_goes_while_a_charge_ends_is_uncollected_and_the_stop_is_stored(
    site: Site, after_read: AfterRead
) -> None:
    site.top_up(1000)  # 20.00 are held, 10.00 are free
    outcome = site.start(meter_wh=0)
    after_read(wallet_account(site.driver.driver_id, "EUR"), lambda: spend(site, 900))
    site.stop(outcome.transaction_id, 80_000)  # 28.00
    [session] = site.sessions()
    assert (session.state, session.cost, session.captured) == ("settled", 2800, 2100)
    assert site.available() == 0


def test_a_start_of_long_ago_that_comes_again_leaves_the_running_session_alone(site: Site) -> None:
    began = site.world.clock.now()
    first = site.start(at=began)
    site.stop(first.transaction_id, 1200)
    second = site.start(meter_wh=1200, message_id="start-2")
    again = site.start(at=began, message_id="start-1-again")
    assert again.transaction_id == first.transaction_id
    assert [session.state for session in site.sessions()] == ["settled", "charging"]
    site.stop(second.transaction_id, 1300)
    assert [session.energy_wh for session in site.sessions()] == [200, 100]


def test_an_offline_session_that_is_told_late_leaves_the_running_one_alone(site: Site) -> None:
    site.top_up(2000)
    began = site.world.clock.now() - timedelta(hours=5)
    running = site.start(meter_wh=2000)
    late = site.start(OTHER_CARD, meter_wh=1000, at=began, message_id="queued-1")
    assert site.start(OTHER_CARD, meter_wh=1000, at=began, message_id="queued-2").transaction_id == late.transaction_id
    site.stop(late.transaction_id, 1900, at=began + timedelta(hours=1))
    site.meter(None, 2100)
    site.stop(running.transaction_id, 2500)
    assert {(s.id_token, s.state, s.energy_wh) for s in site.sessions()} == {
        (CARD, "settled", 500),
        (OTHER_CARD, "settled", 900),
    }


def test_a_stop_of_long_ago_does_not_end_the_running_session(site: Site) -> None:
    """A charger that sends its whole memory again: the transaction is one that we no longer remember."""
    site.start(meter_wh=5000)
    site.stop(987654, 3000, at=site.world.clock.now() - timedelta(days=1))
    [session] = site.sessions()
    assert session.state == "charging"


def test_the_readings_are_kept_and_the_stop_follows_when_the_queue_of_commands_is_full(site: Site) -> None:
    session = site.request(7)
    outcome = site.start_from_app(meter_wh=0)

    def fill(uow: UnitOfWork) -> None:
        charger_id = site.charger.charger_id
        chargers.queue_command(uow, charger_id=charger_id, action="ClearCache", payload={}, requested_by="usr")

    for _ in range(MAX_OUTBOUND - 1):  # the start is in the queue, too
        site.world.commit(fill)
    with pytest.raises(DomainError, match="queue_full"):
        site.world.commit(fill)
    site.meter(outcome.transaction_id, 300)
    reading = lookup.latest_reading(site.world.ctx, session)
    assert reading is not None
    assert reading.energy_wh == 300
    assert site.session(session.session_id).state == "charging"


def test_a_start_that_comes_again_after_its_end_begins_nothing(site: Site) -> None:
    """A charger that sends its whole memory again, under new message ids, while nobody charges."""
    starts = []
    for number, meter_wh in enumerate((1000, 1200)):
        at = site.world.clock.now()
        outcome = site.start(at=at, meter_wh=meter_wh, message_id=f"m{number}")
        site.stop(outcome.transaction_id, meter_wh + 200)
        starts.append((at, meter_wh, outcome.transaction_id))
    for number, (at, meter_wh, transaction_id) in enumerate(starts):
        again = site.start(at=at, meter_wh=meter_wh, message_id=f"again{number}")
        assert again.transaction_id == transaction_id
    assert [session.state for session in site.sessions()] == ["settled", "settled"]
