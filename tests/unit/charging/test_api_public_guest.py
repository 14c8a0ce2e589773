"""What somebody without an account is told of a charger, and of a card that was refused, before the charge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging.model.guests import GuestOrder
from chalicelib.charging.service import guests
from chalicelib.payments.providers.port import CheckoutState, ProviderEventKind
from tests.site import CARD, CHARGER_ID, Site
from tests.unit.charging.guest_till import EMAIL, Guest
from tests.unit.payments.till import Till, page


@pytest.fixture
def guest(site: Site) -> Guest:
    return Guest(site, Till(site.world))


def code_of(site: Site, evse_no: int = 1) -> str:
    evses = chargers.list_evses(site.world.ctx, CHARGER_ID)
    return next(evse.code for evse in evses if evse.evse_no == evse_no and evse.code is not None)


def told(site: Site, code: str) -> Any:
    reply = site.world.rest.get(f"/v1/guest/chargers/{code}")
    assert reply.status == 200, reply.body
    assert reply.body["may_start"] == (reply.body["start_refusal"] is None)
    return reply.body


def without_a_price(site: Site) -> None:
    query = {"location_id": site.location.location_id}
    assert site.world.rest.delete("/v1/tariff-assignments", token=site.operator.access_token, query=query).status == 204


def members_only(site: Site) -> None:
    change = {"charge_with_qr": False}
    assert site.world.rest.patch(f"/v1/chargers/{CHARGER_ID}", change, token=site.operator.access_token).status == 200


def without_payments(site: Site) -> None:
    site.world.ctx.settings = replace(site.world.ctx.settings, payment_provider="")


def gone(site: Site) -> None:
    site.world.commit(lambda uow: chargers.close_connection(uow, "conn-1="))


def somebody_charges(site: Site) -> None:
    site.start(CARD)


@pytest.mark.parametrize(
    ("arrange", "code"),
    [
        (without_a_price, "tariff.none"),
        (members_only, "charger.not_public"),
        (without_payments, "payment_provider.missing"),
        (gone, "charger.offline"),
        (somebody_charges, "evse.busy"),
    ],
)
def test_what_is_told_before_is_what_an_order_is_answered(
    site: Site, arrange: Callable[[Site], None], code: str
) -> None:
    label = code_of(site)
    assert told(site, label)["may_start"]
    arrange(site)
    assert told(site, label)["start_refusal"] == code
    order = {"code": label, "email": EMAIL}
    reply = site.world.rest.post("/v1/guest/sessions", order, key="a-key-that-nobody-guesses")
    assert (reply.status, reply.body["code"]) == (409, code)


def test_without_a_connector_in_the_code_one_that_is_free_will_do(site: Site) -> None:
    site.start(CARD)
    assert (told(site, code_of(site))["may_start"], told(site, CHARGER_ID)["may_start"]) == (False, True)
    site.start("CARD-2", evse_no=2)
    assert told(site, CHARGER_ID)["start_refusal"] == "evse.busy"


def test_a_refused_card_is_said_until_another_is_good(site: Site, guest: Guest) -> None:
    order = guest.order(1000)
    code = {"guest-code": guests.guest_code(site.world.ctx, order.session_id)}

    def shown() -> tuple[str, str | None]:
        body = site.world.rest.get(f"/v1/guest/sessions/{order.session_id}", headers=code).body
        return body["state"], body["failure"]

    assert shown() == ("awaiting_payment", None)
    guest.till.provider.decline(guest.payment(order).provider_ref or "", final=False)
    guest.tell(order, ProviderEventKind.ATTEMPT_FAILED)
    assert shown() == ("awaiting_payment", "card_declined")
    guest.pays(order)
    assert shown() == ("started", None)


def looked_at(site: Site, order: GuestOrder) -> Any:
    code = {"guest-code": guests.guest_code(site.world.ctx, order.session_id)}
    return site.world.rest.get(f"/v1/guest/sessions/{order.session_id}", headers=code).body


def money_of(shown: Any) -> tuple[str, list[int | None]]:
    session = shown["session"]
    names = ("reserved", "held", "captured", "released", "refunded", "uncollected")
    return session["payment_status"], [session[name] and session[name]["amount"] for name in names]


def test_the_money_is_told_apart_from_the_reservation_to_the_refund(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(2000))
    transaction_id = guest.plugs_in(order, 0)
    shown = looked_at(site, order)
    assert (shown["state"], *money_of(shown)) == ("started", "held", [2000, 2000, None, None, None, None])
    guest.leaves(transaction_id, 10_000)
    shown = looked_at(site, order)
    assert (shown["state"], *money_of(shown)) == ("ended", "paid", [2000, 0, 350, 1650, 0, 0])
    for cost, status, refunded in ((300, "partly_refunded", 50), (0, "refunded", 350)):
        site.advance_s(1)
        body = {"amount": {"amount": cost, "currency": "EUR"}, "reason": "Goodwill"}
        path = f"/v1/sessions/{order.session_id}/corrections"
        assert site.world.rest.post(path, body, token=site.operator.access_token, key=str(cost)).status == 201
        guest.run()
        assert money_of(looked_at(site, order)) == (status, [2000, 0, 350, 1650, refunded, 0])
    query = {"payment_status": "refunded"}
    found = site.world.rest.get("/v1/sessions", token=site.operator.access_token, query=query).body["data"]
    assert [session["session_id"] for session in found] == [order.session_id]


def test_the_stop_answers_what_looking_answers_and_needs_no_key(site: Site, guest: Guest) -> None:
    order = guest.pays(guest.order(2000))
    code = {"guest-code": guests.guest_code(site.world.ctx, order.session_id)}
    path = f"/v1/guest/sessions/{order.session_id}/stop"
    transaction_id = guest.plugs_in(order, 0)
    for _ in range(2):
        reply = site.world.rest.post(path, headers=code)
        assert (reply.status, reply.body["state"], reply.body["session"]["state"]) == (202, "started", "stopping")
    assert reply.body == looked_at(site, order)
    guest.leaves(transaction_id, 1000)
    assert site.world.rest.post(path, headers=code).body["state"] == "ended"


def test_why_nothing_was_started_is_told_in_code_and_words(site: Site, guest: Guest) -> None:
    late, declined = guest.order(1000), guest.order(1000, evse_no=2)
    guest.till.provider.decline(guest.payment(declined).provider_ref or "", final=True)
    guest.tell(declined, ProviderEventKind.CHECKOUT_FAILED)
    shown = looked_at(site, declined)
    assert (shown["state"], shown["refusal_code"], shown["refusal"]) == (
        "not_paid",
        "payment.refused",
        "The card was refused.",
    )
    somebody_charges(site)
    guest.pays(late)
    shown = looked_at(site, late)
    assert (shown["state"], shown["refusal_code"]) == ("refused", "evse.busy")
    assert shown["refusal"] == "Somebody is charging at this connector."


def test_a_page_that_ran_out_is_told_so(site: Site, guest: Guest) -> None:
    order = guest.order(1000)
    guest.till.provider.close(page(guest.payment(order)), CheckoutState.EXPIRED)
    guest.tell(order, ProviderEventKind.CHECKOUT_EXPIRED)
    shown = looked_at(site, order)
    assert (shown["refusal_code"], shown["refusal"]) == ("payment.expired", "Nobody paid before the page ran out.")


def test_whose_charger_it_is_and_what_a_charge_would_cost_is_told_to_everybody(site: Site) -> None:
    assert told(site, code_of(site))["operator_name"] == site.operator.organization.name
    wish = {"energy_wh": 10_000, "duration_s": 3600}
    path = f"/v1/guest/chargers/{code_of(site)}/quotes"
    reply = site.world.rest.post(path, wish)
    assert (reply.status, reply.body["total"]["amount"]) == (200, 350)
    assert [line["dimension"] for line in reply.body["lines"]] == ["ENERGY"]
    without_a_price(site)
    assert site.world.rest.post(path, wish).body["code"] == "tariff.none"
