"""Charging without an account: the card is authorised first, and pays what the charge has cost, once."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging import lookup, service
from chalicelib.charging.model.guests import GuestOrder
from chalicelib.charging.service import authorize_id_token
from chalicelib.drivers.model import app_token
from chalicelib.kernel.errors import DomainError
from chalicelib.payments.providers.port import ProviderEventKind
from chalicelib.tariffs import service as tariffs
from tests.integration.money.paying import balances_by_class, prove
from tests.site import CARD, Site
from tests.unit.charging.guest_till import EMAIL, Guest
from tests.unit.identity.narrowed import narrowed_token
from tests.unit.payments.till import Till, euro, page
from tests.world import Reply


@pytest.fixture
def guest(site: Site) -> Guest:
    return Guest(site, Till(site.world))


def test_a_guest_pays_what_the_charge_has_cost(site: Site, guest: Guest) -> None:
    order = guest.order(1000)
    assert (order.state, lookup.find_session(site.world.ctx, order.session_id)) == ("awaiting_payment", None)
    order = guest.pays(order)
    session = site.session(order.session_id)
    assert (order.state, session.state, session.held, session.driver_id) == ("started", "requested", 1000, None)
    transaction_id = guest.plugs_in(order)
    guest.leaves(transaction_id, 11_000)  # 10 kWh at 0.35
    session = site.session(order.session_id)
    assert (session.state, session.cost, session.captured) == ("settled", 350, 350)
    assert (guest.payment(order).state, guest.taken(order), site.income()) == ("captured", 350, 350)
    cdr = lookup.find_cdr(site.world.ctx, order.session_id)
    assert cdr is not None
    assert (cdr.payment_id, cdr.driver_id, cdr.captured.amount) == (order.payment_id, None, 350)
    prove(site)


def test_the_receipt_goes_to_the_guest(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(1000))
    guest.leaves(guest.plugs_in(order), 11_000)
    [mail] = site.world.mails(EMAIL)
    assert "10.000 kWh for 3.50 EUR" in mail.subject
    assert "6.50 EUR" in (mail.text or "")
    assert "Market square" in (mail.text or "")
    assert "(Europe/Berlin)" in (mail.text or "")
    assert "Energy: 10 kWh at 0.35 / kWh" in (mail.text or "")
    [file] = mail.attachments
    assert (file.name, file.media_type) == (f"receipt-{site.session(order.session_id).order_no}.pdf", "application/pdf")


def test_the_receipt_names_who_sold_and_at_which_tax(site: Site, guest: Guest) -> None:
    said = {"legal_name": "Stadtwerke Süd GmbH", "tax_number": "DE123456789", "country": "DE"}
    assert site.world.rest.put("/v1/settings/invoicing", said, token=site.operator.access_token).status == 200
    order = guest.pays(guest.order(1000))
    guest.leaves(guest.plugs_in(order), 11_000)
    [mail] = site.world.mails(EMAIL)
    assert "Stadtwerke Süd GmbH" in (mail.text or "")
    assert "DE123456789" in (mail.text or "")


def test_a_guest_hears_of_money_that_comes_back(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(1000))
    guest.leaves(guest.plugs_in(order), 11_000)
    refund(guest, order, site.operator.access_token, amount={"amount": 100, "currency": "EUR"})
    guest.run()
    mail, _receipt = site.world.mails(EMAIL)
    assert "1.00 EUR paid back" in (mail.subject or "")
    assert "Paid by card, after that: 2.50 EUR" in (mail.text or "")
    assert [file.media_type for file in mail.attachments] == ["application/pdf"]


def test_a_charge_never_costs_more_than_was_authorised(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(200))
    guest.leaves(guest.plugs_in(order), 11_000)
    session = site.session(order.session_id)
    assert (session.cost, session.captured, guest.taken(order)) == (350, 200, 200)


def test_the_charger_is_told_to_stop_when_the_money_is_used_up(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(100))
    transaction_id = guest.plugs_in(order)
    site.advance(30)
    site.meter(transaction_id, 4000)
    assert site.session(order.session_id).state == "stopping"


def test_nobody_plugs_in_and_the_card_is_free_again(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(1000))
    site.advance_s(121)
    site.world.commit(lambda uow: service.expire_request(uow, order.session_id))
    guest.run()
    assert (site.session(order.session_id).state, guest.payment(order).state) == ("expired", "released")
    [mail] = site.world.mails(EMAIL)
    assert mail.subject == "Nothing was charged to your card"


def test_a_charge_that_delivers_nothing_takes_nothing(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(1000))
    guest.leaves(guest.plugs_in(order), 1000)
    assert (guest.payment(order).state, guest.taken(order), site.income()) == ("released", 0, 0)
    prove(site)


def test_who_is_late_to_pay_gets_the_money_back(site: Site, guest: Guest) -> None:
    order = guest.order(1000)
    site.start(CARD)  # somebody else was faster at the connector
    order = guest.pays(order)
    assert (order.state, guest.payment(order).state) == ("refused", "released")
    assert order.refusal == "Somebody is charging at this connector."
    assert lookup.find_session(site.world.ctx, order.session_id) is None
    assert site.income() == 0


def test_a_payment_that_is_told_when_the_guest_is_gone_starts_nothing(site: Site, guest: Guest) -> None:
    """Whoever plugs in next would charge on the guest's card."""
    order = guest.order(1000)
    site.advance(76)
    order = guest.pays(order)
    assert (order.state, guest.payment(order).state) == ("refused", "released")
    assert order.refusal == "The payment was confirmed too late; please start again."
    assert site.sessions() == []


