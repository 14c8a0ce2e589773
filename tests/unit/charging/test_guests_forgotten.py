"""Who a guest was is forgotten some time after the charge; what was charged and paid stays."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.charging import guest_jobs, lookup
from chalicelib.charging.model.guests import GuestOrder
from chalicelib.charging.service import forgetting, guests
from chalicelib.charging.store.guests import GUEST_ORDERS
from chalicelib.kernel.outbox import Consumer, Event
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.payments import service as payments
from tests.integration.money.paying import prove
from tests.site import Site
from tests.unit.charging.guest_till import EMAIL, Guest
from tests.unit.charging.test_guests import refund
from tests.unit.drivers.test_leaving import stored
from tests.unit.payments.till import Till

WEEK = 7
"""The longest that an authorisation lasts."""


@pytest.fixture
def guest(site: Site) -> Guest:
    return Guest(site, Till(site.world))


def charged(guest: Guest) -> GuestOrder:
    order = guest.pays(guest.order(1000))
    guest.leaves(guest.plugs_in(order), 11_000)
    return order


def pass_days(site: Site, days: float) -> None:
    site.world.advance(timedelta(days=days).total_seconds())


def forget(site: Site) -> Any:
    return site.world.run_job(guest_jobs.forget_guests)


def keep(site: Site, days: int) -> None:
    token = site.world.access_token(site.operator.user.email)
    assert site.world.rest.put("/v1/settings/guests", {"keep_days": days}, token=token).status == 200


def rows_that_know(site: Site) -> list[str]:
    """Where the guest's address still stands, of what does not expire by itself; and the mails to it."""
    names = [row["pk"]["S"] for row in stored(site.world) if EMAIL in str(row)]
    table = next(name for name in site.world.engine.execute("ListTables", {})["TableNames"] if "notifications" in name)
    mails = site.world.engine.execute("Scan", {"TableName": table})["Items"]
    return names + [row["pk"]["S"] for row in mails if EMAIL in str(row)]


def test_a_guest_is_forgotten_and_the_charge_is_not(site: Site, guest: Guest) -> None:
    order = charged(guest)
    assert len(rows_that_know(site)) == 3  # the order, the payment, the receipt
    pass_days(site, 90 + WEEK - 0.1)
    assert forget(site) == {"forgotten": 0}
    assert len(rows_that_know(site)) == 3
    pass_days(site, 0.2)
    assert forget(site) == {"forgotten": 1}
    assert rows_that_know(site) == []
    cdr, payment = lookup.find_cdr(site.world.ctx, order.session_id), guest.payment(order)
    assert cdr is not None
    assert (cdr.captured.amount, payment.state, payment.redirect_url) == (350, "captured", None)
    prove(site)


def test_the_mails_of_refunds_are_forgotten_too(site: Site, guest: Guest) -> None:
    order = charged(guest)
    for key in ("r1", "r2"):
        refund(guest, order, site.operator.access_token, key=key, amount={"amount": 50, "currency": "EUR"})
    guest.run()
    assert len(rows_that_know(site)) == 5
    pass_days(site, 98)
    assert forget(site) == {"forgotten": 1}
    assert rows_that_know(site) == []


def test_who_was_refused_is_forgotten_too(site: Site, guest: Guest) -> None:
    order = guest.order(1000)
    site.advance(76)
    assert guest.pays(order).state == "refused"
    pass_days(site, 98)
    assert forget(site) == {"forgotten": 1}
    assert rows_that_know(site) == []


def test_an_operator_says_for_how_long(site: Site, guest: Guest) -> None:
    charged(guest)
    keep(site, 10)
    pass_days(site, 18)
    assert forget(site) == {"forgotten": 1}


def test_who_is_forgotten_stays_so_when_guests_are_kept_longer(site: Site, guest: Guest) -> None:
    charged(guest)
    pass_days(site, 50)
    charged(guest)
    pass_days(site, 48)
    assert forget(site) == {"forgotten": 1}
    keep(site, 365)
    assert forget(site) == {"forgotten": 0}
    pass_days(site, 365)
    assert forget(site) == {"forgotten": 1}
    assert forget(site) == {"forgotten": 0}


def test_each_run_goes_on_where_the_last_one_was(site: Site, guest: Guest) -> None:
    for _ in range(3):
        charged(guest)
        pass_days(site, 1)
    pass_days(site, 97)
    before = forgetting.forget_before(site.world.ctx, site.operator.operator_id)
    assert forget(site) == {"forgotten": 3}
    assert list(forgetting.guests_to_forget(site.world.ctx, site.operator.operator_id, before)) == []


def test_an_event_that_comes_late_mails_nobody(site: Site, guest: Guest) -> None:
    order = charged(guest)
    pass_days(site, 98)
    forget(site)
    sent = len(site.world.mails(EMAIL))
    facts = {"purpose": "guest", "payment_id": order.payment_id, "purpose_id": order.session_id}
    consumers: list[Consumer] = [
        guest_jobs.on_payment_captured,
        guest_jobs.on_payment_released,
        guest_jobs.on_payment_refunded,
    ]
    for number, consumer in enumerate(consumers):
        consumer(site.world.ctx, Event(f"evt_{number}", "late", order.payment_id, facts, site.world.ctx.now()))
    site.world.run_events()
    assert len(site.world.mails(EMAIL)) == sent
    assert rows_that_know(site) == []


def test_what_fails_is_tried_again_and_does_not_hold_up_the_others(site: Site, guest: Guest) -> None:
    orders = [charged(guest) for _ in range(3)]
    pass_days(site, 98)
    ctx, operator_id = site.world.ctx, site.operator.operator_id
    row = GUEST_ORDERS.to_item(guest.look(orders[1]))
    unreadable = {name: value for name, value in row.items() if name != "amount"}
    site.world.engine.execute("PutItem", {"TableName": GUEST_ORDERS.name, "Item": unreadable})
    with pytest.raises(RuntimeError, match="1 guests"):
        forget(site)
    assert [guest.look(order).email for order in (orders[0], orders[2])] == ["", ""]
    due = forgetting.guests_to_forget(ctx, operator_id, forgetting.forget_before(ctx, operator_id))
    assert [payment.payment_id for payment in due] == [order.payment_id for order in orders[1:]]
    site.world.engine.execute("PutItem", {"TableName": GUEST_ORDERS.name, "Item": row})
    assert forget(site) == {"forgotten": 1}
    assert rows_that_know(site) == []


def test_the_guests_code_still_opens_the_receipt(site: Site, guest: Guest) -> None:
    order = charged(guest)
    pass_days(site, 98)
    forget(site)
    code = guests.guest_code(site.world.ctx, order.session_id)
    path = f"/v1/guest/sessions/{order.session_id}"
    assert site.world.rest.get(f"{path}/receipt", headers={"guest-code": code}).status == 200
    shown = site.world.rest.get(path, headers={"guest-code": code})
    assert (shown.status, EMAIL in str(shown.body)) == (200, False)


def test_a_mark_only_grows(site: Site) -> None:
    ctx, operator_id = site.world.ctx, site.operator.operator_id
    now = ctx.now()
    for moment in (now, now - timedelta(days=1)):
        site.world.commit(partial(forgetting.mark_forgotten, operator_id=operator_id, before=moment))
    uow = UnitOfWork(ctx)
    forgetting.mark_forgotten(uow, operator_id, now)
    assert uow.writes == []
    assert list(payments.guest_payments(ctx, operator_id, now, now - timedelta(days=1))) == []
