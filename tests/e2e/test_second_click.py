"""The second click, the lost answer, and another organisation's curiosity."""

from __future__ import annotations

import asyncio

from tests.e2e.people import CHARGER_ID, Site, charge_request, open_operator, sign_up_driver
from tests.e2e.raw_charger import connect_raw
from tests.e2e.stack import Stack


async def test_the_same_key_twice_is_one_charge(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        request = charge_request(500)
        path = "/v1/driver/sessions"
        first, second = await asyncio.gather(
            site.driver.ask("POST", path, request, key="click"), site.driver.ask("POST", path, request, key="click")
        )
        assert {first.status, second.status} <= {201, 409}
        again = await site.driver.ask("POST", path, request, key="click")
        answered = [reply for reply in (first, second, again) if reply.status == 201]
        assert again.status == 201
        assert all(reply.body == again.body for reply in answered)
        await charger.accept("RemoteStartTransaction")
        assert await charger.is_told_nothing()
        assert await site.driver.balance() == 1500
        assert len(await site.driver.get_all("/v1/driver/sessions")) == 1

        other_body = await site.driver.ask("POST", path, charge_request(600), key="click")
        assert other_body.status == 422
        no_key = await site.driver.ask("POST", path, request)
        assert no_key.status == 400
        busy = await site.driver.ask("POST", path, request, key="another click")
        assert (busy.status, busy.code) == (409, "evse.busy")
        assert await site.driver.balance() == 1500


async def test_a_replay_survives_a_crash(stack: Stack, site: Site) -> None:
    topup = await site.driver.begin_topup(700)
    await stack.kill()
    await stack.start()
    again = await site.driver.begin_topup(700)
    assert again == topup
    for _ in range(2):
        await stack.call("POST", f"/_local/payments/{topup['payment_id']}", {"outcome": "succeed"})
    assert await site.driver.balance() == 2700


async def test_another_operator_finds_nothing(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        started = await charger.start()
        await charger.stop(started["transactionId"], 1200)
        await stack.settle()
    [session] = await site.operator.get_all("/v1/sessions")
    tariff_id = session["tariff_id"]
    card = (await site.operator.get_all("/v1/id-tokens"))[0]["id_token"]
    stranger = await open_operator(stack, "Southwind")
    day = (await site.operator.cdr(session["session_id"]))["business_day"]
    reads = [
        f"/v1/chargers/{CHARGER_ID}",
        f"/v1/chargers/{CHARGER_ID}/evses",
        f"/v1/chargers/{CHARGER_ID}/commands",
        f"/v1/locations/{site.location_id}",
        f"/v1/tariffs/{tariff_id}",
        f"/v1/sessions/{session['session_id']}",
        f"/v1/sessions/{session['session_id']}/cdr",
        f"/v1/sessions/{session['session_id']}/meter-values",
        f"/v1/drivers/{site.driver.driver_id}",
        f"/v1/wallets/{site.driver.driver_id}",
        f"/v1/wallets/{site.driver.driver_id}/transactions",
        f"/v1/id-tokens/{card}",
        f"/v1/organizations/{site.operator.operator_id}",
        f"/v1/settlements/{site.operator.operator_id}.{day}",
        f"/v1/ledger/accounts/payable:{site.operator.operator_id}:EUR",
    ]
    statuses = {path: (await stranger.ask("GET", path)).status for path in reads}
    assert {path: status for path, status in statuses.items() if status != 404} == {}
    own = {path: (await site.operator.ask("GET", path)).status for path in reads}
    assert {path for path, status in own.items() if status != 200} == {reads[-2]}, "no run has settled the day yet"

    location = {"location_id": site.location_id}
    writes = [
        ("PUT", f"/v1/chargers/{CHARGER_ID}/location", location),
        ("DELETE", f"/v1/chargers/{CHARGER_ID}/location", None),
        ("PATCH", f"/v1/chargers/{CHARGER_ID}", {"name": "mine"}),
        ("POST", f"/v1/chargers/{CHARGER_ID}/password", {}),
        ("POST", f"/v1/chargers/{CHARGER_ID}/commands", {"action": "Reset", "payload": {"type": "Hard"}}),
        ("PATCH", f"/v1/locations/{site.location_id}", {"name": "mine"}),
        ("PUT", "/v1/tariff-assignments", {"tariff_id": tariff_id, **location}),
        ("POST", f"/v1/sessions/{session['session_id']}/stop", None),
        ("PATCH", f"/v1/id-tokens/{card}", {"status": "blocked"}),
        ("DELETE", f"/v1/drivers/{site.driver.driver_id}", None),
        ("POST", f"/v1/wallets/{site.driver.driver_id}/adjustments",
         {"direction": "top_up", "amount": {"amount": 1, "currency": "EUR"}, "reason": "a gift"}),
    ]  # fmt: skip
    for method, path, body in writes:
        reply = await stranger.ask(method, path, body, key=f"stranger {method} {path}")
        assert (path, reply.status) == (path, 404)
    for path in ("/v1/chargers", "/v1/locations", "/v1/tariffs", "/v1/sessions", "/v1/drivers", "/v1/id-tokens"):
        assert await stranger.get_all(path) == [], path


async def test_another_driver_finds_nothing(stack: Stack, site: Site) -> None:
    async with connect_raw(stack) as charger:
        await charger.boot()
        session_id = (await site.driver.charge_for(500))["session_id"]
        stranger = await sign_up_driver(stack, "sam@driver.example")
        assert (await stranger.ask("GET", f"/v1/driver/sessions/{session_id}")).status == 404
        stop = await stranger.ask("POST", f"/v1/driver/sessions/{session_id}/stop", key="mine")
        assert stop.status == 404
        assert await stranger.get_all("/v1/driver/sessions") == []
        # Nor does a driver's token open the operator's side, or the other way round.
        assert (await stranger.ask("GET", f"/v1/sessions/{session_id}")).status == 403
        assert (await site.operator.ask("GET", f"/v1/driver/sessions/{session_id}")).status == 403
        assert (await stack.call("GET", f"/v1/sessions/{session_id}")).status == 401
        assert (await site.driver.session(session_id))["state"] == "requested"
