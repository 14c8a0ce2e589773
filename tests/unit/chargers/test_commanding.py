"""The queue of commands: one in flight, in order, each with an end; whoever is second changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.chargers.model import ANSWER_TIMEOUT, COMMAND_LIFECYCLE, MAX_OUTBOUND, Command
from chalicelib.kernel.errors import DomainError, StaleRead
from chalicelib.kernel.unit_of_work import UnitOfWork
from tests.unit.chargers.conftest import Site


def queue(site: Site, action: str = "Reset", payload: dict[str, Any] | None = None) -> Command:
    return site.world.commit(
        lambda uow: chargers.queue_command(
            uow, charger_id="cp-1", action=action, payload=payload or {"type": "Soft"}, requested_by="usr_1"
        )
    )


def send_next(site: Site) -> Command | None:
    def decide(uow: UnitOfWork) -> Command | None:
        link = site.link
        command = chargers.next_command(uow.ctx, link)
        if command is not None:
            chargers.mark_sent(uow, link, command)
        return command

    command = site.world.commit(decide)
    return None if command is None else reread(site, command)


def reread(site: Site, command: Command) -> Command:
    found = chargers.get_command(site.world.ctx, command.command_id)
    assert found is not None
    return found


def finish(site: Site, command: Command, state: Any, **ending: Any) -> None:
    site.world.commit(lambda uow: chargers.finish_command(uow, reread(site, command), state, **ending))


def test_a_queued_command_is_announced(site: Site) -> None:
    command = queue(site)
    assert (command.charger_id, command.operator_id, command.state) == ("CP-1", "org_1", "queued")
    assert site.link.outbound == [command.command_id]
    (event,) = [event for event in site.world.pending_events() if event.type == "command.queued"]
    assert (event.subject, event.payload) == (command.command_id, {"charger_id": "CP-1"})


def test_commands_go_out_one_by_one_in_order(site: Site) -> None:
    first, second = queue(site), queue(site, "ClearCache", {})
    assert send_next(site) is None, "nothing is sent while the charger is away"
    site.connect("ws-1")
    sent = send_next(site)
    assert sent is not None
    assert (sent.command_id, sent.state) == (first.command_id, "sent")
    assert site.link.inflight_command_id == first.command_id
    assert send_next(site) is None, "one outstanding CALL per direction"
    finish(site, first, "accepted", answer={"status": "Accepted"})
    assert reread(site, first).answer == {"status": "Accepted"}
    following = send_next(site)
    assert following is not None
    assert following.command_id == second.command_id


def test_two_senders_do_not_send_twice(site: Site) -> None:
    command = queue(site)
    site.connect("ws-1")
    link = site.link
    rival = UnitOfWork(site.world.ctx)
    chargers.mark_sent(rival, link, command)
    assert send_next(site) is not None
    with pytest.raises(StaleRead):
        rival.commit()
    assert send_next(site) is None


def test_two_senders_do_not_put_two_commands_in_flight(site: Site) -> None:
    queue(site)
    second = queue(site, "ClearCache", {})
    site.connect("ws-1")
    rival = UnitOfWork(site.world.ctx)
    chargers.mark_sent(rival, replace(site.link, outbound=[second.command_id]), second)
    send_next(site)
    with pytest.raises(StaleRead):
        rival.commit()
    assert reread(site, second).state == "queued"


def test_a_sender_that_holds_an_old_socket_is_stopped(site: Site) -> None:
    command = queue(site)
    site.connect("ws-1")
    link = site.link
    site.connect("ws-2")
    late = UnitOfWork(site.world.ctx)
    chargers.mark_sent(late, link, command)
    with pytest.raises(StaleRead):
        late.commit()
    assert reread(site, command).state == "queued"


def test_a_command_that_met_a_gone_socket_is_the_next_one_again(site: Site) -> None:
    first = queue(site)
    queue(site, "ClearCache", {})
    site.connect("ws-1")
    send_next(site)
    site.world.commit(lambda uow: chargers.requeue_command(uow, reread(site, first)))
    assert site.link.outbound[0] == first.command_id
    assert site.link.inflight_command_id is None
    assert reread(site, first).sent_at is None
    site.connect("ws-2")
    again = send_next(site)
    assert again is not None
    assert again.command_id == first.command_id


def test_a_reconnect_does_not_send_the_command_in_flight_again(site: Site) -> None:
    queue(site)
    site.connect("ws-1")
    send_next(site)
    site.connect("ws-2")
    assert send_next(site) is None


def test_an_answer_that_never_comes_is_overdue_after_thirty_seconds(site: Site) -> None:
    command = queue(site)
    site.connect("ws-1")
    send_next(site)
    site.world.advance(ANSWER_TIMEOUT.total_seconds())
    assert chargers.overdue_commands(site.world.ctx, site.link) == []
    site.world.advance(1)
    assert site.link.has_unanswered(site.world.ctx.now())
    assert [c.command_id for c in chargers.overdue_commands(site.world.ctx, site.link)] == [command.command_id]
    finish(site, command, "timed_out", error="no answer")
    assert (reread(site, command).state, reread(site, command).error) == ("timed_out", "no answer")
    assert site.link.inflight_command_id is None


def test_a_remote_start_expires_after_a_minute_and_does_not_block_what_follows(site: Site) -> None:
    start = queue(site, "RemoteStartTransaction", {"idTag": "A"})
    reset = queue(site)
    site.world.advance(60)
    site.connect("ws-1")
    assert [c.command_id for c in chargers.overdue_commands(site.world.ctx, site.link)] == [start.command_id]
    sent = send_next(site)
    assert sent is not None
    assert sent.command_id == reset.command_id, "an expired start is never sent"
    assert site.link.outbound == [start.command_id]
    finish(site, start, "timed_out", error="expired")
    assert site.link.outbound == []
    assert site.link.inflight_command_id == reset.command_id


def test_a_late_answer_changes_nothing(site: Site) -> None:
    command = queue(site)
    site.connect("ws-1")
    send_next(site)
    finish(site, command, "timed_out", error="no answer")
    with pytest.raises(DomainError) as refused:
        finish(site, command, "accepted", answer={"status": "Accepted"})
    assert refused.value.code == "command.illegal_transition"
    assert reread(site, command).state == "timed_out"


def test_two_answers_at_once_end_the_command_once(site: Site) -> None:
    command = queue(site)
    site.connect("ws-1")
    sent = send_next(site)
    assert sent is not None
    second = UnitOfWork(site.world.ctx)
    chargers.finish_command(second, sent, "rejected", answer={"status": "Rejected"})
    finish(site, command, "accepted", answer={"status": "Accepted"})
    with pytest.raises(StaleRead):
        second.commit()
    assert reread(site, command).state == "accepted"


def test_a_queued_command_may_fail_before_it_is_sent(site: Site) -> None:
    command = queue(site)
    queue(site, "ClearCache", {})
    site.world.commit(lambda uow: chargers.finish_command(uow, reread(site, command), "failed", error="gone"))
    assert reread(site, command).state == "failed"
    assert command.command_id not in site.link.outbound
    assert len(site.link.outbound) == 1


@pytest.mark.parametrize(
    ("charger_id", "action", "payload", "code"),
    [
        ("CP-1", "DataTransfer", {"data": "x" * 20_000}, "command.payload"),
        ("CP-9", "Reset", {}, "charger.not_found"),
    ],
)
def test_commands_that_are_refused(
    site: Site, charger_id: str, action: str, payload: dict[str, Any], code: str
) -> None:
    with pytest.raises(DomainError) as refused:
        site.world.commit(
            lambda uow: chargers.queue_command(
                uow, charger_id=charger_id, action=action, payload=payload, requested_by="usr_1"
            )
        )
    assert refused.value.code == code
    assert site.link.outbound == []


def test_the_queue_is_bounded(site: Site) -> None:
    for _ in range(MAX_OUTBOUND):
        queue(site, "ClearCache", {})
    with pytest.raises(DomainError) as refused:
        queue(site, "ClearCache", {})
    assert refused.value.code == "command.queue_full"
    assert len(site.link.outbound) == MAX_OUTBOUND


def test_the_bound_holds_against_a_race(site: Site) -> None:
    for _ in range(MAX_OUTBOUND - 1):
        queue(site, "ClearCache", {})
    late = UnitOfWork(site.world.ctx)
    chargers.queue_command(late, charger_id="CP-1", action="ClearCache", payload={}, requested_by="usr_1")
    queue(site, "ClearCache", {})
    with pytest.raises(StaleRead):
        late.commit()
    assert len(site.link.outbound) == MAX_OUTBOUND


def test_history_is_newest_first(site: Site) -> None:
    ids = []
    for _ in range(3):
        ids.append(queue(site, "ClearCache", {}).command_id)
        site.world.advance(1)
    page = chargers.list_commands(site.world.ctx, "cp-1", limit=2, cursor=None)
    rest = chargers.list_commands(site.world.ctx, "cp-1", limit=2, cursor=page.next_cursor)
    assert [c.command_id for c in (*page.data, *rest.data)] == ids[::-1]
    assert rest.next_cursor is None


@pytest.mark.parametrize("state", sorted(COMMAND_LIFECYCLE.states))
@pytest.mark.parametrize("event", sorted(COMMAND_LIFECYCLE.events))
def test_every_state_and_event(state: str, event: str) -> None:
    allowed = {
        "queued": {"send", "time_out", "fail"},
        "sent": {"requeue", "accept", "reject", "fail", "time_out"},
    }
    assert COMMAND_LIFECYCLE.allows(state, event) == (event in allowed.get(state, set()))
