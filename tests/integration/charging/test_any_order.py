"""A charger, its drivers and a bad day: the store fails before or after a write, answers get lost, frames come again,
overtake each other and run at once, drivers change their minds. At the end each delivery is one session with its
energy, and the books are right."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.charging import lookup
from chalicelib.charging import service as charging
from chalicelib.charging.model import ChargingSession
from chalicelib.kernel.clock import to_rfc3339
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.ledger.jobs import prove_ledger
from chalicelib.ocpp.jobs import expire_commands
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from tests.contract.ocpp.wire import Wire
from tests.site import CARD, Site

STEPS = 60
MAX_RESENDS = 30
TOP_UP = 20_000
CHARGER_PASSWORD = "a-good-password-of-20"
READS = {"GetItem", "BatchGetItem", "Query"}


@dataclass
class Weather:
    """How likely a request to the store fails (half of the time unheard, half after it was done), and how likely
    somebody else gets in between: `interrupt`, in the middle of whatever runs."""

    dice: random.Random
    chance: float = 0.0
    interrupt: Callable[[], None] = lambda: None

    @contextmanager
    def calm(self) -> Iterator[None]:
        chance, self.chance = self.chance, 0.0
        yield
        self.chance = chance

    def let_others_in(self) -> None:
        if self.dice.random() < self.chance:
            interrupt, self.interrupt = self.interrupt, lambda: None
            interrupt()
            self.interrupt = interrupt

    def strikes(self) -> str | None:
        return self.dice.choice(["before", "after"]) if self.dice.random() < self.chance else None


@dataclass
class Delivery:
    """What physically happened: the meter at both ends."""

    evse_no: int
    id_token: str
    began_wh: int
    transaction_id: int
    ended_wh: int = 0


@dataclass
class Field:
    """One charger with two connectors. Frames are sent again until they are answered, as OCPP has it."""

    site: Site
    wire: Wire
    dice: random.Random
    weather: Weather
    meters: dict[int, int] = field(default_factory=lambda: {1: 1000, 2: 50_000})
    running: dict[int, Delivery] = field(default_factory=dict)
    ended: list[Delivery] = field(default_factory=list)
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    message_ids: int = 0

    def call(self, action: str, payload: dict[str, Any], *, remember: bool = True) -> Any:
        if remember:
            self.sent.append((action, payload))
        self.message_ids += 1
        for attempt in range(MAX_RESENDS):
            # Some firmware gives a repeated frame a new message id, some does not.
            message_id = f"m{self.message_ids}-{attempt if self.message_ids % 2 else 0}"
            answer = json.loads(self.wire.send(json.dumps([2, message_id, action, payload])) or "null")
            if answer and answer[0] == 3 and self.dice.random() > 0.1:  # else the answer got lost
                return answer[2]
            self.site.world.advance(1)
        raise AssertionError(f"{action} was never answered")

    def now(self) -> str:
        return to_rfc3339(self.site.world.clock.now())

    def begin(self, evse_no: int, id_token: str) -> None:
        if evse_no in self.running:
            return
        meter_wh = self.meters[evse_no]
        payload = {"connectorId": evse_no, "idTag": id_token, "meterStart": meter_wh, "timestamp": self.now()}
        transaction_id = self.call("StartTransaction", payload)["transactionId"]
        self.running[evse_no] = Delivery(evse_no, id_token, meter_wh, transaction_id)

    def deliver(self, evse_no: int) -> None:
        delivery = self.running.get(evse_no)
        if delivery is None:
            return
        self.meters[evse_no] += self.dice.randrange(1, 3000)
        sampled = {"value": str(self.meters[evse_no]), "unit": "Wh"}
        values = [{"timestamp": self.now(), "sampledValue": [sampled]}]
        self.call(
            "MeterValues", {"connectorId": evse_no, "transactionId": delivery.transaction_id, "meterValue": values}
        )

    def end(self, evse_no: int) -> None:
        delivery = self.running.pop(evse_no, None)
        if delivery is None:
            return
        self.meters[evse_no] += self.dice.randrange(1, 500)
        delivery.ended_wh = self.meters[evse_no]
        payload = {
            "transactionId": delivery.transaction_id,
            "meterStop": delivery.ended_wh,
            "timestamp": self.now(),
        }
        self.call("StopTransaction", payload)
        self.ended.append(delivery)

    def repeat_old_frame(self) -> None:
        if self.sent:
            action, payload = self.dice.choice(self.sent[-12:])
            self.call(action, payload, remember=False)

    def obey(self) -> None:
        """Events are relayed; what arrives at the charger is done, or refused."""
        for _, command_id, action, payload in self._commands():
            accepted = self.dice.random() < 0.8
            if action == "RemoteStartTransaction":
                accepted = accepted and payload["connectorId"] not in self.running
            if self.dice.random() < 0.8:  # else its answer got lost
                self.wire.send(json.dumps([3, command_id, {"status": "Accepted" if accepted else "Rejected"}]))
            if accepted and action == "RemoteStartTransaction":
                self.begin(payload["connectorId"], payload["idTag"])
            elif accepted:
                for delivery in list(self.running.values()):
                    if delivery.transaction_id == payload["transactionId"]:
                        self.end(delivery.evse_no)

    def reconnect(self) -> None:
        if self.dice.random() < 0.5:
            self.wire.close()
        while self.wire.connect(password=CHARGER_PASSWORD)[0] != 200:
            self.site.world.advance(1)

    def a_minute_passes(self) -> None:
        self.site.world.advance(60)
        with suppress(DomainError, ClientError):  # the schedule comes again
            self.site.world.run_job(expire_commands)

    def _commands(self) -> list[Any]:
        try:
            return self.wire.commands()
        except (DomainError, ClientError):  # the relay's turn failed: the stream delivers again
            return []

    # -- drivers ----------------------------------------------------------------------------------------------------

    def ask(self, evse_no: int) -> None:
        self._person(lambda: self.site.request(self.dice.choice([1, 30, 500, None]), evse_no))

    def change_mind(self) -> None:
        self._end_some(0.5, lambda uow, session: charging.cancel_or_stop(uow, session, requested_by="drv"))

    def expire(self) -> None:
        self._end_some(1.0, lambda uow, session: charging.expire_request(uow, session.session_id))

    def _end_some(self, chance: float, end: Callable[[UnitOfWork, ChargingSession], object]) -> None:
        with self.weather.calm():
            session_ids = [s.session_id for s in self.site.sessions() if s.is_open and s.driver_id is not None]
        for session_id in session_ids:
            if self.dice.random() < chance:
                self._person(partial(self._decide, session_id, end))

    def _decide(self, session_id: str, end: Callable[[UnitOfWork, ChargingSession], object]) -> None:
        self.site.world.commit(lambda uow: end(uow, lookup.require_session(uow.ctx, session_id)))

    def _person(self, act: Callable[[], object]) -> None:
        """People see an error and go on with their lives."""
        with suppress(DomainError, ClientError):
            act()

    def interrupt(self) -> None:
        """Another Lambda runs meanwhile: the same frame again, an old one, a driver, a deadline."""
        self.dice.choice(
            [self.repeat_old_frame, self.change_mind, self.expire, lambda: self.ask(self.dice.choice([1, 2]))]
        )()

    def step(self) -> None:
        evse_no = self.dice.choice([1, 2])
        self.site.world.advance(self.dice.randrange(1, 20))
        self.dice.choice(
            [
                lambda: self.begin(evse_no, CARD),
                lambda: self.begin(evse_no, "DEADBEEF"),
                lambda: self.deliver(evse_no),
                lambda: self.deliver(evse_no),
                lambda: self.end(evse_no),
                self.repeat_old_frame,
                self.repeat_old_frame,
                self.obey,
                lambda: self.ask(evse_no),
                self.change_mind,
                self.expire,
                self.reconnect,
                self.a_minute_passes,
            ]
        )()


@pytest.fixture
def weather(site: Site) -> Iterator[Weather]:
    weather = Weather(random.Random(0))

    def execute(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        weather.let_others_in()
        strike = weather.strikes()
        if strike == "before":
            raise AwsError("InternalServerError", "lightning", 500)
        answer = site.world.engine.execute(operation, request)
        if strike == "after" and operation not in READS:
            raise AwsError("InternalServerError", "lightning, but it was done", 500)
        return answer

    restore = aws_hooks.register("dynamodb", execute)
    yield weather
    restore()


@pytest.mark.parametrize("seed", range(24))
def test_every_delivery_is_one_session_with_its_energy_and_the_books_are_right(
    site: Site, weather: Weather, seed: int
) -> None:
    dice = weather.dice = random.Random(seed)
    site.top_up(TOP_UP - 2000)
    wire = Wire(site.world, site.charger.charger_id)
    assert wire.connect(password=CHARGER_PASSWORD)[0] == 200
    charger = Field(site, wire, dice, weather)
    charger.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}, remember=False)
    weather.chance, weather.interrupt = 0.03, charger.interrupt
    for _ in range(STEPS):
        charger.step()
    for evse_no in (1, 2):
        charger.end(evse_no)
    weather.chance = 0.0
    charger.obey()
    for evse_no in (1, 2):
        charger.end(evse_no)
    charger.expire()

    sessions = site.sessions()
    delivered = sorted((d.evse_no, d.id_token, d.ended_wh - d.began_wh) for d in charger.ended)
    recorded = sorted((s.evse_no, s.id_token, s.energy_wh) for s in sessions if s.started_at is not None)
    assert recorded == delivered
    assert {s.state for s in sessions} <= {"settled", "expired", "refused"}
    captured = sum(s.captured or 0 for s in sessions)
    proof = site.world.run_job(prove_ledger)
    assert (proof["faults"], proof["totals"].get("hold:EUR", 0)) == (0, 0)
    assert proof["totals"].get("income:EUR", 0) == captured
    assert site.available() == TOP_UP - captured
