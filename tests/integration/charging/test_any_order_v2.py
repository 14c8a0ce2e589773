"""A 2.x charger, two EVSEs, cards, the app, reservations and a bad line: pieces of transactions overtake each other,
come twice or never, to two processes; drivers change their minds, deadlines pass at any moment, clocks jump. Whatever
happens: no hold without its open session, no wallet below zero, one session and one CDR per transaction, never more
energy than was delivered, and nothing raises at the charger."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from chalicelib.charging import lookup, service
from chalicelib.charging.model import ChargingSession, MeterSample, TransactionEvent
from chalicelib.drivers import service as drivers
from chalicelib.kernel.context import Context
from chalicelib.kernel.errors import DomainError
from chalicelib.kernel.unit_of_work import UnitOfWork, decide_and_commit
from chalicelib.ledger.jobs import prove_ledger
from infra.local import aws_hooks
from tests import world as worlds
from tests.site import CARD, Site, build_site

UNKNOWN_CARD = "0BADCAFE01"
MONEY = 2000
NOBODY: dict[str, Any] = {}
BUTTON = {"id_token": "", "id_token_kind": "NoAuthorization"}


def shown(id_token: str, kind: str = "ISO14443") -> dict[str, Any]:
    return {"id_token": id_token, "id_token_kind": kind}


@dataclass
class Delivery:
    """What physically happens. `names` is what its pieces say about who: from the `named_by`-th piece on."""

    transaction_id: str
    evse_no: int
    began_wh: int
    names: dict[str, Any]
    named_by: int
    says_where: bool
    told: int = 0
    delivered_wh: int = 0


@dataclass
class Street:
    """Every rule takes one number, from which it takes what it needs."""

    site: Site
    other_process: Context
    meters: dict[int, int] = field(default_factory=lambda: {1: 1000, 2: 50_000})
    running: dict[int, Delivery] = field(default_factory=dict)
    deliveries: list[Delivery] = field(default_factory=list)
    pool: list[TransactionEvent] = field(default_factory=list)
    told: list[TransactionEvent] = field(default_factory=list)
    asked: list[ChargingSession] = field(default_factory=list)
    clock_error_s: int = 0

    # -- the charger ------------------------------------------------------------------------------------------------

    def plug_in(self, number: int) -> None:
        names = [shown(CARD), shown(CARD), shown(UNKNOWN_CARD), NOBODY, BUTTON][number % 5]
        self._begin(1 + number // 5 % 2, names, named_by=number // 10 % 2, says_where=number % 7 != 0)

    def obey(self, number: int) -> None:
        """The charger does what the app asked for: where it was asked, or where the cable is."""
        if self.asked:
            session = self.asked.pop(number % len(self.asked))
            number //= 3
            evse_no = session.evse_no if number % 4 else 3 - session.evse_no
            names = shown(session.id_token, "Central") | {"remote_start_id": session.remote_start_id}
            if number % 5:
                names.pop("remote_start_id")
            self._begin(evse_no, names, named_by=number % 2, says_where=number % 3 != 0)

    def answer_the_request(self, number: int) -> None:
        if self.asked:
            asked = self.asked[number % len(self.asked)]
            accepted = number % 3 != 0
            self._must(
                partial(service.handle_remote_start_answer, session_id=asked.session_id, accepted=accepted), number
            )

    def deliver(self, number: int) -> None:
        delivery = self.running.get(1 + number % 2)
        if delivery is not None:
            self.meters[delivery.evse_no] += number * 10
            self._piece("updated", delivery, charging_state="Charging" if number % 3 else None)

    def unplug(self, number: int) -> None:
        delivery = self.running.pop(1 + number % 2, None)
        if delivery is not None:
            self.meters[delivery.evse_no] += number
            delivery.delivered_wh = self.meters[delivery.evse_no] - delivery.began_wh
            end_wh = self.meters[delivery.evse_no]
            self._piece("ended", delivery, stop_reason="Local", end_wh=end_wh if number % 2 else None)

    def tell(self, number: int) -> None:
        if self.pool:
            told = self.pool.pop(number % len(self.pool))
            self.told.append(told)
            self._tell(told, number)

    def tell_again(self, number: int) -> None:
        if self.told:
            again = self.told[number % len(self.told)]
            self._tell(replace(again, message_id=f"again-{number}") if number % 2 else again, number // 2)

    def lose(self, number: int) -> None:
        if self.pool:
            self.pool.pop(number % len(self.pool))

    def set_clock(self, number: int) -> None:
        self.clock_error_s = [0, -90, 400, -7200, 7200][number % 5]

    def _begin(self, evse_no: int, names: dict[str, Any], *, named_by: int, says_where: bool) -> None:
        if evse_no in self.running:
            return
        delivery = Delivery(f"TX-{len(self.deliveries)}", evse_no, self.meters[evse_no], names, named_by, says_where)
        self.running[evse_no] = delivery
        self.deliveries.append(delivery)
        self._piece("started", delivery, begin_wh=delivery.began_wh)

    def _piece(self, kind: Any, delivery: Delivery, **more: Any) -> None:
        at = self.site.world.clock.now() + timedelta(seconds=self.clock_error_s)
        seq_no, delivery.told = delivery.told, delivery.told + 1
        names = delivery.names if seq_no >= delivery.named_by else {}
        self.pool.append(
            TransactionEvent(
                kind=kind,
                transaction_id=delivery.transaction_id,
                seq_no=seq_no,
                at=at,
                message_id=f"{delivery.transaction_id}-{seq_no}",
                evse_no=delivery.evse_no if delivery.says_where or seq_no == 1 else None,
                samples=[MeterSample(at, energy_wh=self.meters[delivery.evse_no])],
                **names,
                **more,
            )
        )

    def _tell(self, told: TransactionEvent, number: int) -> None:
        self._must(partial(service.record_transaction_event, charger=self.site.charger, event=told), number)

    # -- people and deadlines ---------------------------------------------------------------------------------------

    def ask(self, number: int) -> None:
        with suppress(DomainError):
            amount = [300, 700, None][number % 3]
            self.asked.append(self.site.request(amount, evse_no=1 + number // 3 % 2))

    def change_mind(self, number: int) -> None:
        self._end_one(number, lambda uow, session: service.cancel_or_stop(uow, session, requested_by="drv"))

    def reserve(self, number: int) -> None:
        with suppress(DomainError):
            self._do(
                partial(
                    service.request_reservation,
                    reservation_id=self.site.world.ctx.new_id("res"),
                    charger=self.site.charger,
                    evse_no=number % 3,
                    id_token=drivers.app_token(self.site.driver.driver_id) if number % 2 else CARD,
                    until=self.site.world.clock.now() + timedelta(minutes=15),
                    requested_by="drv",
                    driver_id=self.site.driver.driver_id,
                ),
                number,
            )

    def time_out(self, number: int) -> None:
        """A workflow's deadline, at whatever moment."""
        self._end_one(number, lambda uow, session: service.expire_request(uow, session.session_id))

    def give_up(self, number: int) -> None:
        self._end_one(number, lambda uow, session: service.give_up_session(uow, session.session_id, "stop_missing"))

    def wait(self, number: int) -> None:
        self.site.advance([0.1, 1, 3, 20, 31][number % 5])

    def _end_one(self, number: int, end: Callable[[UnitOfWork, ChargingSession], object]) -> None:
        open_ones = [session for session in self.site.sessions() if session.is_open]
        if open_ones:
            session_id = open_ones[number % len(open_ones)].session_id
            with suppress(DomainError):  # the queue of commands is full
                self._do(lambda uow: end(uow, lookup.require_session(uow.ctx, session_id)), number)

    def _must(self, decide: Callable[[UnitOfWork], Any], number: int) -> None:
        self.site.advance_s(1)
        self._do(decide, number)

    def _do(self, decide: Callable[[UnitOfWork], Any], number: int) -> None:
        decide_and_commit(self.site.world.ctx if number % 2 else self.other_process, decide)

    # -- what must hold ---------------------------------------------------------------------------------------------

    def holds_and_wallet_agree(self) -> None:
        sessions = self.site.sessions()
        reserved = sum(session.held for session in sessions if session.is_open)
        captured = sum(session.captured or 0 for session in sessions)
        assert self.site.available() >= 0
        assert self.site.available() + reserved + captured == MONEY

    def finish(self) -> None:
        """The cars leave, what is not lost is told, and the deadlines pass."""
        for evse_no in (1, 2):
            self.unplug(evse_no - 1)
        while self.pool:
            self.tell(1)
            self.holds_and_wallet_agree()
        for session in self.site.sessions():
            for end in (service.expire_request, partial(service.give_up_session, cause="stop_missing")):
                self._must(partial(end, session_id=session.session_id), 1)

    def is_right(self) -> None:
        self.holds_and_wallet_agree()
        sessions = [session for session in self.site.sessions() if session.started_at is not None]
        by_name = {str(session.transaction_id): session for session in sessions}
        assert len(by_name) == len(sessions)
        for session in sessions:
            assert session.state in ("settled", "abnormal")
            cdr = lookup.find_cdr(self.site.world.ctx, session.session_id)
            assert cdr is not None
            assert (cdr.energy_wh, cdr.captured.amount) == (session.energy_wh, session.captured)
        for delivery in self.deliveries:
            session_of = by_name.get(delivery.transaction_id)
            if session_of is not None:
                self._is_right_of(delivery, session_of)
        proof = self.site.world.run_job(prove_ledger)
        assert (proof["faults"], proof["totals"].get("hold:EUR", 0)) == (0, 0)

    def _is_right_of(self, delivery: Delivery, session: ChargingSession) -> None:
        most_wh = delivery.delivered_wh or self.meters[delivery.evse_no] - delivery.began_wh
        assert 0 <= (session.energy_wh or 0) <= most_wh
        if session.state == "settled" and session.abnormal_cause is None:
            assert session.energy_wh == delivery.delivered_wh
        if delivery.names in (NOBODY, BUTTON, shown(UNKNOWN_CARD)):
            assert (session.driver_id, session.held, session.captured) == (None, 0, 0)
        if delivery.names == BUTTON and session.authorization == "accepted":
            assert session.cost == 0
        if session.origin == "app":
            assert (session.captured or 0) <= session.held or session.target == "full"
            event("paid from the app")
        event(f"{session.state} {session.abnormal_cause or ''}")


