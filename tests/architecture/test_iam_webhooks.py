"""Webhooks under the roles of their functions: planned by the relay, sent by a function of their own, tried again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.webhooks import jobs
from chalicelib.webhooks.events import TYPES
from chalicelib.webhooks.sending import SENDERS
from tests.architecture.guard import Guard
from tests.site import Site
from tests.unit.webhooks.post_office import BROKEN, GONE, PostOffice, Receiver


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    made = Receiver()
    monkeypatch.setitem(SENDERS, "http", lambda ctx: made)
    return made


@pytest.fixture
def office(site: Site, receiver: Receiver) -> PostOffice:
    return PostOffice(site.world, site.operator.user.email, receiver)


@pytest.fixture
def guard(site: Site) -> Iterator[Guard]:
    made = Guard(site.world)
    restore = made.install()
    yield made
    restore()


def test_a_message_from_its_event_to_the_end_of_its_endpoint(
    site: Site, guard: Guard, office: PostOffice, receiver: Receiver
) -> None:
    with guard.acting("APIHandler"):
        office.endpoint(*TYPES)
    outcome = site.start(meter_wh=1000)
    site.stop(outcome.transaction_id, 2000)
    with guard.acting("OutboxRelay"):
        site.world.run_events()
    receiver.answer = BROKEN
    with guard.acting("WebhookSend"):
        assert jobs.webhook_send({"Records": office.new_records()}, None) == {"delivered": 0, "failed": 2}
    receiver.answer = GONE
    site.advance(5)
    with guard.acting("RetryWebhooks"):
        assert site.world.run_job(jobs.retry_webhooks) == {"delivered": 0, "failed": 2}
    assert guard.refused == set()
    assert ("dynamodb:Query", "webhooks/due_deliveries") in guard.used["RetryWebhooks"]
    assert ("dynamodb:UpdateItem", "notifications") in guard.used["RetryWebhooks"], "its people are told"


def test_a_receiver_s_function_reads_no_session_and_no_money(guard: Guard) -> None:
    """It talks to strangers: what it cannot read, it cannot give away."""
    for function in ("WebhookSend", "RetryWebhooks"):
        tables = {resource.partition("/")[0] for action, resource in guard._allowed[function] if "dynamodb" in action}
        assert tables <= {"webhooks", "identity", "notifications", "outbox", ""} | {"StreamArn"}
