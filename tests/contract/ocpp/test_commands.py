"""Our CALLs: one at a time, each with an end, never sent twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.chargers import service as chargers
from chalicelib.maintenance import service as maintenance
from chalicelib.ocpp import jobs
from chalicelib.ocpp.v16.routes import COMMANDS, V16
from tests.contract.ocpp import from_schema
from tests.contract.ocpp.wire import Wire, place
from tests.world import World


def expire() -> None:
    """The scheduled job, as EventBridge starts it."""
    names = ("version", "account", "region", "detail-type", "source", "time", "id")
    jobs.expire_commands({**dict.fromkeys(names, ""), "detail": {}, "resources": []}, None)


YES: dict[str, set[str]] = {
    "CancelReservation": {"Accepted"},
    "CertificateSigned": {"Accepted"},
    "ChangeAvailability": {"Accepted", "Scheduled"},
    "ChangeConfiguration": {"Accepted", "RebootRequired"},
    "ClearCache": {"Accepted"},
    "ClearChargingProfile": {"Accepted"},
    "DataTransfer": {"Accepted"},
    "DeleteCertificate": {"Accepted"},
    "ExtendedTriggerMessage": {"Accepted"},
    "GetCompositeSchedule": {"Accepted"},
    "GetConfiguration": set(),
    "GetDiagnostics": set(),
    "GetInstalledCertificateIds": {"Accepted", "NotFound"},
    "GetLocalListVersion": set(),
    "GetLog": {"Accepted", "AcceptedCanceled"},
    "InstallCertificate": {"Accepted"},
    "RemoteStartTransaction": {"Accepted"},
    "RemoteStopTransaction": {"Accepted"},
    "ReserveNow": {"Accepted"},
    "Reset": {"Accepted"},
    "SendLocalList": {"Accepted"},
    "SetChargingProfile": {"Accepted"},
    "SignedUpdateFirmware": {"Accepted", "AcceptedCanceled"},
    "TriggerMessage": {"Accepted"},
    "UnlockConnector": {"Unlocked"},
    "UpdateFirmware": set(),
}
"""The words by which a charger says yes; none where any answer does."""


def test_the_table_leaves_no_command_out() -> None:
    assert set(YES) == set(COMMANDS)
    for action, words in YES.items():
        assert words <= from_schema.statuses(V16, action)
        assert bool(words) == bool(from_schema.statuses(V16, action))


def every_word() -> Iterator[tuple[str, str | None, str]]:
    """Each command with each word that its answer may have, and how it must end."""
    for action, words in YES.items():
        for word in sorted(from_schema.statuses(V16, action)) or [None]:
            yield action, word, "accepted" if word is None or word in words else "rejected"


@pytest.mark.parametrize(("action", "word", "state"), list(every_word()))
def test_a_command_ends_as_the_charger_says(wire: Wire, action: str, word: str | None, state: str) -> None:
    answer = from_schema.minimal(V16, f"{action}Response") | ({} if word is None else {"status": word})
    queued = wire.queue(action, from_schema.minimal(V16, action))
    [sent] = wire.commands()
    assert sent == [2, queued.command_id, action, from_schema.minimal(V16, action)]
    assert V16.request_violation(action, sent[3]) is None
    assert wire.outcome(queued)[0] == "sent"
    wire.reply(sent, answer)
    assert wire.outcome(queued) == (state, answer)


@pytest.mark.parametrize("action", sorted(COMMANDS))
def test_the_fullest_command_and_the_fullest_answer_pass(wire: Wire, action: str) -> None:
    payload, answer = from_schema.maximal(V16, action), from_schema.maximal(V16, f"{action}Response")
    queued = wire.queue(action, payload)
    [sent] = wire.commands()
    assert sent[2:] == [action, payload]
    wire.reply(sent, answer)
    assert wire.outcome(queued)[0] in ("accepted", "rejected")
    assert wire.outcome(queued)[1] == answer


def known_of(world: World) -> list[Any]:
    """What answers have told of the charger: its configuration, profiles and certificates."""
    charger = chargers.require_charger(world.ctx, "WIRE-1")
    told = [maintenance.list_entries(world.ctx, "WIRE-1", noun).entries for noun in ("charging_profile", "certificate")]
    return [*told, chargers.get_configuration(world.ctx, charger).known]


@pytest.mark.parametrize("action", sorted(COMMANDS))
def test_without_an_answer_nothing_is_known(wire: Wire, action: str) -> None:
    """What an answer would have told is not taken from a CALLERROR, nor from silence."""
    refused, silent = (wire.queue(action, from_schema.minimal(V16, action)) for _ in range(2))
    [sent] = wire.commands()
    assert wire.send(json.dumps([4, sent[1], "NotImplemented", "not here", {}])) is None
    assert wire.outcome(refused) == ("failed", "NotImplemented: not here")
    assert len(wire.commands()) == 1
    wire.world.advance(31)
    expire()
    assert wire.outcome(silent)[0] == "timed_out"
    assert not any(known_of(wire.world))


def test_one_at_a_time_in_order(wire: Wire) -> None:
    wire.boot()
    first, second = wire.queue("ClearCache", {}), wire.queue("Reset", {"type": "Hard"})
    [sent] = wire.commands()
    assert sent[1] == first.command_id
    wire.reply(sent, {"status": "Accepted"})
    assert not wire.world.pending_events()  # the answer itself sends the next one
    [sent] = wire.commands()
    assert sent[1] == second.command_id


def test_a_call_of_the_charger_is_answered_while_ours_is_open(wire: Wire) -> None:
    queued = wire.queue("ClearCache", {})
    [sent] = wire.commands()
    assert "currentTime" in wire.call("Heartbeat", {})
    wire.reply(sent, {"status": "Accepted"})
    assert wire.outcome(queued)[0] == "accepted"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[3,"ID",{"status":"Perhaps"}]', "does not conform"),
        ('[3,"ID",{}]', "does not conform"),
        ('[3,"ID"]', "does not conform"),
        ('[3,"ID",[]]', "does not conform"),
        ('[3,"ID",{"status":', "malformed"),
        ('[4,"ID","NotSupported","no such thing",{}]', "NotSupported: no such thing"),
        ('[4,"ID","FormationViolation",""]', "FormationViolation"),
        ('[4,"ID","MadeUp"]', "MadeUp"),
        ('[4,"ID"]', ""),
    ],
)
def test_an_answer_that_is_none_fails_the_command_and_frees_the_line(wire: Wire, text: str, said: str) -> None:
    failing, following = wire.queue("ClearCache", {}), wire.queue("Reset", {"type": "Soft"})
    [sent] = wire.commands()
    assert wire.send(text.replace("ID", sent[1])) is None
    state, error = wire.outcome(failing)
    assert state == "failed"
    assert said in (error or "")
    [sent] = wire.commands()
    assert sent[1] == following.command_id


def test_answers_to_nothing_change_nothing(wire: Wire) -> None:
    queued = wire.queue("ClearCache", {})
    [sent] = wire.commands()
    assert wire.send('[3,"somebody-elses",{"status":"Accepted"}]') is None
    assert wire.outcome(queued)[0] == "sent"
    wire.reply(sent, {"status": "Rejected"})
    wire.reply(sent, {"status": "Accepted"})
    assert wire.outcome(queued) == ("rejected", {"status": "Rejected"})


def test_silence_times_out_and_the_next_command_goes_out(world: World, wire: Wire) -> None:
    silent, following = wire.queue("ClearCache", {}), wire.queue("Reset", {"type": "Soft"})
    [sent] = wire.commands()
    world.advance(29)
    expire()
    assert wire.outcome(silent)[0] == "sent"
    world.advance(2)
    expire()
    assert wire.outcome(silent) == ("timed_out", "not answered in time")
    [next_sent] = wire.commands()
    assert next_sent[1] == following.command_id
    wire.reply(sent, {"status": "Accepted"})
    assert wire.outcome(silent)[0] == "timed_out"
    assert wire.outcome(following)[0] == "sent"


def test_a_new_command_does_not_wait_for_the_job_behind_a_silent_one(world: World, wire: Wire) -> None:
    silent = wire.queue("ClearCache", {})
    assert len(wire.commands()) == 1
    world.advance(31)
    following = wire.queue("Reset", {"type": "Soft"})
    [sent] = wire.commands()
    assert sent[1] == following.command_id
    assert wire.outcome(silent)[0] == "timed_out"


def test_the_next_life_sign_frees_a_line_that_is_silent(world: World, wire: Wire) -> None:
    """A charger that restarted has forgotten our CALL: what waits behind it need not wait for the job."""
    lost, waiting = wire.queue("ClearCache", {}), wire.queue("Reset", {"type": "Soft"})
    assert [sent[1] for sent in wire.commands()] == [lost.command_id]
    assert wire.connect()[0] == 200
    world.advance(20)
    wire.call("Heartbeat", {})
    assert wire.commands() == [], "its answer may still come"
    world.advance(20)
    wire.call("Heartbeat", {})
    assert [sent[1] for sent in wire.commands()] == [waiting.command_id]
    assert wire.outcome(lost)[0] == "timed_out"


def test_what_nobody_could_send_in_time_times_out(world: World, wire: Wire) -> None:
    wire.close()
    start = wire.queue("RemoteStartTransaction", {"idTag": "X"})
    reset = wire.queue("Reset", {"type": "Soft"})
    assert wire.commands() == []
    world.advance(61)
    expire()
    assert wire.outcome(start) == ("timed_out", "the charger could not be reached in time")
    assert wire.outcome(reset)[0] == "queued"
    world.advance(600)
    expire()
    assert wire.outcome(reset)[0] == "timed_out"
    link = chargers.get_link(world.ctx, "WIRE-1")
    assert link is not None
    assert link.outbound == []


def test_commands_wait_for_the_connection_and_go_after_its_first_frame(wire: Wire) -> None:
    wire.close()
    queued = wire.queue("ClearCache", {})
    assert wire.commands() == []
    wire.connect()
    assert wire.commands() == []
    wire.boot()
    [sent] = wire.commands()
    assert sent[1] == queued.command_id


def test_a_command_for_a_socket_that_is_gone_goes_to_the_next_one_once(world: World, wire: Wire) -> None:
    world.gone_connections.add(wire.connection_id)
    queued = wire.queue("ClearCache", {})
    assert wire.commands() == []
    assert wire.outcome(queued)[0] == "queued"
    link = chargers.get_link(world.ctx, "WIRE-1")
    assert link is not None
    assert (link.connection_id, link.inflight_command_id, link.outbound) == (None, None, [queued.command_id])
    wire.connect()
    wire.call("Heartbeat", {})
    [sent] = wire.commands()
    wire.reply(sent, {"status": "Accepted"})
    assert wire.outcome(queued)[0] == "accepted"


def test_a_command_in_flight_is_not_sent_again_after_a_reconnect(wire: Wire) -> None:
    queued = wire.queue("ClearCache", {})
    [sent] = wire.commands()
    wire.close()
    wire.connect()
    wire.call("Heartbeat", {})
    assert wire.commands() == []
    wire.reply(sent, {"status": "Accepted"})
    assert wire.outcome(queued)[0] == "accepted"


def test_an_event_that_comes_twice_sends_once(world: World, wire: Wire) -> None:
    wire.queue("ClearCache", {})
    [event] = world.pending_events()
    jobs.on_command_queued(world.ctx, event)
    jobs.on_command_queued(world.ctx, event)
    assert len(wire.commands()) == 1


def test_a_payload_against_the_schema_fails_with_the_reason_and_is_not_sent(wire: Wire) -> None:
    wrong = wire.queue("Reset", {"type": "Medium"})
    right = wire.queue("Reset", {"type": "Soft"})
    [sent] = wire.commands()
    assert sent[1] == right.command_id
    state, error = wire.outcome(wrong)
    assert state == "failed"
    assert "Medium" in error


def test_commands_of_two_chargers_do_not_wait_for_each_other(world: World, wire: Wire) -> None:
    operator = world.operator()
    place(world, operator, "WIRE-2")
    other = Wire(world, "WIRE-2")
    other.connect()
    wire.queue("ClearCache", {})
    other.queue("ClearCache", {})
    assert len(wire.commands()) == len(other.commands()) == 1


def test_the_answer_of_one_charger_says_nothing_for_another(world: World, wire: Wire) -> None:
    operator = world.operator()
    place(world, operator, "WIRE-2")
    other = Wire(world, "WIRE-2")
    other.connect()
    queued = wire.queue("ClearCache", {})
    [sent] = wire.commands()
    assert other.send(json.dumps([3, sent[1], {"status": "Accepted"}])) is None
    assert wire.outcome(queued)[0] == "sent"


def test_a_charger_that_speaks_is_connected_whatever_we_were_told(world: World, wire: Wire) -> None:
    """API Gateway answers Gone also for a socket whose handshake has not ended yet: its link must heal."""
    wire.boot()
    world.gone_connections.add(wire.connection_id)
    queued = wire.queue("ClearCache", {})
    assert wire.commands() == []
    world.gone_connections.clear()
    world.advance(90)
    wire.call("DataTransfer", {"vendorId": "x"})
    link = chargers.get_link(world.ctx, "WIRE-1")
    assert link is not None
    assert (link.connection_id, link.disconnected_at) == (wire.connection_id, None)
    [sent] = wire.commands()
    assert sent[1] == queued.command_id


def test_a_frame_of_an_older_socket_does_not_take_the_link(world: World, wire: Wire) -> None:
    older = Wire(world, "WIRE-1", wire.connection_id)
    world.advance(1)
    wire.connect()
    older.call("Heartbeat", {})
    link = chargers.get_link(world.ctx, "WIRE-1")
    assert link is not None
    assert link.connection_id == wire.connection_id
    wire.close()
    older.call("Heartbeat", {})
    link = chargers.get_link(world.ctx, "WIRE-1")
    assert link is not None
    assert link.connection_id is None
