"""Cases: how data goes in and out of states, paths, templates, intrinsic functions."""

from __future__ import annotations

from typing import Any

from tests.contract.stepfunctions.cases import Case, call, chain, echo, end, fail, step, wait

_SHOP = {
    "id": 7,
    "name": "Köln",
    "tags": ["a", "b", "c"],
    "nothing": None,
    "deep": {"list": [{"n": 1, "k": "x"}, {"n": 2, "k": "y"}], "odd key": {"v": True}},
    "json": '{"a":[1,2.5]}',
}


def _expression(name: str, expression: str) -> Case:
    return Case(name, chain(A=step(Parameters={"v.$": expression})), _SHOP)


_EXPRESSIONS = {
    "path-whole": "$",
    "path-name": "$.name",
    "path-null": "$.nothing",
    "path-index": "$.tags[1]",
    "path-last": "$.tags[-1]",
    "path-bracket": "$['deep']['odd key'].v",
    "path-wildcard": "$.deep.list[*].n",
    "path-slice": "$.tags[0:2]",
    "path-missing": "$.missing",
    "path-index-outside": "$.tags[9]",
    "path-through-scalar": "$.id.x",
    "path-deep-names": "$..n",
    "context-name": "$$.State.Name",
    "context-input": "$$.Execution.Input.deep.list[1].k",
    "context-retries": "$$.State.RetryCount",
    "context-missing": "$$.Task.Token",
    "format": "States.Format('{} is {}', $.name, $.id)",
    "format-types": "States.Format('{} {} {} {}', $.deep, true, -5, $.tags)",
    "format-escapes": r"States.Format('it\'s \{\} {}', $.id)",
    "format-too-few": "States.Format('{} {}', $.id)",
    "string-to-json": "States.StringToJson($.json)",
    "string-to-json-bad": "States.StringToJson($.name)",
    "json-to-string": "States.JsonToString($.deep.list)",
    "array": "States.Array($.id, 'x', false, States.Array())",
    "array-length": "States.ArrayLength($.tags)",
    "array-length-of-number": "States.ArrayLength($.id)",
    "array-get": "States.ArrayGetItem($.tags, 2)",
    "array-get-outside": "States.ArrayGetItem($.tags, 3)",
    "array-contains": "States.ArrayContains($.tags, 'b')",
    "array-contains-not": "States.ArrayContains($.tags, 'z')",
    "array-partition": "States.ArrayPartition($.tags, 2)",
    "array-partition-zero": "States.ArrayPartition($.tags, 0)",
    "array-range": "States.ArrayRange(1, 9, 3)",
    "array-range-down": "States.ArrayRange(5, 1, -2)",
    "array-range-zero": "States.ArrayRange(1, 9, 0)",
    "array-unique": "States.ArrayUnique(States.Array(3, 1, 3, 'a', 'a', 1))",
    "base64": "States.Base64Encode('plain')",
    "base64-back": "States.Base64Decode('cGxhaW4=')",
    "base64-other-letters": "States.Base64Encode($.name)",
    "base64-back-other-letters": "States.Base64Decode('S8O2bG4=')",
    "hash-md5": "States.Hash($.name, 'MD5')",
    "hash-sha1": "States.Hash($.name, 'SHA-1')",
    "hash-sha256": "States.Hash($.name, 'SHA-256')",
    "hash-sha512": "States.Hash($.name, 'SHA-512')",
    "hash-unknown": "States.Hash($.name, 'CRC')",
    "json-merge": "States.JsonMerge($.deep.list[0], $.deep.list[1], false)",
    "math-add": "States.MathAdd($.id, -9)",
    "string-split": "States.StringSplit('a,b;c', ',;')",
    "string-split-empty": "States.StringSplit(',a,,b,', ',')",
    "nested": "States.Format('{}', States.ArrayGetItem(States.StringSplit('x-y', '-'), States.MathAdd(0, 1)))",
    "uuid-length": "States.ArrayLength(States.StringSplit(States.UUID(), '-'))",
    "random-in-range": "States.ArrayContains(States.ArrayRange(1, 3, 1), States.MathRandom(1, 3))",
}


