"""Cases: every comparison operator of Choice on values of every type, and the ways to combine rules."""

from __future__ import annotations

from typing import Any

from tests.contract.stepfunctions.cases import Case, State, step

_VALUES: dict[str, Any] = {
    "text": "beta",
    "number": 5,
    "fraction": 5.5,
    "yes": True,
    "no": False,
    "null": None,
    "time": "2026-03-01T12:00:00Z",
    "same-time": "2026-03-01T13:00:00+01:00",
    "list": [1],
}
_OPERANDS: dict[str, Any] = {"String": "beta", "Numeric": 5, "Boolean": True, "Timestamp": "2026-03-01T12:00:00Z"}
_ORDERS = ("Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
_TYPE_TESTS = ("IsNull", "IsNumeric", "IsString", "IsBoolean", "IsTimestamp", "IsPresent")


def _survey(rule: State) -> State:
    """Applies one rule to every value by a Map, so that one execution answers for all of them."""
    decide = {"Type": "Choice", "Choices": [{**rule, "Next": "Yes"}], "Default": "No"}
    processor = {
        "StartAt": "Decide",
        "States": {"Decide": decide, "Yes": step(Result=True, End=True), "No": step(Result=False, End=True)},
    }
    survey = {
        "Type": "Map",
        "ItemsPath": "$.values",
        "ItemSelector": {"v.$": "$$.Map.Item.Value", "operand.$": "$.operand"},
        "ItemProcessor": processor,
        "End": True,
    }
    return {"StartAt": "Survey", "States": {"Survey": survey}}


def _on_all(name: str, operator: str, constant: Any, operand: Any = None) -> Case:
    rule = {"Variable": "$.v", operator: constant}
    payload = {"values": list(_VALUES.values()), "operand": operand}
    return Case(name, _survey(rule), payload, unordered=True)


def _on(name: str, payload: Any, *rules: State, default: bool = True) -> Case:
    """One Choice with these rules; the output says which one was taken."""
    choices = [{**rule, "Next": f"Rule{at}"} for at, rule in enumerate(rules)]
    states: dict[str, State] = {
        "Decide": {"Type": "Choice", "Choices": choices, **({"Default": "Default"} if default else {})},
        **{f"Rule{at}": step(Result={"rule": at}, End=True) for at in range(len(rules))},
    }
    if default:
        states["Default"] = step(Result={"rule": None}, End=True)
    return Case(name, {"StartAt": "Decide", "States": states}, payload)


_OPERATORS = [(kind, order) for kind in _OPERANDS for order in _ORDERS if kind != "Boolean" or order == "Equals"]
_SMALL = {"Variable": "$.n", "NumericLessThan": 3}
_A = {"Variable": "$.s", "StringEquals": "a"}
_MISSING = {"Variable": "$.missing", "StringEquals": "a"}


def _matches(name: str, text: str, pattern: str) -> Case:
    return _on(name, {"s": text}, {"Variable": "$.s", "StringMatches": pattern})


CASES = [
    *(_on_all(f"choice-{kind}{order}", f"{kind}{order}", _OPERANDS[kind]) for kind, order in _OPERATORS),
    *(
        _on_all(f"choice-{kind}{order}Path", f"{kind}{order}Path", "$.operand", _OPERANDS[kind])
        for kind, order in _OPERATORS
    ),
    *(
        _on_all(f"choice-{test}-{str(wanted).lower()}", test, wanted)
        for test in _TYPE_TESTS
        for wanted in (True, False)
    ),
    _on_all("choice-BooleanEquals-false", "BooleanEquals", False),
    _on_all("choice-path-other-type", "NumericEqualsPath", "$.operand", "five"),
    _matches("matches-exact", "log-1.txt", "log-1.txt"),
    _matches("matches-star", "log-1.txt", "log-*.txt"),
    _matches("matches-stars", "a/b/c", "*/b/*"),
    _matches("matches-nothing", "log", "log*"),
    _matches("matches-dot-is-a-dot", "logX", "log."),
    _matches("matches-escaped-star", "a*b", r"a\*b"),
    _matches("matches-escaped-star-not", "axb", r"a\*b"),
    _on("choice-first-wins", {"n": 1, "s": "a"}, _SMALL, _A),
    _on("choice-second", {"n": 9, "s": "a"}, _SMALL, _A),
    _on("choice-default", {"n": 9, "s": "b"}, _SMALL, _A),
    _on("choice-none", {"n": 9, "s": "b"}, _SMALL, _A, default=False),
    _on("choice-and", {"n": 1, "s": "a"}, {"And": [_SMALL, _A]}),
    _on("choice-and-not-all", {"n": 1, "s": "b"}, {"And": [_SMALL, _A]}),
    _on("choice-or", {"n": 9, "s": "a"}, {"Or": [_SMALL, _A]}),
    _on("choice-not", {"n": 9}, {"Not": _SMALL}),
    _on("choice-nested", {"n": 9, "s": "a"}, {"And": [{"Not": _SMALL}, {"Or": [_SMALL, _A]}]}),
    _on("choice-missing", {}, _MISSING),
    _on("choice-missing-after-true", {"n": 1}, {"Or": [_SMALL, _MISSING]}),
    _on("choice-missing-after-false", {"n": 9}, {"And": [_SMALL, _MISSING]}),
    _on("choice-present-guards", {}, {"And": [{"Variable": "$.missing", "IsPresent": True}, _MISSING]}),
    _on("choice-present-not", {}, {"Variable": "$.missing", "IsPresent": False}),
    _on("choice-present-null", {"v": None}, {"Variable": "$.v", "IsPresent": True}),
    _on("choice-context", {}, {"Variable": "$$.State.Name", "StringEquals": "Decide"}),
    _on("choice-operand-missing", {"n": 1}, {"Variable": "$.n", "NumericEqualsPath": "$.missing"}),
]
