"""One charge, three protocols, told by the `ocpp` package's own clients: the same session, the same money."""

from __future__ import annotations

import pytest

from tests.e2e.library_stations import PROTOCOLS, connected
from tests.e2e.people import CARD, Site
from tests.e2e.sessions import assert_charged_for_200_wh
from tests.e2e.stack import Stack


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_charge_with_a_card(stack: Stack, site: Site, protocol: str) -> None:
    async with connected(stack, protocol) as station:
        assert await station.boot() == "Accepted"
        await station.available()
        assert await station.authorize(CARD) == "Accepted"
        await station.plug_in()
        assert await station.start(CARD, 1000) == "Accepted"
        [session] = await site.operator.get_all("/v1/sessions")
        assert (session["origin"], session["state"], session["held"]["amount"]) == ("card", "charging", 2000)
        await stack.advance(minutes=1)
        await station.meter(1120)
        live = await site.driver.session(session["session_id"])
        assert (live["energy_wh"], live["cost"]["amount"]) == (120, 4)
        await station.stop(1200)
    await assert_charged_for_200_wh(stack, site, session["session_id"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
async def test_a_charge_from_the_app_and_its_messages(stack: Stack, site: Site, protocol: str) -> None:
    """Started and stopped by the driver: the platform's own CALLs, checked by the other side's schemas."""
    async with connected(stack, protocol) as station:
        assert await station.boot() == "Accepted"
        await station.available()
        request = await site.driver.charge_for(500)
        await stack.settle()
        assert await station.started_by_app(1000) == "Accepted"
        await station.meter(1120)
        await stack.advance(minutes=1)
        await site.driver.stop(request["session_id"])
        await stack.settle()
        await station.stopped_by_app(1200)
        await stack.settle()
    cdr = await site.operator.cdr(request["session_id"])
    assert (cdr["energy_wh"], cdr["captured"]["amount"]) == (200, 7)
    assert await site.driver.balance() == 1993

    log = await site.operator.get_all(f"/v1/chargers/{cdr['charger_id']}/messages")
    assert {entry["protocol"] for entry in log} == {protocol}
    asked = [entry for entry in reversed(log) if entry["direction"] == "to_charger" and "Trans" in entry["action"]]
    assert [entry["answer"][2]["status"] for entry in asked] == ["Accepted", "Accepted"]
    told = [entry["action"] for entry in reversed(log) if entry["direction"] == "from_charger"]
    assert told[:2] == ["BootNotification", "StatusNotification"]
    assert all(entry["outcome"] == "result" for entry in log)
