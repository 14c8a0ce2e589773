"""Somebody without an account scans a code, sees the price, pays by card, charges, and gets a receipt by e-mail."""

from __future__ import annotations

from typing import Any

from ocpp.v16 import call

from tests.e2e import library_charger
from tests.e2e.library_charger import LibraryCharger
from tests.e2e.people import CHARGER_ID, Operator, open_operator
from tests.e2e.stack import Reply, Stack, text_of

EMAIL = "gast@example.org"
KEY = "a-key-that-nobody-guesses"


async def test_a_guest_charges_by_card(stack: Stack) -> None:
    operator, code, connection = await a_priced_charger(stack)
    async with library_charger.connected(connection["full_url"], CHARGER_ID, connection["password"]) as charger:
        await charger.boot()
        for connector_id in (0, 1, 2):
            await charger.report("Available", connector_id)
        shown = (await stack.call("GET", f"/v1/guest/chargers/{code}")).body
        assert shown["may_start"]
        assert shown["authorized"] == {"amount": 3000, "currency": "EUR"}
        assert "0.35" in str(shown["price"])
        order = (await ask_for_a_charge(stack, code)).body
        assert (order["state"], order["session"]) == ("awaiting_payment", None)
        await pays(stack, order)
        await charges(stack, charger, order)
    await the_money_is_right(stack, operator, order)


async def test_who_has_not_the_guests_code_sees_and_stops_nothing(stack: Stack) -> None:
    _, code, connection = await a_priced_charger(stack)
    async with library_charger.connected(connection["full_url"], CHARGER_ID, connection["password"]) as charger:
        await charger.boot()
        await charger.report("Available")
        order = (await ask_for_a_charge(stack, code)).body
        path = f"/v1/guest/sessions/{order['session_id']}"
        for guess in (None, "", "0" * 64):
            assert (await stack.call("GET", path, guest_code=guess)).status == 404
            assert (await stack.call("POST", f"{path}/stop", guest_code=guess)).status == 404
        again = (await ask_for_a_charge(stack, code)).body
        assert again == order, "the second click is the same order, and the same page to pay on"
        assert (await ask_for_a_charge(stack, code, key="short")).code == "idempotency.key_short"


async def a_priced_charger(stack: Stack) -> tuple[Operator, str, dict[str, Any]]:
    operator = await open_operator(stack)
    location_id = await operator.add_location()
    await operator.set_price(location_id, "0.35")
    connection = await operator.add_charger(CHARGER_ID, location_id)
    evses = (await operator.get(f"/v1/chargers/{CHARGER_ID}"))["evses"]
    code = next(evse["qr_code"] for evse in evses if evse["evse_no"] == 1)
    return operator, code, connection


async def ask_for_a_charge(stack: Stack, code: str, key: str = KEY) -> Reply:
    return await stack.call("POST", "/v1/guest/sessions", {"code": code, "email": EMAIL}, key=key)


async def look(stack: Stack, order: dict[str, Any]) -> dict[str, Any]:
    reply = await stack.call("GET", f"/v1/guest/sessions/{order['session_id']}", guest_code=order["guest_code"])
    assert reply.status == 200, reply
    return dict(reply.body)


async def pays(stack: Stack, order: dict[str, Any]) -> None:
    page = await stack.call("GET", order["redirect_url"])
    assert "30.00" in page.body
    declined = await stack.click(order["redirect_url"], action="decline")
    assert declined.status == 303
    assert (await look(stack, order))["state"] in ("awaiting_payment", "not_paid")
    sent_on = await stack.click(order["redirect_url"], action="pay")
    assert sent_on.status == 303, sent_on
    shown = await look(stack, order)
    assert (shown["state"], shown["payment_state"]) == ("started", "authorized")
    assert shown["session"]["state"] in ("requested", "awaiting_plug")


async def charges(stack: Stack, charger: LibraryCharger, order: dict[str, Any]) -> None:
    asked = await charger.remote_start()
    began = await stack.now()
    started = await charger.ask(
        call.StartTransaction(connector_id=1, id_tag=asked["id_tag"], meter_start=1000, timestamp=text_of(began))
    )
    assert started.id_tag_info["status"] == "Accepted"
    await stack.advance(s=120)
    path = f"/v1/guest/sessions/{order['session_id']}/stop"
    assert (await stack.call("POST", path, guest_code=order["guest_code"])).body["session"]["state"] == "stopping"
    await charger.remote_stop()
    await charger.ask(
        call.StopTransaction(
            transaction_id=started.transaction_id, meter_stop=11_000, timestamp=text_of(began, plus_s=120)
        )
    )
    await stack.settle()


async def the_money_is_right(stack: Stack, operator: Operator, order: dict[str, Any]) -> None:
    shown = await look(stack, order)
    session = shown["session"]
    assert (shown["state"], shown["payment_state"], session["state"]) == ("ended", "captured", "settled")
    assert [session[name]["amount"] for name in ("cost", "reserved", "captured", "released")] == [350, 3000, 350, 2650]
    cdr = await operator.cdr(order["session_id"])
    assert (cdr["captured"]["amount"], cdr["driver_id"]) == (350, None)
    assert await operator.income(cdr["business_day"]) == 350
    [payment] = await operator.get_all("/v1/payments")
    assert (payment["state"], payment["gross"]["amount"], payment["purpose"]) == ("captured", 350, "guest")
    assert payment["net"]["amount"] == 350 - payment["fee"]["amount"] < 350
    [mail] = await stack.mails(EMAIL, "Receipt: 10.000 kWh for 3.50 EUR")
    assert "26.50 EUR" in mail["text"], "what was reserved and not taken"
    refused = await stack.call("POST", f"/v1/guest/sessions/{order['session_id']}/stop")
    assert refused.status == 404
