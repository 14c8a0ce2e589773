"""The API as boto3 sees it: names, task tokens, refusals with the service's own codes, pages, history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from infra.local.stepfunctions import hook
from infra.local.stepfunctions.dataflow import machine_arn
from tests.contract.stepfunctions.cases import ask, chain, fail, step, wait
from tests.contract.stepfunctions.desk import PARKS, Desk

_MACHINE = machine_arn("machine")
_WAITS = chain(W=wait(Seconds=60))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    built = Desk(tmp_path / "workflows.sqlite")
    built.runner.register("machine", PARKS)
    restore = hook.install(built.runner)
    yield built
    restore()
    built.runner.close()


@pytest.fixture
def client(desk: Desk) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client("stepfunctions", region_name="us-east-1", **keys)


def _start(client: Any, name: str = "run", payload: str = "{}") -> str:
    return str(client.start_execution(stateMachineArn=_MACHINE, name=name, input=payload)["executionArn"])


def _refusal(call: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value.response["Error"]["Code"])


def test_starting_twice_is_one_execution_while_it_runs(desk: Desk, client: Any) -> None:
    arn = _start(client, payload='{"a": 1, "b": 2}')
    desk.runner.run_due()
    assert _start(client, payload='{"b":2,"a":1}') == arn
    desk.runner.run_due()
    assert len(desk.calls) == 1
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        _start(client, payload='{"a":2}')
    client.stop_execution(executionArn=arn)
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        _start(client, payload='{"a": 1, "b": 2}')
    assert client.describe_execution(executionArn=arn)["input"] == '{"a":1,"b":2}'


@pytest.mark.parametrize(
    ("request_fields", "code"),
    [
        ({"stateMachineArn": machine_arn("other")}, "StateMachineDoesNotExist"),
        ({"stateMachineArn": "arn:aws:states:us-east-1:000000000000:banana:x"}, "InvalidArn"),
        ({"input": "{"}, "InvalidExecutionInput"),
        ({"input": json.dumps("x" * 262_143)}, "InvalidExecutionInput"),
        ({"name": "has space"}, "InvalidName"),
        ({"name": "x" * 80 + "y"}, "InvalidName"),
        ({"traceHeader": "x"}, "ValidationException"),
    ],
)
def test_start_refuses_and_changes_nothing(desk: Desk, client: Any, request_fields: dict[str, Any], code: str) -> None:
    request = {"stateMachineArn": _MACHINE, "name": "run", **request_fields}
    assert _refusal(client.start_execution, **request) == code
    assert desk.runner.list_executions() == []
    assert desk.runner.next_due() is None


def test_the_largest_input_is_accepted(client: Any) -> None:
    assert _start(client, payload=json.dumps("x" * (262_144 - 2)))


def test_a_task_token_is_good_once(desk: Desk, client: Any) -> None:
    arn = _start(client)
    desk.runner.run_due()
    (token,) = desk.task_tokens
    client.send_task_success(taskToken=token, output='{"first":true}')
    for late in (
        lambda: client.send_task_success(taskToken=token, output='{"second":true}'),
        lambda: client.send_task_failure(taskToken=token, error="Late"),
        lambda: client.send_task_heartbeat(taskToken=token),
    ):
        with pytest.raises(client.exceptions.TaskTimedOut):
            late()
        desk.runner.run_due()
    described = client.describe_execution(executionArn=arn)
    assert (described["status"], described["output"]) == ("SUCCEEDED", '{"first":true}')


def test_a_task_token_dies_with_its_execution(desk: Desk, client: Any) -> None:
    arn = _start(client)
    desk.runner.run_due()
    client.stop_execution(executionArn=arn, error="Enough", cause="of this")
    with pytest.raises(client.exceptions.TaskTimedOut):
        client.send_task_success(taskToken=desk.task_tokens[0], output="{}")
    desk.runner.run_due()
    described = client.describe_execution(executionArn=arn)
    assert (described["status"], described["error"], described["cause"]) == ("ABORTED", "Enough", "of this")
    stopped = client.stop_execution(executionArn=arn, error="Again")
    assert stopped["stopDate"] == described["stopDate"]
    assert client.describe_execution(executionArn=arn)["error"] == "Enough"


def test_unknown_and_malformed_task_tokens(desk: Desk, client: Any) -> None:
    _start(client)
    desk.runner.run_due()
    token = desk.task_tokens[0]
    with pytest.raises(client.exceptions.InvalidToken):
        client.send_task_success(taskToken="banana", output="{}")
    with pytest.raises(client.exceptions.TaskDoesNotExist):
        client.send_task_success(taskToken=token[:-1] + ("A" if token[-1] != "A" else "B"), output="{}")
    with pytest.raises(client.exceptions.InvalidOutput):
        client.send_task_success(taskToken=token, output="{")
    with pytest.raises(client.exceptions.InvalidOutput):
        client.send_task_success(taskToken=token, output=json.dumps("x" * 262_143))
    client.send_task_success(taskToken=token, output="{}")


def test_a_function_may_answer_before_it_returns(desk: Desk, client: Any) -> None:
    desk.functions["ask"] = lambda payload: client.send_task_success(
        taskToken=payload["task_token"], output='{"inline":true}'
    )
    arn = _start(client)
    desk.runner.run_due()
    assert client.describe_execution(executionArn=arn)["output"] == '{"inline":true}'


def test_an_answer_counts_even_if_the_function_fails_after_it(desk: Desk, client: Any) -> None:
    def answers_then_fails(payload: Any) -> None:
        client.send_task_success(taskToken=payload["task_token"], output='{"answered":true}')
        raise ValueError("too late")

    desk.functions["ask"] = answers_then_fails
    arn = _start(client)
    desk.runner.run_due()
    assert client.describe_execution(executionArn=arn)["output"] == '{"answered":true}'


def test_a_function_may_stop_its_own_execution(desk: Desk, client: Any) -> None:
    arn = _start(client)
    desk.functions["ask"] = lambda payload: client.stop_execution(executionArn=arn)
    desk.runner.run_due()
    assert client.describe_execution(executionArn=arn)["status"] == "ABORTED"
    assert desk.runner.next_due() is None


def test_a_function_may_start_executions_and_run_due_does_not_nest(desk: Desk, client: Any) -> None:
    nested: list[int] = []

    def starts(payload: Any) -> None:
        desk.functions["ask"] = lambda payload: None
        _start(client, "second")
        nested.append(desk.runner.run_due())

    desk.functions["ask"] = starts
    _start(client)
    desk.runner.run_due()
    assert nested == [0]
    assert len(desk.calls) == 2


def test_unknown_executions_and_operations(client: Any) -> None:
    arn = machine_arn("machine").replace("stateMachine", "execution") + ":none"
    for operation in (client.describe_execution, client.get_execution_history, client.stop_execution):
        assert _refusal(operation, executionArn=arn) == "ExecutionDoesNotExist"
    assert _refusal(client.describe_execution, executionArn="arn:banana") == "InvalidArn"
    assert _refusal(client.describe_state_machine, stateMachineArn=machine_arn("x")) == "StateMachineDoesNotExist"
    assert _refusal(client.delete_state_machine, stateMachineArn=_MACHINE) == "UnknownOperationException"


def test_lists_in_pages_newest_first(desk: Desk, client: Any) -> None:
    for number in range(5):
        _start(client, f"run-{number}")
    desk.runner.run_due()
    client.send_task_success(taskToken=desk.task_tokens[1], output="{}")
    desk.runner.run_due()
    pages = client.get_paginator("list_executions").paginate(stateMachineArn=_MACHINE, PaginationConfig={"PageSize": 2})
    names = [[execution["name"] for execution in page["executions"]] for page in pages]
    assert names == [["run-4", "run-3"], ["run-2", "run-1"], ["run-0"]]
    running = client.list_executions(stateMachineArn=_MACHINE, statusFilter="RUNNING")["executions"]
    assert [execution["name"] for execution in running] == ["run-4", "run-3", "run-2", "run-0"]


def test_lists_and_describes_machines(desk: Desk, client: Any) -> None:
    desk.runner.register("another", _WAITS)
    listed = client.list_state_machines(maxResults=1)
    assert [machine["name"] for machine in listed["stateMachines"]] == ["another"]
    rest = client.list_state_machines(maxResults=1, nextToken=listed["nextToken"])
    assert [machine["name"] for machine in rest["stateMachines"]] == ["machine"]
    assert "nextToken" not in rest
    described = client.describe_state_machine(stateMachineArn=_MACHINE)
    assert json.loads(described["definition"]) == PARKS
    assert described["status"] == "ACTIVE"


def test_history_tells_the_story_in_pages_and_backwards(desk: Desk, client: Any) -> None:
    arn = _start(client, payload='{"a":1}')
    desk.runner.run_due()
    client.send_task_failure(taskToken=desk.task_tokens[0], error="Refused", cause="no")
    desk.runner.run_due()
    kinds = [
        "ExecutionStarted",
        "TaskStateEntered",
        "TaskScheduled",
        "TaskStarted",
        "TaskSubmitted",
        "TaskFailed",
        "ExecutionFailed",
    ]
    pages = client.get_paginator("get_execution_history").paginate(executionArn=arn, PaginationConfig={"PageSize": 3})
    events = [event for page in pages for event in page["events"]]
    assert [event["type"] for event in events] == kinds
    assert [event["previousEventId"] for event in events] == [0, 0, 2, 3, 4, 5, 6]
    assert events[1]["stateEnteredEventDetails"] == {"name": "Ask", "input": '{"a":1}'}
    assert events[5]["taskFailedEventDetails"]["error"] == "Refused"
    backwards = client.get_execution_history(executionArn=arn, reverseOrder=True, maxResults=2)["events"]
    assert [event["type"] for event in backwards] == kinds[:-3:-1]
    bare = client.get_execution_history(executionArn=arn, includeExecutionData=False)["events"]
    assert bare[1]["stateEnteredEventDetails"] == {"name": "Ask"}


def test_a_running_execution_keeps_the_definition_it_started_with(desk: Desk, client: Any) -> None:
    desk.runner.register("machine", chain(W=wait(Seconds=60), Old=step(Result={"by": "old"})))
    old = _start(client, "old")
    desk.runner.run_due()
    desk.runner.register("machine", chain(New=step(Result={"by": "new"})))
    new = _start(client, "new")
    desk.runner.run_due()
    desk.advance(60)
    assert client.describe_execution(executionArn=new)["output"] == '{"by":"new"}'
    assert client.describe_execution(executionArn=old)["output"] == '{"by":"old"}'


def test_transitions_are_counted_as_billed(desk: Desk, client: Any) -> None:
    arn = _start(client)
    desk.runner.run_due()
    client.send_task_failure(taskToken=desk.task_tokens[0], error="Busy")
    desk.runner.run_due()
    desk.advance(10)
    client.send_task_success(taskToken=desk.task_tokens[1], output="{}")
    desk.runner.run_due()
    # Ask, its retry, Done
    assert client.describe_execution(executionArn=arn)["transitions"] == 3
    assert desk.runner.transitions == 3


def test_a_failing_function_is_named_with_its_story(desk: Desk, client: Any) -> None:
    def breaks(payload: Any) -> None:
        raise KeyError("missing")

    desk.functions["ask"] = breaks
    desk.runner.register("machine", chain(A=ask("ask")))
    arn = _start(client)
    desk.runner.run_due()
    described = client.describe_execution(executionArn=arn)
    story = json.loads(described["cause"])
    assert (described["error"], story["errorType"], story["errorMessage"]) == ("KeyError", "KeyError", "'missing'")
    assert "breaks" in "".join(story["stackTrace"])


def test_a_function_that_returns_no_json_fails_its_task(desk: Desk, client: Any) -> None:
    desk.functions["ask"] = lambda payload: {1, 2}
    arn = _start(client)
    desk.runner.run_due()
    described = client.describe_execution(executionArn=arn)
    assert (described["status"], described["error"]) == ("FAILED", "Runtime.MarshalError")


def test_a_failed_execution_without_a_name_for_it(desk: Desk, client: Any) -> None:
    desk.runner.register("machine", chain(F=fail()))
    arn = _start(client)
    desk.runner.run_due()
    described = client.describe_execution(executionArn=arn)
    assert described["status"] == "FAILED"
    assert not {"error", "cause", "output"} & described.keys()
