"""Who acts in the stories: the platform's administrator, operators, drivers; each step is a REST request.

`open_site` takes the steps that most stories begin with; story A takes them one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.e2e.stack import ADMIN_EMAIL, ADMIN_PASSWORD, Reply, Stack

PASSWORD = "correct horse battery"
CHARGER_PASSWORD = "0123456789abcdefghij"
CHARGER_ID = "CP-001"
CARD = "04A2B3C4D5E6F7"


@dataclass
class Person:
    """Somebody who signs in. Access tokens live for minutes: sign in again after a jump of the clock."""

    stack: Stack
    email: str
    password: str = PASSWORD
    token: str = ""

    async def sign_in(self) -> None:
        reply = await self.stack.call("POST", "/v1/auth/sessions", {"email": self.email, "password": self.password})
        assert reply.status == 201, reply
        self.token = reply.body["access_token"]

    async def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Reply:
        """Whatever the answer is."""
        return await self.stack.call(method, path, body, token=self.token, **options)

    async def get(self, path: str, **query: str) -> Any:
        return _done(await self.ask("GET", path, query=query))

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        return _done(await self.ask("POST", path, body, key=key))

    async def put(self, path: str, body: Any) -> Any:
        return _done(await self.ask("PUT", path, body))

    async def get_all(self, path: str, **query: str) -> list[Any]:
        """All pages of a list."""
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, limit="200", **query, **cursor)
            found += page["data"]
            if not page["has_more"]:
                return found
            cursor = {"cursor": page["next_cursor"]}


@dataclass
class Operator(Person):
    operator_id: str = ""

    async def add_location(self, name: str = "Market square", time_zone: str = "Europe/Berlin") -> str:
        body = {"name": name, "address": "Marktplatz 1", "city": "Berlin", "country": "DE", "time_zone": time_zone}
        return str((await self.post("/v1/locations", body))["location_id"])

    async def set_price(self, location_id: str, per_kwh: str = "0.35") -> str:
        """A tariff with an energy price, assigned to the location."""
        elements = [{"price_components": [{"type": "ENERGY", "price": per_kwh}]}]
        tariff = await self.post("/v1/tariffs", {"name": "Day", "currency": "EUR", "elements": elements})
        await self.put("/v1/tariff-assignments", {"tariff_id": tariff["tariff_id"], "location_id": location_id})
        return str(tariff["tariff_id"])

    async def add_charger(self, charger_id: str = CHARGER_ID, location_id: str | None = None) -> dict[str, Any]:
        """Registers a charger with two connectors; its connection instructions. Placed if there is a location."""
        body = {"charger_id": charger_id, "evse_count": 2, "password": CHARGER_PASSWORD}
        created = await self.post("/v1/chargers", body)
        if location_id is not None:
            await self.put(f"/v1/chargers/{charger_id}/location", {"location_id": location_id})
        return dict(created["connection"])

    async def add_card(self, id_token: str = CARD) -> None:
        """A card that nobody owns yet."""
        await self.post("/v1/id-tokens", {"id_token": id_token})

    async def session(self, session_id: str) -> dict[str, Any]:
        return dict(await self.get(f"/v1/sessions/{session_id}"))

    async def cdr(self, session_id: str) -> dict[str, Any]:
        return dict(await self.get(f"/v1/sessions/{session_id}/cdr"))

    async def income(self, business_day: str) -> int:
        """Minor units booked as income on a business day, read from its ledger entries."""
        entries = await self.get_all(
            "/v1/ledger/entries", account_id=f"income:{self.operator_id}:EUR", business_day=business_day
        )
        return sum(entry["amount"]["amount"] for entry in entries)


@dataclass
class Driver(Person):
    driver_id: str = ""

    async def begin_topup(self, amount: int) -> dict[str, Any]:
        body = {"amount": {"amount": amount, "currency": "EUR"}}
        return dict(await self.post("/v1/driver/topups", body, key=f"topup-{amount}"))

    async def top_up(self, amount: int) -> None:
        topup = await self.begin_topup(amount)
        await self.stack.local("POST", f"/payments/{topup['payment_id']}", {"outcome": "succeed"})

    async def claim_card(self, id_token: str = CARD) -> None:
        await self.post("/v1/driver/id-tokens", {"id_token": id_token})

    async def balance(self) -> int:
        """Minor units that may be spent now."""
        balances = (await self.get("/v1/driver/wallet"))["balances"]
        return next((money["amount"] for money in balances if money["currency"] == "EUR"), 0)

    async def lines(self) -> list[tuple[str, int]]:
        """What moved the wallet, oldest first: the label that people read, and minor units."""
        found = await self.get_all("/v1/driver/wallet/transactions")
        return [(line["label"], line["amount"]["amount"]) for line in reversed(found)]

    async def charge_for(
        self, amount: int | None, *, evse_no: int = 1, charger_id: str = CHARGER_ID, key: str = "charge-1"
    ) -> dict[str, Any]:
        return dict(await self.post("/v1/driver/sessions", charge_request(amount, evse_no, charger_id), key=key))

    async def session(self, session_id: str) -> dict[str, Any]:
        return dict(await self.get(f"/v1/driver/sessions/{session_id}"))

    async def stop(self, session_id: str) -> dict[str, Any]:
        return dict(await self.post(f"/v1/driver/sessions/{session_id}/stop", key=f"stop-{session_id}"))


@dataclass
class Site:
    """An operator's location with a priced charger, and a driver who can pay."""

    stack: Stack
    operator: Operator
    driver: Driver
    location_id: str

    async def sign_in_again(self) -> None:
        await self.operator.sign_in()
        await self.driver.sign_in()


