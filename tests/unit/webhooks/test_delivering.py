"""From an event to the receiver's yes: at once, again, given up; two who send; a crash between."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.webhooks import jobs, service
from chalicelib.webhooks.model import LEASE, MAX_ATTEMPTS, PAUSES, Answer, Delivery
from chalicelib.webhooks.sending import SENDERS, Message
from chalicelib.webhooks.store import DELIVERY_ROWS, ENDPOINT_ROWS, TABLE
from tests.site import Site
from tests.unit.webhooks.post_office import BROKEN, GONE, OK, SILENT, URL, PostOffice, Receiver

DAY_S = 24 * 3600


def charge(site: Site, *, meter_wh: int = 1000) -> str:
    """A charge of one kWh; its session's id."""
    outcome = site.start(meter_wh=meter_wh)
    site.stop(outcome.transaction_id, meter_wh + 1000)
    return site.sessions()[-1].session_id


def test_a_charge_is_told_as_its_get_shows_it_and_signed(site: Site, office: PostOffice, receiver: Receiver) -> None:
    endpoint = office.endpoint("session.started", "session.completed")
    session_id = charge(site)
    assert office.deliver() == {"delivered": 2, "failed": 0}
    assert {body["type"] for body in receiver.bodies()} == {"session.started", "session.completed"}
    [completed] = receiver.bodies("session.completed")
    assert completed["data"] == office.ask("GET", f"/v1/sessions/{session_id}").body
    assert (completed["data"]["state"], completed["data"]["cost"]) == ("settled", {"amount": 35, "currency": "EUR"})
    for message in receiver.received:
        headers = message.headers
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + message.body
        key = base64.b64decode(endpoint["secret"].removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert int(headers["webhook-timestamp"]) == int(site.world.clock.now().timestamp())


def test_what_nobody_wants_costs_no_read_and_writes_nothing(site: Site, office: PostOffice) -> None:
    office.endpoint("withdrawal.paid")
    charge(site)
    office.deliver()
    before = used(site)
    charge(site, meter_wh=5000)
    office.deliver()
    assert used(site) == before
    assert office.deliveries() == []


def test_all_events_of_half_a_minute_cost_one_query(site: Site, office: PostOffice) -> None:
    site.world.ctx.cache("webhooks.wishes").forget("all")
    charge(site)
    before = used(site)
    office.deliver()
    charge(site, meter_wh=5000)
    office.deliver()
    assert used(site) - before == {"read": 0.5}


def used(site: Site) -> Counter[str]:
    """What DynamoDB would bill for the table of webhooks, since the world began."""
    consumed = site.world.engine.consumed.items()
    return Counter({kind: amount for (table, kind), amount in consumed if table == TABLE})


def test_an_event_that_comes_twice_is_one_delivery(site: Site, office: PostOffice, receiver: Receiver) -> None:
    office.endpoint("session.completed")
    charge(site)
    ended = next(event for event in site.world.run_events() if event.type == "charging_session.ended")
    for _ in range(2):
        jobs.on_event(site.world.ctx, ended)
    office.deliver()
    assert len(receiver.received) == len(office.deliveries()) == 1


def test_records_that_come_twice_are_sent_once(site: Site, office: PostOffice, receiver: Receiver) -> None:
    office.test(office.endpoint("session.completed"))
    records = office.new_records()
    for _ in range(2):
        jobs.webhook_send({"Records": records}, None)
    assert len(receiver.received) == 1


def test_a_receiver_that_fails_gets_the_same_message_again_newly_signed(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    office.endpoint("session.completed")
    receiver.answer = BROKEN
    charge(site)
    office.deliver()
    [delivery] = office.deliveries()
    assert (delivery["state"], delivery["status_code"], delivery["response_text"]) == ("pending", 500, "oh no")
    assert delivery["duration_ms"] == 34
    assert office.retry_due(30) == {"delivered": 0, "failed": 0}, "not before its time"
    receiver.answer = OK
    assert office.retry_due(60) == {"delivered": 1, "failed": 0}
    first, second = receiver.received
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    [delivery] = office.deliveries(state="delivered")
    assert (delivery["attempts"], delivery["next_attempt_at"], delivery["status_code"]) == (2, None, 200)
    assert office.retry_due(100_000) == {"delivered": 0, "failed": 0}


def test_after_three_days_a_delivery_is_given_up_and_its_endpoint_disabled_with_one_mail(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    endpoint = office.endpoint("session.completed")
    receiver.answer = SILENT
    charge(site)
    office.deliver()
    moments = office.until_over()
    assert len(moments) == MAX_ATTEMPTS - 1
    assert 3 * DAY_S <= moments[-1] <= 3.4 * DAY_S
    [delivery] = office.deliveries()
    assert (delivery["state"], delivery["attempts"], delivery["error"]) == ("failed", MAX_ATTEMPTS, "timeout")
    assert delivery["status_code"] is None
    shown = office.show(endpoint)
    assert (shown["state"], shown["disabled_reason"]) == ("disabled", "failing")
    [mail] = site.world.mails(site.operator.organization.email)
    assert URL in (mail.text or "")
    charge(site, meter_wh=5000)
    office.deliver()
    assert len(office.deliveries()) == 1, "a disabled endpoint hears nothing"


def test_one_that_gets_through_in_between_begins_the_three_days_anew(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    endpoint = office.endpoint("session.completed")
    receiver.answer = BROKEN
    charge(site)
    office.deliver()
    assert office.show(endpoint)["failing_since"] is not None
    receiver.answer = OK
    office.retry_due(90)
    assert office.show(endpoint)["failing_since"] is None
    receiver.answer = BROKEN
    site.advance_s(4 * DAY_S)
    charge(site, meter_wh=5000)
    office.deliver()
    assert office.show(endpoint)["state"] == "active"
    assert office.show(endpoint)["failing_since"] is not None


def test_410_disables_at_once_and_what_waits_is_cancelled(site: Site, office: PostOffice, receiver: Receiver) -> None:
    endpoint = office.endpoint("session.started", "session.completed")
    receiver.answer = BROKEN
    charge(site)
    office.deliver()
    receiver.answer = GONE
    office.retry_due(90)
    shown = office.show(endpoint)
    assert (shown["state"], shown["disabled_reason"]) == ("disabled", "gone")
    [mail] = site.world.mails(site.operator.organization.email)
    assert "410" in (mail.text or "")
    assert office.until_over() == []
    assert {delivery["state"] for delivery in office.deliveries()} == {"failed"}, "both were on their way by then"
    charge(site, meter_wh=5000)
    office.deliver()
    assert len(office.deliveries()) == 2


def test_what_waits_for_an_endpoint_that_was_taken_away_is_not_sent(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    endpoint = office.endpoint("session.completed")
    receiver.answer = BROKEN
    charge(site)
    office.deliver()
    assert office.ask("DELETE", f"/v1/webhook-endpoints/{endpoint['endpoint_id']}").status == 204
    assert office.retry_due(90) == {"delivered": 0, "failed": 0}
    assert [(each["state"], each["error"]) for each in office.deliveries()] == [("cancelled", "endpoint_gone")]
    assert len(receiver.received) == 1


def test_who_dies_between_begin_and_end_leaves_it_to_the_schedule(
    site: Site, office: PostOffice, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.endpoint("session.completed")
    charge(site)
    with monkeypatch.context() as broken:
        broken.setitem(SENDERS, "http", lambda ctx: Dying())
        site.world.run_events()
        with pytest.raises(KilledError):
            jobs.webhook_send({"Records": office.new_records()}, None)
    [delivery] = office.deliveries()
    assert (delivery["state"], delivery["attempts"], delivery["status_code"]) == ("pending", 1, None)
    assert office.retry_due(60) == {"delivered": 0, "failed": 0}, "somebody may still be at it"
    assert office.retry_due(61) == {"delivered": 1, "failed": 0}
    assert [each["attempts"] for each in office.deliveries(state="delivered")] == [2]


def test_an_attempt_that_outlives_its_lease_changes_nothing(site: Site, office: PostOffice) -> None:
    """Somebody else has begun meanwhile, and tells what came of it."""
    office.test(office.endpoint("session.completed"))
    ctx = site.world.ctx
    [image] = [
        record["dynamodb"]["NewImage"] for record in office.new_records() if "due" in record["dynamodb"]["NewImage"]
    ]
    slow = site.world.commit(lambda uow: service.begin_attempt(uow, DELIVERY_ROWS.from_item(image)))
    site.advance_s(LEASE.total_seconds())
    [due] = service.due_deliveries(ctx)
    faster = site.world.commit(lambda uow: service.begin_attempt(uow, due))
    assert site.world.commit(lambda uow: service.finish_attempt(uow, slow, BROKEN)) is None
    site.world.commit(lambda uow: service.finish_attempt(uow, faster, OK))
    assert [each["state"] for each in office.deliveries()] == ["delivered"]


def test_what_is_new_for_a_receiver_that_fails_waits_for_the_schedule(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    office.endpoint("session.completed")
    receiver.answer = BROKEN
    charge(site)
    office.deliver()
    charge(site, meter_wh=5000)
    office.deliver()
    assert len(receiver.received) == 1
    receiver.answer = OK
    assert office.retry_due(90) == {"delivered": 2, "failed": 0}


def test_a_secret_that_cannot_be_opened_holds_up_nobody_else(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    spoilt, good = office.endpoint("session.completed"), office.endpoint("session.completed", url=URL + "/good")
    stored = service.get_endpoint(site.world.ctx, site.operator.operator_id, spoilt["endpoint_id"])
    site.world.commit(lambda uow: uow.put(ENDPOINT_ROWS, replace(stored, sealed_secret="A" * 80)))
    charge(site)
    assert office.deliver() == {"delivered": 1, "failed": 0}
    assert [message.url for message in receiver.received] == [good["url"]]
    [waiting] = office.deliveries(state="pending")
    assert (waiting["endpoint_id"], waiting["attempts"]) == (spoilt["endpoint_id"], 0)
    assert office.retry_due(60) == {"delivered": 0, "failed": 0}


def test_a_sender_with_a_fault_of_its_own_is_one_failed_attempt(
    site: Site, office: PostOffice, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.endpoint("session.completed")
    monkeypatch.setitem(SENDERS, "http", lambda ctx: Faulty())
    charge(site)
    assert office.deliver() == {"delivered": 0, "failed": 1}
    assert [each["error"] for each in office.deliveries()] == ["internal"]


def test_who_reads_an_index_that_lags_behind_does_not_send_what_somebody_has(site: Site, office: PostOffice) -> None:
    office.test(office.endpoint("session.completed"))
    site.advance_s(61)
    [due] = service.due_deliveries(site.world.ctx)
    begun = site.world.commit(lambda uow: service.begin_attempt(uow, due))
    assert due.is_due(site.world.clock.now())
    assert not begun.delivery.is_due(site.world.clock.now())


def test_one_receiver_that_fails_does_not_hold_up_the_others(
    site: Site, office: PostOffice, receiver: Receiver
) -> None:
    """Of fifty that wait for it some are tried, then the others have their turn."""
    broken, good = office.endpoint("session.completed"), office.endpoint("session.completed", url=URL + "/good")
    receiver.answers = {broken["url"]: SILENT}
    plan_many(site, broken, 50)
    plan_many(site, good, 1)
    office.retry_due(61)
    assert [each["state"] for each in office.deliveries(endpoint_id=good["endpoint_id"])] == ["delivered"]
    tried = [each for each in office.deliveries(endpoint_id=broken["endpoint_id"], limit="200") if each["attempts"]]
    assert 3 <= len(tried) <= jobs.AT_ONCE
    assert office.retry_due(1) == {"delivered": 0, "failed": 0}


def plan_many(site: Site, endpoint: Any, count: int) -> None:
    world, operator_id = site.world, site.operator.operator_id
    stored = service.get_endpoint(world.ctx, operator_id, endpoint["endpoint_id"])
    for number in range(count):
        planned = Delivery(
            world.ctx.new_id("whd"),
            operator_id,
            stored.endpoint_id,
            "session.completed",
            f"ses_{number}",
            "{}",
            "pending",
            world.ctx.now(),
            world.ctx.now() + PAUSES[0],
        )
        world.commit(partial(UnitOfWork.create, table=DELIVERY_ROWS, entity=planned))


class KilledError(BaseException):
    """The end of the process: nothing catches it."""


class Faulty:
    def post(self, message: Message) -> Answer:
        raise ZeroDivisionError


class Dying:
    def post(self, message: Message) -> Answer:
        raise KilledError
