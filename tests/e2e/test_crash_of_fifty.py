"""`kill -9` in the middle of fifty charges: nothing is lost, nothing is doubled, whoever is asked.

Half are for an amount, a quarter until full, a quarter by guests with cards. The process dies while their ends come in;
chargers come back and tell again what was answered, and what was not.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.e2e.people import Driver, Operator, Person, open_operator, sign_up_driver
from tests.e2e.raw_charger import Disconnected, RawCharger, connect_raw
from tests.e2e.stack import ADMIN_EMAIL, ADMIN_PASSWORD, Stack

CHARGES, DRIVERS = 50, 4
TOPUP, AMOUNT = 12_000, 500
KILLED_AFTER = 15
"""Ends that were answered; the others are under way."""
CENTS_PER_STEP, WH_PER_STEP = 7, 200


@dataclass
class Charger:
    """Two connectors, and a memory: what was not answered is told again when it is back."""

    stack: Stack
    charger_id: str
    came_back: asyncio.Event
    socket: RawCharger | None = None
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def connect(self) -> RawCharger:
        self.socket = await self._open.enter_async_context(connect_raw(self.stack, self.charger_id))
        return self.socket

    async def leave(self) -> None:
        await self._open.aclose()

    async def tell(self, frame: Callable[[RawCharger], Awaitable[Any]]) -> Any:
        """Until it is answered."""
        assert self.socket is not None
        try:
            return await frame(self.socket)
        except (Disconnected, aiohttp.ClientError):  # the latter: the clock was asked when the process died
            await self.came_back.wait()
            assert self.socket is not None
            return await frame(self.socket)


@dataclass
class Charge:
    number: int
    charger: Charger
    driver: Driver | None
    session_id: str = ""
    transaction_id: int = 0

    @property
    def evse_no(self) -> int:
        return self.number % 2 + 1

    @property
    def steps(self) -> int:
        return 10 + self.number

    @property
    def cost(self) -> int:
        """At 0.35 per kWh."""
        return self.steps * CENTS_PER_STEP

    @property
    def meter_stop_wh(self) -> int:
        return 1000 + self.steps * WH_PER_STEP

    @property
    def amount(self) -> int | None:
        """None: until full."""
        return AMOUNT if self.number % 4 < 2 else None

    async def begin(self, codes: dict[int, str]) -> None:
        stack, socket = self.charger.stack, self.charger.socket
        assert socket is not None
        if self.driver is None:
            await self._pay_by_card(stack, codes[self.evse_no])
        else:
            body = await self.driver.charge_for(
                self.amount, evse_no=self.evse_no, charger_id=self.charger.charger_id, key=f"charge-{self.number}"
            )
            self.session_id = body["session_id"]
        asked = await socket.accept("RemoteStartTransaction")
        assert asked.payload["connectorId"] == self.evse_no
        started = await socket.start(asked.payload["idTag"], evse_no=self.evse_no)
        assert started["idTagInfo"]["status"] == "Accepted"
        self.transaction_id = started["transactionId"]

    async def _pay_by_card(self, stack: Stack, code: str) -> None:
        body = {"code": code, "email": f"guest{self.number}@example.org"}
        order = await stack.call("POST", "/v1/guest/sessions", body, key=f"a-key-that-nobody-guesses-{self.number}")
        assert order.status == 201, order
        clicked = await stack.click(order.body["redirect_url"], action="pay")
        assert clicked.status == 303, clicked
        self.session_id = order.body["session_id"]

    async def meter(self) -> None:
        half = 1000 + self.steps // 2 * WH_PER_STEP
        await self.charger.tell(lambda socket: socket.meter(self.transaction_id, half, evse_no=self.evse_no))

    async def end(self) -> None:
        await self.charger.tell(
            lambda socket: socket.stop(self.transaction_id, self.meter_stop_wh, message_id=f"end-{self.number}")
        )


@dataclass
class Town:
    stack: Stack
    operator: Operator
    drivers: list[Driver]
    chargers: list[Charger]
    charges: list[Charge]
    came_back: asyncio.Event

    async def everybody_charges(self) -> None:
        async def two(charger: Charger) -> None:
            socket = await charger.connect()
            await socket.boot()
            shown = await self.operator.get(f"/v1/chargers/{charger.charger_id}")
            codes = {evse["evse_no"]: evse["qr_code"] for evse in shown["evses"]}
            for charge in self.charges:
                if charge.charger is charger:
                    await charge.begin(codes)

        await asyncio.gather(*(two(charger) for charger in self.chargers))

    async def dies_while_they_end(self) -> int:
        """Returns how many ends were answered before."""
        answered = 0
        enough = asyncio.Event()

        async def end(charge: Charge) -> None:
            nonlocal answered
            await charge.end()
            answered += 1
            if answered == KILLED_AFTER:
                enough.set()

        ends = asyncio.gather(*(end(charge) for charge in self.charges))
        await enough.wait()
        await self.stack.kill()
        before = answered
        for charger in self.chargers:
            await charger.leave()
        await self.stack.start()
        await asyncio.gather(*(charger.connect() for charger in self.chargers))
        self.came_back.set()
        await ends
        return before

    async def sign_in(self) -> None:
        for person in (self.operator, *self.drivers):
            await person.sign_in()


async def test_the_process_dies_while_fifty_charge(stack: Stack) -> None:
    town = await a_town(stack)
    await town.everybody_charges()
    await stack.advance(minutes=1)
    await asyncio.gather(*(charge.meter() for charge in town.charges))
    await stack.advance(minutes=5)
    answered = await town.dies_while_they_end()
    assert KILLED_AFTER <= answered < CHARGES, "it died in the middle"
    await asyncio.gather(*(charge.end() for charge in town.charges))  # a charger may say all of it again
    await stack.settle()
    await stack.advance(minutes=11)  # what the crash left undone at the provider, the reconciliation does
    await town.sign_in()
    await sessions_and_cdrs_are_right(town)
    await wallets_are_right(town)
    await cards_are_right(town)
    await the_ledger_is_proved(stack)
    for charger in town.chargers:
        await charger.leave()


async def a_town(stack: Stack) -> Town:
    operator = await open_operator(stack)
    location_id = await operator.add_location()
    await operator.set_price(location_id, "0.35")
    came_back = asyncio.Event()
    chargers = [Charger(stack, f"CP-{number:03d}", came_back) for number in range(CHARGES // 2)]
    for charger in chargers:
        await operator.add_charger(charger.charger_id, location_id)
    drivers = [await sign_up_driver(stack, f"driver{number}@driver.example") for number in range(DRIVERS)]
    for driver in drivers:
        await driver.top_up(TOPUP)
    charges = [
        Charge(number, chargers[number // 2], None if number % 4 == 3 else drivers[number // 4 % DRIVERS])
        for number in range(CHARGES)
    ]
    return Town(stack, operator, drivers, chargers, charges, came_back)


async def sessions_and_cdrs_are_right(town: Town) -> None:
    sessions = {session["session_id"]: session for session in await town.operator.get_all("/v1/sessions")}
    assert set(sessions) == {charge.session_id for charge in town.charges}
    assert {session["state"] for session in sessions.values()} == {"settled"}
    day = (await town.operator.cdr(town.charges[0].session_id))["business_day"]
    cdrs = await town.operator.get_all("/v1/cdrs", business_day=day)
    assert sorted((cdr["session_id"], cdr["energy_wh"], cdr["captured"]["amount"]) for cdr in cdrs) == sorted(
        (charge.session_id, charge.meter_stop_wh - 1000, charge.cost) for charge in town.charges
    )
    assert await town.operator.income(day) == sum(charge.cost for charge in town.charges)


async def wallets_are_right(town: Town) -> None:
    for driver in town.drivers:
        spent = sum(charge.cost for charge in town.charges if charge.driver is driver)
        assert await driver.balance() == TOPUP - spent
        labels = [label for label, _ in await driver.lines()]
        own = sum(charge.driver is driver for charge in town.charges)
        assert labels.count("Consumption") == labels.count("Refunded") == own


async def cards_are_right(town: Town) -> None:
    """Ours and the provider's own books."""
    guests = sorted(charge.cost for charge in town.charges if charge.driver is None)
    payments = await town.operator.get_all("/v1/payments")
    assert sorted(payment["gross"]["amount"] for payment in payments) == guests
    assert {payment["state"] for payment in payments} == {"captured"}
    key = json.loads((town.stack.data_dir / "secrets.json").read_text())["stripe-secret-key"]
    told = await town.stack.call("GET", "/_local/stripe/v1/payment_intents", query={"limit": "100"}, token=key)
    intents = told.body["data"]
    assert sorted(i["amount_received"] for i in intents if i["capture_method"] == "manual") == guests
    assert [i["amount_received"] for i in intents if i["capture_method"] != "manual"] == [TOPUP] * DRIVERS


async def the_ledger_is_proved(stack: Stack) -> None:
    admin = Person(stack, ADMIN_EMAIL, ADMIN_PASSWORD)
    await admin.sign_in()
    await stack.local("POST", "/jobs/prove-ledger")
    proof = (await admin.get("/v1/ledger/proofs"))["data"][0]
    assert (proof["fault_count"], proof["faults"]) == (0, [])
    assert sum(money["amount"] if isinstance(money, dict) else money for money in proof["totals"].values()) == 0
