"""What `register` refuses and `validate` reports; and what moto cannot run but the language knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.local.stepfunctions.errors import ApiError, DefinitionError
from infra.local.stepfunctions.language import validate
from tests.contract.stepfunctions.cases import INVOKE, ask, call, chain, end, fail, step, wait
from tests.contract.stepfunctions.desk import JOURNEY, PARKS, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "workflows.sqlite")


def _choice(**rule: Any) -> dict[str, Any]:
    choice = {"Type": "Choice", "Choices": [{"Next": "B", **rule}], "Default": "B"}
    return {"StartAt": "A", "States": {"A": choice, "B": end()}}


def _retry(**fields: Any) -> dict[str, Any]:
    return chain(A=call("f", Retry=[{"ErrorEquals": ["States.ALL"], **fields}]))


_MAP = {"Type": "Map", "ItemProcessor": chain(X=step())}

# name -> (definition, words of the problem)
REFUSED: dict[str, tuple[Any, str]] = {
    "no-object": ([], "a definition is a JSON object"),
    "no-start": ({"States": {"A": end()}}, "StartAt is missing"),
    "no-states": ({"StartAt": "A"}, "States must be an object"),
    "start-nowhere": ({"StartAt": "B", "States": {"A": end()}}, "StartAt names 'B'"),
    "unknown-machine-field": ({**chain(A=end()), "Timeout": 5}, "unknown field Timeout"),
    "unknown-type": (chain(A={"Type": "Sleep"}), "unknown state type 'Sleep'"),
    "unknown-field": (chain(A=wait(Seconds=1, Minutes=2)), "unknown field Minutes"),
    "field-of-another-type": (chain(A=step(Seconds=1)), "unknown field Seconds"),
    "jsonata": ({**chain(A=end()), "QueryLanguage": "JSONata"}, "QueryLanguage must be JSONPath"),
    "assign": (chain(A=step(Assign={"x": 1})), "unknown field Assign"),
    "unknown-resource": (
        chain(A={"Type": "Task", "Resource": "arn:aws:states:::dynamodb:putItem"}),
        "unknown resource 'arn:aws:states:::dynamodb:putItem'",
    ),
    "unresolved-resource": (chain(A={"Type": "Task", "Resource": "${Function}"}), "unknown resource"),
    "sync-lambda": (chain(A={**call("f"), "Resource": f"{INVOKE}.sync"}), "unknown resource"),
    "no-function-name": (chain(A={**call("f"), "Parameters": {"Payload": 1}}), "needs FunctionName"),
    "event-invocation": (
        chain(A={**call("f"), "Parameters": {"FunctionName": "f", "InvocationType": "Event"}}),
        "unknown field InvocationType",
    ),
    "dangling-next": (chain(A=step(Next="B"), C=end()), "A: leads to 'B'"),
    "dangling-catch": (chain(A=call("f", Catch=[{"ErrorEquals": ["E"], "Next": "Z"}])), "A: leads to 'Z'"),
    "into-another-block": (chain(M=_MAP, Z=step(Next="X")), "Z: leads to 'X'"),
    "unreachable": (chain(A=end(), B=end()), "B: no state leads here"),
    "endless": (
        {"StartAt": "A", "States": {"A": step(Next="B"), "B": step(Next="A")}},
        "A: no end can be reached from here",
    ),
    "next-and-end": (chain(A={**step(), "Next": "B", "End": True}, B=end()), "needs either Next or End"),
    "neither-next-nor-end": ({"StartAt": "A", "States": {"A": step()}}, "needs either Next or End"),
    "same-name-twice": (
        chain(X=step(), P={"Type": "Parallel", "Branches": [chain(X=step())]}),
        "X: a state's name must be unique",
    ),
    "long-name": (chain(**{"x" * 81: end()}), "1 to 80 characters"),
    "wait-for-nothing": (chain(A=wait()), "needs exactly one of"),
    "wait-for-two": (chain(A=wait(Seconds=1, SecondsPath="$.s")), "needs exactly one of"),
    "wait-backwards": (chain(A=wait(Seconds=-1)), "Seconds must be a whole number"),
    "wait-until-words": (chain(A=wait(Timestamp="2026-03-01 12:00")), "RFC 3339"),
    "timeout-zero": (chain(A=call("f", TimeoutSeconds=0)), "TimeoutSeconds must be a whole number"),
    "timeout-twice": (
        chain(A=call("f", TimeoutSeconds=1, TimeoutSecondsPath="$.t")),
        "TimeoutSeconds and TimeoutSecondsPath exclude each other",
    ),
    "heartbeat-too-slow": (
        chain(A=ask("f", TimeoutSeconds=5, HeartbeatSeconds=5)),
        "HeartbeatSeconds must be below TimeoutSeconds",
    ),
    "bad-path": (chain(A=step(InputPath="a.b")), "InputPath: 'a.b' is not a path"),
    "filter-path": (chain(A=step(InputPath="$.a[?(@.b>1)]")), "filters and functions are not supported"),
    "result-path-of-many": (chain(A=step(ResultPath="$.a[*]")), "not a reference path"),
    "result-path-of-context": (chain(A=step(ResultPath="$$.a")), "not a reference path"),
    "bad-expression": (chain(A=step(Parameters={"x.$": "a"})), "neither a path"),
    "unknown-intrinsic": (chain(A=step(Parameters={"x.$": "States.Now()"})), "no intrinsic function States.Now"),
    "intrinsic-arity": (chain(A=step(Parameters={"x.$": "States.MathAdd(1)"})), "takes 2 to 2 arguments"),
    "intrinsic-open": (chain(A=step(Parameters={"l": [{"x.$": "States.Array(1"}]})), "expected ',' or ')'"),
    "intrinsic-rest": (chain(A=step(Parameters={"x.$": "States.UUID() + 1"})), "unexpected"),
    "same-field-twice": (chain(A=step(Parameters={"x": 1, "x.$": "$"})), "name the same field"),
    "unknown-operator": (_choice(Variable="$.a", StringLike="x"), "one known operator"),
    "two-operators": (_choice(Variable="$.a", IsNull=True, IsString=True), "one known operator"),
    "no-variable": (_choice(IsNull=True), "one known operator"),
    "operand-of-wrong-type": (_choice(Variable="$.a", NumericEquals="5"), "cannot compare with '5'"),
    "timestamp-operand": (_choice(Variable="$.a", TimestampEquals="noon"), "cannot compare with 'noon'"),
    "no-choices": ({"StartAt": "A", "States": {"A": {"Type": "Choice", "Choices": []}}}, "at least one rule"),
    "empty-and": (_choice(And=[]), "non-empty array"),
    "retry-no-errors": (chain(A=call("f", Retry=[{}])), "ErrorEquals must be"),
    "retry-all-not-alone": (_retry(ErrorEquals=["States.ALL", "E"]), "must stand alone and last"),
    "retry-all-not-last": (
        chain(A=call("f", Retry=[{"ErrorEquals": ["States.ALL"]}, {"ErrorEquals": ["E"]}])),
        "must stand alone and last",
    ),
    "retry-backoff": (_retry(BackoffRate=0.5), "BackoffRate"),
    "retry-delay": (_retry(IntervalSeconds=10, MaxDelaySeconds=10), "MaxDelaySeconds must be above"),
    "retry-jitter": (_retry(JitterStrategy="SOME"), "JitterStrategy"),
    "retry-on-pass": (chain(A=step(Retry=[])), "unknown field Retry"),
    "catch-without-next": (chain(A=call("f", Catch=[{"ErrorEquals": ["E"]}])), "needs Next"),
    "distributed-map": (
        chain(M={**_MAP, "ItemProcessor": {**chain(X=step()), "ProcessorConfig": {"Mode": "DISTRIBUTED"}}}),
        "ProcessorConfig must be",
    ),
    "tolerant-map": (chain(M={**_MAP, "ToleratedFailurePercentage": 5}), "unknown field ToleratedFailurePercentage"),
    "map-of-nothing": (chain(M={"Type": "Map"}), "needs one ItemProcessor"),
    "parallel-of-nothing": (chain(P={"Type": "Parallel", "Branches": []}), "at least one branch"),
    "fail-twice": (chain(F=fail(Error="E", ErrorPath="$.e")), "Error and ErrorPath exclude each other"),
    "version": ({**chain(A=end()), "Version": "2.0"}, "Version must be 1.0"),
}
REFUSED["dangling-default"] = (
    {
        "StartAt": "A",
        "States": {"A": {**_choice(Variable="$.a", IsNull=True)["States"]["A"], "Default": "C"}, "B": end()},
    },
    "A: leads to 'C'",
)


@pytest.mark.parametrize("name", REFUSED)
def test_refuses(desk: Desk, name: str) -> None:
    definition, words = REFUSED[name]
    problems = validate(definition)
    assert any(words in problem for problem in problems), problems
    with pytest.raises(DefinitionError):
        desk.runner.register("machine", definition)
    with pytest.raises(ApiError, match="StateMachineDoesNotExist"):
        desk.runner.start_execution("machine", {})


def test_reports_every_problem_at_once() -> None:
    problems = validate(chain(A=wait(Minutes=1), B={"Type": "Nap"}, C=step(InputPath="x")))
    assert len(problems) == 4


def test_what_the_suite_runs_is_sound() -> None:
    assert validate(JOURNEY) == []
    assert validate(PARKS) == []


def test_a_refused_definition_leaves_the_old_one(desk: Desk) -> None:
    desk.runner.register("machine", chain(A=step(Result=1)))
    with pytest.raises(DefinitionError, match="unknown field Nonsense"):
        desk.runner.register("machine", chain(A=step(Nonsense=1)))
    desk.runner.start_execution("machine", {}, "run")
    desk.runner.run_due()
    assert desk.described() == ("SUCCEEDED", "1", None)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("States.Array(null, 1.5, -2e1)", "[null,1.5,-20.0]"),
        ("States.MathAdd(1.5, -1)", "1"),
        ("States.Format('null is {}', null)", '"null is null"'),
        (r"States.Format('{}', 'a\'b\\c')", r'"a' + "'" + r'b\\c"'),
        ("States.Array()", "[]"),
        ("$['a.b'][0]", "1"),
    ],
)
def test_expressions_that_moto_cannot_read(desk: Desk, expression: str, value: str) -> None:
    desk.start(chain(A=step(Parameters={"v.$": expression})), {"a.b": [1]})
    assert desk.described() == ("SUCCEEDED", '{"v":' + value + "}", None)


def _accepts(desk: Desk, depth: int) -> bool:
    """Starts `deep` with arrays nested that deep, if the interpreter's own JSON can write them."""
    deep: Any = 1
    for _ in range(depth):
        deep = [deep]
    try:
        desk.runner.start_execution("machine", deep, "deep")
    except ApiError:
        return False
    return True


def test_a_document_too_deep_for_its_path_fails_alone(desk: Desk) -> None:
    desk.runner.register("machine", chain(A=step(Parameters={"v.$": "$..n"})))
    assert any(_accepts(desk, depth) for depth in range(950, 500, -10))
    desk.runner.start_execution("machine", {"n": 5}, "flat")
    desk.runner.run_due()
    assert desk.described("deep")[0] == "FAILED"
    assert desk.described("flat") == ("SUCCEEDED", '{"v":[5]}', None)
