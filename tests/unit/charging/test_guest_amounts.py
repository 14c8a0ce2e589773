"""What is reserved on a guest's card: amounts that mean something in the currency of the place."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.charging.model.guests import amount_to_authorize
from chalicelib.identity.model.settings import GuestAmounts, Guests, check_guests, guest_amounts
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.money import Money
from tests.site import CHARGER_ID, Site, build_site
from tests.unit.charging.guest_till import EMAIL
from tests.world import Reply, World

DEFAULTS = {
    "EUR": (100, 3000, 20_000),
    "HUF": (30_000, 1_000_000, 7_000_000),
    "JPY": (100, 4000, 30_000),
    "KWD": (300, 9000, 60_000),
}
"""Least, reserved, most, in minor units."""


def told(site: Site) -> Any:
    return site.world.rest.get(f"/v1/guest/chargers/{CHARGER_ID}").body


def ask(site: Site, amount: int | None, currency: str, key: str) -> Reply:
    order: dict[str, Any] = {"code": CHARGER_ID, "evse_no": 1, "email": EMAIL}
    if amount is not None:
        order["amount"] = {"amount": amount, "currency": currency}
    return site.world.rest.post("/v1/guest/sessions", order, key=f"a-key-that-nobody-guesses-{key}")


def put(site: Site, **setting: int | None) -> Reply:
    token = site.world.access_token(site.operator.user.email)
    return site.world.rest.put("/v1/settings/guests", setting, token=token)


@pytest.mark.parametrize("currency", DEFAULTS)
def test_who_scans_is_told_amounts_of_the_place_and_gets_them(world: World, currency: str) -> None:
    site = build_site(world, money=0, currency=currency)
    least, hold, most = DEFAULTS[currency]
    shown = told(site)
    assert [shown[name]["amount"] for name in ("least", "authorized", "most")] == [least, hold, most]
    assert shown["authorized"]["currency"] == currency
    for number, amount in enumerate((least - 1, most + 1)):
        refused = ask(site, amount, currency, str(number))
        assert (refused.status, refused.body["code"]) == (422, "charging_session.amount")
    # The provider of the settings is silent here: an order that is let through is asked for at it.
    assert ask(site, least, currency, "least").status == 503
    assert ask(site, None, currency, "hold").status == 503


def test_an_operator_says_what_is_reserved_at_its_chargers(site: Site) -> None:
    assert put(site, least=500, hold=5000, most=8000).status == 200
    shown = told(site)
    assert [shown[name]["amount"] for name in ("least", "authorized", "most")] == [500, 5000, 8000]
    for number, amount in enumerate((499, 8001)):
        assert ask(site, amount, "EUR", str(number)).body["code"] == "charging_session.amount"


@pytest.mark.parametrize("setting", [{"least": 5000}, {"most": 2000}, {"least": 100, "hold": 50}, {"hold": 20_001}])
def test_amounts_that_leave_nothing_to_choose_are_not_set(site: Site, setting: dict[str, int]) -> None:
    refused = put(site, **setting)
    assert (refused.status, refused.body["code"]) == (422, "setting.amounts_disordered")
    assert told(site)["authorized"]["amount"] == 3000


def test_who_has_no_guests_sets_nothing_for_them(world: World) -> None:
    refused = world.rest.put("/v1/settings/guests", {"hold": 1}, token=world.platform_admin())
    assert (refused.status, refused.body["code"]) == (422, "setting.not_for_kind")


def test_where_a_charger_is_paid_in_another_currency_the_defaults_of_that_hold() -> None:
    own = Guests(least=500, hold=5000, most=8000)
    check_guests(own, "EUR")
    assert guest_amounts(own, "EUR", "EUR").hold == Money(5000, "EUR")
    assert guest_amounts(own, "EUR", "HUF").hold == Money(1_000_000, "HUF")


def test_an_amount_of_another_currency_is_not_compared() -> None:
    bounds = GuestAmounts(Money(100, "EUR"), Money(3000, "EUR"), Money(20_000, "EUR"))
    with pytest.raises(DomainError) as refused:
        amount_to_authorize(Money(3000, "USD"), bounds)
    assert refused.value.code == "charging_session.currency"
