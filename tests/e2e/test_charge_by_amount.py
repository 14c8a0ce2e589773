"""The story that the platform exists for, told from the first sign-in to the night's settlement."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from ocpp.v16 import call

from tests.e2e import library_charger
from tests.e2e.library_charger import LibraryCharger
from tests.e2e.people import CHARGER_ID, Driver, Operator, open_operator, sign_up_driver
from tests.e2e.stack import Stack, moment, text_of

BERLIN = ZoneInfo("Europe/Berlin")


async def test_a_driver_charges_for_five_euro_and_the_night_settles_it(stack: Stack) -> None:
    operator = await open_operator(stack)
    location_id = await operator.add_location()
    await operator.set_price(location_id, "0.35")
    connection = await operator.add_charger()
    shown = await operator.get(f"/v1/chargers/{CHARGER_ID}")
    assert (shown["registered"], shown["connectivity"]["online"]) == (False, False)
    await operator.put(f"/v1/chargers/{CHARGER_ID}/location", {"location_id": location_id})

    assert connection["full_url"] == stack.charger_url(CHARGER_ID)
    async with library_charger.connected(connection["full_url"], CHARGER_ID, connection["password"]) as charger:
        await boots(charger, operator)
        driver = await signs_up_and_tops_up(stack)
        session_id = await charges(stack, charger, driver, operator)
    await the_money_is_right(stack, driver, operator, session_id)
    await the_night_settles(stack, operator, session_id)


async def boots(charger: LibraryCharger, operator: Operator) -> None:
    booted = await charger.boot()
    assert booted.status == "Accepted"
    for connector_id in (0, 1, 2):
        await charger.report("Available", connector_id)
    assert (await charger.ask(call.Heartbeat())).current_time
    shown = await operator.get(f"/v1/chargers/{CHARGER_ID}")
    assert shown["registered"]
    assert shown["connectivity"]["online"]
    assert (shown["vendor"], shown["model"], shown["firmware_version"]) == ("Wallbox Works", "W22", "1.4.2")
    assert [(evse["letter"], evse["status"]) for evse in shown["evses"] if evse["evse_no"]] == [
        ("A", "Available"),
        ("B", "Available"),
    ]


async def signs_up_and_tops_up(stack: Stack) -> Driver:
    driver = await sign_up_driver(stack)
    assert await driver.balance() == 0
    # At the payer's page, as a person does ...
    topup = await driver.begin_topup(1500)
    page = await stack.call("GET", topup["redirect_url"])
    assert "15.00" in page.body
    sent_on = await stack.click(topup["redirect_url"], action="pay")
    assert sent_on.status == 303
    assert f"/v1/payments/{topup['payment_id']}/return" in sent_on.headers["location"]
    assert (await stack.call("GET", sent_on.headers["location"])).status == 200
    assert (await driver.get(f"/v1/driver/topups/{topup['topup_id']}"))["state"] == "credited"
    # ... and by the payment's id; a second click changes nothing.
    await driver.top_up(500)
    await stack.click(topup["redirect_url"], action="pay")
    assert await driver.balance() == 2000
    return driver


async def charges(stack: Stack, charger: LibraryCharger, driver: Driver, operator: Operator) -> str:
    session = await driver.charge_for(500)
    session_id: str = session["session_id"]
    assert (session["state"], session["held"]["amount"]) == ("requested", 500)
    assert await driver.balance() == 1500
    asked = await charger.remote_start()
    assert asked["connector_id"] == 1

    await charger.report("Preparing")
    began = await stack.now()
    started = await charger.ask(
        call.StartTransaction(connector_id=1, id_tag=asked["id_tag"], meter_start=1000, timestamp=text_of(began))
    )
    assert started.id_tag_info["status"] == "Accepted"
    await charger.report("Charging")
    await stack.advance(s=60)
    await charger.ask(meter_values(started.transaction_id, text_of(began, plus_s=60), wh="1120", watt="7200"))
    live = await driver.session(session_id)
    assert (live["state"], live["energy_wh"], live["power_w"]) == ("charging", 120, 7200)
    assert live["cost"] == {"amount": 4, "currency": "EUR"}
    assert live["duration_s"] == 60
    assert (await operator.session(session_id))["energy_wh"] == 120

    assert (await driver.stop(session_id))["state"] == "stopping"
    assert (await charger.remote_stop())["transaction_id"] == started.transaction_id
    await charger.ask(
        call.StopTransaction(
            transaction_id=started.transaction_id,
            meter_stop=1200,
            timestamp=text_of(began, plus_s=90),
            reason="Remote",
        )
    )
    for status in ("Finishing", "Available"):
        await charger.report(status)
    await stack.settle()
    return session_id


def meter_values(transaction_id: int, at: str, *, wh: str, watt: str) -> call.MeterValues:
    sampled = [
        {"value": wh, "measurand": "Energy.Active.Import.Register", "unit": "Wh", "context": "Sample.Periodic"},
        {"value": watt, "measurand": "Power.Active.Import", "unit": "W", "context": "Sample.Periodic"},
    ]
    return call.MeterValues(
        connector_id=1, transaction_id=transaction_id, meter_value=[{"timestamp": at, "sampled_value": sampled}]
    )


async def the_money_is_right(stack: Stack, driver: Driver, operator: Operator, session_id: str) -> None:
    ended = await driver.session(session_id)
    assert (ended["state"], ended["energy_wh"], ended["stop_reason"]) == ("settled", 200, "Remote")
    assert (ended["cost"]["amount"], ended["released"]["amount"], ended["uncollected"]["amount"]) == (7, 493, 0)
    cdr = await operator.cdr(session_id)
    assert (cdr["energy_wh"], cdr["total_cost"]["amount"], cdr["captured"]["amount"]) == (200, 7, 7)
    assert await driver.balance() == 1993
    assert await driver.lines() == [
        ("Top-up", 1500),
        ("Top-up", 500),
        ("Consumption", -500),
        ("Refunded", 493),
    ]
    assert await operator.income(cdr["business_day"]) == 7
    assert (await stack.execution(session_id))["status"] == "SUCCEEDED"
    assert len(await stack.mails(driver.email, "Your charge: 0.200 kWh for 0.07 EUR")) == 1
    assert [known["driver_id"] for known in await operator.get_all("/v1/drivers")] == [driver.driver_id]


async def the_night_settles(stack: Stack, operator: Operator, session_id: str) -> None:
    day = (await operator.cdr(session_id))["business_day"]
    midnight = datetime.combine(datetime.fromisoformat(day).date() + timedelta(days=1), time(), BERLIN)
    await stack.advance_to(midnight - timedelta(seconds=30))
    await operator.sign_in()
    assert await operator.get_all("/v1/settlements") == []
    await stack.advance_to(midnight + timedelta(hours=6))
    await operator.sign_in()
    [settlement] = await operator.get_all("/v1/settlements")
    assert (settlement["business_day"], settlement["state"], settlement["difference"]) == (day, "posted", None)
    [line] = settlement["lines"]
    assert (line["sessions"], line["energy_wh"], line["gross"]["amount"], line["net"]["amount"]) == (1, 200, 7, 7)
    assert midnight < moment(settlement["posted_at"]) < midnight + timedelta(hours=1)
    owed = await operator.get(f"/v1/ledger/accounts/payable:{operator.operator_id}:EUR")
    assert owed["balance"] == {"amount": 7, "currency": "EUR"}
    assert await operator.income(day) == 7
    assert len(await stack.mails("office@northwind.example", "statement")) == 1
