"""Two warm processes on one store: what one remembers, the other has changed. Memory meters; what is stored decides."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from chalicelib.charging import lookup, service
from chalicelib.charging.model import EventOutcome, TransactionEvent
from chalicelib.charging.store import session_pk
from chalicelib.kernel.context import Context
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ledger.jobs import prove_ledger
from tests.site import CARD, Site
from tests.unit.charging.conftest import AfterRead
from tests.unit.charging.teller import OTHER_CARD, Teller, commands, ends_right
from tests.world import SECRETS, WorldContext


@pytest.fixture
def teller(site: Site) -> Teller:
    return Teller(site)


@pytest.fixture
def other(site: Site) -> Context:
    """A second process: the same store, clock and settings, and a memory of its own."""
    return WorldContext(site.world.ctx.settings, site.world.clock, SECRETS)


def tell(ctx: Context, teller: Teller, *events: TransactionEvent) -> EventOutcome:
    outcome = EventOutcome()
    for event in events:
        teller.site.advance_s(1)
        outcome = decide_and_commit(ctx, partial(teller.record, event=event))
    return outcome


def test_each_piece_to_another_process(teller: Teller, other: Context) -> None:
    teller.tell(teller.started())
    tell(other, teller, teller.updated(1100))
    teller.tell(teller.updated(1150, 2))
    tell(other, teller, teller.ended(1200, 3))
    teller.tell(teller.updated(1190, 2, message_id="late"))
    assert (teller.session().state, teller.session().energy_wh, teller.session().captured) == ("settled", 200, 7)


@pytest.mark.parametrize("how", ["given up", "ended"])
def test_what_is_over_elsewhere_is_metered_and_nothing_else(teller: Teller, other: Context, how: str) -> None:
    """This process still believes that it runs, and that it costs more than was paid for."""
    asked = teller.site.request(5)
    teller.tell(teller.started(id_token=asked.id_token, at=asked.created_at))
    if how == "ended":
        tell(other, teller, teller.ended(1100, 1))
    else:
        decide_and_commit(other, partial(service.give_up_session, session_id=asked.session_id, cause="stop_missing"))
    before = teller.session()
    teller.tell(teller.updated(9000, 2), teller.updated(9500, 3))
    assert teller.session() == before
    assert [command.get("transaction_id") for command in commands(teller)] == [None]  # the start, and no stop
    assert teller.site.world.run_job(prove_ledger)["faults"] == 0


def test_a_stop_that_was_asked_for_elsewhere_is_not_asked_again(teller: Teller, other: Context) -> None:
    asked = teller.site.request(5)
    teller.tell(teller.started(id_token=asked.id_token, at=asked.created_at), teller.updated(1010, 1))
    session = teller.session()
    decide_and_commit(other, lambda uow: service.cancel_or_stop(uow, session, requested_by="drv"))
    teller.tell(teller.updated(9000, 2))
    assert sum("transaction_id" in command for command in commands(teller)) == 1


def test_a_payer_who_is_named_elsewhere_is_watched_here(teller: Teller, other: Context) -> None:
    """Nobody's delivery is not remembered: who comes to pay for it meanwhile is."""
    nobody = teller.started(0, id_token=None, id_token_kind=None, charging_state="Charging")
    teller.tell(nobody, teller.updated(100))
    tell(other, teller, teller.updated(200, 2, id_token=CARD, id_token_kind="ISO14443"))
    teller.tell(teller.updated(60_000, 3))  # 21.00 of 20.00
    assert commands(teller) == [{"transaction_id": "TX-1"}]


def test_a_name_that_is_used_again_elsewhere_is_watched_here_in_the_end(teller: Teller, other: Context) -> None:
    """The charger forgot its transactions; this process remembers the old one, until its memory is too old."""
    teller.tell(teller.started(), teller.updated(1100))
    tell(other, teller, teller.ended())
    again = Teller(teller.site)
    again.began = teller.began + timedelta(hours=1)
    teller.site.advance(60)
    tell(other, again, again.started(1200, message_id="other"))
    teller.tell(again.updated(90_000, 1))
    assert commands(teller) == [{"transaction_id": "TX-1"}]


def test_a_stop_does_not_undo_who_pays(teller: Teller, other: Context, after_read: AfterRead) -> None:
    """A console stops nobody's delivery in the moment in which a card is presented for it: the hold has its owner."""
    teller.tell(teller.started(id_token=None, id_token_kind=None, charging_state="Charging"))
    session_id = teller.session().session_id
    card = teller.updated(1100, id_token=CARD, id_token_kind="ISO14443")
    after_read(session_pk(session_id), lambda: tell(other, teller, card))

    def stop(uow: UnitOfWork) -> None:
        session = lookup.require_session(uow.ctx, session_id)
        service.cancel_or_stop(uow, session, requested_by="usr")

    teller.site.world.commit(stop)
    session = teller.session()
    assert (session.state, session.driver_id, session.held) == ("stopping", teller.site.driver.driver_id, 2000)
    teller.tell(teller.ended())
    ends_right(teller)


def test_two_begins_at_one_moment(teller: Teller, other: Context, after_read: AfterRead) -> None:
    """The same start over an old and a new socket: one session, one hold."""
    after_read("charger#cp-001", lambda: tell(other, teller, teller.started(message_id="new socket")))
    teller.tell(teller.started())
    assert (teller.session().held, teller.site.available()) == (2000, 0)
    teller.tell(teller.ended())
    ends_right(teller)


def test_end_and_begin_at_one_moment(teller: Teller, other: Context, after_read: AfterRead) -> None:
    teller.tell(teller.updated(1100))
    after_read("charger#cp-001", lambda: tell(other, teller, teller.ended()))
    teller.tell(teller.started())
    ends_right(teller)


def test_the_deadline_and_the_late_begin_at_one_moment(
    teller: Teller,
    other: Context,
    after_read: AfterRead,
) -> None:
    """Whoever is first decides; the session is sealed once, and its money moves once."""
    teller.tell(teller.updated(1100), teller.ended())
    session_id = teller.session().session_id
    after_read(session_pk(session_id), lambda: tell(other, teller, teller.started()))
    teller.site.world.commit(partial(service.give_up_session, session_id=session_id, cause="stop_missing"))
    ends_right(teller)


def test_another_card_elsewhere_is_not_the_payers(teller: Teller, other: Context) -> None:
    teller.tell(teller.started(), teller.updated(1100))
    outcome = tell(other, teller, teller.updated(1150, 2, id_token=OTHER_CARD, id_token_kind="ISO14443"))
    assert outcome.authorization is not None
    assert outcome.authorization.status == "invalid"
    teller.tell(teller.ended(1200, 3))
    assert (teller.session().driver_id, teller.session().captured) == (teller.site.driver.driver_id, 7)