def test_a_charger_that_went_offline_meanwhile_is_not_paid_for(site: Site, guest: Guest) -> None:
    order = guest.order(1000)
    site.world.commit(lambda uow: chargers.close_connection(uow, "conn-1="))
    order = guest.pays(order)
    assert (order.state, guest.payment(order).state) == ("refused", "released")


def test_a_card_that_is_refused_may_be_followed_by_a_good_one(site: Site, guest: Guest) -> None:
    order = guest.order(1000)
    guest.till.provider.decline(guest.payment(order).provider_ref or "", final=False)
    guest.tell(order, ProviderEventKind.ATTEMPT_FAILED)
    assert guest.pays(guest.look(order)).state == "started"


def test_notifications_that_repeat_start_one_charge(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(1000))
    for _ in range(3):
        guest.tell(order)
    assert [s.session_id for s in site.sessions()] == [order.session_id]


def test_what_the_provider_will_not_capture_is_taken_back_by_a_credit_cdr(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(1000))
    transaction_id = guest.plugs_in(order)
    guest.till.provider.run_out(guest.payment(order).provider_ref or "")
    guest.leaves(transaction_id, 11_000)
    guest.run()
    assert guest.payment(order).state == "capture_failed"
    session, cdr = site.session(order.session_id), lookup.find_cdr(site.world.ctx, order.session_id)
    assert cdr is not None
    assert (session.cost, session.captured, cdr.captured.amount, cdr.uncollected.amount) == (350, 0, 0, 350)
    assert site.income() == 0
    assert balances_by_class(site).get("captures", 0) == 0
    prove(site)


@pytest.mark.parametrize(("meter_wh", "income"), [(11_000, 350), (1000, 0)])
def test_a_card_that_somebody_captured_by_hand_keeps_no_session_open(
    site: Site, guest: Guest, meter_wh: int, income: int
) -> None:
    """A charger's frame is never refused for what was done at the provider; that it was is told as a fault."""
    order = guest.pays(guest.order(1000))
    transaction_id = guest.plugs_in(order)
    guest.till.provider.capture(f"intent_{page(guest.payment(order))}", euro(100), idempotency_key="by hand")
    guest.tell(order)
    guest.leaves(transaction_id, meter_wh)
    assert (site.session(order.session_id).state, site.income()) == ("settled", income)
    # What was taken and is not what it cost stays in transit, for somebody to see to.
    assert balances_by_class(site)["captures"] == 100 - income
    prove(site)


def test_the_guests_token_begins_nothing_else(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(1000))
    token = app_token(order.session_id)
    assert authorize_id_token(site.world.ctx, charger=site.charger, id_token=token).status == "accepted"
    guest.plugs_in(order)
    other = site.start(token, evse_no=2, message_id="start-2")
    assert other.authorization.status == "invalid"
    site.stop(other.transaction_id, 5000)
    assert [s.captured for s in site.sessions() if s.evse_no == 2] == [0]


def test_a_token_of_nobody_is_invalid(site: Site) -> None:
    token = app_token("ses_nobody")
    assert authorize_id_token(site.world.ctx, charger=site.charger, id_token=token).status == "invalid"


