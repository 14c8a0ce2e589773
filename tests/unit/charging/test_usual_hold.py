"""What is reserved for a card is worth about the same everywhere."""

from __future__ import annotations

import pytest

from chalicelib.charging.model import usual_hold
from tests.site import build_site
from tests.world import World


@pytest.mark.parametrize(("currency", "amount"), [("EUR", 2000), ("USD", 2000), ("HUF", 700_000), ("JPY", 3000)])
def test_it_buys_a_charge_in_every_currency(currency: str, amount: int) -> None:
    assert usual_hold(currency).amount == amount


def test_a_card_in_forint_gets_more_than_a_watt_hour(world: World) -> None:
    site = build_site(world, price="150", currency="HUF", money=5_000_000)
    site.start(meter_wh=1000)
    [session] = site.sessions()
    assert (session.authorization, session.held) == ("accepted", 700_000)