RULES = [
    *[Street.plug_in] * 2,
    *[Street.deliver] * 3,
    *[Street.unplug] * 2,
    *[Street.tell] * 5,
    *[Street.ask] * 2,
    *[Street.obey] * 2,
    Street.tell_again,
    Street.lose,
    Street.set_clock,
    Street.answer_the_request,
    Street.change_mind,
    Street.reserve,
    Street.time_out,
    Street.give_up,
    Street.wait,
]
STEPS = st.lists(st.tuples(st.sampled_from(RULES), st.integers(0, 60)), min_size=10, max_size=60)


Rule = Callable[[Street, int], None]


@contextmanager
def in_between(street: Street, interruptions: list[tuple[int, Rule, int]]) -> Iterator[None]:
    """Somebody else gets in between a read and what follows it: so many reads after the last one, this happens."""
    engine, waiting = street.site.world.engine, list(interruptions)
    reads = 0

    def execute(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        nonlocal reads
        answer = engine.execute(operation, request)
        reads += operation in ("GetItem", "Query")
        if waiting and reads >= waiting[0][0]:
            _, rule, number = waiting.pop(0)
            reads = -(10**6)  # what interrupts is not interrupted
            rule(street, number)
            reads = 0
        return answer

    restore = aws_hooks.register("dynamodb", execute)
    try:
        yield
    finally:
        restore()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS, st.lists(st.tuples(st.integers(1, 8), st.sampled_from(RULES), st.integers(0, 60)), max_size=20))
def test_whatever_happens_the_books_are_right(
    steps: list[tuple[Rule, int]], interruptions: list[tuple[int, Rule, int]]
) -> None:
    world = worlds.build()
    try:
        street = Street(build_site(world), worlds.WorldContext(world.ctx.settings, world.clock, worlds.SECRETS))
        for rule, number in steps:
            with in_between(street, interruptions[:1]):
                rule(street, number)
            interruptions = interruptions[1:]
            street.holds_and_wallet_agree()
        street.finish()
        street.is_right()
    finally:
        world.close()
