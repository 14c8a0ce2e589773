"""The same charge begun with a card at the charger, told with the second, hand-written client."""

from __future__ import annotations

import pytest

from tests.e2e.people import CARD, CHARGER_ID, Site
from tests.e2e.raw_charger import connect_raw
from tests.e2e.stack import Stack


async def test_a_card_at_the_charger(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        assert (await charger.boot())["status"] == "Accepted"
        await charger.report("Available")
        assert (await charger.call("Authorize", {"idTag": CARD}))["idTagInfo"]["status"] == "Accepted"
        await charger.report("Preparing")
        started = await charger.start(CARD)
        assert started["idTagInfo"]["status"] == "Accepted"
        await charger.report("Charging")
        [session] = await site.operator.get_all("/v1/sessions")
        assert (session["origin"], session["state"], session["held"]["amount"]) == ("card", "charging", 2000)
        assert await site.driver.balance() == 0
        await stack.advance(minutes=1)
        await charger.meter(started["transactionId"], 1120)
        live = await site.driver.session(session["session_id"])
        assert (live["energy_wh"], live["power_w"], live["cost"]["amount"]) == (120, 7000, 4)
        stopped = await charger.stop(started["transactionId"], 1200)
        assert stopped["idTagInfo"]["status"] == "Accepted"
        await charger.report("Available")
        await stack.settle()

    cdr = await site.operator.cdr(session["session_id"])
    assert (cdr["energy_wh"], cdr["captured"]["amount"], cdr["id_token"]) == (200, 7, CARD)
    assert await site.operator.income(cdr["business_day"]) == 7
    assert await site.driver.balance() == 1993
    assert await site.driver.lines() == [("Top-up", 2000), ("Consumption", -2000), ("Refunded", 1993)]
    assert (await stack.execution(session["session_id"]))["status"] == "SUCCEEDED"
    assert len(await stack.mails(site.driver.email, "0.200 kWh for 0.07 EUR")) == 1


@pytest.mark.parametrize("id_tag", ["FFFFFFFF", "x"])
async def test_a_card_that_nobody_owns_is_not_accepted_and_its_energy_recorded(
    stack: Stack, site: Site, id_tag: str
) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        assert (await charger.call("Authorize", {"idTag": id_tag}))["idTagInfo"]["status"] == "Invalid"
        started = await charger.start(id_tag)
        assert started["idTagInfo"]["status"] == "Invalid"
        await charger.stop(started["transactionId"], 1300, reason="DeAuthorized")
    [session] = await site.operator.get_all("/v1/sessions")
    assert (session["driver_id"], session["charger_id"], session["state"]) == (None, CHARGER_ID, "settled")
    assert (session["energy_wh"], session["held"]["amount"]) == (300, 0)
    assert await site.driver.balance() == 2000
