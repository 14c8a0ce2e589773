"""boto3's `stepfunctions` client, answered by a `Runner`.

For the local platform: `install(runner)` puts it behind every client of the process (`aws_hooks`); the code under
test stays unmodified. Invariant: an operation or parameter that is not served is refused, never ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from infra.local import aws_hooks
from infra.local.aws_hooks import AwsError
from infra.local.stepfunctions.dataflow import ROLE_ARN, execution_arn, machine_arn
from infra.local.stepfunctions.errors import ApiError
from infra.local.stepfunctions.records import Event, Execution, from_us
from infra.local.stepfunctions.runner import Runner
from infra.local.stepfunctions.values import MAX_PAYLOAD_BYTES, Json, from_text

Request = dict[str, Any]
Reply = dict[str, Any]
_Item = TypeVar("_Item")

_MACHINE_PREFIX = machine_arn("")
_EXECUTION_PREFIX = _MACHINE_PREFIX.replace(":stateMachine:", ":execution:")
_MAX_PAGE = 1000
_DATA_FIELDS = ("input", "output", "parameters")


def install(runner: Runner) -> Callable[[], None]:
    """Serves every `stepfunctions` client of this process; returns what undoes it."""
    return aws_hooks.register("stepfunctions", Hook(runner).handle)


class Hook:
    """`handle(operation, request)`: one method per operation of the service."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._operations: dict[str, tuple[Callable[[Request], Reply], set[str]]] = {
            "StartExecution": (self._start, {"stateMachineArn", "name", "input"}),
            "StopExecution": (self._stop, {"executionArn", "error", "cause"}),
            "DescribeExecution": (self._describe, {"executionArn"}),
            "ListExecutions": (self._list, {"stateMachineArn", "statusFilter", "maxResults", "nextToken"}),
            "GetExecutionHistory": (
                self._history,
                {"executionArn", "maxResults", "reverseOrder", "nextToken", "includeExecutionData"},
            ),
            "SendTaskSuccess": (self._success, {"taskToken", "output"}),
            "SendTaskFailure": (self._failure, {"taskToken", "error", "cause"}),
            "SendTaskHeartbeat": (self._heartbeat, {"taskToken"}),
            "ListStateMachines": (self._list_machines, {"maxResults", "nextToken"}),
            "DescribeStateMachine": (self._describe_machine, {"stateMachineArn"}),
        }

    def handle(self, operation: str, request: Request) -> Reply:
        """The service's reply. AwsError with the service's own code for everything it refuses."""
        if operation not in self._operations:
            raise AwsError("UnknownOperationException", f"{operation} is not served locally")
        serve, known = self._operations[operation]
        unknown = sorted(request.keys() - known)
        if unknown:
            raise AwsError("ValidationException", f"{operation}: {', '.join(unknown)} is not served locally")
        try:
            return serve(request)
        except ApiError as refusal:
            raise AwsError(refusal.code, refusal.message) from refusal

    def _start(self, request: Request) -> Reply:
        payload = _json(request.get("input", "{}"), "InvalidExecutionInput")
        name = _machine_name(request["stateMachineArn"])
        execution = self._runner.start_execution(name, payload, request.get("name"))
        return {"executionArn": execution_arn(execution), "startDate": from_us(execution.started_us)}

    def _stop(self, request: Request) -> Reply:
        names = _execution_names(request["executionArn"])
        execution = self._runner.stop_execution(*names, request.get("error"), request.get("cause"))
        return {"stopDate": from_us(execution.stopped_us or execution.started_us)}

    def _describe(self, request: Request) -> Reply:
        execution = self._runner.describe_execution(*_execution_names(request["executionArn"]))
        reply = {**_summary(execution), "input": execution.input, "transitions": execution.transitions}
        for field in ("output", "error", "cause"):
            if (value := getattr(execution, field)) is not None:
                reply[field] = value
        return reply

    def _list(self, request: Request) -> Reply:
        machine = _machine_name(request["stateMachineArn"]) if "stateMachineArn" in request else None
        limit = request.get("maxResults") or 100
        found = self._runner.list_executions(
            machine, request.get("statusFilter"), _page_token(request) or None, limit + 1
        )
        page, token = _page(found, limit, lambda execution: execution.id)
        return {"executions": [_summary(execution) for execution in page], **token}

    def _history(self, request: Request) -> Reply:
        names = _execution_names(request["executionArn"])
        limit = request.get("maxResults") or 100
        newest_first = request.get("reverseOrder", False)
        found = self._runner.get_execution_history(*names, _page_token(request), limit + 1, newest_first)
        page, token = _page(found, limit, lambda event: event.id)
        with_data = request.get("includeExecutionData", True)
        return {"events": [_event(event, with_data) for event in page], **token}

    def _success(self, request: Request) -> Reply:
        self._runner.send_task_success(request["taskToken"], _json(request["output"], "InvalidOutput"))
        return {}

    def _failure(self, request: Request) -> Reply:
        self._runner.send_task_failure(request["taskToken"], request.get("error"), request.get("cause"))
        return {}

    def _heartbeat(self, request: Request) -> Reply:
        self._runner.send_task_heartbeat(request["taskToken"])
        return {}

    def _list_machines(self, request: Request) -> Reply:
        limit, start = request.get("maxResults") or 100, _page_token(request)
        found = list(enumerate(self._runner.list_machines(), 1))[start : start + limit + 1]
        page, token = _page(found, limit, lambda numbered: numbered[0])
        return {
            "stateMachines": [
                {"stateMachineArn": machine_arn(name), "name": name, "type": "STANDARD", "creationDate": created}
                for _, (name, created) in page
            ],
            **token,
        }

    def _describe_machine(self, request: Request) -> Reply:
        name = _machine_name(request["stateMachineArn"])
        definition, created = self._runner.definition(name)
        return {
            "stateMachineArn": machine_arn(name),
            "name": name,
            "status": "ACTIVE",
            "definition": definition,
            "roleArn": ROLE_ARN,
            "type": "STANDARD",
            "creationDate": created,
        }


