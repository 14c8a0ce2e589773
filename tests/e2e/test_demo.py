"""What a newcomer sees: the first start is filled in and alive, later starts change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local import demo as demo_data
from tests.e2e.people import Driver, Operator
from tests.e2e.stack import POLL_S, Stack

HARBOUR, RIVER = (place.charger_id for place in demo_data.PLACES)
TRIES = 500


async def test_the_first_start_is_filled_in_and_the_second_changes_nothing(demo: Stack) -> None:
    operator = await the_operator(demo)
    assert len(await operator.get_all("/v1/locations")) == 2
    assert len(await operator.get_all("/v1/tariffs")) == 2
    assert len(await operator.get_all("/v1/drivers")) == 3
    assert len(await operator.get_all("/v1/id-tokens")) == 3
    for place in demo_data.PLACES:
        await comes_online(demo, operator, place.charger_id)
    balances = [await (await the_guest(demo, guest.email)).balance() for guest in demo_data.GUESTS]
    assert balances == [guest.money for guest in demo_data.GUESTS]
    assert all(email in demo.log.read_text() for _, email, _ in demo_data.sign_ins())

    before = [await operator.get_all(path) for path in ("/v1/locations", "/v1/tariffs", "/v1/drivers")]
    assert await demo.stop() == 0
    await demo.start()
    assert [await operator.get_all(path) for path in ("/v1/locations", "/v1/tariffs", "/v1/drivers")] == before
    await comes_online(demo, operator, HARBOUR)


async def test_a_simulated_charge_until_the_money_is_used_up(demo: Stack) -> None:
    operator = await the_operator(demo)
    driver = await the_guest(demo, demo_data.GUESTS[0].email)
    session_id = await starts(demo, operator, driver, 500)
    await demo.advance(minutes=10)
    live = await driver.session(session_id)
    assert (live["state"], live["power_w"]) == ("charging", 11_000)
    assert 1700 <= live["energy_wh"] <= 1900
    assert live["cost"]["amount"] in range(59, 67)
    # Past the two hours of a connection: the charger has come back by itself and is not missed.
    await demo.advance(minutes=150)
    await driver.sign_in()
    ended = await driver.session(session_id)
    assert (ended["state"], ended["stop_reason"]) == ("settled", "Remote")
    # Told to stop when the money should be used up, with what a command takes on its way: a cent or two may be left.
    unused = ended["released"]["amount"]
    assert 0 <= unused <= 5
    assert await driver.balance() == demo_data.GUESTS[0].money - 500 + unused
    await operator.sign_in()
    await comes_online(demo, operator, HARBOUR)
    assert await demo.mails("office@northwind.example", "offline") == []


@pytest.mark.parametrize(("charger_id", "protocol"), [(HARBOUR, "ocpp1.6"), (RIVER, "ocpp2.0.1")])
async def test_a_charge_by_the_app_at_either_simulated_charger(demo: Stack, charger_id: str, protocol: str) -> None:
    """The README's tour: charge for 5.00, look, stop early, get back what was not used."""
    operator = await the_operator(demo)
    driver = await the_guest(demo, demo_data.GUESTS[0].email)
    session_id = await starts(demo, operator, driver, 500, charger_id)
    await demo.advance(minutes=5)
    live = await driver.session(session_id)
    assert (live["state"], live["power_w"]) == ("charging", 11_000)
    assert 700 <= live["energy_wh"] <= 950
    await driver.stop(session_id)
    ended = await reaches(demo, driver, session_id, "settled")
    assert ended["stop_reason"] == "Remote"
    assert await driver.balance() == demo_data.GUESTS[0].money - ended["cost"]["amount"]
    shown = await operator.get(f"/v1/chargers/{charger_id}")
    assert (shown["connectivity"]["protocol"], shown["drift_count"]) == (protocol, 0)
    assert (await operator.get(f"/v1/chargers/{charger_id}/conformance-findings"))["data"] == []


async def test_what_a_charge_brought_can_be_withdrawn_after_the_night(demo: Stack) -> None:
    """5.00 with tax in it; 3.00 were taken in cash, and the platform has its commission."""
    operator = await the_operator(demo)
    driver = await the_guest(demo, demo_data.GUESTS[0].email)
    session_id = await starts(demo, operator, driver, 500)
    await demo.advance(minutes=160)
    await driver.sign_in()
    await reaches(demo, driver, session_id, "settled")
    await demo.advance(minutes=36 * 60)
    await operator.sign_in()
    [balance] = await operator.get_all("/v1/balances")
    assert 100 < balance["withdrawable"]["amount"] < 200
    [month] = (await operator.get("/v1/income", by="month"))["rows"]
    gross = month["gross"]["amount"]
    assert 495 <= gross <= 500
    assert month["tax"]["amount"] == pytest.approx(gross * 19 / 119, abs=1)
    assert month["cash"]["amount"] == 300
    asked = await operator.post("/v1/withdrawals", {"amount": balance["withdrawable"]}, key="all-there-is")
    assert asked["state"] == "requested"


