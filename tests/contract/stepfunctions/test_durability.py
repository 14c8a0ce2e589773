"""A process killed by SIGKILL at any instant, and the one that opens the file after it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.contract.stepfunctions.desk import JOURNEY, START, Desk

_ROOT = Path(__file__).parents[3]
_OUTPUT = {
    "id": 7,
    "items": [1, 2, 3],
    "begun": {"value": 7},
    "answer": {"ok": True},
    "doubled": [{"value": 2}, {"value": 4}, {"value": 6}],
}


def _victim(path: Path, instant: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contract.stepfunctions.victim", str(path), instant],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


# For each instant: whether the token that is answered is the dead process's (else that of the new one, or none
# because it was answered already), and what the new process calls.
@pytest.mark.parametrize(
    ("instant", "answered", "called"),
    [
        ("task", "new", ["begin", "ask", "double", "double", "double"]),
        ("wait", "new", ["ask", "double", "double", "double"]),
        ("ask", "new", ["ask", "double", "double", "double"]),
        ("parked", "old", ["double", "double", "double"]),
        ("map", "none", ["double", "double"]),
    ],
)
def test_goes_on_after_kill(tmp_path: Path, instant: str, answered: str, called: list[str]) -> None:
    path = tmp_path / "workflows.sqlite"
    victim = _victim(path, instant)
    printed, _ = victim.communicate(timeout=30)
    assert victim.returncode == -signal.SIGKILL
    late = START if instant in ("task", "wait") else START + timedelta(seconds=3600)
    desk = Desk(path, late)
    assert desk.described()[0] == "RUNNING"
    if answered != "new":
        desk.runner.run_due()
    if answered == "old":
        desk.runner.send_task_success(printed, {"ok": True})
        desk.runner.run_due()
    if answered == "new":
        desk.runner.run_due()
        if instant != "ask":
            desk.advance(3600)
        desk.runner.send_task_success(desk.task_tokens[-1], {"ok": True})
        desk.runner.run_due()
    status, output, error = desk.described()
    assert (status, json.loads(output or "null"), error) == ("SUCCEEDED", _OUTPUT, None)
    assert [function for function, _ in desk.calls] == called


def test_the_uncut_journey_has_the_same_output(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "workflows.sqlite")
    desk.start(JOURNEY, {"id": 7, "items": [1, 2, 3]})
    desk.advance(3600)
    desk.runner.send_task_success(desk.task_tokens[0], {"ok": True})
    desk.runner.run_due()
    assert json.loads(desk.described()[1] or "null") == _OUTPUT


@pytest.mark.parametrize("accepted", [3, 40, 150])
def test_no_accepted_execution_is_lost_under_load(tmp_path: Path, accepted: int) -> None:
    path = tmp_path / "workflows.sqlite"
    victim = _victim(path, "load")
    assert victim.stdout is not None
    started = [int(victim.stdout.readline()) for _ in range(accepted)]
    victim.kill()
    rest, _ = victim.communicate(timeout=30)
    started += [int(line) for line in rest.splitlines()]
    desk = Desk(path)
    desk.functions["double"] = lambda payload: {"doubled": payload["n"] * 2}
    while desk.runner.run_due():
        pass
    for number in started:
        assert desk.described(f"run-{number}") == ("SUCCEEDED", f'{{"doubled":{number * 2}}}', None)
    assert len(started) >= accepted
