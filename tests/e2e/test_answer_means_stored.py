"""An answer means stored: `kill -9` under full load, restart, and not one answered frame is missing.

Thirty chargers charge again and again, each as fast as it is answered. Each keeps book of what the platform has
confirmed. After the crash the books are compared with what REST shows; then every charger sends its unanswered frame
again, as chargers do, and ends its charge: nothing is there twice, and the money agrees to the cent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.people import CARD, Operator, Person, Site, open_site
from tests.e2e.raw_charger import Disconnected, RawCharger, connect_raw, meter_payload
from tests.e2e.stack import ADMIN_EMAIL, ADMIN_PASSWORD, Stack, moment, text_of

CHARGERS = 30
ANSWERS_BEFORE_THE_CRASH = 1200
READINGS = 4
STEP_WH = 250
MONEY = 1_000_000
READERS = 8

Frame = tuple[str, dict[str, Any]]


@dataclass
class Delivery:
    """One charge as its charger knows it. `confirmed_*` is what the platform has answered."""

    charger_id: str
    began: datetime
    meter_start_wh: int
    confirmed_start: bool = False
    confirmed_wh: list[int] = field(default_factory=list)
    confirmed_stop: bool = False

    @property
    def key(self) -> tuple[str, datetime]:
        return self.charger_id, self.began

    @property
    def meter_stop_wh(self) -> int:
        return self.meter_start_wh + (READINGS + 1) * STEP_WH


class BusyCharger:
    """A charger that sends its frames in the order of a script; the one without an answer is sent again."""

    def __init__(self, charger_id: str, first_start: datetime) -> None:
        self.charger_id = charger_id
        self.deliveries: list[Delivery] = []
        self.confirmed_status = 0
        self.closing = False
        self._first_start = first_start
        self._script = self._write()
        self._next: Frame | None = next(self._script)
        self._message_no = 0

    async def live(self, socket: RawCharger, count: Counter) -> None:
        """Sends until the socket is gone or the script has ended."""
        with suppress(Disconnected):
            while self._next is not None:
                action, payload = self._next
                answer = await socket.call(action, payload, f"{self.charger_id}-{self._message_no}")
                self._message_no += 1
                count.add()
                try:
                    self._next = self._script.send(answer)
                except StopIteration:
                    self._next = None

    def _write(self) -> Generator[Frame, dict[str, Any], None]:
        yield "BootNotification", {"chargePointVendor": "Busy", "chargePointModel": "One"}
        while not self.closing:
            number = len(self.deliveries) + 1
            began = self._first_start + timedelta(seconds=60 * number)
            delivery = Delivery(self.charger_id, began, 10_000 * number)
            self.deliveries.append(delivery)
            yield from self._charge(delivery)
            info = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "info": str(number)}
            yield "StatusNotification", info
            self.confirmed_status = number

    def _charge(self, delivery: Delivery) -> Generator[Frame, dict[str, Any], None]:
        register_wh = delivery.meter_start_wh
        started = yield (
            "StartTransaction",
            {"connectorId": 1, "idTag": CARD, "meterStart": register_wh, "timestamp": text_of(delivery.began)},
        )
        delivery.confirmed_start = True
        assert started["idTagInfo"]["status"] == "Accepted"
        for number in range(1, READINGS + 1):
            register_wh += STEP_WH
            at = text_of(delivery.began, plus_s=number)
            yield "MeterValues", meter_payload(started["transactionId"], register_wh, at)
            delivery.confirmed_wh.append(register_wh)
        stop = {
            "transactionId": started["transactionId"],
            "meterStop": delivery.meter_stop_wh,
            "timestamp": text_of(delivery.began, plus_s=READINGS + 1),
        }
        yield "StopTransaction", stop
        delivery.confirmed_stop = True


class Counter:
    """Counts answers; `reached` is set at the goal."""

    def __init__(self, goal: int) -> None:
        self.count = 0
        self.reached = asyncio.Event()
        self._goal = goal

    def add(self) -> None:
        self.count += 1
        if self.count >= self._goal:
            self.reached.set()


async def test_nothing_that_was_answered_is_lost(stack: Stack) -> None:
    site = await open_site(stack, money=MONEY)
    chargers = await register(site)
    count = Counter(ANSWERS_BEFORE_THE_CRASH)
    async with working(stack, chargers, count) as work:
        await asyncio.wait_for(count.reached.wait(), 60)
        await stack.kill()
        await work
    assert any(not delivery.confirmed_stop for charger in chargers for delivery in charger.deliveries)

    await stack.start()
    await site.sign_in_again()
    await compare_books(site.operator, chargers)

    for charger in chargers:
        charger.closing = True
    async with working(stack, chargers, count) as work:
        await work
    await site.sign_in_again()
    sessions = await compare_books(site.operator, chargers)
    assert len(sessions) == sum(len(charger.deliveries) for charger in chargers)
    assert {session["state"] for session in sessions.values()} == {"settled"}
    await the_money_agrees(stack, site, len(sessions))


async def register(site: Site) -> list[BusyCharger]:
    first_start = (await site.stack.now()).replace(microsecond=0) - timedelta(hours=6)
    chargers = [BusyCharger(f"CP-B{number:02}", first_start) for number in range(CHARGERS)]
    for charger in chargers:
        await site.operator.add_charger(charger.charger_id, site.location_id)
    return chargers


@asynccontextmanager
async def working(
    stack: Stack, chargers: list[BusyCharger], count: Counter
) -> AsyncIterator[asyncio.Future[list[None]]]:
    """All chargers connected and at work; the future is done when none of them has anything to do."""
    async with AsyncExitStack() as sockets:
        opened = [await sockets.enter_async_context(connect_raw(stack, each.charger_id)) for each in chargers]
        yield asyncio.gather(*(each.live(socket, count) for each, socket in zip(chargers, opened, strict=True)))


async def compare_books(operator: Operator, chargers: list[BusyCharger]) -> dict[tuple[str, datetime], dict[str, Any]]:
    """What each charger was answered against what is stored; the sessions by charger and start."""
    listed = await operator.get_all("/v1/sessions")
    sessions = {(each["charger_id"], moment(each["started_at"])): each for each in listed}
    assert len(sessions) == len(listed), "one start, one session"
    gate = asyncio.Semaphore(READERS)

    async def compare(delivery: Delivery) -> str | None:
        session = sessions.get(delivery.key)
        if session is None:
            return f"{delivery} has no session" if delivery.confirmed_start else None
        if delivery.confirmed_stop:
            energy_wh = delivery.meter_stop_wh - delivery.meter_start_wh
            if (session["state"], session["energy_wh"]) != ("settled", energy_wh):
                return f"{delivery} is stored as {session}"
        async with gate:
            readings = await operator.get(f"/v1/sessions/{session['session_id']}/meter-values")
        stored = [reading["energy_wh"] for reading in readings["data"]]
        lost = set(delivery.confirmed_wh) - set(stored)
        twice = len(stored) - len(set(stored))
        return f"{delivery} lost {lost}, has {twice} twice" if lost or twice else None

    found = await asyncio.gather(*(compare(delivery) for each in chargers for delivery in each.deliveries))
    assert [fault for fault in found if fault] == []
    for charger in chargers:
        shown = await operator.get(f"/v1/chargers/{charger.charger_id}")
        assert shown["booted_at"] is not None
        [evse] = [evse for evse in shown["evses"] if evse["evse_no"] == 1]
        assert int(evse["info"] or 0) >= charger.confirmed_status
    return sessions


async def the_money_agrees(stack: Stack, site: Site, sessions: int) -> None:
    """0.35 a kWh, 1.25 kWh a session: 0.44 each, from the driver to the operator, and nothing in between."""
    earned = 44 * sessions
    days = {each["ended_at"][:10] for each in await site.operator.get_all("/v1/sessions")}
    days |= {(datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat() for day in days}
    assert sum([await site.operator.income(day) for day in days]) == earned
    assert await site.driver.balance() == MONEY - earned
    await stack.local("POST", "/jobs/prove-ledger")
    admin = Person(stack, ADMIN_EMAIL, ADMIN_PASSWORD)
    await admin.sign_in()
    [proof] = await admin.get_all("/v1/ledger/proofs")
    assert (proof["fault_count"], proof["faults"]) == (0, [])
