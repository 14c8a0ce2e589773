"""The whole story of the tree: a manufacturer opens a dealer, it an operator, it an agency; the operator places a
charger, a driver signs up with the code from the mail, adds a card and charges with it. Each sees its own, and no more.
"""

from __future__ import annotations

from tests.e2e.people import CARD, CHARGER_ID, CHARGER_PASSWORD, PASSWORD, Operator, Person, sign_up_driver
from tests.e2e.raw_charger import connect_raw
from tests.e2e.stack import ADMIN_EMAIL, ADMIN_PASSWORD, Stack

SERIAL, UID = "SN-2026-0001", "K7Q2-99XM"


async def open_below(above: Person, kind: str, name: str, domain: str = "") -> Operator:
    """`above` opens an organisation of a kind below its own; its first administrator signs in."""
    domain = domain or f"{kind}.example"
    email = f"admin@{domain}"
    created = await above.post(
        "/v1/organizations",
        {
            "kind": kind,
            "name": name,
            "email": f"office@{domain}",
            "currency": "EUR",
            "time_zone": "Europe/Berlin",
            "admin": {"email": email, "full_name": f"Admin of {name}", "password": PASSWORD},
        },
    )
    person = Operator(above.stack, email, operator_id=created["organization_id"])
    await person.sign_in()
    return person


async def names_below(person: Person) -> list[str]:
    return [organization["name"] for organization in await person.get_all("/v1/organizations")]


async def open_tree(stack: Stack) -> tuple[Person, Operator, Operator, Operator, Operator]:
    platform = Person(stack, ADMIN_EMAIL, ADMIN_PASSWORD)
    await platform.sign_in()
    manufacturer = await open_below(platform, "manufacturer", "Volt Works")
    dealer = await open_below(manufacturer, "dealer", "Kabel & Söhne")
    operator = await open_below(dealer, "operator", "Ladenetz Süd")
    agency = await open_below(operator, "agency", "Parkhaus 東京")
    return platform, manufacturer, dealer, operator, agency


async def charge_with_a_card(stack: Stack, id_token: str) -> None:
    async with connect_raw(stack) as charger:
        assert (await charger.boot())["status"] == "Accepted"
        await charger.report("Available")
        started = await charger.start(id_token)
        assert started["idTagInfo"]["status"] == "Accepted"
        await stack.advance(minutes=1)
        await charger.stop(started["transactionId"], 1200)
        await stack.settle()


async def test_from_the_manufacturer_to_a_charge(stack: Stack) -> None:
    platform, manufacturer, dealer, operator, agency = await open_tree(stack)
    assert await names_below(platform) == ["Volt Works"]
    assert await names_below(manufacturer) == ["Kabel & Söhne"]
    assert await names_below(dealer) == ["Ladenetz Süd"]
    assert await names_below(operator) == ["Parkhaus 東京"]
    assert await names_below(agency) == []

    # The dealer has the charger in stock; the operator takes it over by what is printed on it, and places it.
    stock = {"charger_id": CHARGER_ID, "serial_number": SERIAL, "uid": UID, "evse_count": 2}
    await dealer.post("/v1/chargers", {**stock, "operator_id": dealer.operator_id, "password": CHARGER_PASSWORD})
    assert (await operator.ask("GET", f"/v1/chargers/{CHARGER_ID}")).status == 404
    await operator.post("/v1/chargers/claims", {"serial_number": SERIAL, "uid": UID})
    unregistered = await operator.get_all("/v1/chargers", registered="false")
    assert [charger["charger_id"] for charger in unregistered] == [CHARGER_ID]
    location_id = await operator.add_location()
    await operator.set_price(location_id)
    await operator.put(f"/v1/chargers/{CHARGER_ID}/location", {"location_id": location_id})

    # The agency sees the place once it is its own.
    assert await agency.get_all("/v1/locations") == []
    handed = await operator.ask("PATCH", f"/v1/locations/{location_id}", {"agency_id": agency.operator_id})
    assert handed.status == 200, handed
    assert [location["location_id"] for location in await agency.get_all("/v1/locations")] == [location_id]
    assert [charger["charger_id"] for charger in await agency.get_all("/v1/chargers")] == [CHARGER_ID]

    driver = await sign_up_driver(stack)
    await driver.top_up(2000)
    await driver.claim_card(CARD)
    assert [card["id_token"] for card in (await driver.get("/v1/driver/id-tokens"))["data"]] == [CARD]
    await charge_with_a_card(stack, CARD)
    assert await driver.balance() == 1993

    for seer in (operator, agency):
        [session] = await seer.get_all("/v1/sessions")
        assert (session["state"], session["energy_wh"], session["driver_id"]) == ("settled", 200, driver.driver_id)
        [seen] = await seer.get_all("/v1/drivers")
        assert seen["driver_id"] == driver.driver_id
    for above in (dealer, manufacturer):
        [session] = await above.get_all("/v1/sessions", operator_id=operator.operator_id)
        assert session["charger_id"] == CHARGER_ID
        assert (await above.ask("GET", f"/v1/drivers/{driver.driver_id}")).status == 403

    trail = await operator.get_all("/v1/audit-events")
    done = {event["action"] for event in trail}
    assert {"create_organization", "create_location", "place_charger", "update_location"} <= done
    assert all(PASSWORD not in str(event) and CHARGER_PASSWORD not in str(event) for event in trail)


async def test_who_is_beside_sees_nothing(stack: Stack) -> None:
    platform, _, dealer, operator, agency = await open_tree(stack)
    stranger = await open_below(platform, "dealer", "Elsewhere", "elsewhere.example")
    location_id = await operator.add_location()
    await operator.add_charger(CHARGER_ID, location_id)
    for outsider in (stranger, agency):
        assert (await outsider.ask("GET", f"/v1/locations/{location_id}")).status == 404
        assert (await outsider.ask("GET", f"/v1/chargers/{CHARGER_ID}")).status == 404
        refused = await outsider.ask("PATCH", f"/v1/locations/{location_id}", {"name": "Mine"})
        assert refused.status in (403, 404)
    assert (await dealer.get(f"/v1/locations/{location_id}"))["name"] == "Market square"
    assert (await stranger.ask("GET", f"/v1/organizations/{operator.operator_id}")).status == 404
    # A deactivated organisation's people are out as soon as their rights are looked up again.
    gone = await dealer.ask("DELETE", f"/v1/organizations/{operator.operator_id}")
    assert gone.status == 204, gone
    await stack.advance(minutes=1)
    assert (await operator.ask("GET", "/v1/locations")).status in (401, 403)
