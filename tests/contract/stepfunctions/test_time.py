"""Waits, timeouts, heartbeats and retry pauses on a clock that moves when told to; limits; many executions."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kernel.clock import to_rfc3339
from infra.local.stepfunctions.errors import ApiError
from infra.local.stepfunctions.runner import Runner
from tests.contract.stepfunctions.cases import ask, call, chain, step, wait
from tests.contract.stepfunctions.desk import PARKS, START, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "workflows.sqlite")


def test_a_wait_ends_at_its_second_and_not_before(desk: Desk) -> None:
    desk.start(chain(W=wait(Seconds=60), X=step()))
    assert desk.runner.next_due() == START + timedelta(seconds=60)
    assert desk.advance(59.999) == 0
    assert desk.described()[0] == "RUNNING"
    assert desk.advance(0.001) > 0
    assert desk.described()[0] == "SUCCEEDED"
    assert desk.runner.next_due() is None


@pytest.mark.parametrize("fields", [{"Timestamp": "2026-03-01T14:00:00+01:00"}, {"TimestampPath": "$.at"}])
def test_a_wait_until_a_moment(desk: Desk, fields: dict[str, Any]) -> None:
    desk.start(chain(W=wait(**fields)), {"at": to_rfc3339(START + timedelta(hours=1))})
    assert desk.runner.next_due() == START + timedelta(hours=1)
    desk.advance(3600)
    assert desk.described()[0] == "SUCCEEDED"


def test_a_task_token_after_the_timeout_is_refused_even_before_anybody_looked(desk: Desk) -> None:
    desk.start(chain(A=ask("ask", TimeoutSeconds=600)))
    desk.clock.advance(600)
    with pytest.raises(ApiError, match="TaskTimedOut"):
        desk.runner.send_task_success(desk.task_tokens[0], {})
    desk.runner.run_due()
    assert desk.described() == ("FAILED", None, "States.Timeout")


def test_an_answer_in_the_last_moment_counts(desk: Desk) -> None:
    desk.start(chain(A=ask("ask", TimeoutSeconds=600)))
    desk.clock.advance(599.999)
    desk.runner.send_task_success(desk.task_tokens[0], {"just": "in time"})
    desk.advance(1000)
    assert desk.described() == ("SUCCEEDED", '{"just":"in time"}', None)


def test_heartbeats_keep_a_task_until_its_timeout(desk: Desk) -> None:
    desk.start(PARKS)
    for _ in range(6):
        desk.advance(99)
        desk.runner.send_task_heartbeat(desk.task_tokens[0])
    assert desk.described()[0] == "RUNNING"
    assert desk.runner.next_due() == START + timedelta(seconds=600)
    desk.advance(6)
    assert desk.described() == ("FAILED", None, "States.Timeout")


def test_a_missing_heartbeat_is_caught_by_its_name(desk: Desk) -> None:
    desk.start(PARKS)
    desk.advance(100)
    assert desk.described() == ("SUCCEEDED", '"silent"', None)


def test_timeouts_from_the_data(desk: Desk) -> None:
    task = ask("ask", TimeoutSecondsPath="$.t", HeartbeatSecondsPath="$.h")
    desk.start(chain(A=task), {"t": 50, "h": 20})
    assert desk.runner.next_due() == START + timedelta(seconds=20)
    desk.runner.register("machine", chain(A=task))
    desk.runner.start_execution("machine", {"t": "soon", "h": 1}, "bad")
    desk.runner.run_due()
    assert desk.described("bad") == ("FAILED", None, "States.Runtime")


def test_retry_pauses_grow_to_their_limit_and_every_attempt_has_its_own_task_token(desk: Desk) -> None:
    desk.start(PARKS)
    pauses = []
    for _ in range(4):
        desk.runner.send_task_failure(desk.task_tokens[-1], "Busy")
        desk.runner.run_due()
        due = desk.runner.next_due()
        assert due is not None
        pauses.append((due - desk.clock.now()).total_seconds())
        desk.advance(pauses[-1])
    assert pauses == [10, 30, 60, 60]
    assert len(set(desk.task_tokens)) == 5
    with pytest.raises(ApiError, match="TaskTimedOut"):
        desk.runner.send_task_success(desk.task_tokens[0], {})
    desk.runner.send_task_failure(desk.task_tokens[-1], "Busy")
    desk.runner.run_due()
    assert desk.described() == ("FAILED", None, "Busy")


def test_a_function_that_outlasts_its_timeout_has_timed_out(desk: Desk) -> None:
    desk.functions["slow"] = lambda payload: desk.clock.advance(61) and None
    desk.start(chain(A=call("slow", TimeoutSeconds=60)))
    assert desk.described() == ("FAILED", None, "States.Timeout")


def test_the_machine_s_own_timeout_ends_everything(desk: Desk) -> None:
    desk.start({**chain(A=ask("ask"), B=step()), "TimeoutSeconds": 3600})
    assert desk.runner.next_due() == START + timedelta(seconds=3600)
    desk.advance(3600)
    assert desk.described()[0] == "TIMED_OUT"
    with pytest.raises(ApiError, match="TaskTimedOut"):
        desk.runner.send_task_success(desk.task_tokens[0], {})


def test_a_jump_of_the_clock_is_worked_off_in_the_order_of_time(desk: Desk) -> None:
    desk.runner.register("machine", chain(W=wait(SecondsPath="$"), B=call("begin", {"id.$": "$"})))
    for seconds in (300, 100, 200):
        desk.runner.start_execution("machine", seconds, f"run-{seconds}")
    desk.runner.run_due()
    desk.advance(1000)
    assert [payload["id"] for _, payload in desk.calls] == [100, 200, 300]


def test_an_endless_loop_ends_at_the_service_s_limit_of_events(desk: Desk) -> None:
    loop = {
        "StartAt": "Again",
        "States": {
            "Again": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.stop", "BooleanEquals": True, "Next": "Done"}],
                "Default": "Again",
            },
            "Done": {"Type": "Succeed"},
        },
    }
    desk.start(loop, {"stop": False})
    assert desk.described()[0] == "RUNNING"  # one call of run_due is bounded
    for _ in range(10):
        desk.runner.run_due()
    assert desk.described() == ("FAILED", None, "States.Runtime")
    assert desk.runner.describe_execution("machine", "run").events <= 25_000


def test_too_much_data_fails_and_only_its_own_name_catches_it(desk: Desk) -> None:
    desk.functions["big"] = lambda payload: "x" * 262_144

    def caught_by(name: str) -> tuple[str, str | None, str | None]:
        catch = [{"ErrorEquals": [name], "Next": "R", "ResultPath": None}]
        big = {**call("big", Catch=catch), "Next": "D"}
        desk.runner.register("machine", chain(A=big, D=step(), R=step(Result="rescued", End=True)))
        desk.runner.start_execution("machine", {}, name)
        desk.runner.run_due()
        return desk.described(name)

    assert caught_by("States.ALL") == ("FAILED", None, "States.DataLimitExceeded")
    assert caught_by("States.DataLimitExceeded") == ("SUCCEEDED", '"rescued"', None)


def test_a_map_runs_no_more_than_forty_at_a_time(desk: Desk) -> None:
    each = {"Type": "Map", "ItemProcessor": chain(A=ask("ask", {"n.$": "$"}))}
    desk.start(chain(M=each), list(range(100)))
    assert len(desk.task_tokens) == 40
    answered = 0
    while answered < 100:
        desk.runner.send_task_success(desk.task_tokens[answered], desk.calls[answered][1]["n"])
        answered += 1
        desk.runner.run_due()
        assert len(desk.task_tokens) == min(100, 40 + answered)
    assert json.loads(desk.described()[1] or "null") == list(range(100))


def test_a_failed_branch_ends_its_siblings_while_the_execution_goes_on(desk: Desk) -> None:
    desk.functions["boom"] = lambda payload: 1 // 0
    both = {
        "Type": "Parallel",
        "Branches": [chain(A=ask("ask")), chain(B=call("boom"))],
        "Catch": [{"ErrorEquals": ["ZeroDivisionError"], "Next": "Later", "ResultPath": None}],
        "Next": "Later",
    }
    desk.start(chain(P=both, Later=wait(Seconds=60)), "kept")
    assert desk.described()[0] == "RUNNING"
    with pytest.raises(ApiError, match="TaskTimedOut"):
        desk.runner.send_task_success(desk.task_tokens[0], {})
    desk.advance(60)
    assert desk.described() == ("SUCCEEDED", '"kept"', None)


def test_a_map_whose_selector_fails_opens_nothing(desk: Desk) -> None:
    selector = {"v.$": "$$.Map.Item.Value.n"}
    each = {"Type": "Map", "ItemSelector": selector, "ItemProcessor": chain(A=call("begin"))}
    desk.start(chain(M=each), [{"n": 1}, {}])
    assert desk.described() == ("FAILED", None, "States.Runtime")
    assert desk.calls == []


def test_two_hundred_executions_one_after_another(desk: Desk) -> None:
    desk.runner.register("machine", chain(A=call("double", {"n.$": "$"}, OutputPath="$.value")))
    desk.functions["double"] = lambda payload: payload["n"] * 2
    for number in range(200):
        desk.runner.start_execution("machine", number, f"run-{number}")
    desk.runner.run_due()
    for number in range(200):
        assert desk.described(f"run-{number}") == ("SUCCEEDED", str(number * 2), None)
    assert desk.runner.transitions == 200


def test_what_ended_is_forgotten_after_ninety_days(desk: Desk, tmp_path: Path) -> None:
    desk.start(chain(A=step()))
    desk.runner.register("machine", chain(W=wait(Seconds=60)))
    desk.runner.start_execution("machine", {}, "waiting")
    desk.runner.run_due()
    desk.runner.close()
    later = START + timedelta(days=91)
    reopened = Runner(tmp_path / "workflows.sqlite", lambda: later, lambda function, payload: None)
    assert [execution.name for execution in reopened.list_executions()] == ["waiting"]
    reopened.run_due()
    assert str(reopened.describe_execution("machine", "waiting").status) == "SUCCEEDED"
