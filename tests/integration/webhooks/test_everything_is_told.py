"""Each public event, from what people and chargers do to the message: what it shows is what the GET shows."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.drivers import service as drivers
from chalicelib.settlement import jobs as settlement_jobs
from chalicelib.webhooks.events import TYPES
from chalicelib.webhooks.sending import SENDERS
from tests.integration.rest.card_payments import charge
from tests.integration.rest.income import withdrawal
from tests.integration.rest.orders import things_of_orders
from tests.site import Site
from tests.unit.charging.guest_till import Guest
from tests.unit.payments.till import Till
from tests.unit.webhooks.post_office import PostOffice, Receiver

PATHS = {
    "order.resolved": "/v1/abnormal-orders/{}",
    "payment.captured": "/v1/payments/{}",
    "payment.refunded": "/v1/payments/{}",
    "session.abnormal": "/v1/abnormal-orders/{}",
    "session.completed": "/v1/sessions/{}",
    "session.corrected": "/v1/sessions/{}",
    "session.started": "/v1/sessions/{}",
    "settlement.posted": "/v1/settlements/{}",
    "withdrawal.paid": "/v1/withdrawals/{}",
}
LAST = {"payment.refunded", "session.corrected", "settlement.posted", "withdrawal.paid"}
"""After these nothing more happens to what they are about."""


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    made = Receiver()
    monkeypatch.setitem(SENDERS, "http", lambda ctx: made)
    return made


@pytest.fixture
def office(site: Site, receiver: Receiver) -> PostOffice:
    return PostOffice(site.world, site.operator.user.email, receiver)


def test_each_event_of_an_operator_is_told_with_what_its_get_shows(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    office.endpoint(*TYPES)
    a_guest_charges_and_gets_it_back(site, office)
    office.deliver()
    a_late_order_is_resolved_and_a_session_corrected(site, office)
    cash_comes_in(site, office)
    the_night_passes(site)
    office.deliver()
    a_withdrawal_is_paid(site, office)
    office.deliver()

    assert {body["type"] for body in receiver.bodies()} == set(TYPES)
    newest = {delivery["type"]: delivery for delivery in reversed(office.deliveries(limit="200"))}
    for event_type, path in PATHS.items():
        data = receiver.bodies(event_type)[-1]["data"]
        shown = office.ask("GET", path.format(newest[event_type]["subject"])).body
        assert data.keys() == shown.keys(), event_type
        assert data == shown or event_type not in LAST, event_type
    [listed] = office.ask("GET", "/v1/topups").body["data"]
    assert [body["data"] for body in receiver.bodies("topup.completed")] == [listed]


def test_the_platform_hears_of_everything_and_an_operator_of_its_own(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    world = site.world
    office.endpoint("topup.completed", url="https://platform.example/", token=world.platform_admin())
    office.endpoint("topup.completed", url="https://other.example/", token=world.operator().access_token)
    office.endpoint("topup.completed", url="https://own.example/")
    cash_comes_in(site, office)
    office.deliver()
    assert sorted(message.url for message in receiver.received) == ["https://own.example/", "https://platform.example/"]


def test_an_agency_hears_of_what_happens_at_its_places(site: Site, office: PostOffice, receiver: Receiver) -> None:
    world, rest = site.world, site.world.rest
    agencies = {}
    for name in ("here", "elsewhere"):
        admin = {"email": f"amy@{name}.example", "full_name": "Amy Agent"}
        body = {"name": name, "email": admin["email"], "admin": admin}
        agencies[name] = rest.post("/v1/organizations", body, token=office.token).body["organization_id"]
        office.endpoint("session.started", url=f"https://{name}.example/", token=world.access_token(admin["email"]))
    location = f"/v1/locations/{site.location.location_id}"
    assert rest.patch(location, {"agency_id": agencies["here"]}, token=office.token).status == 200
    site.start()
    office.deliver()
    assert [message.url for message in receiver.received] == ["https://here.example/"]


def a_guest_charges_and_gets_it_back(site: Site, office: PostOffice) -> None:
    guest = Guest(site, Till(site.world))
    payment = charge(guest)
    ok(office, "POST", f"/v1/payments/{payment.payment_id}/refunds", {"reason": "The cable was cold"}, key="refund")
    guest.run()


def a_late_order_is_resolved_and_a_session_corrected(site: Site, office: PostOffice) -> None:
    session_id = things_of_orders(site)["abnormal_session_id"]
    office.deliver()
    site.advance_s(1)
    ok(office, "POST", f"/v1/sessions/{session_id}/resolution", {"kind": "as_billed"}, key="resolve")
    site.advance_s(1)
    less = {"amount": {"amount": 10, "currency": "EUR"}, "reason": "Goodwill"}
    ok(office, "POST", f"/v1/sessions/{session_id}/corrections", less, key="correct")


def cash_comes_in(site: Site, office: PostOffice) -> None:
    driver_id = site.driver.driver_id
    site.world.commit(lambda uow: drivers.link_operator(uow, site.operator.operator_id, driver_id))
    cash = {"direction": "top_up", "amount": {"amount": 5, "currency": "EUR"}, "reason": "cash"}
    ok(office, "POST", f"/v1/wallets/{driver_id}/adjustments", cash, key="cash")


def the_night_passes(site: Site) -> None:
    world, operator_id = site.world, site.operator.operator_id
    world.run_events()
    day = world.clock.now().date().isoformat()
    world.advance(24 * 3600)
    world.run_job(settlement_jobs.open_settlements)
    run = {"operator_id": operator_id, "business_day": day}
    settlement_jobs.settlement_compute(run, None)
    assert settlement_jobs.settlement_post(run, None)["state"] == "posted"


def a_withdrawal_is_paid(site: Site, office: PostOffice) -> None:
    account = {"holder": "Operator", "number": "DE89370400440532013000"}
    ok(office, "PATCH", f"/v1/organizations/{site.operator.operator_id}", {"bank_account": account})
    asked = withdrawal(site, "asked")
    path, token = f"/v1/withdrawals/{asked.withdrawal_id}", site.world.platform_admin()
    ok(office, "POST", f"{path}/approve", key="approve", token=token)
    paid = {"reference": "SEPA 1", "paid_at": "2026-03-02T12:00:00Z"}
    ok(office, "POST", f"{path}/mark-paid", paid, key="paid", token=token)


def ok(office: PostOffice, method: str, path: str, body: Any = None, **options: Any) -> Any:
    reply = office.ask(method, path, body, **options)
    assert reply.status < 300, reply
    return reply.body
