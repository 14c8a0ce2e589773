"""Charges that do not happen, or not to the end that the driver had in mind: the money always comes back."""

from __future__ import annotations

from tests.e2e.people import Site
from tests.e2e.raw_charger import connect_raw
from tests.e2e.stack import Stack

CHARGED_AND_BACK = [("Top-up", 2000), ("Consumption", -500), ("Refunded", 500)]


async def test_nobody_plugs_in(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        session_id = (await site.driver.charge_for(500))["session_id"]
        command = await charger.accept("RemoteStartTransaction")
        assert (await site.driver.session(session_id))["state"] == "awaiting_plug"
        await stack.advance(s=115)
        assert (await site.driver.session(session_id))["state"] == "awaiting_plug"
        assert await site.driver.balance() == 1500
        await stack.advance(s=10)
        assert (await site.driver.session(session_id))["state"] == "expired"
        assert await site.driver.balance() == 2000
        assert await site.driver.lines() == CHARGED_AND_BACK
        execution = await stack.execution(session_id)
        assert execution["status"] == "SUCCEEDED"

        # Whoever plugs in later is told to stop, and pays for no more than what flowed until then.
        late = await charger.start(command.payload["idTag"])
        assert late["idTagInfo"]["status"] == "Blocked"
        await charger.stop(late["transactionId"], 1300, reason="DeAuthorized")
    assert (await site.driver.session(session_id))["state"] == "expired"
    [second] = [each for each in await site.driver.get_all("/v1/driver/sessions") if each["session_id"] != session_id]
    assert (second["state"], second["energy_wh"], second["cost"]["amount"]) == ("settled", 300, 11)
    assert await site.driver.balance() == 2000 - 11


async def test_the_charger_refuses_the_remote_start(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        session_id = (await site.driver.charge_for(500))["session_id"]
        await charger.reply(await charger.command("RemoteStartTransaction"), {"status": "Rejected"})
        await stack.settle()
        assert (await site.driver.session(session_id))["state"] == "refused"
        assert await site.driver.balance() == 2000
        assert await site.driver.lines() == CHARGED_AND_BACK
        # The connector is free again.
        assert (await site.driver.charge_for(500, key="charge-2"))["state"] == "requested"


async def test_the_charger_never_answers_the_remote_start(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        session_id = (await site.driver.charge_for(500))["session_id"]
        command = await charger.command("RemoteStartTransaction")
        await stack.advance(minutes=2)
        assert (await site.driver.session(session_id))["state"] in {"refused", "expired"}
        assert await site.driver.balance() == 2000
        shown = await site.operator.get(f"/v1/commands/{command.message_id}")
        assert shown["state"] == "timed_out"
        # Its answer comes after all, and changes nothing.
        await charger.reply(command, {"status": "Accepted"})
        assert await site.driver.balance() == 2000
        assert (await site.driver.charge_for(500, key="charge-2"))["state"] == "requested"


async def test_the_platform_stops_the_charge_when_the_amount_is_used_up(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        session_id = (await site.driver.charge_for(35))["session_id"]
        asked = await charger.accept("RemoteStartTransaction")
        started = await charger.start(asked.payload["idTag"], 0)
        await charger.meter(started["transactionId"], 900)
        assert await charger.is_told_nothing()
        await charger.meter(started["transactionId"], 1010)
        stop = await charger.accept("RemoteStopTransaction")
        assert stop.payload == {"transactionId": started["transactionId"]}
        # It takes a moment to stop; more values come, no second command goes out.
        await charger.meter(started["transactionId"], 1030)
        assert await charger.is_told_nothing()
        await charger.stop(started["transactionId"], 1040, reason="Remote")
    ended = await site.driver.session(session_id)
    assert (ended["state"], ended["energy_wh"], ended["released"]["amount"]) == ("settled", 1040, 0)
    # 1.04 kWh cost 0.36; the driver had said 0.35.
    assert (ended["cost"]["amount"], ended["uncollected"]["amount"]) == (36, 1)
    assert await site.driver.balance() == 1965


async def test_calling_off_before_the_start(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        session_id = (await site.driver.charge_for(500))["session_id"]
        await charger.accept("RemoteStartTransaction")
        assert (await site.driver.stop(session_id))["state"] == "expired"
        assert await site.driver.balance() == 2000
        assert await charger.is_told_nothing()
