"""A charger goes silent: its operator gets one e-mail, and one when it is back, however often the job runs."""

from __future__ import annotations

from tests.e2e.people import CHARGER_ID, Site
from tests.e2e.raw_charger import connect_raw
from tests.e2e.stack import Stack

OFFICE = "office@northwind.example"
ALARM = "alarm@northwind.example"
OFFLINE = f"Charger {CHARGER_ID} is offline"
ONLINE = f"Charger {CHARGER_ID} is back online"


async def test_silence_is_told_once_and_so_is_the_return(stack: Stack, site: Site) -> None:
    refused = await site.operator.ask("PUT", "/v1/offline-notification", {"enabled": True, "timeout_min": 10})
    assert refused.status == 422
    rule = {"enabled": True, "timeout_min": 11, "email": ALARM}
    await site.operator.put("/v1/offline-notification", rule)
    async with connect_raw(stack) as charger:
        await charger.boot()
        await stack.advance(minutes=9)
        await charger.call("Heartbeat", {})
        # The socket is open as far as the platform knows, and nothing comes through it any more.
        await stack.drop(CHARGER_ID, notify=False)
    await stack.advance(minutes=10)
    assert await stack.mails(ALARM) == []
    await stack.advance(minutes=3)
    assert len(await stack.mails(ALARM, OFFLINE)) == 1
    for _ in range(3):
        await stack.local("POST", "/jobs/offline-alerts")
    await stack.advance(minutes=180)
    assert len(await stack.mails(ALARM)) == 1
    await site.operator.sign_in()
    [silent] = await site.operator.get_all("/v1/offline-chargers")
    assert (silent["charger_id"], silent["offline_s"] >= 190 * 60) == (CHARGER_ID, True)

    async with connect_raw(stack) as charger:
        await charger.call("Heartbeat", {})
        await stack.advance(minutes=2)
        assert len(await stack.mails(ALARM, ONLINE)) == 1
        for _ in range(3):
            await stack.local("POST", "/jobs/offline-alerts")
        await stack.advance(minutes=5)
        assert [len(await stack.mails(ALARM, text)) for text in (OFFLINE, ONLINE)] == [1, 1]
        assert await site.operator.get_all("/v1/offline-chargers") == []
    assert await stack.mails(OFFICE) == []


async def test_a_reconnect_in_time_is_not_worth_a_mail(stack: Stack, site: Site) -> None:
    """API Gateway cuts every connection after two hours: that must look like nothing."""
    await site.operator.put("/v1/offline-notification", {"enabled": True, "timeout_min": 11, "email": ALARM})
    for _ in range(3):
        async with connect_raw(stack) as charger:
            await charger.call("Heartbeat", {})
            await stack.drop(CHARGER_ID, notify=True)
        await stack.advance(minutes=8)
    async with connect_raw(stack) as charger:
        for _ in range(15):
            await charger.call("Heartbeat", {})
            await stack.advance(minutes=9)
            if charger.closed.is_set():
                break
        assert charger.closed.is_set(), "two hours have passed"
    assert await stack.mails(ALARM) == []


async def test_a_charger_whose_alerts_are_off(stack: Stack, site: Site) -> None:
    await site.operator.put("/v1/offline-notification", {"enabled": False, "timeout_min": 11, "email": ALARM})
    async with connect_raw(stack) as charger:
        await charger.boot()
    await stack.advance(minutes=30)
    assert await stack.mails(ALARM) == []
    assert await stack.mails(OFFICE) == []