@pytest.mark.parametrize("charger_id", [HARBOUR, RIVER])
async def test_a_power_loss_in_the_middle_of_a_simulated_charge(demo: Stack, charger_id: str) -> None:
    operator = await the_operator(demo)
    driver = await the_guest(demo, demo_data.GUESTS[1].email)
    session_id = await starts(demo, operator, driver, 500, charger_id)
    await demo.advance(minutes=10)
    await demo.kill()
    await demo.start()
    ended = await reaches(demo, driver, session_id, "settled")
    assert ended["stop_reason"] == "PowerLoss"
    assert 1700 <= ended["energy_wh"] <= 1900
    assert await driver.balance() == demo_data.GUESTS[1].money - ended["cost"]["amount"]


async def test_a_simulated_charger_can_be_stopped_and_reset(demo: Stack) -> None:
    operator = await the_operator(demo)
    driver = await the_guest(demo, demo_data.GUESTS[0].email)
    session_id = await starts(demo, operator, driver, None)
    await demo.advance(minutes=5)
    await driver.stop(session_id)
    await reaches(demo, driver, session_id, "settled")
    asked = await demo.local("POST", f"/ocpp/{HARBOUR}/GetConfiguration", {"key": ["NumberOfConnectors", "Colour"]})
    assert asked["configurationKey"][0]["value"] == "2"
    assert asked["unknownKey"] == ["Colour"]
    booted = (await operator.get(f"/v1/chargers/{HARBOUR}"))["booted_at"]
    assert await demo.local("POST", f"/ocpp/{HARBOUR}/Reset", {"type": "Soft"}) == {"status": "Accepted"}
    await demo.advance(s=10)
    assert (await operator.get(f"/v1/chargers/{HARBOUR}"))["booted_at"] > booted


async def test_a_simulated_charger_that_stays_away_is_told_once_and_comes_back(demo: Stack) -> None:
    operator = await the_operator(demo)
    await comes_online(demo, operator, HARBOUR)
    assert await demo.local("POST", f"/connections/{HARBOUR}/drop", {"notify": False, "away_s": 3600}) == {"dropped": 1}
    await demo.advance(minutes=30)
    assert len(await demo.mails("office@northwind.example", f"Charger {HARBOUR} is offline")) == 1
    await demo.advance(minutes=35)
    assert len(await demo.mails("office@northwind.example", f"Charger {HARBOUR} is back online")) == 1
    refused = await demo.call("POST", f"/_local/connections/{HARBOUR}/drop", {"away_s": "an hour"})
    assert (refused.status, refused.headers["content-type"].partition(";")[0]) == (422, "application/problem+json")


async def the_operator(stack: Stack) -> Operator:
    operator = Operator(stack, demo_data.OPERATOR_EMAIL, demo_data.PASSWORD)
    await operator.sign_in()
    return operator


async def the_guest(stack: Stack, email: str) -> Driver:
    driver = Driver(stack, email, demo_data.PASSWORD)
    await driver.sign_in()
    return driver


async def comes_online(stack: Stack, operator: Operator, charger_id: str) -> None:
    """The chargers live at their own pace beside us: look until it is there."""
    for _ in range(TRIES):
        shown = await operator.get(f"/v1/chargers/{charger_id}")
        if shown["connectivity"]["online"] and {e["status"] for e in shown["evses"] if e["evse_no"]} == {"Available"}:
            return
        await stack.pause(POLL_S)
    raise AssertionError(f"{charger_id} does not come online")


async def starts(
    stack: Stack, operator: Operator, driver: Driver, amount: int | None, charger_id: str = HARBOUR
) -> str:
    """A charge that delivers."""
    await comes_online(stack, operator, charger_id)
    session = await driver.charge_for(amount, charger_id=charger_id)
    await reaches(stack, driver, session["session_id"], "awaiting_plug")
    await stack.advance(s=5)
    await reaches(stack, driver, session["session_id"], "charging")
    return str(session["session_id"])


async def reaches(stack: Stack, driver: Driver, session_id: str, state: str) -> dict[str, Any]:
    for _ in range(TRIES):
        session = await driver.session(session_id)
        if session["state"] == state:
            return session
        await stack.pause(POLL_S)
    raise AssertionError(f"{session} is not {state}")