@pytest.mark.parametrize(("amount", "code"), [(99, "charging_session.amount"), (20_001, "charging_session.amount")])
def test_amounts_are_bounded(guest: Guest, amount: int, code: str) -> None:
    with pytest.raises(DomainError) as refusal:
        guest.order(amount)
    assert refusal.value.code == code


def test_a_busy_connector_takes_no_order(site: Site, guest: Guest) -> None:
    site.start(CARD)
    with pytest.raises(DomainError) as refusal:
        guest.order(1000)
    assert refusal.value.code == "evse.busy"


def test_until_full_authorises_thirty(guest: Guest) -> None:
    assert guest.order(None).amount.amount == 3000


def test_the_price_is_the_one_that_was_shown(site: Site, guest: Guest) -> None:
    order = guest.order(1000)
    dearer = site.tariff
    site.world.commit(
        lambda uow: tariffs.replace_tariff(uow, dearer, name="Dear", tax_included=True, elements=dearer.elements)
    )
    order = guest.pays(order)
    assert site.session(order.session_id).tariff_version == 1


def refund(guest: Guest, order: GuestOrder, token: str, key: str = "refund-1", **body: Any) -> Reply:
    path = f"/v1/payments/{order.payment_id}/refunds"
    reply = guest.site.world.rest.post(path, {"reason": "The cable was cold", **body}, token=token, key=key)
    guest.run()
    return reply


@pytest.fixture
def charged(guest: Guest) -> GuestOrder:
    order = guest.pays(guest.order(1000))
    guest.leaves(guest.plugs_in(order), 11_000)
    return order


def test_an_operator_pays_a_guest_back_and_earns_less(site: Site, guest: Guest, charged: GuestOrder) -> None:
    token = site.operator.access_token
    answered = refund(guest, charged, token, amount={"amount": 100, "currency": "EUR"}).body
    cdr = lookup.find_cdr(site.world.ctx, charged.session_id)
    assert cdr is not None
    assert (cdr.captured.amount, site.session(charged.session_id).captured, site.income()) == (250, 250, 250)
    listed = site.world.rest.get(f"/v1/payments/{charged.payment_id}/refunds", token=token).body["data"]
    assert [row["refund_id"][:4] for row in listed] == ["ref_"]  # as those of top-ups are called
    assert listed[0]["refund_id"] == answered["refund_id"]
    refunded = guest.payment(charged).refunded
    assert refunded is not None
    assert refunded.amount == 100
    assert refund(guest, charged, token, key="refund-2").body["amount"]["amount"] == 250
    assert site.income() == 0
    assert refund(guest, charged, token, key="refund-3").body["code"] == "refund.exceeds_captured"
    assert balances_by_class(site).get("refunds", 0) == 0
    prove(site)


def test_a_guests_refunds_are_listed_newest_first(site: Site, guest: Guest, charged: GuestOrder) -> None:
    told = []
    for number in range(5):
        site.advance(1)
        token = site.world.access_token(site.operator.user.email)
        told.append(refund(guest, charged, token, f"refund-{number}", amount={"amount": 20, "currency": "EUR"}).body)
    listed = site.world.rest.get(f"/v1/payments/{charged.payment_id}/refunds", token=token).body["data"]
    assert [row["refund_id"] for row in listed] == [body["refund_id"] for body in reversed(told)]


def test_the_second_click_pays_back_once(site: Site, guest: Guest, charged: GuestOrder) -> None:
    for _ in range(2):
        refund(guest, charged, site.operator.access_token, amount={"amount": 100, "currency": "EUR"})
    assert site.income() == 250


def test_another_operator_does_not_see_the_payment(site: Site, guest: Guest, charged: GuestOrder) -> None:
    other = site.world.operator()
    assert refund(guest, charged, other.access_token).status == 404
    assert site.income() == 350


def test_who_works_at_some_places_only_pays_nobody_back(site: Site, guest: Guest, charged: GuestOrder) -> None:
    token = narrowed_token(site.world, site.operator, region_ids=("reg_elsewhere",))
    assert refund(guest, charged, token).status == 403
    assert site.income() == 350


@pytest.mark.parametrize("amount", [0, -1, 351])
def test_no_more_is_paid_back_than_was_taken(site: Site, guest: Guest, charged: GuestOrder, amount: int) -> None:
    reply = refund(guest, charged, site.operator.access_token, amount={"amount": amount, "currency": "EUR"})
    assert reply.status == 422
    assert site.income() == 350
