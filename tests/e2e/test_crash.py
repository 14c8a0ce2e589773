"""`kill -9` in the middle of a charge: what was answered is there, and the charge goes on as if nothing had been."""

from __future__ import annotations

from tests.e2e.people import CHARGER_ID, Site
from tests.e2e.raw_charger import connect_raw
from tests.e2e.stack import Stack


async def test_the_process_dies_while_a_driver_charges(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        session_id = (await site.driver.charge_for(500))["session_id"]
        asked = await charger.accept("RemoteStartTransaction")
        started = await charger.start(asked.payload["idTag"])
        await charger.meter(started["transactionId"], 1100)
        await stack.advance(minutes=1)
        before = await stack.now()
        await stack.kill()
        await charger.closed.wait()

    await stack.start()
    assert await stack.now() >= before
    async with connect_raw(stack) as charger:
        live = await site.driver.session(session_id)
        assert (live["state"], live["energy_wh"]) == ("charging", 100)
        await charger.report("Charging")
        await charger.meter(started["transactionId"], 1150)
        assert (await site.driver.session(session_id))["energy_wh"] == 150
        # The driver's stop still reaches the charger: its queue of commands survived too.
        await site.driver.stop(session_id)
        await charger.accept("RemoteStopTransaction")
        await stack.kill()
        await charger.closed.wait()

    # The stop was answered by nobody: the charger sends it again, under the same message id.
    await stack.start()
    async with connect_raw(stack) as charger:
        for _ in range(2):
            await charger.stop(started["transactionId"], 1200, reason="Remote", message_id="stop-1")
        await stack.settle()
    assert (await site.driver.session(session_id))["state"] == "settled"
    assert await site.driver.lines() == [("Top-up", 2000), ("Consumption", -500), ("Refunded", 493)]
    assert await site.driver.balance() == 1993
    day = (await site.operator.cdr(session_id))["business_day"]
    assert await site.operator.income(day) == 7
    assert (await stack.execution(session_id))["status"] == "SUCCEEDED"
    assert len(await stack.mails(site.driver.email, "0.07 EUR")) == 1


async def test_a_deadline_that_passes_while_the_process_is_down_is_kept_after_it(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        session_id = (await site.driver.charge_for(500))["session_id"]
        await charger.accept("RemoteStartTransaction")
        await stack.kill()
    await stack.start()
    await stack.advance(s=125)
    assert (await site.driver.session(session_id))["state"] == "expired"
    assert await site.driver.balance() == 2000


async def test_a_start_without_an_answer_is_sent_again_after_the_restart(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        payload = {"connectorId": 1, "idTag": "04A2B3C4D5E6F7", "meterStart": 5, "timestamp": "2026-11-02T10:00:00Z"}
        first = await charger.call("StartTransaction", payload, "start-1")
        await stack.kill()
    await stack.start()
    async with connect_raw(stack) as charger:
        again = await charger.call("StartTransaction", payload, "start-2")
        assert again["transactionId"] == first["transactionId"]
        await charger.stop(again["transactionId"], 205)
    sessions = await site.operator.get_all("/v1/sessions")
    assert [(session["charger_id"], session["state"]) for session in sessions] == [(CHARGER_ID, "settled")]
    assert await site.driver.balance() == 1993
