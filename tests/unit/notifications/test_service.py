"""Queueing and sending: one mail per reason, none lost in a crash, none that blocks the others for ever."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.kernel.unit_of_work import UnitOfWork
from chalicelib.notifications import jobs, service
from chalicelib.notifications.store import MAILS, mail_key
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from tests.world import World

CONSUMERS = {"mail.queued": (jobs.on_mail_queued,)}
TO = "ada@operator.example"


def _queue(uow: UnitOfWork, key: str = "offline:cp1:1", **changes: Any) -> None:
    mail: dict[str, Any] = {"to": TO, "template": "verification_code", "data": {"code": "123456"}} | changes
    service.queue_mail(uow, dedupe_key=key, **mail)


def test_a_queued_mail_is_sent_once_and_its_contents_are_forgotten(world: World) -> None:
    world.commit(_queue)
    assert world.mails() == []
    world.run_events(CONSUMERS)
    (mail,) = world.mails(to=TO)
    assert mail.sender == world.ctx.settings.mail_from
    assert "123456" in (mail.text or "")
    assert "123456" in (mail.html or "")
    stored = MAILS.get(world.ctx, *mail_key("offline:cp1:1"))
    assert stored is not None
    assert (stored.state, stored.data, stored.sent_at) == ("sent", {}, world.ctx.now())


def test_the_same_reason_is_one_mail_whenever_it_is_queued(world: World) -> None:
    world.commit(_queue)
    world.commit(lambda uow: _queue(uow, to="other@operator.example", data={"code": "999999"}))
    world.run_events(CONSUMERS)
    world.commit(_queue)
    world.run_events(CONSUMERS)
    assert [mail.to for mail in world.mails()] == [(TO,)]


def test_another_reason_is_another_mail(world: World) -> None:
    world.commit(_queue)
    world.commit(lambda uow: _queue(uow, "offline:cp1:2"))
    world.run_events(CONSUMERS)
    assert len(world.mails(to=TO)) == 2


def test_a_mail_lands_with_the_fact_it_tells_about_or_not_at_all(world: World) -> None:
    world.commit(_queue)
    uow = UnitOfWork(world.ctx)
    _queue(uow, "offline:cp1:2")
    existing = MAILS.get(world.ctx, *mail_key("offline:cp1:1"))
    uow.create(MAILS, existing)
    with pytest.raises(Exception, match="concurrent_change"):
        uow.commit()
    world.run_events(CONSUMERS)
    assert len(world.mails()) == 1
    assert MAILS.get(world.ctx, *mail_key("offline:cp1:2")) is None


@pytest.mark.parametrize("changes", [{"template": "no_such"}, {"data": {}}])
def test_a_mail_that_cannot_be_written_is_refused_when_it_is_queued(world: World, changes: dict[str, Any]) -> None:
    with pytest.raises(KeyError):
        world.commit(lambda uow: _queue(uow, **changes))
    assert world.pending_events() == []


def _answer_with(error: AwsError) -> Any:
    def handler(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        raise error

    return aws_hooks.register("sesv2", handler)


def test_an_outage_of_the_mail_service_delays_the_mail(world: World) -> None:
    world.commit(_queue)
    restore = _answer_with(AwsError("TooManyRequestsException", "slow down", 429))
    with pytest.raises(ClientError):
        world.run_events(CONSUMERS)
    restore()
    world.run_events(CONSUMERS)
    assert len(world.mails(to=TO)) == 1


def test_a_mail_that_is_refused_for_good_does_not_block_the_others(world: World) -> None:
    world.commit(_queue)
    restore = _answer_with(AwsError("MessageRejected", "Address is on the suppression list"))
    world.run_events(CONSUMERS)
    restore()
    refused = MAILS.get(world.ctx, *mail_key("offline:cp1:1"))
    assert refused is not None
    assert (refused.state, refused.refusal) == ("refused", "Address is on the suppression list")
    world.commit(_queue)
    world.run_events(CONSUMERS)
    assert world.mails() == []


def test_an_event_without_a_mail_is_passed_over(world: World) -> None:
    service.send_mail(world.ctx, "gone long ago", {})
    assert world.mails() == []
