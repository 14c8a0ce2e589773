"""The message log as an operator sees it: what went over the wire, paired, searchable, without passwords."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.chargers.model.commands import ANSWER_TIMEOUT
from chalicelib.ocpp import jobs
from chalicelib.ocpp.api_operator import messages
from chalicelib.ocpp.store import MESSAGES
from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from tests.contract.ocpp.wire import Wire, place
from tests.world import Operator, Reply, World

CHARGER_ID = "LOG-1"


@pytest.fixture
def operator(world: World) -> Operator:
    return world.operator()


@pytest.fixture
def wire(world: World, operator: Operator) -> Wire:
    place(world, operator, CHARGER_ID)
    wire = Wire(world, CHARGER_ID)
    assert wire.connect()[0] == 200
    return wire


@pytest.fixture
def log(world: World, operator: Operator) -> Callable[..., list[dict[str, Any]]]:
    def read(**query: Any) -> list[dict[str, Any]]:
        world.ctx.afterwards.settle()
        reply = ask(world, operator, **query)
        assert reply.status == 200, reply
        return list(reply.body["data"])

    return read


Log = Callable[..., list[dict[str, Any]]]


def ask(world: World, operator: Operator, path: str = "messages", **query: Any) -> Reply:
    return world.rest.get(f"/v1/chargers/{CHARGER_ID}/{path}", token=operator.access_token, query=query)


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_a_call_and_its_answer_are_one_entry(world: World, wire: Wire, log: Log) -> None:
    wire.call("Heartbeat", {}, "h-1")
    [entry] = log()
    assert entry == {
        "message_id": "h-1",
        "charger_id": CHARGER_ID,
        "direction": "from_charger",
        "protocol": "ocpp1.6",
        "action": "Heartbeat",
        "outcome": "result",
        "at": "2026-03-02T08:00:00Z",
        "request": [2, "h-1", "Heartbeat", {}],
        "answer": [3, "h-1", {"currentTime": "2026-03-02T08:00:00.000Z"}],
    }


@pytest.mark.parametrize(
    ("text", "action", "outcome", "message_id", "shown"),
    [
        ('[2,"a","Dance",{}]', "Dance", "error", "a", [2, "a", "Dance", {}]),
        ('[2,"a","Heartbeat"', "", "error", "a", '[2,"a","Heartbeat"'),
        ("hello", "", "silence", "", "hello"),
        ('[3,"nobody-asked",{}]', "", "silence", "nobody-asked", [3, "nobody-asked", {}]),
        ("", "", "silence", "", ""),
    ],
)
def test_what_is_wrong_is_kept_as_it_came(
    wire: Wire, log: Log, text: str, action: str, outcome: str, message_id: str, shown: Any
) -> None:
    answer = wire.send(text)
    [entry] = log()
    assert (entry["action"], entry["outcome"], entry["message_id"], entry["request"]) == (
        action,
        outcome,
        message_id,
        shown,
    )
    assert entry["answer"] == (None if answer is None else json.loads(answer))


def test_a_command_is_kept_with_the_answer_of_the_charger(world: World, wire: Wire, log: Log) -> None:
    command = wire.queue("Reset", {"type": "Soft"})
    [sent] = wire.commands()
    assert log() == [], "its answer is still to come"
    sent_at = world.ctx.now()
    world.advance(3)
    wire.reply(sent, {"status": "Accepted"})
    [entry] = log()
    assert (entry["direction"], entry["action"], entry["outcome"]) == ("to_charger", "Reset", "result")
    assert entry["request"] == [2, command.command_id, "Reset", {"type": "Soft"}]
    assert entry["answer"] == [3, command.command_id, {"status": "Accepted"}]
    assert entry["at"] == sent_at.isoformat().replace("+00:00", "Z")


def test_a_command_that_the_charger_refused_with_an_error(wire: Wire, log: Log) -> None:
    wire.queue("Reset", {"type": "Soft"})
    [sent] = wire.commands()
    wire.send(json.dumps([4, sent[1], "NotSupported", "no reset here", {}]))
    [entry] = log()
    assert (entry["outcome"], entry["answer"][2]) == ("error", "NotSupported")


def test_a_command_without_an_answer_and_the_answer_that_came_too_late(world: World, wire: Wire, log: Log) -> None:
    wire.queue("Reset", {"type": "Soft"})
    [sent] = wire.commands()
    world.advance((ANSWER_TIMEOUT + timedelta(seconds=1)).total_seconds())
    world.run_job(jobs.expire_commands)
    [entry] = log()
    assert (entry["outcome"], entry["request"], entry["answer"]) == ("timed_out", sent, None)
    world.advance(1)
    wire.reply(sent, {"status": "Accepted"})
    late, silent = log()
    assert (late["direction"], late["action"], late["outcome"]) == ("from_charger", "Reset", "silence")
    assert late["request"] == [3, sent[1], {"status": "Accepted"}]
    assert silent == entry


def test_a_command_that_met_a_closed_socket(world: World, wire: Wire, log: Log) -> None:
    world.gone_connections.add(wire.connection_id)
    command = wire.queue("Reset", {"type": "Soft"})
    assert wire.commands() == []
    [entry] = log()
    assert (entry["direction"], entry["outcome"], entry["answer"]) == ("to_charger", "undelivered", None)
    assert entry["request"] == [2, command.command_id, "Reset", {"type": "Soft"}]


def test_another_chargers_command_cannot_be_answered_into_its_log(
    world: World, operator: Operator, wire: Wire, log: Log
) -> None:
    place(world, operator, "LOG-2")
    other = Wire(world, "LOG-2")
    other.connect()
    other.queue("Reset", {"type": "Soft"})
    [sent] = other.commands()
    wire.reply(sent, {"status": "Accepted"})
    [entry] = log()
    assert (entry["direction"], entry["action"]) == ("from_charger", "")


def test_messages_expire_after_a_month(world: World, wire: Wire) -> None:
    wire.call("Heartbeat", {})
    world.ctx.afterwards.settle()
    [row] = world.engine.execute("Scan", {"TableName": MESSAGES.name})["Items"]
    assert int(row["expires_at"]["N"]) == (world.ctx.now() + timedelta(days=30)).timestamp()


# -- size -------------------------------------------------------------------------------------------------------------


def written_units(world: World, wire: Wire, text: str) -> float:
    wire.send(text)
    before = sum(amount for (_, kind), amount in world.engine.consumed.items() if kind == "write")
    world.ctx.afterwards.settle()
    return sum(amount for (_, kind), amount in world.engine.consumed.items() if kind == "write") - before


def test_a_usual_message_costs_one_write_unit(world: World, wire: Wire) -> None:
    sampled = [
        {
            "value": str(1000 * number),
            "context": "Sample.Periodic",
            "measurand": measurand,
            "unit": unit,
            "phase": phase,
        }
        for number, phase in enumerate(("L1", "L2", "L3"))
        for measurand, unit in (("Current.Import", "A"), ("Voltage", "V"), ("Power.Active.Import", "W"))
    ]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "2026-03-02T08:00:00Z", "sampledValue": sampled}]}
    text = json.dumps([2, "m" * 36, "MeterValues", payload])
    assert len(text) > 1024
    assert written_units(world, wire, text) == 1
    assert written_units(world, wire, '[2,"id","Heartbeat",{}]') == 1


def test_a_message_of_any_length_is_kept_short(world: World, wire: Wire, log: Log) -> None:
    noise = "".join(chr(33 + (number * 7919) % 90) for number in range(100_000))
    text = json.dumps([2, "x" * 1000, "Dance" * 500, {"noise": noise}])
    wire.send(text)
    [entry] = log()
    assert entry["request"] == text[: 32 * 1024 - 1] + "…"
    assert len(entry["message_id"]) == len(entry["action"]) == 64


# -- passwords --------------------------------------------------------------------------------------------------------


def test_a_password_that_is_set_or_read_is_not_in_the_log(world: World, operator: Operator, wire: Wire) -> None:
    secret = "C0FFEE" * 5
    wire.queue("ChangeConfiguration", {"key": "AuthorizationKey", "value": secret})
    [change] = wire.commands()
    wire.reply(change, {"status": "Accepted"})
    wire.queue("GetConfiguration", {"key": ["AuthorizationKey"]})
    [read] = wire.commands()
    wire.reply(read, {"configurationKey": [{"key": "authorizationKEY", "readonly": False, "value": secret}]})
    world.ctx.afterwards.settle()
    for export_format in ("ndjson", "csv"):
        reply = ask(world, operator, "messages/export", format=export_format)
        assert secret not in reply.body
        assert reply.body.count("***") == 2


# -- looking for it ---------------------------------------------------------------------------------------------------


def talk(world: World, wire: Wire) -> None:
    """A minute apart: Heartbeat, an unknown action, Heartbeat, a command."""
    wire.call("Heartbeat", {}, "1")
    world.advance(60)
    wire.send('[2,"2","Dance",{}]')
    world.advance(60)
    wire.call("Heartbeat", {}, "3")
    world.advance(60)
    wire.queue("Reset", {"type": "Soft"})
    [sent] = wire.commands()
    wire.reply(sent, {"status": "Accepted"})


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["Reset", "3", "2", "1"]),
        ({"action": "Heartbeat"}, ["3", "1"]),
        ({"direction": "to_charger"}, ["Reset"]),
        ({"outcome": "error"}, ["2"]),
        ({"date_from": "2026-03-02T08:01:00Z"}, ["Reset", "3", "2"]),
        ({"date_to": "2026-03-02T08:02:00Z"}, ["2", "1"]),
        ({"date_from": "2026-03-02T09:01:00+01:00", "date_to": "2026-03-02T08:02:00.001Z"}, ["3", "2"]),
        ({"date_from": "0001-01-01T00:00:00Z", "date_to": "9999-12-31T23:59:59-12:00"}, ["Reset", "3", "2", "1"]),
    ],
)
def test_filters(world: World, wire: Wire, log: Log, query: dict[str, str], found: list[str]) -> None:
    talk(world, wire)
    names = [entry["action"] if entry["action"] == "Reset" else entry["message_id"] for entry in log(**query)]
    assert names == found


def test_pages(world: World, operator: Operator, wire: Wire) -> None:
    talk(world, wire)
    world.ctx.afterwards.settle()
    first = ask(world, operator, limit=3).body
    second = ask(world, operator, limit=3, cursor=first["next_cursor"]).body
    assert [len(first["data"]), len(second["data"])] == [3, 1]
    assert not second["has_more"]
    assert ask(world, operator, cursor="bm9uc2Vuc2U").status == 400
    assert ask(world, operator, outcome="maybe").status == 422


def test_nobody_reads_another_operators_log(world: World, wire: Wire) -> None:
    wire.call("Heartbeat", {})
    world.ctx.afterwards.settle()
    stranger = world.operator()
    assert ask(world, stranger).status == ask(world, stranger, "messages/export").status == 404


# -- taking it away ---------------------------------------------------------------------------------------------------


def test_an_export_is_the_list_as_a_file(world: World, operator: Operator, wire: Wire, log: Log) -> None:
    talk(world, wire)
    entries = log()
    ndjson = ask(world, operator, "messages/export")
    assert ndjson.headers["content-disposition"] == 'attachment; filename="messages.ndjson"'
    assert [json.loads(line) for line in ndjson.body.splitlines()] == entries
    rows = list(csv.DictReader(io.StringIO(ask(world, operator, "messages/export", format="csv").body)))
    assert [row["message_id"] for row in rows] == [entry["message_id"] for entry in entries]
    assert [json.loads(row["request"]) for row in rows] == [entry["request"] for entry in entries]
    only = ask(world, operator, "messages/export", action="Heartbeat", format="csv").body
    assert len(only.splitlines()) == 3


def test_a_file_that_would_be_too_large_names_the_next_one(world: World, operator: Operator, wire: Wire) -> None:
    """200 messages of 15 000 characters, which quotes within quotes make longer on their way."""
    noise = '{"a":"' * 2500
    for number in range(200):
        wire.send(json.dumps([2, f"n{number}", "Dance", {"data": noise}]))
        world.advance(1)
    world.ctx.afterwards.settle()
    found: list[str] = []
    address: str | None = f"/v1/chargers/{CHARGER_ID}/messages/export?outcome=error"
    files = 0
    while address is not None:
        reply = world.rest.get(address, token=operator.access_token)
        assert len(json.dumps(reply.body)) <= messages.MAX_EXPORT_BYTES + 1024
        found += [json.loads(line)["message_id"] for line in reply.body.splitlines()]
        link = reply.headers.get("link")
        address = None if link is None else link.partition("<")[2].partition(">")[0]
        files += 1
    assert found == [f"n{number}" for number in reversed(range(200))]
    assert files > 1


def test_a_charger_cannot_put_a_formula_into_the_file(world: World, operator: Operator, wire: Wire) -> None:
    wire.send('[2,"=1+1","Dance",{}]')
    world.ctx.afterwards.settle()
    [row] = csv.DictReader(io.StringIO(ask(world, operator, "messages/export", format="csv").body))
    assert row["message_id"] == "'=1+1"


# -- when it cannot be written ----------------------------------------------------------------------------------------


def test_a_store_that_fails_costs_the_log_and_nothing_else(
    world: World, wire: Wire, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    wire.call("Heartbeat", {}, "lost")

    def fail(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        raise AwsError("ThrottlingException", "the store is on fire", 400)

    repair = aws_hooks.register("dynamodb", fail)
    with caplog.at_level(logging.WARNING, logger="wattfare"):
        world.ctx.afterwards.settle()
    repair()
    assert [record.message for record in caplog.records] == ["work after the answer was lost"]
    wire.call("Heartbeat", {}, "kept")
    assert [entry["message_id"] for entry in log()] == ["kept"]


def test_what_the_store_sends_back_is_written_again(world: World, wire: Wire, log: Log) -> None:
    wire.call("Heartbeat", {}, "1")
    wire.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Available"}, "2")
    asked: list[int] = []

    def hesitate(operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation != "BatchWriteItem":
            return world.engine.execute(operation, request)
        [(name, writes)] = request["RequestItems"].items()
        asked.append(len(writes))
        world.engine.execute(operation, {"RequestItems": {name: writes[:1]}})
        return {"UnprocessedItems": {name: writes[1:]} if writes[1:] else {}}

    repair = aws_hooks.register("dynamodb", hesitate)
    world.ctx.afterwards.settle()
    repair()
    assert asked == [2, 1]
    assert len(log()) == 2


def test_frames_of_one_moment_are_all_kept_in_their_order(wire: Wire, log: Log) -> None:
    """Also those of one id, or of none that could be read."""
    for text in ('[2,"b","Heartbeat",{}]', "hello", "world", '[2,"a","Heartbeat",{}]', '[2,"a","Heartbeat",{}]'):
        wire.send(text)
    newest_first = log()
    assert [entry["message_id"] for entry in newest_first] == ["a", "a", "", "", "b"]
    assert [entry["request"] for entry in newest_first[2:4]] == ["world", "hello"]