def _json(text: str, code: str) -> Json:
    if len(text.encode()) > MAX_PAYLOAD_BYTES:
        raise AwsError(code, f"the text is larger than {MAX_PAYLOAD_BYTES} bytes")
    try:
        return from_text(text)
    except ValueError as problem:
        raise AwsError(code, f"not JSON: {problem}") from problem


def _machine_name(arn: str) -> str:
    if not arn.startswith(_MACHINE_PREFIX):
        raise AwsError("InvalidArn", f"Invalid Arn: '{arn}' is no state machine of {_MACHINE_PREFIX}")
    return arn.removeprefix(_MACHINE_PREFIX)


def _execution_names(arn: str) -> tuple[str, str]:
    """(machine, execution) of an ARN."""
    machine, colon, name = arn.removeprefix(_EXECUTION_PREFIX).partition(":")
    if not arn.startswith(_EXECUTION_PREFIX) or not colon:
        raise AwsError("InvalidArn", f"Invalid Arn: '{arn}' is no execution of {_EXECUTION_PREFIX}")
    return machine, name


def _page_token(request: Request) -> int:
    """Where the page before ended; 0 for the first."""
    text = request.get("nextToken", "0")
    if not text.isdecimal():
        raise AwsError("InvalidToken", "Invalid Token: 'Invalid token'")
    return int(text)


def _page(found: list[_Item], limit: int, key: Callable[[_Item], int]) -> tuple[list[_Item], Reply]:
    """The first `limit` of what was found, and the token of the next page if more was found."""
    if not 0 < limit <= _MAX_PAGE:
        raise AwsError("ValidationException", f"maxResults must be from 1 to {_MAX_PAGE}")
    page = found[:limit]
    return page, {"nextToken": str(key(page[-1]))} if len(found) > limit else {}


def _summary(execution: Execution) -> Reply:
    reply: Reply = {
        "executionArn": execution_arn(execution),
        "stateMachineArn": machine_arn(execution.machine),
        "name": execution.name,
        "status": str(execution.status),
        "startDate": from_us(execution.started_us),
    }
    if execution.stopped_us is not None:
        reply["stopDate"] = from_us(execution.stopped_us)
    return reply


def _event(event: Event, with_data: bool) -> Reply:
    reply: Reply = {
        "id": event.id,
        "previousEventId": event.previous,
        "timestamp": from_us(event.at_us),
        "type": event.type,
    }
    # The service's model has one details field for all states entered, one for all left, and one per other type.
    kind = next((common for common in ("StateEntered", "StateExited") if event.type.endswith(common)), event.type)
    details = {key: value for key, value in event.details.items() if with_data or key not in _DATA_FIELDS}
    if details:
        reply[f"{kind[0].lower()}{kind[1:]}EventDetails"] = details
    return reply
