"""A process that dies by SIGKILL at a chosen instant: run by test_durability as `python victim.py <file> <instant>`.

Instants: `task` (inside a function), `wait`, `ask` (inside the function that gets the task token), `parked`,
`map` (inside the second iteration), `load` (starts executions, naming each on stdout once it is accepted, until
somebody kills it).
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from tests.contract.stepfunctions.cases import call, chain, step
from tests.contract.stepfunctions.desk import JOURNEY, Desk


def _die(payload: Any = None) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _load(desk: Desk) -> None:
    desk.functions["double"] = lambda payload: {"doubled": payload["n"] * 2}
    desk.runner.register("machine", chain(A=call("double", OutputPath="$.value"), B=step(), C=step()))
    for number in range(100_000):
        desk.runner.start_execution("machine", {"n": number}, f"run-{number}")
        os.write(1, f"{number}\n".encode())
        desk.runner.run_due(limit=4)  # less than an execution needs: a backlog grows


def main(path: str, instant: str) -> None:
    desk = Desk(path)
    if instant == "load":
        _load(desk)
    if instant == "task":
        desk.functions["begin"] = _die
    if instant == "ask":
        desk.functions["ask"] = _die
    desk.start(JOURNEY, {"id": 7, "items": [1, 2, 3]})
    if instant == "wait":
        _die()
    desk.advance(3600)
    sys.stdout.write(desk.task_tokens[0])
    sys.stdout.flush()
    if instant == "parked":
        _die()
    iterations = iter([lambda payload: payload * 2, _die])
    desk.functions["double"] = lambda payload: next(iterations)(payload)
    desk.runner.send_task_success(desk.task_tokens[0], {"ok": True})
    desk.runner.run_due()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