def charge_request(amount: int | None, evse_no: int = 1, charger_id: str = CHARGER_ID) -> dict[str, Any]:
    money = None if amount is None else {"amount": amount, "currency": "EUR"}
    return {"charger_id": charger_id, "evse_no": evse_no, "amount": money}


async def open_operator(stack: Stack, name: str = "Northwind", time_zone: str = "Europe/Berlin") -> Operator:
    """The platform's administrator creates an operator, whose own administrator signs in."""
    admin = Person(stack, ADMIN_EMAIL, ADMIN_PASSWORD)
    await admin.sign_in()
    email = f"ada@{name.lower()}.example"
    created = await admin.post(
        "/v1/organizations",
        {
            "name": name,
            "email": f"office@{name.lower()}.example",
            "currency": "EUR",
            "time_zone": time_zone,
            "admin": {"email": email, "full_name": "Ada Admin", "password": PASSWORD},
        },
    )
    operator = Operator(stack, email, operator_id=created["organization_id"])
    await operator.sign_in()
    return operator


async def sign_up_driver(stack: Stack, email: str = "dana@driver.example") -> Driver:
    """A driver signs up with the code from the e-mail."""
    asked = await stack.call("POST", "/v1/auth/verification-codes", {"email": email, "purpose": "sign_up"})
    assert asked.status == 202, asked
    [mail] = await stack.mails(email)
    code = re.search(r"\b\d{6}\b", mail["text"])
    assert code is not None, mail
    body = {"email": email, "code": code.group(), "password": PASSWORD, "full_name": "Dana Driver"}
    created = await stack.call("POST", "/v1/auth/sign-ups", body)
    assert created.status == 201, created
    driver = Driver(stack, email, driver_id=created.body["driver_id"])
    await driver.sign_in()
    wants_receipts = await driver.ask("PATCH", "/v1/driver/me", {"receipts_by_email": True})
    assert wants_receipts.status == 200, wants_receipts
    return driver


async def open_site(stack: Stack, *, money: int = 2000, per_kwh: str = "0.35") -> Site:
    operator = await open_operator(stack)
    location_id = await operator.add_location()
    await operator.set_price(location_id, per_kwh)
    await operator.add_charger(CHARGER_ID, location_id)
    driver = await sign_up_driver(stack)
    if money:
        await driver.top_up(money)
    await operator.add_card()
    await driver.claim_card()
    return Site(stack, operator, driver, location_id)


def _done(reply: Reply) -> Any:
    assert 200 <= reply.status < 300, reply
    return reply.body
