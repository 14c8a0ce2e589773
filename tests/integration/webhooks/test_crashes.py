"""The process dies at any call to the store between an event and the end of a delivery; twenty work at once.

Started again, everything was sent; whoever died while a message was out sends it once more, under the same id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.kernel import context
from chalicelib.kernel.errors import StaleRead
from chalicelib.kernel.outbox import Event
from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.webhooks import jobs, service
from chalicelib.webhooks.model import LEASE, Answer
from chalicelib.webhooks.sending import SENDERS, Message
from tests import world as worlds
from tests.integration.money.test_interleavings import Crash, MortalContext
from tests.site import Site, build_site
from tests.unit.webhooks.post_office import BROKEN, OK, URL, PostOffice, Receiver

MAX_CALLS = 80
ENDED = "charging_session.ended"


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    made = Receiver()
    monkeypatch.setitem(SENDERS, "http", lambda ctx: made)
    return made


def ended(site: Site) -> Event:
    """A charge that nobody has told of yet."""
    outcome = site.start(meter_wh=1000)
    site.stop(outcome.transaction_id, 2000)
    return next(event for event in site.world.run_events({}) if event.type == ENDED)


def dies_in(mortal: MortalContext, step: Callable[[], object]) -> bool:
    """Does the step; whether the process died in it. It dies once."""
    try:
        step()
    except Crash:
        mortal.crash_at = None
        return True
    return False


@pytest.mark.parametrize("carried_out", [False, True])
def test_everything_is_sent_wherever_the_process_dies(receiver: Receiver, carried_out: bool) -> None:
    deaths = 0
    for crash_at in range(1, MAX_CALLS):
        receiver.received.clear()
        world = worlds.build()
        try:
            died = die(build_site(world), receiver, crash_at, carried_out)
        finally:
            world.close()
        if not died:
            break
        deaths += 1
    assert 10 < deaths < MAX_CALLS - 1


def die(site: Site, receiver: Receiver, crash_at: int, carried_out: bool) -> bool:
    world, office = site.world, PostOffice(site.world, site.operator.user.email, receiver)
    office.endpoint("session.completed")
    office.endpoint("session.completed", url=URL + "/broken")
    receiver.answers = {URL + "/broken": BROKEN}
    event = ended(site)
    office.new_records()
    mortal = MortalContext(world.ctx)
    mortal.crash_at = (crash_at, carried_out)
    context.install(mortal)
    died = dies_in(mortal, lambda: jobs.on_event(mortal, event))
    if died:
        jobs.on_event(mortal, event)
    records = office.new_records()
    died = dies_in(mortal, lambda: jobs.webhook_send({"Records": records}, None)) or died
    receiver.answers = {}
    for _ in range(4):
        world.advance(LEASE.total_seconds() + 60)
        died = dies_in(mortal, lambda: world.run_job(jobs.retry_webhooks)) or died
    context.install(world.ctx)
    found = office.deliveries()
    assert [delivery["state"] for delivery in found] == ["delivered"] * 2, crash_at
    sent = Counter((message.url, message.headers["webhook-id"]) for message in receiver.received)
    assert {url for url, _ in sent} == {URL, URL + "/broken"}
    assert {message_id for _, message_id in sent} == {delivery["delivery_id"] for delivery in found}
    assert len(sent) == 2
    assert sum(sent.values()) <= 4, "once, once more for the 500, once more for the death"
    return died


def test_of_twenty_who_would_send_at_once_one_does(site: Site, receiver: Receiver) -> None:
    office = PostOffice(site.world, site.operator.user.email, receiver)
    office.test(office.endpoint("session.completed"))
    records = office.new_records()
    site.advance_s(61)
    work = [
        lambda: jobs.webhook_send({"Records": records}, None),
        lambda: site.world.run_job(jobs.retry_webhooks),
    ] * 10
    with ThreadPoolExecutor(20) as threads:
        sent = list(threads.map(lambda step: step(), work))
    assert len(receiver.received) == 1
    assert sum(each["delivered"] for each in sent) == 1
    [delivery] = office.deliveries()
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)


@pytest.mark.parametrize("known", [False, True])
def test_two_who_add_endpoints_at_once_are_both_heard(site: Site, receiver: Receiver, known: bool) -> None:
    """What an organisation wants is one row: nobody's wish is lost in it."""
    world, operator_id = site.world, site.operator.operator_id

    def add(uow: UnitOfWork, name: str) -> None:
        service.create_endpoint(uow, operator_id, service.NewEndpoint(URL, [name]), by="usr_1")

    if known:
        world.commit(lambda uow: add(uow, "order.resolved"))
    first, second = UnitOfWork(world.ctx), UnitOfWork(world.ctx)
    add(first, "session.started")
    add(second, "session.completed")
    first.commit()
    with pytest.raises(StaleRead):
        second.commit()
    world.commit(lambda uow: add(uow, "session.completed"))
    for name in ("session.started", "session.completed"):
        assert service.who_wants(world.ctx, name) == {operator_id}


def test_who_disables_an_endpoint_while_it_is_sent_to_wins(
    site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = PostOffice(site.world, site.operator.user.email, receiver)
    endpoint = office.endpoint("session.completed")

    class Meanwhile(Receiver):
        def post(self, message: Message) -> Answer:
            path = f"/v1/webhook-endpoints/{endpoint['endpoint_id']}"
            assert office.ask("PATCH", path, {"state": "disabled"}).status == 200
            return BROKEN

    monkeypatch.setitem(SENDERS, "http", lambda ctx: Meanwhile())
    event = ended(site)
    jobs.on_event(site.world.ctx, event)
    office.deliver()
    shown = office.show(endpoint)
    assert (shown["state"], shown["disabled_reason"]) == ("disabled", "by_hand")
    monkeypatch.setitem(SENDERS, "http", lambda ctx: receiver)
    receiver.answer = OK
    office.retry_due(3600)
    assert [delivery["state"] for delivery in office.deliveries()] == ["cancelled"]