def _pass(name: str, payload: Any = _SHOP, **fields: Any) -> Case:
    return Case(name, chain(A=step(**fields)), payload)


CASES = [
    *(_expression(name, expression) for name, expression in _EXPRESSIONS.items()),
    _pass("pass-nothing"),
    _pass("pass-result", Result={"fixed": [1]}),
    _pass("pass-result-null", Result=None),
    _pass("pass-result-path", Result=1, ResultPath="$.deep.made.up"),
    _pass("pass-result-discarded", Result=1, ResultPath=None),
    _pass("pass-result-into-scalar", Result=1, ResultPath="$.id.x"),
    _pass("pass-result-into-text", "just text", Result=1, ResultPath="$.x"),
    _pass("pass-input-path", InputPath="$.deep"),
    _pass("pass-input-null", InputPath=None),
    _pass("pass-input-missing", InputPath="$.missing"),
    _pass("pass-input-result-path", InputPath="$.deep.list", ResultPath="$.copy"),
    _pass("pass-output-path", OutputPath="$.tags"),
    _pass("pass-output-null", OutputPath=None),
    _pass("pass-output-missing", OutputPath="$.missing"),
    _pass(
        "pass-template",
        Parameters={"s": 1, "n": {"id.$": "$.id", "l": [{"k.$": "$.deep.list[0].k"}, 2]}, "x.$": "$.tags"},
    ),
    _pass("pass-template-and-paths", InputPath="$.deep", Parameters={"v.$": "$.list[0]"}, OutputPath="$.v.n"),
    _pass("input-number", 5),
    _pass("input-list", [1, "a"]),
    _pass("input-null", None),
    Case("succeed-paths", chain(A=end(InputPath="$.deep", OutputPath="$.list")), _SHOP),
    Case("fail-plain", chain(A=fail(Error="Broken", Cause="because")), _SHOP),
    Case("fail-silent", chain(A=fail()), _SHOP),
    Case("fail-paths", chain(A=fail(ErrorPath="$.name", CausePath="States.Format('no {}', $.id)")), _SHOP),
    Case("wait-zero", chain(A=wait(Seconds=0, InputPath="$.deep", OutputPath="$.list")), _SHOP),
    Case("wait-one", chain(A=wait(SecondsPath="$.s")), {"s": 1}),
    Case("wait-past", chain(A=wait(Timestamp="2016-08-18T17:33:00Z")), {}),
    Case("wait-past-path", chain(A=wait(TimestampPath="$.at")), {"at": "2016-08-18T17:33:00Z"}),
    Case("wait-path-missing", chain(A=wait(SecondsPath="$.s")), {}),
    Case("wait-path-negative", chain(A=wait(SecondsPath="$.s")), {"s": -1}),
    Case("wait-path-no-time", chain(A=wait(TimestampPath="$.at")), {"at": "tomorrow"}),
    Case("task-payload", chain(A=call("f", {"id.$": "$.id", "fixed": True})), _SHOP, {"f": echo}),
    Case("task-result-path", chain(A=call("f", ResultPath="$.got")), {"a": 1}, {"f": echo}),
    Case("task-result-discarded", chain(A=call("f", ResultPath=None)), {"a": 1}, {"f": echo}),
    Case("task-output-path", chain(A=call("f", OutputPath="$.value.a")), {"a": [1]}, {"f": echo}),
    Case("task-selector-missing", chain(A=call("f", ResultSelector={"v.$": "$.Nothing"})), {"a": 1}, {"f": echo}),
    Case("task-parameters-missing", chain(A=call("f", {"v.$": "$.nothing"})), {"a": 1}, {"f": echo}),
    Case(
        "task-function-by-path",
        chain(A={**call("x"), "Parameters": {"FunctionName.$": "$.f", "Payload": {}}}),
        {"f": "f"},
        {"f": echo},
    ),
    Case(
        "task-function-arn",
        chain(A={"Type": "Task", "Resource": "arn:aws:lambda:us-east-1:123456789012:function:f"}),
        {"a": 1},
        {"f": echo},
    ),
    Case("task-returns-nothing", chain(A=call("f")), {}, {"f": lambda world, payload: None}),
]
