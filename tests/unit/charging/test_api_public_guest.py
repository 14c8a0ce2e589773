"""What somebody without an account is told of a charger, and of a card that was refused, before the charge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.charging.service import guests
from chalicelib.payments.providers.port import ProviderEventKind
from tests.site import CARD, CHARGER_ID, Site
from tests.unit.charging.guest_till import EMAIL, Guest
from tests.unit.payments.till import Till


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
