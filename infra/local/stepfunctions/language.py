"""From an ASL document to a `Machine`, or to a list of everything that is wrong with it. Pure.

`parse` serves the runner, `validate` the tests that proofread `infra/state_machines/`. Nothing is ignored: an
unknown state type, resource or field is a problem, because the deployed service would refuse or do it, and a
machine that runs here must run there.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from infra.local.stepfunctions import graph
from infra.local.stepfunctions.choice import Branch, parse_branch
from infra.local.stepfunctions.errors import DefinitionError
from infra.local.stepfunctions.fields import FieldReader
from infra.local.stepfunctions.paths import Path, parse_path
from infra.local.stepfunctions.states import (
    Block,
    Catcher,
    Choice,
    Fail,
    Machine,
    Map,
    Parallel,
    Pass,
    Retrier,
    State,
    Succeed,
    Task,
    Wait,
)
from infra.local.stepfunctions.values import Json, JsonObject

_MAX_NAME = 80
_LAMBDA_ARN = re.compile(r"arn:aws[\w-]*:lambda:[\w-]*:\d*:function:[\w-]+(:[\w$-]+)?")
_INVOKE_ARN = "arn:aws:states:::lambda:invoke"
_INVOKE_FIELDS = {"FunctionName", "FunctionName.$", "Payload", "Payload.$"}

_MACHINE = {"Comment", "StartAt", "States", "TimeoutSeconds", "Version", "QueryLanguage"}
_EVERY = {"Type", "Comment", "InputPath", "OutputPath", "QueryLanguage"}
_STEP = {*_EVERY, "Next", "End"}
_WORK = {*_STEP, "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"}
_TIMEOUTS = {"TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath"}
_WAITS = {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"}
_PROCESSORS = {"ItemProcessor", "Iterator"}
_FIELDS: dict[str, set[str]] = {
    "Succeed": _EVERY,
    "Fail": {"Type", "Comment", "QueryLanguage", "Error", "ErrorPath", "Cause", "CausePath"},
    "Choice": {*_EVERY, "Choices", "Default"},
    "Wait": {*_STEP, *_WAITS},
    "Pass": {*_STEP, "Parameters", "Result", "ResultPath"},
    "Task": {*_WORK, *_TIMEOUTS, "Resource"},
    "Map": {*_WORK, *_PROCESSORS, "ItemsPath", "ItemSelector", "MaxConcurrency", "MaxConcurrencyPath"},
    "Parallel": {*_WORK, "Branches"},
}

_WorkParts: TypeAlias = (
    "tuple[str, Path | None, Path | None, str | None, JsonObject | None, JsonObject | None, Path | None,"
    " tuple[Retrier, ...], tuple[Catcher, ...]]"
)


def validate(definition: Json) -> list[str]:
    """Everything wrong with a definition, one sentence each: fields, types, expressions, dangling targets,
    states nobody reaches, states from which no end is reached. Empty when it may be registered."""
    return _Reader().machine(definition)[1]


def parse(name: str, definition: Json) -> Machine:
    """The machine of a definition. DefinitionError with all its problems."""
    machine, problems = _Reader().machine(definition)
    if problems or machine is None:
        raise DefinitionError(name, problems)
    return machine


class _Reader(FieldReader):
    """Reads one definition; states and blocks gather as they are met."""

    def __init__(self) -> None:
        super().__init__()
        self.states: dict[str, State] = {}
        self.blocks: list[Block] = []

    def machine(self, definition: Json) -> tuple[Machine | None, list[str]]:
        if not isinstance(definition, dict):
            return None, ["a definition is a JSON object"]
        where = "the machine"
        self.known_fields(where, definition, _MACHINE)
        if definition.get("Version", "1.0") != "1.0":
            self.problem(where, "Version must be 1.0")
        timeout = self.integer(where, definition, "TimeoutSeconds", low=1)
        start_at = self._block(where, definition)
        machine = Machine(start_at, timeout, self.states, tuple(self.blocks))
        if not self.problems:  # the graph is worth drawing only when every state could be read
            self.problems.extend(graph.problems(machine))
        return machine, self.problems

    def _block(self, where: str, raw: JsonObject) -> str:
        states = raw.get("States")
        if not isinstance(states, dict) or not states:
            self.problem(where, "States must be an object with at least one state")
            states = {}
        start_at = self.text(where, raw, "StartAt")
        if start_at is None:
            self.problem(where, "StartAt is missing")
        self.blocks.append(Block(where, start_at or "", tuple(states)))
        for name, entry in states.items():
            if name in self.states:
                self.problem(name, "a state's name must be unique in the whole machine")
            if not 0 < len(name) <= _MAX_NAME:
                self.problem(name, f"a state's name has 1 to {_MAX_NAME} characters")
            state = self._state(name, entry)
            if state is not None:
                self.states[name] = state
        return start_at or ""

    def _state(self, name: str, raw: Json) -> State | None:
        kind = raw.get("Type") if isinstance(raw, dict) else None
        if not isinstance(raw, dict) or not isinstance(kind, str) or kind not in _FIELDS:
            self.problem(name, f"unknown state type {kind!r}")
            return None
        self.known_fields(name, raw, _FIELDS[kind])
        paths = (self.path(name, raw, "InputPath"), self.path(name, raw, "OutputPath"))
        match kind:
            case "Succeed":
                return Succeed(name, *paths)
            case "Fail":
                return self._fail(name, raw)
            case "Choice":
                return Choice(name, *paths, self._choices(name, raw), self.text(name, raw, "Default"))
            case "Wait":
                return self._wait(name, raw, paths)
            case "Pass":
                result = (raw["Result"],) if "Result" in raw else ()
                parameters = self.template(name, raw, "Parameters")
                following = self.following(name, raw)
                return Pass(name, *paths, following, parameters, result, self.result_path(name, raw))
        return self._work(name, kind, raw, paths)

    def _work(
        self, name: str, kind: str, raw: JsonObject, paths: tuple[Path | None, Path | None]
    ) -> Task | Map | Parallel:
        parts: _WorkParts = (
            name,
            *paths,
            self.following(name, raw),
            self.template(name, raw, "ItemSelector" if "ItemSelector" in raw else "Parameters"),
            self.template(name, raw, "ResultSelector"),
            self.result_path(name, raw),
            self.retriers(name, raw),
            self.catchers(name, raw),
        )
        if kind == "Task":
            return self._task(parts, raw)
        if kind == "Map":
            return self._map(parts, raw)
        branches = self.entries(name, raw, "Branches")
        if not branches:
            self.problem(name, "Branches must have at least one branch")
        return Parallel(*parts, starts=tuple(self._inner_block(label, branch) for label, branch in branches))

    def _inner_block(self, where: str, raw: JsonObject) -> str:
        self.known_fields(where, raw, {"StartAt", "States", "Comment", "ProcessorConfig"})
        config = raw.get("ProcessorConfig", {"Mode": "INLINE"})
        if config not in ({}, {"Mode": "INLINE"}):
            self.problem(where, "ProcessorConfig must be {Mode: INLINE}")
        return self._block(where, raw)

    def _fail(self, name: str, raw: JsonObject) -> Fail:
        for field in ("Error", "Cause"):
            if field in raw and f"{field}Path" in raw:
                self.problem(name, f"{field} and {field}Path exclude each other")
        whole = parse_path("$")
        texts = (self.text(name, raw, "Error"), self.text(name, raw, "Cause"))
        paths = (self.expression(name, raw, "ErrorPath"), self.expression(name, raw, "CausePath"))
        return Fail(name, whole, whole, *texts, *paths)

    def _choices(self, name: str, raw: JsonObject) -> tuple[Branch, ...]:
        branches: list[Branch] = []
        entries = self.entries(name, raw, "Choices")
        if not entries:
            self.problem(name, "Choices must have at least one rule")
        for label, entry in entries:
            try:
                branches.append(parse_branch(entry))
            except ValueError as problem:
                self.problem(label, str(problem))
        return tuple(branches)

    def _wait(self, name: str, raw: JsonObject, paths: tuple[Path | None, Path | None]) -> Wait:
        if len(_WAITS & raw.keys()) != 1:
            self.problem(name, f"needs exactly one of {', '.join(sorted(_WAITS))}")
        seconds = self.setting(name, raw, "Seconds", low=0)
        return Wait(name, *paths, self.following(name, raw), seconds, self.timestamp(name, raw))

    def _task(self, parts: _WorkParts, raw: JsonObject) -> Task:
        name, resource = parts[0], self.text(parts[0], raw, "Resource") or ""
        integration: Literal["function", "invoke", "callback"] = "function"
        if resource.startswith(_INVOKE_ARN):
            integration = "invoke" if resource == _INVOKE_ARN else "callback"
            self._invoke_parameters(name, raw.get("Parameters"))
        if resource not in (_INVOKE_ARN, f"{_INVOKE_ARN}.waitForTaskToken") and not _LAMBDA_ARN.fullmatch(resource):
            self.problem(
                name, f"unknown resource {resource!r} (Lambda ARN, lambda:invoke[.waitForTaskToken] are known)"
            )
        timeout = self.setting(name, raw, "TimeoutSeconds", low=1)
        heartbeat = self.setting(name, raw, "HeartbeatSeconds", low=1)
        if isinstance(timeout, int) and isinstance(heartbeat, int) and heartbeat >= timeout:
            self.problem(name, "HeartbeatSeconds must be below TimeoutSeconds")
        return Task(*parts, integration, resource, timeout, heartbeat)

    def _invoke_parameters(self, name: str, parameters: Json) -> None:
        fields = parameters.keys() if isinstance(parameters, dict) else set()
        if not {"FunctionName", "FunctionName.$"} & fields:
            self.problem(name, "Parameters needs FunctionName")
        for field in fields - _INVOKE_FIELDS:
            self.problem(name, f"Parameters: unknown field {field} (FunctionName and Payload are known)")

    def _map(self, parts: _WorkParts, raw: JsonObject) -> Map:
        name = parts[0]
        if "ItemSelector" in raw and "Parameters" in raw:
            self.problem(name, "ItemSelector and Parameters exclude each other")
        processors = [raw[field] for field in sorted(_PROCESSORS & raw.keys())]
        start_at = ""
        if len(processors) == 1 and isinstance(processors[0], dict):
            start_at = self._inner_block(f"{name}, ItemProcessor", processors[0])
        else:
            self.problem(name, "needs one ItemProcessor (or, in older documents, Iterator)")
        items_path = self.path(name, raw, "ItemsPath")
        if items_path is None:
            self.problem(name, "ItemsPath must not be null")
        return Map(
            *parts,
            items_path=items_path or parse_path("$"),
            max_concurrency=self.setting(name, raw, "MaxConcurrency", low=0) or 0,
            start_at=start_at,
        )
